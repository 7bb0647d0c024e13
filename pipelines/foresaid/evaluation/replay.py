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
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import polars as pl

from foresaid.errors import ParameterError
from foresaid.evaluation import capability_case, hindcast
from foresaid.evaluation.modes import KNOWN, RELEASED
from foresaid.evaluation.replay_account import NO_FORECAST, Account, account
from foresaid.evaluation.schema import KEY, UNITS
from foresaid.evaluation.tables import best_baseline, score_rows, skill, summarise
from foresaid.evaluation.units import attach, of
from foresaid.laws._capability_record import read_choices
from foresaid.params import Hindcast, Params
from foresaid.registry import database
from foresaid.registry.database import Database, quantities
from foresaid.registry.systems import models_of

CASE = "replay"
CAPABILITY = "capability"  # the law of all cells has a section of its own in params.yaml


def asked(params: Params, known_on: date, until: date, laws: Sequence[str], released_after: date | None = None) -> Hindcast:
    """Put the question: laws fitted on what was known on `known_on`, scored on what was known by `until` and not then."""
    if until <= known_on:
        raise ParameterError(f"replay: found --until {until} not after --known-on {known_on}, expected a later day")
    if released_after is not None and until <= released_after:
        raise ParameterError(f"replay: found --until {until} not after --released-after {released_after}, expected a later day")
    every = (*params.laws, *((CAPABILITY,) if params.capability else ()))
    for name in laws:
        if name not in every:
            raise ParameterError(f"replay: found the law {name}, expected one of params.yaml: {', '.join(every)}")
    return Hindcast("Replay", "asked for by hand", "released", known_on, until, tuple(laws) or every)


def replay(
    params: Params,
    connection: Database,
    registry: Path,
    known_on: date,
    until: date,
    laws: Sequence[str] = (),
    quantities: Sequence[str] = (),
    by_release: bool = False,
    released_after: date | None = None,
) -> list[dict[str, Any]]:
    """Score every law and baseline on every quantity between two days: one dict a law and quantity, laws with nothing last.

    Laws are fitted on what was known on `known_on` and scored on models released after `released_after` (`known_on` where it is
    None) whose outcome became known after `known_on` and by `until`. Boards measure late, so the two days may lie weeks apart.

    Laws that the record of the first day gives nothing to fit or to score are asked once more by release dates only; with
    `by_release` all are asked so at once.

    Keys: mode (`known` or `released`), law, role, quantity, unit, n, n_releases, wis, mae, bias, coverage_50, coverage_80,
    coverage_95, and against the baseline with the least WIS on the same rows its name, `relative_wis` (below one is better),
    `skill` (1 - relative_wis) and `no_forecast`, the rows the law did not forecast. Where a law had nothing to score n is 0 and
    `reason` says why. That the best baseline is chosen afterwards favours the baseline.
    """
    return replayed(params, connection, registry, known_on, until, laws, quantities, by_release, released_after)[0]


def replayed(
    params: Params,
    connection: Database,
    registry: Path,
    known_on: date,
    until: date,
    laws: Sequence[str] = (),
    quantities: Sequence[str] = (),
    by_release: bool = False,
    released_after: date | None = None,
) -> tuple[list[dict[str, Any]], Account]:
    """The rows of `replay`, and the account of every value that became known between the two days."""
    case = asked(params, known_on, until, laws, released_after)
    wanted = _wanted(quantities, connection)
    rows, forecasts = _answered(CASE, case, params, connection, registry, wanted, by_release, released_after)
    return rows, account(connection, known_on, until, released_after or known_on, forecasts, wanted)


def reading(params: Params, sources: Sequence[str], connection: Database) -> Params:
    """Let every law that names its sources read these as well: boards that are read on demand stand in no law's default entry."""
    known = database.sources(connection)
    for name in sources:
        if name not in known:
            raise ParameterError(
                f"replay: found the source {name}, expected one of the database: {', '.join(known)}; "
                "add it to sources in params.yaml"
            )

    def more(entry: dict[str, Any]) -> dict[str, Any]:
        return {**entry, "sources": list(dict.fromkeys([*entry["sources"], *sources]))} if "sources" in entry else entry

    return replace(params, laws={name: more(entry) for name, entry in params.laws.items()}, capability=more(params.capability))


def replay_case(
    name: str, params: Params, connection: Database, registry: Path, laws: Sequence[str] = (), quantities: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Score one case of params.yaml alone, by the rules of the stage `hindcast`; keys as of `replay`. Nothing is written."""
    made, fits, asked_for = _case(name, params, connection, registry, laws, quantities)
    rows = [{"mode": KNOWN, **row} for row in _scored(made, fits, asked_for, connection)]
    return sorted(rows, key=lambda row: row["n"] == 0)


def replay_model(
    name: str,
    model: str,
    params: Params,
    connection: Database,
    registry: Path,
    laws: Sequence[str] = (),
    quantities: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """Make the forecasts of one model in one case of params.yaml again: one dict a quantity and method, with the observed score.

    Keys: quantity, system, law, role, observed, median, lower_80, upper_80, absolute_error, wis; numbers in the unit of the
    quantity. Raises ParameterError for a model that the case does not forecast.
    """
    made, _, _ = _case(name, params, connection, registry, laws, quantities)
    mine = made.filter((models_of("subject_id") == model) & pl.col("point").is_not_null())
    if mine.is_empty():
        known = made.select(models_of("subject_id")).to_series().unique().sort().to_list()
        near = get_close_matches(model, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"it forecasts {len(known)} models"
        raise ParameterError(f"replay: found the model {model}, expected one that the case {name} forecasts; {hint}")
    forecast = attach(mine.with_columns(evidence=pl.lit("hindcast")), of(connection))
    scored = score_rows(forecast.select(*KEY, *UNITS, "observed", "status", "distance", "point", "quantiles"))
    numbers = ("observed", "median", "lower_80", "upper_80", "absolute_error", "wis")
    ordered = scored.sort("quantity_id", "subject_id", "role", "law", descending=[False, False, True, False])
    named = ordered.select(pl.col("quantity_id").alias("quantity"), pl.col("subject_id").alias("system"), "law", "role", *numbers)
    return named.to_dicts()


def _case(
    name: str, params: Params, connection: Database, registry: Path, laws: Sequence[str], quantities: Sequence[str]
) -> tuple[pl.DataFrame, list[dict[str, Any]], tuple[str, ...]]:
    """Forecast one case of params.yaml again: rows of the quantities asked for, fits, and the laws asked."""
    if name not in params.hindcast:
        raise ParameterError(f"replay: found the case {name}, expected one of params.yaml: {', '.join(params.hindcast)}")
    case = params.hindcast[name]
    for law in laws:
        if law not in case.laws:
            raise ParameterError(f"replay: found the law {law}, expected one of the case {name}: {', '.join(case.laws)}")
    wanted = _wanted(quantities, connection)
    asked_for = tuple(laws) or case.laws
    made, fits = hindcast.run_case(name, replace(case, laws=asked_for), params, connection, registry)
    return (made.filter(pl.col("quantity_id").is_in(list(wanted))) if wanted else made), fits, asked_for


def _wanted(names: Sequence[str], connection: Database) -> tuple[str, ...]:
    """Refuse what is no quantity of the record; a quantity without an outcome is an answer, not an error."""
    known = quantities(connection)
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else "see registry/quantities.csv"
            raise ParameterError(f"replay: found the quantity {name}, expected one of the record; {hint}")
    return tuple(names)


def _answered(
    name: str,
    case: Hindcast,
    params: Params,
    connection: Database,
    registry: Path,
    wanted: Sequence[str],
    by_release: bool,
    released_after: date | None,
) -> tuple[list[dict[str, Any]], pl.DataFrame]:
    answers = []
    of_cells = CAPABILITY in case.laws
    case = replace(case, laws=tuple(law for law in case.laws if law != CAPABILITY))
    if not by_release:
        made, fits = hindcast.run_case(name, case, params, connection, registry, released_after_day=released_after)
        if of_cells:
            choices = read_choices(params.capability)
            cells = capability_case.run(name, case, choices, connection, released_after or case.as_of)
            made = pl.concat([made, cells]).unique(["law", "target_id", "subject_id"], keep="first", maintain_order=True)
            fits = [*fits, *({"law": law} for law in cells["law"].unique().sort() if law in capability_case.METHODS)]
        answers.append((KNOWN, case, made, fits))
    fitted = {item["law"] for *_, fits in answers for item in fits}
    rest = tuple(name for name in case.laws if name not in fitted)
    if rest:
        case = replace(case, laws=rest)
        found = hindcast.run_case(name, case, params, connection, registry, by_release=True, released_after_day=released_after)
        answers.append((RELEASED, case, *found))
    rows = []
    every: list[pl.DataFrame] = []
    for mode, asked_for, made, fits in answers:
        mine = made.filter(pl.col("quantity_id").is_in(list(wanted))) if wanted else made
        # A law with nothing in the record of the day is spoken of where it was asked again.
        every.append(mine.filter(pl.col("point").is_not_null()).select("law", "role", "subject_id", "quantity_id"))
        names = [name for name in asked_for.laws if mode == RELEASED or name in fitted]
        rows += [{"mode": mode, **row} for row in _scored(mine, fits, names, connection)]
    if of_cells and CAPABILITY not in fitted:
        reason = "by release date it is asked by no replay" if by_release else "no later score on a board it could be fitted to"
        rows.append({"mode": RELEASED if by_release else KNOWN, **_nothing(CAPABILITY, None, reason, 0)})
    shown = {row["quantity"] for row in rows}
    for quantity in sorted(set(wanted) - shown):
        reason = "no law of the question forecasts it, or no model released in between has a known outcome"
        rows.append({"mode": RELEASED if by_release else KNOWN, **_nothing("every law", quantity, reason, 0)})
    return sorted(rows, key=lambda row: (row["n"] == 0, row["mode"])), pl.concat(every) if every else NO_FORECAST


def _scored(made: pl.DataFrame, fits: Sequence[dict[str, Any]], names: Sequence[str], connection: Database) -> list[dict[str, Any]]:
    """Score one mode's forecasts by law and quantity; laws of `names` that had nothing come last."""
    units = {name: quantity.unit for name, quantity in quantities(connection).items()}
    every = made.with_columns(evidence=pl.lit("hindcast"))
    forecast = attach(every.filter(pl.col("point").is_not_null()), of(connection))
    scored = score_rows(forecast.select(*KEY, *UNITS, "observed", "status", "distance", "point", "quantiles"))
    silent = every.filter(pl.col("point").is_null()).group_by("law", "quantity_id").agg(n=pl.len(), status=pl.col("status").first())
    missing = {(row["law"], row["quantity_id"]): row for row in silent.iter_rows(named=True)}
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
                "no_forecast": missing.get((name, quantity), {"n": 0})["n"],
                "reason": None,
            }
        )
    shown = {(row["law"], row["quantity"]) for row in rows}
    empty = [(law, quantity, f"no forecast: {row['status']}", row["n"]) for (law, quantity), row in missing.items()]
    fitted = {item["law"] for item in fits}
    empty += [
        (law, None, "no model released in between with a known outcome on its targets", 0) for law in names if law not in fitted
    ]
    return rows + [_nothing(*item) for item in sorted(empty, key=str) if (item[0], item[1]) not in shown]


def _nothing(law: str, quantity: str | None, reason: str, silent: int) -> dict[str, Any]:
    blank = dict.fromkeys(("wis", "mae", "bias", "coverage_50", "coverage_80", "coverage_95", "baseline", "relative_wis", "skill"))
    row = {"law": law, "role": "law", "quantity": quantity, "unit": None, "n": 0, "n_releases": 0}
    return {**row, **blank, "no_forecast": silent, "reason": reason}


def _best_baselines(scored: pl.DataFrame) -> dict[tuple[str, str], tuple[str, float]]:
    """For each law and quantity the baseline with the least WIS on the rows both forecast, and the law's WIS over its."""
    if not scored.height:
        return {}
    best: dict[tuple[str, str], tuple[str, float]] = {}
    for quantity in scored["quantity_id"].unique().sort():
        for row in best_baseline(skill(scored.filter(pl.col("quantity_id") == quantity))).iter_rows(named=True):
            best[row["law"], quantity] = (row["baseline"], row["relative_wis"])
    return best
