"""Stage `score`: the ledger, the adopted record and the hindcast, each against what came out.

The three kinds of evidence are scored by the same rules and never mixed: `evidence` stands on every row. Nothing is dropped:
what could not be forecast, what has no outcome yet and what was withdrawn is counted.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl

from foresaid import adopted, database, entries, ledger, verify
from foresaid.accounting import WORST, Account, Clock, accounts, totals, universe, versions
from foresaid.curve import Curve, from_plain
from foresaid.evaluate import KEY, by_unit, calibrated, compared, score_rows, skill, summarise
from foresaid.files import write_frame, write_json
from foresaid.forecast import predict
from foresaid.hindcast import SCHEMA
from foresaid.laws import load as load_law
from foresaid.params import Params
from foresaid.view import View

ALWAYS = date(9999, 12, 31)  # everything the record knows
WANTED = [*KEY, "value", "status", "distance", "point", "quantiles"]


def bound_subjects(curve: Curve, view: View, published: View, after: date) -> pl.DataFrame:
    """Return what a conditional forecast binds: subjects released after the day whose outcome is published.

    Columns subject_id, cluster, released_on, value, and the covariates on the curve's scale as x0, x1, ...
    """
    record = curve.record
    names = [item.quantity_id for item in curve.covariates]
    wide = view.wide([record.quantity_id, *names], tuple(record.settings["sources"]))
    member = (pl.col("family") == record.series) | (pl.col("run") == record.series)
    wide = wide.filter(member if record.series else pl.col("kind") == "model")
    wide = wide.filter(pl.col("released_on") > after)
    first = published.observations.filter((pl.col("quantity_id") == record.quantity_id) & (pl.col("setting") == ""))
    columns = {f"x{i}": item.apply(wide[item.quantity_id].to_numpy().astype(float)) for i, item in enumerate(curve.covariates)}
    return (
        wide.select("subject_id", cluster="family", released_on="released_on")
        .with_columns(**{name: pl.Series(values, dtype=pl.Float64) for name, values in columns.items()})
        .join(first.select("subject_id", "value"), on="subject_id", how="inner")
        .sort("subject_id")
    )


def prospective(
    registry: Path, view: View, published: View, on: datetime | None = None
) -> tuple[pl.DataFrame, list[Account], list[dict[str, Any]]]:
    """Score what the ledger froze; return forecasts with outcomes, the account of every forecast, and no-shows by round.

    Of several versions the one counts that the round's rule names. `on` is the day up to which the record is known: what had to be
    opened by then and was not is unopened.
    """
    place = registry / "ledger"
    batches = ledger.read(place)
    checked = verify.verify(place)
    clock = Clock(on, checked.policy.stamps > 0, checked.proved)
    made = {key: chosen for key, all_of_it in versions(batches, clock).items() for *chosen, counts in all_of_it if counts}
    by_name = {batch.sha256: batch for batch in batches}
    frames: dict[tuple[str, str], pl.DataFrame] = {}
    for account in accounts(batches, clock):
        key = (account.author, account.id)
        name, prediction = made.get(key, ("", None))
        if account.state != "pending" or account.frozen is None or not isinstance(prediction, entries.Curve):
            continue
        curve = from_plain(prediction.curve)
        batch = by_name[str(name)]
        rows = bound_subjects(curve, view, published, (clock.of(batch) or account.frozen).date())
        if rows.height:
            frames[key] = _forecast_rows(account.id, curve, rows, batch.header.as_of)
    found = accounts(batches, clock, scored=frames.keys())
    empty = pl.DataFrame(schema={"evidence": pl.String, **SCHEMA}).select(WANTED)
    return (pl.concat(frames.values()) if frames else empty), found, universe(batches, found)


def ledger_state(found: list[Account], no_shows: list[dict[str, Any]], on: datetime | None) -> dict[str, Any]:
    """What the pages need to know of the ledger's forecasts: totals that add up, which are scored, and who has to be named."""
    return {
        "ledger": totals(found),
        "scored": [[one.author, one.id] for one in found if one.state == "scored"],
        "worst": [{"author": one.author, "id": one.id, "state": one.state} for one in found if one.state in WORST],
        "universe": no_shows,
        "on": on.strftime("%Y-%m-%dT%H:%M:%SZ") if on else None,
    }


def _forecast_rows(forecast_id: str, curve: Curve, rows: pl.DataFrame, as_of: str) -> pl.DataFrame:
    record = curve.record
    law = load_law(record.law, record.settings)
    made = predict(law, curve, rows.select([f"x{i}" for i in range(len(record.covariates))]).to_numpy())
    n = rows.height
    return (
        rows.select("subject_id", "cluster", "released_on", "value")
        .with_columns(
            evidence=pl.lit("prospective"),
            case=pl.lit(forecast_id.split("/")[0]),
            split=pl.lit("larger" if record.series else "released"),
            law=pl.lit(record.law),
            role=pl.lit("law"),
            target_id=pl.lit(record.target_id),
            quantity_id=pl.lit(record.quantity_id),
            series=pl.lit(record.series),
            as_of=pl.lit(date.fromisoformat(as_of)),
            status=pl.lit(record.status),
            distance=pl.Series([None] * n, dtype=pl.Float64),
            point=pl.Series(made.point),
            quantiles=pl.Series(made.quantiles.tolist(), dtype=pl.List(pl.Float64)),
        )
        .select(WANTED)
    )


def adopted_rows(registry: Path, view: View, published: View) -> pl.DataFrame:
    """Apply every adopted form to the models it was meant for."""
    frames = []
    released = dict(view.observations.select("subject_id", "released_on").unique().iter_rows())
    family = dict(view.observations.select("subject_id", "family").unique().iter_rows())
    for record in adopted.load_all(registry):
        for form in record.forms:
            names, made, value = adopted.subjects(record, form, view, published)
            n = len(names)
            frames.append(
                pl.DataFrame(
                    {
                        "evidence": ["adopted"] * n,
                        "case": [record.name] * n,
                        "split": ["listed"] * n,
                        "law": ["printed_forms"] * n,
                        "role": ["law"] * n,
                        "target_id": [form.quantity_id] * n,
                        "quantity_id": [form.quantity_id] * n,
                        "series": [""] * n,
                        "subject_id": names,
                        "cluster": [family[name] for name in names],
                        "released_on": [released[name] for name in names],
                        "as_of": [record.published_on] * n,
                        "value": value,
                        "status": ["as printed"] * n,
                        "distance": np.full(n, np.nan),
                        "point": made,
                        "quantiles": [None] * n,
                    },
                    schema={"evidence": pl.String, **{name: SCHEMA[name] for name in WANTED if name != "evidence"}},
                ).with_columns(pl.col("point", "distance").fill_nan(None))
            )
    return pl.concat(frames).select(WANTED) if frames else pl.DataFrame(schema={"evidence": pl.String, **SCHEMA}).select(WANTED)


def run(params: Params, build: Path, registry: Path, metrics: Path) -> dict[str, int]:
    """Score all three kinds of evidence and write build/scores.parquet and the metrics; return rows by kind."""
    connection: duckdb.DuckDBPyConnection = database.open_database(build / "database")
    view, published = database.as_of(connection, ALWAYS), database.resolutions(connection, ALWAYS)
    connection.close()
    last = view.observations["known_on"].max() if "known_on" in view.observations.columns else None
    on = datetime.combine(last, time(), UTC) if isinstance(last, date) else None
    ahead, found, no_shows = prospective(registry, view, published, on)
    taken = adopted_rows(registry, view, published)
    past = pl.read_parquet(build / "hindcast.parquet").with_columns(evidence=pl.lit("hindcast")).select(WANTED)
    every = pl.concat([ahead, taken, past])
    made = pl.col("point").is_not_null()
    scored = score_rows(every.filter(made)).sort("evidence", "case", "law", "target_id", "subject_id")
    missing = (
        every.filter(~made).group_by("evidence", "case", "law", "status").len(name="n").sort("evidence", "case", "law", "status")
    )
    write_frame(build / "scores.parquet", scored)
    units = {name: quantity.unit for name, quantity in view.quantities.items()}
    measured = scored.with_columns(unit=pl.col("quantity_id").replace_strict(units))
    write_json(
        metrics / "score.json",
        {
            "summary": by_unit(measured, summarise).to_dicts(),
            "by_quantity": summarise(scored, ["quantity_id"]).to_dicts(),
            "skill": by_unit(measured, skill).to_dicts(),
            "compared": by_unit(measured, partial(compared, seed=params.seed)).to_dicts(),
            "calibrated": by_unit(measured, calibrated).to_dicts(),
            "accounting": {**ledger_state(found, no_shows, on), "not_forecast": missing.to_dicts()},
        },
    )
    return {kind: scored.filter(pl.col("evidence") == kind).height for kind in ("prospective", "adopted", "hindcast")}
