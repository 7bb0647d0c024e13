"""Adopted forecasts: what others published before the release of the models, entered here later with its public evidence.

They are a kind of evidence of their own. The coefficients stand in registry/adopted/NAME as the authors printed them; they
are applied as they are, without a refit, without an interval that the authors did not give, and only where every metric
they need is known.
"""

from __future__ import annotations

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
class Adopted:
    """Published forms, the models they were meant for, and the evidence that they came first."""

    name: str
    title: str
    published_on: date
    evidence: str
    source: str
    forms: tuple[Form, ...]
    models: tuple[str, ...]


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
    for row in _rows(folder / "forms.csv", ["quantity_id", "parameter", "value"]):
        forms.setdefault(row["quantity_id"], {})[row["parameter"]] = float(row["value"])
    models = tuple(row["model_id"] for row in _rows(folder / "models.csv", ["model_id"]))
    return Adopted(
        folder.name,
        str(card["title"]),
        card["published_on"],
        str(card["evidence"]),
        str(card["source"]),
        tuple(Form(name, values.pop("intercept"), values, values.pop("height")) for name, values in sorted(forms.items())),
        models,
    )


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
