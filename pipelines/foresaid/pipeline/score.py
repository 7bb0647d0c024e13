"""Stage `score`: the ledger, the adopted record and the hindcast, each against what came out.

The three kinds of evidence are scored by the same rules and never mixed: `evidence` stands on every row. Nothing is dropped:
what could not be forecast, what has no outcome yet and what was withdrawn is counted.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from foresaid.evaluation import units
from foresaid.evaluation.claims import PERIOD, broken_down, claims
from foresaid.evaluation.ledger_scores import Scores, score_ledger
from foresaid.evaluation.schema import KEY, SCHEMA
from foresaid.evaluation.tables import by_unit, calibrated, compared, score_rows, skill, summarise
from foresaid.files import read_frame, write_frame, write_json
from foresaid.forecasting import published as adopted
from foresaid.ledger import store
from foresaid.ledger.state.accounting import WORST, totals
from foresaid.ledger.state.index import Clock
from foresaid.ledger.verify import verify
from foresaid.params import Params
from foresaid.registry import database
from foresaid.registry.view import View

ALWAYS = date(9999, 12, 31)  # everything the record knows
WANTED = [*KEY, "value", "status", "distance", "point", "quantiles"]


def prospective(
    registry: Path, view: View, published: View, on: datetime | None = None, own: str = "", known: units.Units = units.NOTHING
) -> Scores:
    """Score what the ledger froze: every version of every forecast, and what nobody can read as the worst.

    `on` is the day up to which the record is known: what had to be opened by then and was not is unopened.
    """
    place = registry / "ledger"
    checked = verify.verify(place)
    return score_ledger(store.read(place), Clock(on, checked.policy.stamps > 0, checked.proved), view, published, own, known)


def ledger_state(done: Scores, on: datetime | None) -> dict[str, Any]:
    """What the pages need to know of the ledger's forecasts: totals that add up, which are scored, and who has to be named."""
    found = done.accounts
    return {
        "ledger": totals(found),
        "scored": [[one.author, one.id] for one in found if one.state == "scored"],
        "worst": [{"author": one.author, "id": one.id, "state": one.state} for one in found if one.state in WORST],
        "late": [{"author": one.author, "id": one.id, "reason": one.reason} for one in found if one.state == "late"],
        "versions": done.table,
        "universe": done.no_shows,
        "on": on.strftime("%Y-%m-%dT%H:%M:%SZ") if on else None,
    }


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
    connection = database.open_database(build / "database")
    view, published = database.as_of(connection, ALWAYS), database.resolutions(connection, ALWAYS)
    known = units.of(connection)
    connection.close()
    last = view.observations["known_on"].max() if "known_on" in view.observations.columns else None
    on = datetime.combine(last, time(), UTC) if isinstance(last, date) else None
    ahead = prospective(registry, view, published, on, params.author, known)
    taken = adopted_rows(registry, view, published)
    past = read_frame(build / "hindcast.parquet").with_columns(evidence=pl.lit("hindcast")).select(WANTED)
    every = units.attach(pl.concat([taken, past]), known)
    made = pl.col("point").is_not_null()
    order = ("evidence", "case", "law", "target_id", "subject_id")
    scored = pl.concat([ahead.rows, score_rows(every.filter(made))]).sort(order)
    status = ("evidence", "case", "law", "status")
    unmade = pl.concat([ahead.declined, every.filter(~made).select(status)])
    missing = unmade.group_by(status).len(name="n").sort(status)
    write_frame(build / "scores.parquet", scored)
    scales = {**ahead.units, **{name: quantity.unit for name, quantity in view.quantities.items()}}
    # Of a target whose line was redacted nobody knows the unit any more.
    measured = scored.with_columns(unit=pl.col("quantity_id").replace_strict(scales, default="unknown", return_dtype=pl.String))
    write_json(
        metrics / "score.json",
        {
            "summary": by_unit(measured, summarise).to_dicts(),
            "by_target": broken_down(measured, pl.col("quantity_id")).to_dicts(),
            "by_period": broken_down(measured, PERIOD).to_dicts(),
            "by_quantity": summarise(scored, ["quantity_id"]).to_dicts(),
            "skill": by_unit(measured, skill).to_dicts(),
            "compared": by_unit(measured, partial(compared, seed=params.seed)).to_dicts(),
            "calibrated": by_unit(measured, partial(calibrated, seed=params.seed)).to_dicts(),
            "claims": claims(measured, every.filter(~made), params.seed).to_dicts(),
            "accounting": {**ledger_state(ahead, on), "not_forecast": missing.to_dicts()},
        },
    )
    return {kind: scored.filter(pl.col("evidence") == kind).height for kind in ("prospective", "adopted", "hindcast")}
