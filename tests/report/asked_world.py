"""A small site with a round in its ledger: two authors, a next release with a joint forecast, a record, and one settled target.

Everything but the ledger and its training rows is the world of tests/report/test_site.py.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
from tests.conftest import ROOT
from tests.report.test_site import parameters, site

from foresaid.files import write_json
from foresaid.ledger import store, training_snapshots
from foresaid.ledger.entries import schema as entries
from foresaid.ledger.entries.targets import Line, NextRelease, RecordBy, Rule
from foresaid.pipeline import report as pipeline_report
from foresaid.pipeline import score
from foresaid.scoring.levels import LEVELS
from foresaid.studies.rounds import training

OPENS, ON = date(2026, 12, 1), datetime(2027, 6, 1, tzinfo=UTC)
LINE = Line(maker="acme-plain", line="big", tier="plain")
LEVEL_TEXTS = [f"{level:g}" for level in LEVELS]
LAUNCHES = [date(2026, 3, 1), date(2026, 6, 1), date(2026, 9, 1)]  # gaps of 92 days: the next is expected on 2026-12-31 or later
VALUES = [0.3, 0.5, 0.45]


def training_rows() -> training.Rows:
    """Three launches of one line on the board `task`, and one model of another maker that is the best."""
    cells = pl.DataFrame(
        [
            {
                "system_id": f"acme/big-{i}", "model_id": f"acme/big-{i}", "maker": "Acme plain", "line": "big", "tier": "plain",
                "effort": None, "release": f"acme/{day}", "released_on": day, "benchmark": "task", "value": value, "chance": 0.0,
                "items": 100, "known_on": day,
            }
            for i, (day, value) in enumerate(zip(LAUNCHES, VALUES, strict=True))
        ]
        + [
            {
                "system_id": "zeta/best", "model_id": "zeta/best", "maker": "Zeta", "line": "z", "tier": "plain", "effort": None,
                "release": "zeta/1", "released_on": date(2026, 7, 1), "benchmark": "task", "value": 0.6, "chance": 0.0,
                "items": 100, "known_on": date(2026, 7, 1),
            }
        ],
        schema=training.COLUMNS[training.CELLS],
    )  # fmt: skip
    launches = cells.filter(pl.col("line") == "big").with_columns(maker=pl.lit("acme-plain"))
    empty = {name: pl.DataFrame(schema=training.COLUMNS[name]) for name in (training.RATINGS, training.LAG)}
    read = pl.DataFrame([("task", None, date(2026, 11, 1))], schema=training.COLUMNS[training.READ], orient="row")
    return training.Rows(
        OPENS, cells, empty[training.RATINGS], read, launches.select(list(training.COLUMNS[training.LAUNCHES])), empty[training.LAG]
    )


def target(name: str, rule: Rule, publish_within: int) -> entries.TargetEntry:
    return entries.TargetEntry(
        id=name, round="2026-12", rule=rule, benchmark="task", protocol="zero-shot", unit="fraction", direction="higher", min="0",
        max="1", chance="0", ceiling=None, resolution="0.005", resolver="acme-evals", fallbacks=[], system="default",
        nearest_effort=False, opens=OPENS.isoformat(), closes="2027-12-31", publish_within=publish_within, void_if=[],
        known="0" * 64, levels=LEVEL_TEXTS, same_items=[], stated=[],
    )  # fmt: skip


def quantiles(middle: float) -> entries.Quantiles:
    return entries.Quantiles(levels=LEVEL_TEXTS, values=[f"{middle + 0.2 * (level - 0.5):.4f}" for level in LEVELS])


def joint(rows: training.Rows) -> entries.JointPrediction:
    """A joint of one board that rises by a third of a probit a month."""
    days = ["2026-12-01", "2027-06-01", "2027-12-01", "2028-01-01"]
    return entries.JointPrediction(
        days=days, benchmarks=["task"], chance=["0"], ceiling=["1"], items=["100"], siblings=[],
        mean=[["0"], ["0.3"], ["0.6"], ["0.65"]], covariance=[["0.04"], ["0.09"], ["0.16"], ["0.17"]], noise_variance=["0.01"],
        factor="1", training=training.described(training.to_bytes(rows), OPENS, training.CELLS),
    )  # fmt: skip


def forecast(name: str, method: str, prediction: entries.Prediction, primary: bool = False) -> entries.ForecastEntry:
    return entries.ForecastEntry(id=f"2026-12/{name}/{method}", target=name, method=method, primary=primary, prediction=prediction)


TARGETS = [
    target("next-big-task", NextRelease(lines=[LINE], ordinal=1), 90),
    target("record-task", RecordBy(by="2027-06-30", scope="any", top=1, record="0.6"), 60),
    target("second-big-task", NextRelease(lines=[LINE], ordinal=2), 90),
]


def freeze(folder: Path) -> None:
    """Put the round, its forecasts by two authors and one outcome into a new ledger, and the training rows beside it."""
    place, rows = folder / "registry" / "ledger", training_rows()
    shutil.rmtree(place)
    place.mkdir()
    store.create(place, "test/registry")
    body = training.to_bytes(rows)
    name = training_snapshots.keep(folder / "registry" / "snapshots", body)
    data = entries.Data(name="own", sha256=name, bytes=len(body), rows=body.count(b"\n"), max_observed_on="2026-11-01")
    opened = entries.RoundEntry(
        id="2026-12", deadline="2026-12-08T00:00:00Z", reveal_by="2026-12-08T00:00:00Z", revision="first", score="wis",
        reports="all", unit_of_count="target", universe="every target of the round",
    )  # fmt: skip

    def write(author: str, hour: int, lines: Sequence[entries.Entry], day: date = OPENS) -> None:
        store.write_batch(
            place, lines, origin="test/registry", author=author, as_of=OPENS,
            frozen_at=datetime(day.year, day.month, day.day, hour, tzinfo=UTC), data=[data],
            code=entries.Code(git=None, dirty=False, version="1"),
        )  # fmt: skip

    write("house", 1, [opened, *TARGETS])
    mine = [
        forecast("next-big-task", "capability", joint(rows), primary=True),
        forecast("next-big-task", "best_so_far", quantiles(0.6)),
        forecast("record-task", "jumps", quantiles(0.75), primary=True),
        forecast("second-big-task", "best_so_far", quantiles(0.65), primary=True),
    ]
    write("house", 2, mine)
    write("guest", 3, [forecast("next-big-task", "own", quantiles(0.55), primary=True)])
    known = entries.parse(
        {
            "type": "resolution/v1", "round": "2026-12", "target": "second-big-task", "value": "0.7", "known_at": "2027-04-01",
            "released_on": "2027-03-15", "snapshot": "0" * 64, "source": "board", "covariates": [], "subject": "acme/big-5",
        }
    )  # fmt: skip
    write("house", 4, [known], date(2027, 4, 2))  # type: ignore[list-item]  # an entry, no header
    store.sequence(place, "test/registry")


def asked_site(folder: Path) -> Path:
    """Render the world with that ledger, on a day after the outcome."""
    out = site(folder, frozen=False)
    freeze(folder)
    rounds = folder / "registry" / "rounds"
    rounds.mkdir()
    for name in ("2026-12.yaml", "2026-12-hindcast.csv"):
        shutil.copyfile(ROOT / "registry" / "rounds" / name, rounds / name)
    done = score.prospective(folder / "registry", ON)
    path = folder / "metrics" / "score.json"
    made = json.loads(path.read_text(encoding="utf-8"))
    made["accounting"] = {**score.ledger_state(done, ON), "no_forecast": [], "disputed": [], "outcomes_to_enter": 0}
    write_json(path, made)
    pipeline_report.run(parameters("plain"), folder / "build", folder / "registry", folder / "metrics", folder / "templates", out)
    return out
