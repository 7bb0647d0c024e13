"""BenchPress's matrix asked for new releases: five scores of a model are revealed, the rest is forecast from earlier models.

On the first of each month law and completion see the models released before it and are asked for the models of that month; nothing
is fitted on the asked model itself. The files hold no history of the scores, so this too is pseudo-forward.
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

REVEALED = 5
Z80, Z90 = 1.2815516, 1.6448536


@dataclass(frozen=True)
class Asked:
    """Forecast cells of new releases, each (k,): model, outcome, median of the law and of the mean of both, bounds of the law."""

    model: Array
    outcome: Array
    law: Array
    completion: Array
    mean: Array
    low_80: Array
    high_80: Array
    low_90: Array
    high_90: Array


def months(first: date, last: date) -> list[date]:
    """Return the first of each month from `first` to `last`."""
    count = (last.year - first.year) * 12 + last.month - first.month
    return [date(first.year + (first.month - 1 + k) // 12, (first.month - 1 + k) % 12 + 1, 1) for k in range(count + 1)]


def ask_month(matrix: Matrix, month: date, draws: int, factor: float, rng: np.random.Generator) -> Asked | None:
    """Forecast the models released in a month from those before it, REVEALED scores known, in `draws` random choices of them.

    Intervals are the law's, its standard deviation times `factor`, about the mean of both forms. None where the month has no model
    with more than REVEALED scores on benchmarks that earlier models have.
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
    completion = fit_logits(to_logit((train[before] - offset) / span), CompletionSettings(), rng)
    parts: list[Array] = []
    for i in due:
        own = np.full_like(matrix.scores, np.nan)
        own[i, columns] = matrix.scores[i, columns]
        release = cells(frame(matrix, own, offset, span), coded.benchmarks)
        at = np.array([matrix.benchmarks.index(coded.benchmarks.names[q]) for q in release.q])
        found = joint(model, release.systems, release.s, release.q)
        for _ in range(draws):
            shown = np.zeros(release.n, dtype=bool)
            shown[rng.choice(release.n, REVEALED, replace=False)] = True
            mean, covariance = given(found, shown, release.z, release.item_variance)
            z, sd = predictive(found, mean, np.diag(covariance))
            row = np.full((1, len(matrix.benchmarks)), np.nan)
            row[0, at[shown]] = (matrix.scores[i, at[shown]] - offset[at[shown]]) / span[at[shown]]
            other = ndtri(np.clip(expit(completion.new_rows(to_logit(row))[0, at]), EDGE, 1.0 - EDGE))
            both, hidden = 0.5 * (z + other), ~shown
            bounds = [both + factor * times * sd for times in (-Z80, Z80, -Z90, Z90)]
            table = [offset[at] + span[at] * ndtr(value) for value in (z, other, both, *bounds)]
            parts.append(np.stack([np.full(release.n, float(i)), matrix.scores[i, at], *table])[:, hidden])
    return Asked(*np.concatenate(parts, axis=1))


def figures(parts: Sequence[Asked], limit: float) -> dict[str, float]:
    """Median absolute errors of law, completion and mean over all cells, the mean's coverage (cells <= `limit` in the errors)."""
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
    for level in ("80", "90"):
        held = (joined[f"low_{level}"] <= outcome) & (outcome <= joined[f"high_{level}"])
        by_model = [held[joined["model"] == one].mean() for one in np.unique(joined["model"])]
        found[f"coverage of {level} %"] = float(held.mean())
        found[f"coverage of {level} %, mean of models"] = float(np.mean(by_model))
    return found
