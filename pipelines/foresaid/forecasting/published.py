"""Adopted forecasts: what others published before the release of the models, entered here later with its public evidence.

They are a kind of evidence of their own. Either the coefficients of forms stand in registry/adopted/NAME as the authors printed
them, applied as they are, without a refit, without an interval that the authors did not give, and only where every metric they
need is known; or forecasts of a record by a day stand there, by their quantiles, and resolve by the best value among models
released by that day once the board was read on it or later.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from foresaid.arrays import Array, sigmoid
from foresaid.errors import RecordError, UnreadableError
from foresaid.files import read_csv
from foresaid.registry.view import View
from foresaid.scoring.levels import LEVELS

FORMS = ["quantity_id", "parameter", "value"]
RECORDS = ["quantity_id", "by", "level", "value"]
FORM, RECORD = "printed_forms", "published_record"  # what the two kinds are called among methods
POINT = "point"  # the level of the value that the authors print


@dataclass(frozen=True)
class Form:
    """One printed form: logit = intercept + sum of weight x metric; share = 1 - h + h s(logit).

    The score is chance + (1 - chance) share, with h the `height`.
    """

    quantity_id: str
    intercept: float
    weights: dict[str, float]
    height: float


@dataclass(frozen=True)
class RecordForecast:
    """A published forecast of the best value on a quantity by a day: the point as printed, and quantiles at `LEVELS`."""

    quantity_id: str
    by: date
    point: float
    quantiles: tuple[float, ...]


@dataclass(frozen=True)
class RecordOutcome:
    """The best value among models released by a day: whose it is, its family, and when that came out."""

    subject_id: str
    family: str
    released_on: date
    value: float


@dataclass(frozen=True)
class Adopted:
    """Published forms with the models they were meant for, or forecasts of records, and the evidence that they came first."""

    name: str
    title: str
    published_on: date
    evidence: str
    source: str
    forms: tuple[Form, ...]
    models: tuple[str, ...]
    records: tuple[RecordForecast, ...] = ()


def _rows(path: Path, header: list[str]) -> list[dict[str, str]]:
    found, rows = read_csv(path, "part of the record; restore it with git")
    if found != header:
        raise RecordError(f"{path}: found the header {found}, expected {header}")
    return rows


def load(folder: Path) -> Adopted:
    """Read one adopted record."""
    try:
        card = tomllib.loads((folder / "adopted.toml").read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise UnreadableError(f"{folder / 'adopted.toml'}: {error}") from None
    forms: dict[str, dict[str, float]] = {}
    records = _records(folder / "records.csv") if (folder / "records.csv").is_file() else ()
    listed = [] if records and not (folder / "forms.csv").is_file() else _rows(folder / "forms.csv", FORMS)
    for row in listed:
        forms.setdefault(row["quantity_id"], {})[row["parameter"]] = float(row["value"])
    models = tuple(row["model_id"] for row in _rows(folder / "models.csv", ["model_id"])) if forms else ()
    return Adopted(
        folder.name,
        str(card["title"]),
        card["published_on"],
        str(card["evidence"]),
        str(card["source"]),
        tuple(Form(name, values.pop("intercept"), values, values.pop("height")) for name, values in sorted(forms.items())),
        models,
        records,
    )


def _records(path: Path) -> tuple[RecordForecast, ...]:
    """Forecasts of records, from rows of a level and a value each; raises RecordError for what is no forecast."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for row in _rows(path, RECORDS):
        mine = found.setdefault((row["quantity_id"], row["by"]), {})
        if row["level"] in mine:
            raise RecordError(
                f"{path}: found {row['quantity_id']} by {row['by']} at {row['level']} twice, expected each level once"
            )
        mine[row["level"]] = row["value"]
    wanted = [POINT, *(f"{level:g}" for level in LEVELS)]
    made = []
    for (name, by), values in sorted(found.items()):
        if list(values) != wanted:
            raise RecordError(
                f"{path}: found {name} by {by} at {len(values)} levels, expected {POINT} and the {len(LEVELS)} levels"
            )
        try:
            day, numbers = date.fromisoformat(by), [float(value) for value in values.values()]
        except ValueError as error:
            raise RecordError(f"{path}: found {name} by {by}: {error}, expected a day and numbers") from None
        if not all(math.isfinite(number) for number in numbers) or numbers[1:] != sorted(numbers[1:]):
            raise RecordError(f"{path}: found {name} by {by}: quantiles that fall or are no numbers, expected them to rise")
        made.append(RecordForecast(name, day, numbers[0], tuple(numbers[1:])))
    return tuple(made)


def record_outcome(made: RecordForecast, published: View) -> RecordOutcome | None:
    """The outcome of a forecast of a record, by what its resolver published first; None until the board was read on that day.

    Every system of a model counts, as a record does not ask how it was set. Of equal values that of the earlier release stands.
    """
    rows = published.observations.filter((pl.col("quantity_id") == made.quantity_id) & (pl.col("kind") == "model"))
    read = rows["known_on"].max()
    rows = rows.filter(pl.col("released_on") <= made.by)
    if not isinstance(read, date) or read < made.by or not rows.height:
        return None
    best = rows.sort(["value", "released_on", "subject_id"], descending=[True, False, False]).row(0, named=True)
    if published.quantity(made.quantity_id).direction == "lower":
        best = rows.sort(["value", "released_on", "subject_id"]).row(0, named=True)
    return RecordOutcome(best["subject_id"], best["family"], best["released_on"], float(best["value"]))


def load_all(registry: Path) -> list[Adopted]:
    """Read every adopted record, by name."""
    return [load(path.parent) for path in sorted((registry / "adopted").glob("*/adopted.toml"))]


def apply(form: Form, metrics: dict[str, Array], chance: float) -> Array:
    """Score (n,) that a printed form gives for models with these metrics; NaN where one is missing.

    >>> form = Form("task", 0.0, {"mmlu": 2.0}, 1.0)
    >>> apply(form, {"mmlu": np.array([0.0, 0.5])}, 0.0).round(3).tolist()
    [0.5, 0.731]
    """
    logit = form.intercept + sum((weight * metrics[name] for name, weight in form.weights.items()), np.zeros(1))
    return np.asarray(chance + (1.0 - chance) * (1.0 - form.height + form.height * sigmoid(logit)))


def subjects(record: Adopted, form: Form, view: View, published: View) -> tuple[list[str], Array, Array]:
    """Return the listed models whose outcome is published, their forecasts, and their outcomes as first published."""
    quantity = view.quantity(form.quantity_id)
    outcomes = published.under(form.quantity_id)
    wide = (
        view.wide(list(form.weights), (record.source,))
        .filter(pl.col("subject_id").is_in(list(record.models)))
        .join(outcomes.select("subject_id", outcome="value"), on="subject_id", how="inner")
        .sort("subject_id")
    )
    metrics = {name: wide[name].to_numpy().astype(float) for name in form.weights}
    return list(wide["subject_id"]), apply(form, metrics, quantity.chance or 0.0), wide["outcome"].to_numpy().astype(float)
