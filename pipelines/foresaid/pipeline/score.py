"""Stage `score`: the ledger, the adopted record and the hindcast, each against its outcomes.

The three kinds of evidence are scored by the same rules and never mixed: `evidence` stands on every row. Nothing is dropped:
what could not be forecast, what has no outcome yet and what was withdrawn is counted. Pages compute no mean: the tables they show
are made here, without the quantities whose publisher forbids a copy (their rows stay in build/scores.parquet, on this machine).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from foresaid import parallel
from foresaid.errors import LedgerError, RecordError
from foresaid.evaluation import released_scores, revised_outcomes, score_tables, units
from foresaid.evaluation.claims import PERIOD, broken_down, claims
from foresaid.evaluation.ledger_scores import Scores, score_ledger
from foresaid.evaluation.schema import KEY, SCHEMA
from foresaid.evaluation.tables import by_unit, calibrated, compared, score_rows, skill, summarise
from foresaid.files import read_frame, write_frame, write_json
from foresaid.forecasting import published as adopted
from foresaid.ledger import store
from foresaid.ledger.entries.batch import Batch
from foresaid.ledger.state.accounting import WORST, totals
from foresaid.ledger.state.index import Clock
from foresaid.ledger.verify import verify
from foresaid.ledger.verify.page import figures as page_figures
from foresaid.params import Params
from foresaid.pipeline.outcomes import barred, proposed, read_record
from foresaid.registry import database, licences, load
from foresaid.registry.schema import SCHEMA as OBSERVATION
from foresaid.registry.view import View
from foresaid.studies import preregistration

BLOCK = 50_000  # rows scored in one job; no row knows of another, so no size changes a byte
ALWAYS = date(9999, 12, 31)  # everything the record knows
WANTED = [*KEY, "observed", "status", "distance", "point", "quantiles"]


def prospective(
    registry: Path,
    on: datetime | None = None,
    own: str = "",
    known: units.Units = units.NOTHING,
    read: tuple[Sequence[Batch], verify.VerificationResult] | None = None,
) -> Scores:
    """Score what the ledger froze: every version of every forecast, and what nobody can read as the worst.

    `on` is the day up to which the record is known: what had to be opened by then and was not is unopened. `read` is the ledger
    with what was found in it, if it was read.
    """
    batches, checked = read or store.read_checked(registry / "ledger")
    return scored(registry, Clock(on, checked.policy.stamps > 0, checked.proved), own, known, batches)


def scored(
    registry: Path, clock: Clock, own: str = "", known: units.Units = units.NOTHING, batches: Sequence[Batch] | None = None
) -> Scores:
    """The same by a clock of one's own, as a reader with another trust policy has it; `batches`: the ledger, if it was read."""
    batches = store.read(registry / "ledger") if batches is None else batches
    return score_ledger(batches, clock, own, barred(batches, registry), known)


def figures(registry: Path, clock: Clock) -> dict[str, list[float | None]]:
    """The scores and means that a page of the ledger must show, computed anew from the ledger alone."""
    done = scored(registry, clock)
    return page_figures(done.table, with_exits(done.table), done.crossings)


EXITS = ("late", "withdrawn", "void", "disputed")  # what takes a forecast out of the mean after it was made


def with_exits(table: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By author, method, what it was told and unit the mean WIS of what counts, and of that with all that left the mean kept in it.

    Errors in different units have no mean. Kept are rows that came late, were withdrawn, or whose target was voided, challenged or
    disputed, if they have an outcome.
    """
    sums: dict[tuple[str, str, str, str], dict[str, float]] = {}
    for row in table:
        if row["wis"] is None or row["standing"] not in ("scored", "penalised", *EXITS):
            continue
        key = (row["author"], row["id"].rsplit("/", 1)[1], row["told"], row["unit"])
        kept = sums.setdefault(key, {"n": 0, "wis": 0.0, "n_kept": 0, "wis_kept": 0.0})
        kept["n_kept"] += row["n"]
        kept["wis_kept"] += row["n"] * row["wis"]
        if row["standing"] not in EXITS:
            kept["n"] += row["n"]
            kept["wis"] += row["n"] * row["wis"]
    return [
        {
            "author": author,
            "method": method,
            "told": told,
            "unit": unit,
            "n": int(kept["n"]),
            "wis": kept["wis"] / kept["n"] if kept["n"] else None,
            "n_with_exits": int(kept["n_kept"]),
            "wis_with_exits": kept["wis_kept"] / kept["n_kept"],
        }
        for (author, method, told, unit), kept in sorted(sums.items())
    ]


def ledger_state(done: Scores, on: datetime | None) -> dict[str, Any]:
    """What the pages need to know of the ledger's forecasts: totals that add up, which are scored, and who has to be named."""
    found = done.accounts
    return {
        "ledger": totals(found),
        "scored": [[one.author, one.id] for one in found if one.state == "scored"],
        "penalised": [{"author": one.author, "id": one.id, "state": one.state} for one in found if one.state in WORST],
        "late": [{"author": one.author, "id": one.id, "reason": one.reason} for one in found if one.state == "late"],
        "versions": done.table,
        "with_exits": with_exits(done.table),
        "crossings": done.crossings,
        "universe": done.no_shows,
        "on": on.strftime("%Y-%m-%dT%H:%M:%SZ") if on else None,
    }


def open_outcomes(batches: Sequence[Batch], registry: Path, build: Path, today: date | None) -> dict[str, Any]:
    """How many outcomes the record has that the ledger lacks, and where the two differ."""
    if today is None or not batches:
        return {"outcomes_to_enter": 0, "disputed": []}
    try:
        lines, differences = proposed(batches, read_record(registry, build), today)
    except LedgerError as error:  # an absent list of known models must not stop everybody's scores
        return {"outcomes_to_enter": 0, "disputed": [str(error)]}
    return {"outcomes_to_enter": len(lines), "disputed": [str(one) for one in differences]}


def adopted_rows(registry: Path, view: View, published: View) -> pl.DataFrame:
    """Apply every adopted form to the models it was meant for, and set every adopted forecast of a record beside its outcome."""
    rows: list[dict[str, Any]] = []
    released = dict(view.observations.select("subject_id", "released_on").unique().iter_rows())
    family = dict(view.observations.select("subject_id", "family").unique().iter_rows())
    for record in adopted.load_all(registry):
        about = {
            "evidence": "adopted", "case": record.name, "role": "law", "series": "", "as_of": record.published_on,
            "status": "as printed", "distance": None,
        }  # fmt: skip
        for form in record.forms:
            mine = {"split": "listed", "law": adopted.FORM, "target_id": form.quantity_id, "quantity_id": form.quantity_id}
            for name, made, value in zip(*adopted.subjects(record, form, view, published), strict=True):
                point = None if np.isnan(made) else float(made)
                who = {"subject_id": name, "cluster": family[name], "released_on": released[name]}
                rows.append({**about, **mine, **who, "observed": float(value), "point": point, "quantiles": None})
        for one in record.records:
            found = adopted.record_outcome(one, published) if one.quantity_id in published.quantities else None
            if found is not None:
                target = f"{one.quantity_id}/record-{one.by}"
                mine = {"split": "released", "law": adopted.RECORD, "target_id": target, "quantity_id": one.quantity_id}
                who = {"subject_id": found.subject_id, "cluster": found.family, "released_on": found.released_on}
                said = {"observed": found.value, "point": one.point, "quantiles": list(one.quantiles)}
                rows.append({**about, **mine, **who, **said})
    schema = {"evidence": pl.String(), **{name: SCHEMA[name] for name in WANTED if name != "evidence"}}
    return pl.DataFrame(rows, schema=schema).select(WANTED)


def withheld(registry: Path) -> frozenset[str]:
    """Quantities whose publisher forbids a copy of its figures, and so of means made from them."""
    catalogue, problems = load.read_catalogue(registry)
    if problems:
        raise RecordError.collect(problems)
    kept = licences.kept(registry, catalogue.quantities)
    return licences.forbidden([one.source for one in kept], catalogue.quantities, catalogue.licences)


def page_tables(
    params: Params, measured: pl.DataFrame, silent: pl.DataFrame, observations: pl.DataFrame, models: pl.DataFrame, view: View
) -> dict[str, pl.DataFrame]:
    """Return every table that pages show and that is too long for the metrics, by name.

    `measured` are scored rows with the `unit` of their quantity, `silent` rows without a forecast, `observations` all vintages.
    """
    return {
        **score_tables.score_tables(measured, silent),
        "released_scores": released_scores.released_scores(observations, models, view.quantities),
        **revised_outcomes.tables(measured, observations, models, view.quantities),
        "preregistration": preregistration.as_frame(preregistration.compare(measured, params.hindcast, params.seed)),
    }


def scored_rows(forecasts: pl.DataFrame) -> pl.DataFrame:
    """Score forecasts in blocks of rows, each of them a job of its own."""
    blocks = [forecasts.slice(start, BLOCK) for start in range(0, max(forecasts.height, 1), BLOCK)]
    return pl.concat(parallel.each(score_rows, blocks, what="blocks of rows"))


def means_and_claims(measured: pl.DataFrame, silent: pl.DataFrame, seed: int) -> dict[str, list[dict[str, Any]]]:
    """The tables of the metrics by name, each of them a job of its own: means, comparisons, calibration, claims."""
    wanted: dict[str, Callable[[], pl.DataFrame]] = {
        "summary": partial(by_unit, measured, summarise),
        "by_target": partial(broken_down, measured, pl.col("quantity_id")),
        "by_period": partial(broken_down, measured, PERIOD),
        "skill": partial(by_unit, measured, skill),
        "compared": partial(by_unit, measured, partial(compared, seed=seed)),
        "calibrated": partial(by_unit, measured, partial(calibrated, seed=seed)),
        "claims": partial(claims, measured, silent, seed),
    }
    made = parallel.each(_table, list(wanted.values()), what="tables of scores")
    return {name: table.to_dicts() for name, table in zip(wanted, made, strict=True)}


def _table(make: Callable[[], pl.DataFrame]) -> pl.DataFrame:
    return make()


def run(params: Params, build: Path, registry: Path, metrics: Path) -> dict[str, int]:
    """Score all three kinds of evidence and write build/scores.parquet and the metrics; return rows by kind."""
    connection = database.open_database(build / "database")
    view, published = database.as_of(connection, ALWAYS), database.resolutions(connection, ALWAYS)
    known, models = units.of(connection), database.models(connection)
    connection.close()
    last = view.observations["known_on"].max() if "known_on" in view.observations.columns else None
    today = last if isinstance(last, date) else None
    on = datetime.combine(today, time(), UTC) if today is not None else None
    batches, checked = store.read_checked(registry / "ledger")
    ahead = prospective(registry, on, params.author, known, (batches, checked))
    taken = adopted_rows(registry, view, published)
    past = read_frame(build / "hindcast.parquet").with_columns(evidence=pl.lit("hindcast")).select(WANTED)
    every = units.attach(pl.concat([taken, past]), known)
    made = pl.col("point").is_not_null()
    order = ("evidence", "case", "law", "target_id", "subject_id")
    scored = pl.concat([ahead.rows, scored_rows(every.filter(made))]).sort(order)
    status = ("evidence", "case", "law", "status")
    silent = pl.concat([ahead.no_forecast, every.filter(~made).select(status)])
    missing = silent.group_by(status).len(name="n").sort(status)
    write_frame(build / "scores.parquet", scored)
    scales = {**ahead.units, **{name: quantity.unit for name, quantity in view.quantities.items()}}
    # Of a target whose line was redacted nobody knows the unit any more.
    no_copy = withheld(registry)
    allowed = ~pl.col("quantity_id").is_in(list(no_copy))
    measured = scored.filter(allowed).with_columns(
        unit=pl.col("quantity_id").replace_strict(scales, default="unknown", return_dtype=pl.String)
    )
    observed = [read_frame(build / "observations" / f"{name}.parquet") for name in sorted(set(params.sources))]
    observations = (pl.concat(observed, how="diagonal") if observed else pl.DataFrame(schema=OBSERVATION)).filter(allowed)
    for name, frame in page_tables(params, measured, every.filter(~made & allowed), observations, models, view).items():
        write_frame(build / "score_tables" / f"{name}.parquet", frame)
    write_json(
        metrics / "score.json",
        {
            **means_and_claims(measured, every.filter(~made & allowed), params.seed),
            "accounting": {
                **ledger_state(ahead, on),
                **open_outcomes(batches, registry, build, today),
                "no_forecast": missing.to_dicts(),
            },
        },
    )
    return {kind: scored.filter(pl.col("evidence") == kind).height for kind in ("prospective", "adopted", "hindcast")}
