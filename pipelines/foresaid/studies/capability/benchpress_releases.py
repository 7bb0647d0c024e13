"""BenchPress's matrix asked for new releases: five scores of a model are revealed, the rest is forecast from earlier models.

On the first of each month law and completion see the models released before it and are asked for the models of that month; nothing
is fitted on the asked model itself. The files hold no history of the scores, so this too is pseudo-forward. Intervals are as wide,
in standard deviations of the law, as would have held their share of the models of earlier months.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from scipy.special import expit, ndtr, ndtri

from foresaid.arrays import Array
from foresaid.forecasting.matrix_completion import Settings as CompletionSettings
from foresaid.forecasting.matrix_completion import fit_logits, to_logit
from foresaid.laws._capability_kernel import Settings
from foresaid.laws._capability_model import fit, given, joint, predictive
from foresaid.laws._capability_rows import EDGE, cells
from foresaid.studies.capability.benchpress import ROUGH, Matrix, day_of, frame, scales
from foresaid.studies.capability.benchpress_mean import RANKS, WEIGHT

REVEALED = 5
SHARES = (0.80, 0.90)
FIRST = date(2025, 1, 1)  # the first month whose errors teach the widths
FEWEST = 10  # models that must have taught before the widths of a normal distribution are left


@dataclass(frozen=True)
class Asked:
    """Forecast cells of new releases, each (k,): model, outcome, medians of law, completion and mean of both, in the unit printed.

    `centre` and `sd` are the mean of both and the law's standard deviation on the probit scale, `offset` and `span` lead back.
    """

    model: Array
    outcome: Array
    law: Array
    completion: Array
    mean: Array
    centre: Array
    sd: Array
    offset: Array
    span: Array

    @property
    def off(self) -> Array:
        """Distance of the outcome from the centre in standard deviations of the law, an outcome at a bound pulled to the edge."""
        share = np.clip((self.outcome - self.offset) / self.span, EDGE, 1.0 - EDGE)
        return np.asarray(np.abs(ndtri(share) - self.centre) / self.sd)

    def held(self, width: float) -> Array:
        """Whether the interval of `width` standard deviations on both sides held the outcome."""
        low, high = (self.offset + self.span * ndtr(self.centre + side * width * self.sd) for side in (-1.0, 1.0))
        return np.asarray((low <= self.outcome) & (self.outcome <= high))


def widths(earlier: Sequence[Asked]) -> tuple[float, ...]:
    """Width of the interval of each of SHARES in standard deviations: what held that share of the cells of earlier models.

    Every model weighs the same, however many cells it has. With fewer than FEWEST models the widths of a normal distribution.
    """
    model = np.concatenate([part.model for part in earlier]) if earlier else np.empty(0)
    names, member, counts = np.unique(model, return_inverse=True, return_counts=True)
    if len(names) < FEWEST:
        return tuple(float(ndtri(0.5 + share / 2.0)) for share in SHARES)
    off = np.concatenate([part.off for part in earlier])
    order = np.argsort(off, kind="stable")
    reached = np.cumsum(1.0 / counts[member][order]) / len(names)
    return tuple(float(off[order][min(int(np.searchsorted(reached, share)), len(off) - 1)]) for share in SHARES)


def months(first: date, last: date) -> list[date]:
    """Return the first of each month from `first` to `last`."""
    count = (last.year - first.year) * 12 + last.month - first.month
    return [date(first.year + (first.month - 1 + k) // 12, (first.month - 1 + k) % 12 + 1, 1) for k in range(count + 1)]


def ask_month(matrix: Matrix, month: date, draws: int, starts: np.random.Generator, reveals: np.random.Generator) -> Asked | None:
    """Forecast the models released in a month from those before it, REVEALED scores known, in `draws` random choices of them.

    `starts` draws where the completion starts, `reveals` which scores are known, apart so that neither hangs on the other.
    None where the month has no model with more than REVEALED scores on benchmarks that earlier models have.
    """
    days = [day_of(str(model["release_date"])) for model in matrix.models]
    before = np.array([day < month for day in days])
    train = np.where(before[:, None], matrix.scores, np.nan)
    offset, span = scales(matrix, train)
    coded = cells(frame(matrix, train, offset, span))
    place = {name: q for q, name in enumerate(coded.benchmarks.names)}
    columns = np.array([j for j, name in enumerate(matrix.benchmarks) if name in place])
    due = [
        i
        for i, day in enumerate(days)
        if (day.year, day.month) == (month.year, month.month) and np.isfinite(matrix.scores[i, columns]).sum() > REVEALED
    ]
    if not due:
        return None
    model = fit(coded, Settings(), None, ROUGH)
    logits = to_logit((train[before] - offset) / span)
    completions = [fit_logits(logits, CompletionSettings(rank=rank), starts) for rank in RANKS]
    parts: list[Array] = []
    for i in due:
        own = np.full_like(matrix.scores, np.nan)
        own[i, columns] = matrix.scores[i, columns]
        release = cells(frame(matrix, own, offset, span), coded.benchmarks)
        at = np.array([matrix.benchmarks.index(coded.benchmarks.names[q]) for q in release.q])
        found = joint(model, release.systems, release.s, release.q)
        for _ in range(draws):
            shown = np.zeros(release.n, dtype=bool)
            shown[reveals.choice(release.n, REVEALED, replace=False)] = True
            mean, covariance = given(found, shown, release.z, release.item_variance)
            z, sd = predictive(found, mean, np.diag(covariance))
            row = np.full((1, len(matrix.benchmarks)), np.nan)
            row[0, at[shown]] = (matrix.scores[i, at[shown]] - offset[at[shown]]) / span[at[shown]]
            filled = [expit(one.new_rows(to_logit(row))[0, at]) for one in completions]
            other = np.mean(ndtri(np.clip(filled, EDGE, 1.0 - EDGE)), axis=0)
            both, hidden = WEIGHT * z + (1.0 - WEIGHT) * other, ~shown
            table = [offset[at] + span[at] * ndtr(value) for value in (z, other, both)]
            rows = [np.full(release.n, float(i)), matrix.scores[i, at], *table, both, sd, offset[at], span[at]]
            parts.append(np.stack(rows)[:, hidden])
    return Asked(*np.concatenate(parts, axis=1))


def figures(parts: Sequence[Asked], taught: Sequence[tuple[float, ...]], limit: float) -> dict[str, float]:
    """Median absolute errors of law, completion and mean over all cells (mean errors: cells <= `limit`), coverage of the mean.

    `taught` are the `widths` of each part.
    """
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in Asked.__dataclass_fields__}
    outcome = joined["outcome"]
    plain = outcome <= limit
    found = {
        "cells": float(len(outcome)),
        "models": float(len(np.unique(joined["model"]))),
        **{
            f"median absolute error, {name}": float(np.median(np.abs(joined[name] - outcome)))
            for name in ("law", "completion", "mean")
        },
        **{
            f"mean absolute error, {name} (cells <= {limit:.0f})": float(np.abs(joined[name] - outcome)[plain].mean())
            for name in ("law", "completion", "mean")
        },
    }
    for k, share in enumerate(SHARES):
        held = np.concatenate([part.held(width[k]) for part, width in zip(parts, taught, strict=True)])
        by_model = [held[joined["model"] == one].mean() for one in np.unique(joined["model"])]
        found[f"coverage of {100 * share:.0f} %"] = float(held.mean())
        found[f"coverage of {100 * share:.0f} %, mean of models"] = float(np.mean(by_model))
    return found
