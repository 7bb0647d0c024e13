"""Stage `hindcast`: what the laws would have said, re-made from old vintages.

A hindcast is evidence of its own kind: it was made afterwards, and says so on every page. Each case fits every law on
the record as it stood on one day, forecasts subjects that were held out by flag and by date (or, for runs, by
scale), and leaves the forecasts beside what came out. The leak guard looks at every fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl

from foresaid import adopted, baselines, database, guard, laws
from foresaid.curve import freeze_curve
from foresaid.files import write_frame, write_json
from foresaid.fit import CACHE, describe
from foresaid.fitting import Fit
from foresaid.forecast import LEVELS, Forecast, predict
from foresaid.law import Array, Law, Table
from foresaid.params import Hindcast, Params
from foresaid.shards import Shard, fit_all
from foresaid.view import View

SCHEMA = pl.Schema(
    {
        **dict.fromkeys(
            ("case", "split", "law", "role", "target_id", "quantity_id", "series", "subject_id", "cluster"), pl.String()
        ),
        **dict.fromkeys(("released_on", "as_of", "until"), pl.Date()),
        "value": pl.Float64(),
        "status": pl.String(),
        **dict.fromkeys(("distance", "point", "mean"), pl.Float64()),
        "quantiles": pl.List(pl.Float64()),
    }
)


@dataclass(frozen=True)
class Split:
    """Rows to fit and rows to forecast, of one target; `distance` says how far beyond the training rows each target lies."""

    train: Table
    test: Table
    distance: Array


def split_by_scale(table: Table, share: float, trained_on: int = 0) -> Split:
    """Hold out the `share` of rows that lie furthest along the law's first covariate, at least one.

    With `trained_on` all but the first so many are held out. Distance is measured from the last training row, on the
    covariate's own scale.
    """
    along = table.target.progress * table.x[:, 0]
    order = np.argsort(along, kind="stable")
    held = max(0, table.n - trained_on) if trained_on else max(1, int(np.floor(share * table.n)))
    later = np.zeros(table.n, dtype=bool)
    later[order[table.n - held :]] = True
    edge = along[~later].max() if (~later).any() else along.min()
    return Split(table.where(~later), table.where(later), along[later] - edge)


def split_by_release(known: Table, later: Table, wanted: frozenset[str]) -> Split:
    """Fit on what was known, forecast the wanted subjects: a wanted subject never trains, whatever its compute or date."""
    train = known.where(np.array([subject not in wanted for subject in known.subjects], dtype=bool))
    test = later.where(np.array([subject in wanted for subject in later.subjects], dtype=bool))
    return Split(train, test, np.full(test.n, np.nan))


def released_after(view: View, day: date) -> frozenset[str]:
    """Return the models with a known release date after the day. A model without a date is never a target."""
    rows = view.observations.filter((pl.col("kind") == "model") & (pl.col("released_on") > day))
    return frozenset(rows["subject_id"].unique())


def _guard(case: Hindcast, split: Split) -> None:
    rows = [
        guard.TrainingRow(subject, split.train.target.quantity_id, split.train.target.resolver, known, released)
        for subject, known, released in zip(split.train.subjects, split.train.known_on, split.train.released_on, strict=True)
    ]
    # A model of the paper's own list may have been out before the day; the date rule is for targets chosen by date.
    by_date = case.split == "released"
    targets = [
        guard.Target(subject, released if by_date else None)
        for subject, released in zip(split.test.subjects, split.test.released_on, strict=True)
    ]
    guard.check_training(rows, case.as_of, case.as_of, targets)


def _rows(name: str, case: Hindcast, split: Split, law: str, role: str, status: str, made: Forecast | None) -> pl.DataFrame:
    test = split.test
    target = test.target
    n = test.n
    nothing = np.full(n, np.nan)
    quantiles = np.full((n, len(LEVELS)), np.nan) if made is None else made.quantiles
    frame = pl.DataFrame(
        {
            "case": [name] * n,
            "split": [case.split] * n,
            "law": [law] * n,
            "role": [role] * n,
            "target_id": [target.target_id] * n,
            "quantity_id": [target.quantity_id] * n,
            "series": [target.series or ""] * n,
            "subject_id": list(test.subjects),
            "cluster": list(test.clusters),
            "released_on": list(test.released_on),
            "as_of": [case.as_of] * n,
            "until": [case.until] * n,
            "value": target.offset + target.span * test.y,
            "status": [status] * n,
            "distance": split.distance,
            "point": nothing if made is None else made.point,
            "mean": nothing if made is None else made.mean,
            "quantiles": quantiles.tolist(),
        },
        schema=SCHEMA,
    )
    return frame.with_columns(pl.col("distance", "point", "mean").fill_nan(None))


@dataclass(frozen=True)
class _Question:
    """One law on one target of a case: the rows, and the settings it is asked with."""

    case: str
    law: Law
    settings: dict[str, object]
    split: Split


def _answer(question: _Question, case: Hindcast, fitted: Fit, seed: int) -> tuple[pl.DataFrame, dict[str, Any]]:
    name, law, split = question.case, question.law, question.split
    made = None
    if fitted.point.size:
        made = predict(law, freeze_curve(law, fitted, question.settings, case.as_of, seed), split.test.x)
    rows = _rows(name, case, split, law.name, "law", fitted.status, made)
    return rows, {"case": name, "law": law.name, "held_out": split.test.n, **describe(fitted)}


def first_published(table: Table, published: View) -> Table:
    """Put the first value its resolver published in place of each outcome, whatever was revised since."""
    rows = published.observations.filter((pl.col("quantity_id") == table.target.quantity_id) & (pl.col("setting") == ""))
    first = dict(zip(rows["subject_id"], rows["value"], strict=True))
    target = table.target
    y = np.array([(first[name] - target.offset) / target.span if name in first else np.nan for name in table.subjects])
    whole = Table(target, table.subjects, table.clusters, table.released_on, table.known_on, table.x, y)
    return whole.where(~np.isnan(y))


def run_case(
    name: str,
    case: Hindcast,
    params: Params,
    connection: duckdb.DuckDBPyConnection,
    registry: Path,
    cache: Path | None = None,
) -> tuple[pl.DataFrame, list[dict[str, Any]]]:
    """Answer one case: every law on every target, and the baselines once a target, on the rows of the first law that has it.

    Returns the forecasts beside their outcomes, and a description of every fit behind them.
    """
    known, later = database.as_of(connection, case.as_of), database.as_of(connection, case.until)
    published = database.resolutions(connection, case.until)
    if case.split == "listed":
        wanted = frozenset(adopted.load(registry / "adopted" / case.listed).models)
    else:
        wanted = released_after(later, case.as_of)
    questions: list[_Question] = []
    for law_name in case.laws:
        settings = {**params.laws[law_name], **case.settings}
        law = laws.load(law_name, settings)
        # What is forecast is not cut: the case's settings choose training rows only.
        after = {table.target.target_id: table for table in laws.load(law_name, params.laws[law_name]).tables(later)}
        for table in law.tables(known):
            if case.split == "larger":
                split = split_by_scale(table, case.held_out_share, case.trained_on)
            else:
                split = split_by_release(table, first_published(after[table.target.target_id], published), wanted)
            if split.test.n:
                _guard(case, split)
                questions.append(_Question(name, law, settings, split))
    found = fit_all([Shard(one.law, one.split.train, params.seed, params.replicates) for one in questions], cache)
    frames: list[pl.DataFrame] = []
    fits: list[dict[str, Any]] = []
    done: set[str] = set()
    for question, fitted in zip(questions, found, strict=True):
        split = question.split
        rows, described = _answer(question, case, fitted, params.seed)
        frames.append(rows)
        fits.append(described)
        target_id = split.train.target.target_id
        if target_id in done or split.train.n < 2:
            continue
        done.add(target_id)
        chosen = baselines.FOR_SIZES if case.split == "larger" else baselines.FOR_RELEASES
        for label, baseline in chosen.items():
            made = baselines.forecast(baseline, split.train, split.test)
            frames.append(_rows(name, case, split, label, "baseline", "converged", made))
    return (pl.concat(frames) if frames else pl.DataFrame(schema=SCHEMA)), fits


def run(params: Params, build: Path, registry: Path, metrics: Path) -> dict[str, int]:
    """Answer every case of params.yaml; return the number of forecasts by case.

    Writes build/hindcast.parquet (forecasts beside outcomes), build/hindcast_fits.json (the fits behind them) and, of the
    latter, the metrics file hindcast.json.
    """
    connection = database.open_database(build / "database")
    answers = [run_case(name, case, params, connection, registry, build / CACHE) for name, case in params.hindcast.items()]
    connection.close()
    whole = pl.concat([frame for frame, _ in answers]) if answers else pl.DataFrame(schema=SCHEMA)
    fits = [described for _, made in answers for described in made]
    write_json(build / "hindcast_fits.json", {"fits": fits})
    # The file under git leaves out what is long and only drawn.
    write_json(metrics / "hindcast.json", {"fits": [{k: v for k, v in item.items() if k != "profile"} for item in fits]})
    whole = whole.sort("case", "law", "target_id", "subject_id")
    write_frame(build / "hindcast.parquet", whole)
    return {name: whole.filter(pl.col("case") == name).height for name in params.hindcast}
