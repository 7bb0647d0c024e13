"""History once more: freeze in memory what was known on one day, score it on what was released after it.

A replay is a hindcast asked for by hand: the same laws, guard, baselines and scoring rules as the `hindcast` stage, for any two
days, and nothing is written. It is how anybody tests a law on data the authors of this registry had not seen.

Few boards kept what they said on a given day. Where the record holds nothing that was public then, a law is asked by release dates
only (evaluation/rolling_origin.py says what that is worth); every row says which of the two it is, and the table has a part for
each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from foresaid.errors import ParameterError
from foresaid.evaluation import hindcast
from foresaid.evaluation.rolling_origin import KNOWN, RELEASED
from foresaid.evaluation.schema import KEY, UNITS
from foresaid.evaluation.tables import best_baseline, score_rows, skill, summarise
from foresaid.evaluation.units import attach, of
from foresaid.params import Hindcast, Params
from foresaid.registry.database import Database, quantities

CASE = "replay"


def asked(params: Params, as_of: date, until: date, laws: Sequence[str]) -> Hindcast:
    """Put the question: laws fitted on what was known on `as_of`, scored on models released after it and known by `until`."""
    if until <= as_of:
        raise ParameterError(f"replay: found --until {until} not after --as-of {as_of}, expected a later day")
    for name in laws:
        if name not in params.laws:
            raise ParameterError(f"replay: found the law {name}, expected one of params.yaml: {', '.join(params.laws)}")
    return Hindcast("Replay", "asked for by hand", "released", as_of, until, tuple(laws) or tuple(params.laws))


def replay(
    params: Params,
    connection: Database,
    registry: Path,
    as_of: date,
    until: date,
    laws: Sequence[str] = (),
    quantities: Sequence[str] = (),
    by_release: bool = False,
) -> list[dict[str, Any]]:
    """Score every law and baseline on every quantity between two days: one dict a law and quantity, laws with nothing last.

    Laws that the record of the first day gives nothing to fit or to score are asked once more by release dates only; with
    `by_release` all are asked so at once.

    Keys: mode (`known` or `released`), law, role, quantity, unit, n, n_releases, wis, mae, bias, coverage_50, coverage_80,
    coverage_95, and against the baseline with the least WIS on the same rows its name, `relative_wis` (below one is better),
    `skill` (1 - relative_wis) and `not_forecast`, the rows the law declined. Where a law had nothing to score n is 0 and
    `reason` says why. That the best baseline is chosen afterwards favours the baseline.
    """
    case = asked(params, as_of, until, laws)
    answers = []
    if not by_release:
        answers.append((KNOWN, case, *hindcast.run_case(CASE, case, params, connection, registry)))
    fitted = {item["law"] for *_, fits in answers for item in fits}
    rest = tuple(name for name in case.laws if name not in fitted)
    if rest:
        case = replace(case, laws=rest)
        answers.append((RELEASED, case, *hindcast.run_case(CASE, case, params, connection, registry, by_release=True)))
    known = sorted({name for _, _, made, _ in answers for name in made["quantity_id"]})
    for name in quantities:
        if name not in known:
            raise ParameterError(f"replay: found the quantity {name}, expected one with outcomes: {', '.join(known) or 'none'}")
    rows = []
    for mode, asked_for, made, fits in answers:
        mine = made.filter(pl.col("quantity_id").is_in(list(quantities))) if quantities else made
        # A law with nothing in the record of the day is spoken of where it was asked again.
        names = [name for name in asked_for.laws if mode == RELEASED or name in fitted]
        rows += [{"mode": mode, **row} for row in _scored(mine, fits, names, connection)]
    return sorted(rows, key=lambda row: (row["n"] == 0, row["mode"]))


def _scored(made: pl.DataFrame, fits: Sequence[dict[str, Any]], names: Sequence[str], connection: Database) -> list[dict[str, Any]]:
    """Score one mode's forecasts by law and quantity; laws of `names` that had nothing come last."""
    units = {name: quantity.unit for name, quantity in quantities(connection).items()}
    every = made.with_columns(evidence=pl.lit("hindcast"))
    forecast = attach(every.filter(pl.col("point").is_not_null()), of(connection))
    scored = score_rows(forecast.select(*KEY, *UNITS, "value", "status", "distance", "point", "quantiles"))
    declined = (
        every.filter(pl.col("point").is_null()).group_by("law", "quantity_id").agg(n=pl.len(), status=pl.col("status").first())
    )
    missing = {(row["law"], row["quantity_id"]): row for row in declined.iter_rows(named=True)}
    best = _best_baselines(scored)
    rows = []
    for found in summarise(scored, ["quantity_id"]).sort("law", "quantity_id").iter_rows(named=True):
        name, quantity = found["law"], found["quantity_id"]
        baseline, relative = best.get((name, quantity), (None, None))
        rows.append(
            {
                "law": name,
                "role": found["role"],
                "quantity": quantity,
                "unit": units.get(quantity),
                **{
                    key: found[key]
                    for key in ("n", "n_releases", "wis", "mae", "bias", "coverage_50", "coverage_80", "coverage_95")
                },
                "baseline": baseline,
                "relative_wis": relative,
                "skill": None if relative is None else 1.0 - relative,
                "not_forecast": missing.get((name, quantity), {"n": 0})["n"],
                "reason": None,
            }
        )
    shown = {(row["law"], row["quantity"]) for row in rows}
    empty = [(law, quantity, f"declined: {row['status']}", row["n"]) for (law, quantity), row in missing.items()]
    fitted = {item["law"] for item in fits}
    empty += [
        (law, None, "no model released in between with a known outcome on its targets", 0) for law in names if law not in fitted
    ]
    return rows + [_nothing(*item) for item in sorted(empty, key=str) if (item[0], item[1]) not in shown]


def _nothing(law: str, quantity: str | None, reason: str, declined: int) -> dict[str, Any]:
    blank = dict.fromkeys(("wis", "mae", "bias", "coverage_50", "coverage_80", "coverage_95", "baseline", "relative_wis", "skill"))
    row = {"law": law, "role": "law", "quantity": quantity, "unit": None, "n": 0, "n_releases": 0}
    return {**row, **blank, "not_forecast": declined, "reason": reason}


def _best_baselines(scored: pl.DataFrame) -> dict[tuple[str, str], tuple[str, float]]:
    """For each law and quantity the baseline with the least WIS on the rows both forecast, and the law's WIS over its."""
    if not scored.height:
        return {}
    best: dict[tuple[str, str], tuple[str, float]] = {}
    for quantity in scored["quantity_id"].unique().sort():
        for row in best_baseline(skill(scored.filter(pl.col("quantity_id") == quantity))).iter_rows(named=True):
            best[row["law"], quantity] = (row["baseline"], row["relative_wis"])
    return best
