from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date

import numpy as np
import polars as pl
import pytest
from tests.studies.capability.mirror import HUB_2026_03, HUB_2026_05, hub_cells, mirror, needs_mirror
from tests.studies.capability.test_model import frame

from foresaid.laws._capability_model import Model, fit
from foresaid.laws._capability_rows import cells
from foresaid.studies.capability.baseline_rounds import baseline_points, baseline_rounds
from foresaid.studies.capability.comparison import skill
from foresaid.studies.capability.protocol import FACTOR, asked, law_forecasts, quantiles, rounds, scored, summary, training

ORIGIN = date(2024, 6, 1)
PROBE = """
import json, sys
import numpy as np
from tests.studies.capability.test_model import frame
from foresaid.laws._capability_model import fit, joint
from foresaid.laws._capability_rows import cells
found = cells(frame(models=int(sys.argv[1])))
model = fit(found)
asked = joint(model, found.systems, found.s, found.q)
print(json.dumps([asked.mean.tolist(), np.sqrt(np.diag(asked.covariance)).tolist()]))
"""


def test_origin_sees_nothing_later_and_asks_only_the_window() -> None:
    table = frame(models=14)
    origin = table["released_on"].sort().to_list()[len(table) // 2]
    assert training(table, origin)["released_on"].max() <= origin
    late = table.with_columns(pl.lit(date(2030, 1, 1)).alias("known_on"))
    assert training(late, origin).is_empty()
    rows = asked(table, origin, window=80, fewest=1)
    assert rows["released_on"].min() > origin
    assert (rows["released_on"].max() - origin).days <= 80
    assert asked(table, origin, window=80, fewest=10_000).is_empty()


def test_hidden_outcomes_move_no_forecast() -> None:
    """Change the scores on one benchmark of a release: its unconditional and conditional forecasts stay, the siblings' move."""
    table = frame(models=14)
    origin = sorted(set(table["released_on"]))[9]
    rows = asked(table, origin, window=400, fewest=1)
    model = fit(cells(training(table, origin)))
    moved = table.with_columns(
        pl.when((pl.col("released_on") > origin) & (pl.col("benchmark") == "one"))
        .then(pl.col("value") * 0.5)
        .otherwise(pl.col("value"))
        .alias("value")
    )
    on_one = pl.col("benchmark") == "one"
    key = ["told", "system_id"]
    first, second = (law_forecasts(these, origin, model, rows).filter(on_one).sort(key) for these in (table, moved))
    for told in ("unconditional", "conditional"):
        same = pl.col("told") == told
        assert first.filter(same)["mean"].to_list() == second.filter(same)["mean"].to_list()
    siblings = pl.col("told") == "siblings"
    assert first.filter(siblings)["mean"].to_list() != second.filter(siblings)["mean"].to_list()


@pytest.mark.parametrize("kernels", ["Nehalem", "Sandybridge"])
def test_other_cpu_kernels_give_the_same_forecasts(kernels: str) -> None:
    def run(core: str | None) -> np.ndarray:
        env = dict(os.environ) | ({"OPENBLAS_CORETYPE": core} if core else {})
        env["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        done = subprocess.run([sys.executable, "-c", PROBE, "10"], env=env, capture_output=True, text=True, check=True)
        return np.array(json.loads(done.stdout))

    np.testing.assert_allclose(run(kernels), run(None), atol=1e-6, rtol=0)


def test_skill_of_half_the_score_is_half() -> None:
    rows = pl.DataFrame(
        {
            "origin": [ORIGIN] * 6,
            "system_id": list("abcdef"),
            "benchmark": ["x"] * 6,
            "release": ["r", "r", "s", "s", "t", "u"],
            "maker": ["m", "m", "m", "m", "n", "n"],
            "wis": [1.0, 2.0, 1.0, 2.0, 3.0, 1.0],
        }
    )
    found = skill(rows, rows.with_columns(pl.col("wis") * 2), np.random.default_rng(0))
    assert (found.rows, found.releases, found.makers, found.skill) == (6, 4, 2, 0.5)
    assert found.by_release == found.by_maker == (0.5, 0.5)
    assert found.without_one_release == 0.5
    assert found.interval_by_maker == (0.5, 0.5)
    worse = rows.with_columns(pl.when(pl.col("release") == "t").then(0.0).otherwise(pl.col("wis")).alias("wis"))
    assert skill(worse, rows, np.random.default_rng(0)).without_one_release == 0.0


@pytest.fixture(scope="module")
def hub() -> pl.DataFrame:
    return hub_cells(mirror() / HUB_2026_03)


@pytest.fixture(scope="module")
def model(hub: pl.DataFrame) -> Model:
    return fit(cells(training(hub, ORIGIN)))


@needs_mirror
def test_hub_is_read_as_shares_with_line_tier_and_release(hub: pl.DataFrame) -> None:
    assert len(hub) == 2231
    assert hub["value"].is_between(0, 1).all()
    row = hub.filter((pl.col("system_id") == "gpt-5-mini-2025-08-07_high") & (pl.col("benchmark") == "epoch_gpqa_diamond"))
    assert row.select("line", "tier", "effort", "release").row(0) == ("gpt", "mini", 4.0, "gpt@2025-08-07")


@needs_mirror
def test_law_beats_every_baseline_on_an_origin_of_2024(hub: pl.DataFrame, model: Model) -> None:
    """Origin 2024-06-01, hub of March 2026: conditional below N1 to N4, unconditional below the quantile mean of six."""
    rows = asked(hub, ORIGIN)
    forecasts = law_forecasts(hub, ORIGIN, model, rows)
    scores = scored(forecasts, quantiles(forecasts, model, FACTOR))
    law = {told: (wis, inside) for told, wis, inside in summary(scores).select("told", "wis", "held_80").iter_rows()}
    origins = [date(2023, 9, 1), date(2023, 12, 1), date(2024, 3, 1), ORIGIN]
    baselines = summary(baseline_rounds(hub, baseline_points(hub, origins), [ORIGIN]))
    best = {told: baselines.filter(pl.col("told") == told)["wis"].min() for told in ("conditional", "unconditional")}
    assert law["conditional"][0] < best["conditional"]
    assert law["unconditional"][0] < best["unconditional"]
    assert law["siblings"][0] <= law["conditional"][0] <= law["unconditional"][0]
    assert all(70 <= law[told][1] <= 95 for told in ("conditional", "siblings"))


@needs_mirror
def test_scores_that_a_later_download_adds_are_forecast_as_the_results_page_says(hub: pl.DataFrame) -> None:
    """Set A: the hub of March, asked for what that of May adds on releases of 2026-02-20 to 04-23: 105 rows, WIS as printed."""
    added = hub_cells(mirror() / HUB_2026_05).filter(pl.col("released_on").is_between(date(2026, 2, 20), date(2026, 4, 23)))
    found = summary(rounds(pl.concat([hub, added]), [date(2026, 2, 19)], window=63))
    law = {told: (rows, releases, wis) for told, rows, releases, wis in found.select("told", "rows", "releases", "wis").iter_rows()}
    assert {told: rows for told, (rows, _, _) in law.items()} == dict.fromkeys(("conditional", "siblings", "unconditional"), 105)
    assert law["conditional"][1] == 8
    for told, wis in (("conditional", 3.996), ("siblings", 3.361), ("unconditional", 4.657)):
        assert law[told][2] == pytest.approx(wis, abs=1e-3)
