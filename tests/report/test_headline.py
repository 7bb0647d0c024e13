"""The figures `dvc metrics` compares are few, flat and those of the tables; `dvc plots` draws tables that its templates know."""

from __future__ import annotations

import json
import re
from pathlib import Path
from statistics import median
from typing import Any

import pytest
import yaml
from tests.conftest import ROOT
from tests.report.test_site import site

from foresaid.report.headline import NOMINAL
from foresaid.scoring.significance import TOO_FEW

PLOTS = {
    name: entry for one in yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["plots"] for name, entry in one.items()
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return site(tmp_path_factory.mktemp("headline")).parent


def figures(made: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((made / "metrics" / "headline.json").read_text(encoding="utf-8"))
    return found


def test_the_figures_are_flat_and_one_line_of_them_is_short(made: Path) -> None:
    found = figures(made)
    header = ["Path", *found]
    cells = ["reports/metrics/headline.json", *map(str, found.values())]

    assert all(value is None or isinstance(value, int | float) for value in found.values())
    assert sum(max(len(a), len(b)) + 4 for a, b in zip(header, cells, strict=True)) < 120


def test_the_figures_count_the_claims_and_verdicts_of_the_tables(made: Path) -> None:
    rows = json.loads((made / "metrics" / "score.json").read_text(encoding="utf-8"))["claims"]
    skills = [1 - row["relative_wis"] for row in rows if row["verdict"] != TOO_FEW and row["relative_wis"] is not None]
    found = figures(made)

    assert found["claims"] == len(rows) > 0
    assert found["better"] == sum(row["verdict"].startswith("better") for row in rows)
    assert found["skill"] == (round(median(skills), 4) if skills else None)
    assert (found["frozen"], found["scored"]) == (1, 0)


def test_the_bands_hold_each_forecast_of_the_leading_law_in_the_order_of_the_outcome(made: Path) -> None:
    rows = json.loads((made / "build" / "plots" / "bands.json").read_text(encoding="utf-8"))

    assert [row["place"] for row in rows] == [*range(1, len(rows) + 1)]
    assert [row["observed"] for row in rows] == [0.2, 0.4, 0.7]
    assert all(row["lower_80"] <= row["median"] <= row["upper_80"] for row in rows)


def test_the_reliability_holds_the_coverage_of_the_summary_at_each_level(made: Path) -> None:
    rows = json.loads((made / "build" / "plots" / "reliability.json").read_text(encoding="utf-8"))
    summary = json.loads((made / "metrics" / "score.json").read_text(encoding="utf-8"))["summary"]
    (law,) = (row for row in summary if (row["case"], row["evidence"], row["law"]) == ("case-1", "hindcast", "best_known"))

    assert {row["nominal"] for row in rows} == set(NOMINAL)
    assert [row["coverage"] for row in rows if row["method"] == "Best so far"] == [
        law[f"coverage_{level}"] for level in (50, 80, 90, 95)
    ]


@pytest.mark.parametrize("name", sorted(PLOTS))
def test_every_plot_has_a_template_of_ours_whose_fields_are_columns_of_its_table(name: str, made: Path) -> None:
    template = (ROOT / ".dvc" / "plots" / f"{PLOTS[name]['template']}.json").read_text(encoding="utf-8")
    (source,) = PLOTS[name]["y"]
    rows = json.loads((made / source).read_text(encoding="utf-8"))
    columns = set(rows[0]) if rows else {"board", "method", "origin", "wis", "n"}
    fields = set(re.findall(r'"field": "(\w+)"', template)) - {"rev", "v"}

    assert json.loads(template)["data"] == {"values": "<DVC_METRIC_DATA>"}
    assert fields <= columns
    assert {PLOTS[name]["x"], *PLOTS[name]["y"].values()} <= columns
