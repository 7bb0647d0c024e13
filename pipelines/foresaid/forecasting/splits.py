"""Which rows train and which are forecast: by date, by a list, or by scale; and the guard that looks at every split.

The rules of a hindcast are here and nowhere else, so that a case of params.yaml, a replay and a rolling origin cannot differ
in what they let a law see.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import polars as pl

from foresaid.arrays import Array
from foresaid.confusables import model_of
from foresaid.fitting.data import TrainingTable
from foresaid.forecasting import leakage
from foresaid.registry.view import View


@dataclass(frozen=True)
class Split:
    """Rows to fit and rows to forecast, of one target; `distance` says how far beyond the training rows each target lies."""

    train: TrainingTable
    test: TrainingTable
    distance: Array


def split_by_scale(table: TrainingTable, along: Array, share: float, trained_on: int = 0) -> Split:
    """Hold out the `share` of rows that lie furthest `along` (n,), as the law counts it, at least one.

    With `trained_on` all but the first so many are held out. Distance is measured from the last training row, on the
    covariate's own scale.
    """
    order = np.argsort(along, kind="stable")
    held = max(0, table.n - trained_on) if trained_on else max(1, int(np.floor(share * table.n)))
    later = np.zeros(table.n, dtype=bool)
    later[order[table.n - held :]] = True
    edge = along[~later].max() if (~later).any() else along.min()
    return Split(table.where(~later), table.where(later), along[later] - edge)


def split_by_release(known: TrainingTable, later: TrainingTable, wanted: frozenset[str]) -> Split:
    """Fit on what was known, forecast the wanted subjects: no system of a wanted model trains, whatever its compute or date."""
    models = {model_of(subject) for subject in wanted}
    train = known.where(np.array([model_of(subject) not in models for subject in known.subjects], dtype=bool))
    test = later.where(np.array([subject in wanted for subject in later.subjects], dtype=bool))
    return Split(train, test, np.full(test.n, np.nan))


def released_after(view: View, day: date) -> frozenset[str]:
    """Return the models with a known release date after the day. A model without a date is never a target."""
    rows = view.observations.filter((pl.col("kind") == "model") & (pl.col("released_on") > day))
    return frozenset(rows["subject_id"].unique())


def released_by(view: View, day: date) -> View:
    """Return the record of the models released on or before the day; one without a date belongs to no day."""
    return replace(view, observations=view.observations.filter(pl.col("released_on") <= day))


def check(split: Split, as_of: date, by_date: bool, public_on: Sequence[date] | None = None) -> None:
    """Let the leak guard look at a split; `by_date` says that every target must have been released after the day.

    `public_on` stands in for the days on which the training values became known, where a hindcast goes by release dates
    only and says so.
    """
    days = split.train.known_on if public_on is None else public_on
    rows = [
        leakage.TrainingRow(subject, split.train.target.quantity_id, split.train.target.resolver, known, released)
        for subject, known, released in zip(split.train.subjects, days, split.train.released_on, strict=True)
    ]
    targets = [
        leakage.GuardedTarget(subject, released if by_date else None)
        for subject, released in zip(split.test.subjects, split.test.released_on, strict=True)
    ]
    leakage.check_training(rows, as_of, as_of, targets)


def first_published(table: TrainingTable, published: View) -> TrainingTable:
    """Put the first value its resolver published in place of each outcome, whatever was revised since."""
    rows = published.under(table.target.quantity_id, table.target.protocol)
    first = dict(zip(rows["subject_id"], rows["value"], strict=True))
    target = table.target
    y = np.array([(first[name] - target.offset) / target.span if name in first else np.nan for name in table.subjects])
    return replace(table, y=y, excluded_rows=()).where(~np.isnan(y))
