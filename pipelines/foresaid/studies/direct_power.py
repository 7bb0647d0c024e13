"""Accuracy straight from sizes, beside the ladder's way round by a loss: which of four forms, and who is nearer at seven billion.

The law direct_power has two budgets (compute, or both sizes) on two scales (the accuracy, or its share from chance). Which one
params.yaml asks for is a choice made on plays: each form forecasts the largest 20, 30 and 40 % of the small runs from the rest.
Beside that stands what all of them, and the ladder, say of the finished run of seven billion parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np

from foresaid.evaluation.modes import SAID, SCALE
from foresaid.fitting.data import TrainingTable
from foresaid.fitting.fit import NO_FORECAST, fit
from foresaid.fitting.law import Law
from foresaid.forecasting.recalibration import SHARES, held_out
from foresaid.forecasting.splits import Split, split_by_scale
from foresaid.laws import _loader as laws
from foresaid.params import Params
from foresaid.registry.view import View
from foresaid.studies.law_sections import LawSection, StudyTable

LADDER, DIRECT = "ladder", "direct_power"
FORMS = {
    "A / C^α, from chance": {"budget": "compute", "from_chance": True},
    "A / C^α, raw": {"budget": "compute", "from_chance": False},
    "A / N^α + B / D^β, from chance": {"budget": "sizes", "from_chance": True},
    "A / N^α + B / D^β, raw": {"budget": "sizes", "from_chance": False},
}
LARGEST = 0.001  # of the rows: the one run with the most compute


def miss(law: Law, train: TrainingTable, test: TrainingTable, seed: int) -> float | None:
    """Return the mean absolute error of a law on held-out rows, in the unit of the quantity; None where it declines."""
    found = fit(law, train, seed, 2)
    if found.status in NO_FORECAST:
        return None
    return float(np.abs(law.curve(found.point, test.x) - test.y).mean()) * test.target.span


def plays(law: Law, train: TrainingTable, seed: int) -> list[float]:
    """Return the errors of a law on the furthest shares of its own training rows, each forecast from the rest."""
    parts = [held_out(law, train, share) for share in SHARES]
    missed = [miss(law, *part, seed) for part in parts if part is not None]
    return [one for one in missed if one is not None]


def _splits(law: Law, view: View) -> dict[str, Split]:
    return {table.target.target_id: split_by_scale(table, law.along(table), LARGEST) for table in law.tables(view)}


def section(as_of: Callable[[date], View], params: Params) -> LawSection | None:
    """Lay the ladder and the four forms beside each other on every task; None where the record or the settings lack them."""
    if LADDER not in params.laws or DIRECT not in params.laws:
        return None
    view, seed = as_of(params.fit_as_of), params.seed
    ladder = laws.load(LADDER, params.laws[LADDER])
    forms = {name: laws.load(DIRECT, {**params.laws[DIRECT], **form}) for name, form in FORMS.items()}
    splits = {name: _splits(law, view) for name, law in forms.items()}
    errors: dict[str, list[float]] = {LADDER: [], **{name: [] for name in FORMS}}
    past: dict[str, list[float]] = {name: [] for name in FORMS}
    rows: list[tuple[str | float, ...]] = []
    for task, split in sorted(_splits(ladder, view).items()):
        said = {LADDER: miss(ladder, split.train, split.test, seed)}
        known = [name for name in FORMS if task in splits[name]]
        said |= {name: miss(forms[name], splits[name][task].train, splits[name][task].test, seed) for name in known}
        each = [(name, error) for name, error in said.items() if error is not None]
        if len(each) < 1 + len(FORMS):
            continue
        for name, error in each:
            errors[name].append(error)
        for name in FORMS:
            past[name] += plays(forms[name], splits[name][task].train, seed)
        rows.append((task, *(error for _, error in each)))
    if not rows:
        return None
    in_past = {name: 100.0 * float(np.mean(one)) for name, one in past.items()}
    at_large = {name: 100.0 * float(np.mean(one)) for name, one in errors.items()}
    least = min(in_past, key=in_past.__getitem__)
    asked = next(name for name in FORMS if all(getattr(forms[name], key) == value for key, value in _asked(params).items()))
    chosen = "the law of this record" if least == asked else f"the law of this record is {asked}"
    in_words = "; ".join(f"{name} {value:.1f} points" for name, value in sorted(in_past.items(), key=lambda item: item[1]))
    at_words = "; ".join(f"{name} {value:.1f} points" for name, value in sorted(at_large.items(), key=lambda item: item[1]))
    said_of = (
        f"Chosen on plays (the small runs’ own furthest 20, 30 and 40 % from the rest, {len(rows)} tasks): {in_words}. The least "
        f"error is that of {least}: {chosen}.",
        f"Mean absolute error on {len(rows)} tasks of the 7B run, fitted on the small runs alone: {at_words}. Tasks of one run are "
        "one draw. All four had been scored on this run before the choice was made on plays. From chance: the share of the way "
        "from guessing to perfect is fitted; raw: the accuracy itself.",
    )
    header = ("task", *at_large)
    said_at = "Absolute error at 7B, as a fraction: the ladder, and straight from sizes"
    table = StudyTable("tasks", said_at, header, tuple(rows), SAID[SCALE])
    return LawSection("direct-power", "Straight from sizes to accuracy", (LADDER, DIRECT), said_of, (table,), "foresaid study")


def _asked(params: Params) -> dict[str, object]:
    law = laws.load(DIRECT, params.laws[DIRECT])
    return {key: getattr(law, key) for key in ("budget", "from_chance")}
