"""Every forecast of a round as lines forecast/v1, from its targets and the training rows alone; the primary by the round file's
rule.

Nothing here reads the record: whoever has the questions and the published rows makes the same lines again, byte for byte.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from foresaid.arrays import Array
from foresaid.canonical_json import decimal
from foresaid.evaluation.joint_forecasts import of_frozen
from foresaid.ledger.entries.schema import ForecastEntry, Prediction, Quantiles, TargetEntry
from foresaid.ledger.entries.targets import NextRelease, RecordBy
from foresaid.studies.rounds import records, releases
from foresaid.studies.rounds.round_file import Primary
from foresaid.studies.rounds.training import CELLS, Rows, described, to_bytes

PLACES = 6  # after the point, of a frozen quantile

Made = dict[str, dict[str, Prediction]]  # target -> method -> prediction


def make(targets: Sequence[TargetEntry], rows: Rows, primary: Primary, factor: float, seed: int) -> list[ForecastEntry]:
    """All forecasts of the targets, in their order: of each target every method that can answer it, one of them primary.

    `factor` on the law's standard deviation and the `seed` of simulated releases are those of params.yaml.
    """
    law = set(rows.cells["benchmark"].unique().to_list())
    next_shares = [one for one in targets if isinstance(one.rule, NextRelease) and one.benchmark in law]
    record_shares = [one for one in targets if isinstance(one.rule, RecordBy) and one.benchmark in law]
    made: Made = _next_releases(next_shares, rows, factor) if next_shares else {}
    if record_shares:
        found = records.shares(record_shares, rows, seed)
        made |= {one.id: _all(found[one.id], one) for one in record_shares}
    for target in targets:
        if target.id not in made:
            made[target.id] = _all(_rating(target, rows), target)
    return [
        ForecastEntry(
            id=f"{target.round}/{target.id}/{method}", target=target.id, method=method, primary=method == first, prediction=said
        )
        for target in targets
        for first in [_first(target, made[target.id], primary, law)]
        for method, said in made[target.id].items()
    ]


def _next_releases(targets: Sequence[TargetEntry], rows: Rows, factor: float) -> Made:
    cells = rows.law_cells
    model = releases.law(cells)
    lines = [releases.line_of(one, rows.cells, rows.launches) for one in targets]
    trained = described(to_bytes(rows), rows.as_of, CELLS)
    until = max(rows.read_on.values())
    others = releases.share_baselines(cells, model.cells.benchmarks, targets, lines, until)
    made: Made = {}
    for i, (target, line) in enumerate(zip(targets, lines, strict=True)):
        law: Prediction = of_frozen(releases.joint(model, target, line, factor), trained)
        made[target.id] = {releases.LAW: law, **_all({name: values[i] for name, values in others.items()}, target)}
    return made


def _rating(target: TargetEntry, rows: Rows) -> Mapping[str, Array]:
    if isinstance(target.rule, RecordBy):
        return records.rating(target, rows)
    until = rows.read_on[target.benchmark]
    return releases.rating_baselines(rows.ratings, target, releases.expected_day(target, rows.launches), until)


def _all(found: Mapping[str, Array], target: TargetEntry) -> dict[str, Prediction]:
    return {name: quantiles(values, target) for name, values in found.items()}


def quantiles(values: Array, target: TargetEntry) -> Quantiles:
    """The prediction of a target from quantiles in its unit: within its scale, and on the better side of its record."""
    low, high = Decimal(target.min), Decimal(target.max)
    if isinstance(target.rule, RecordBy) and target.rule.record is not None:
        record = Decimal(target.rule.record)
        low, high = (max(low, record), high) if target.direction == "higher" else (low, min(high, record))
    inside = [min(max(Decimal(decimal(round(float(value), PLACES), 15)), low), high) for value in values]
    return Quantiles(levels=list(target.levels), values=[format(value.normalize() + 0, "f") for value in inside])


def _first(target: TargetEntry, made: Mapping[str, Prediction], primary: Primary, law: set[str]) -> str:
    """The primary method of a target: the first of its kind's list that forecasts it."""
    if isinstance(target.rule, NextRelease):
        order = primary.next_release
    else:
        order = primary.record_by if target.benchmark in law else primary.rating
    return next(name for name in order if name in made)
