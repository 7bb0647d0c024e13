"""The page of the rolling origins says which mode every number is of, and draws only what has origins enough."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import polars as pl
import pytest
from tests.evaluation.test_rolling_scores import NONE, rows

from foresaid.evaluation import rolling_recalibration, rolling_scores
from foresaid.evaluation.claims import PERIOD
from foresaid.report import rolling_origin_page
from foresaid.report.environment import environment
from foresaid.report.inputs import NO_ORIGINS, Material


def material(found: dict[str, Any]) -> Material:
    return cast(Material, SimpleNamespace(rolling=found, fitted={}, quantity=str))


@pytest.fixture(scope="module")
def tables() -> dict[str, Any]:
    named = rows().with_columns(law=pl.col("law").replace({"naive": "best_known"}))
    made = rolling_recalibration.learned(named)
    scored = rolling_scores.score(made)
    return {
        "origins": {"released": {"first": "2023-01-01", "last": "2024-05-01", "number": 9, "replicates": 20}},
        "horizons": [3, 6, 12],
        "accounts": rolling_scores.accounts(made, scored),
        "by_horizon": rolling_scores.by_horizon(scored, NONE, (3, 6, 12), 1),
        "by_target": rolling_scores.parts(scored, pl.col("quantity_id")),
        "by_period": rolling_scores.parts(scored, PERIOD),
        "by_distance": rolling_scores.by_distance(scored),
        "by_origin": rolling_scores.by_origin(scored),
    }


def html(found: dict[str, Any]) -> str:
    made = rolling_origin_page.page(material(found))
    foot = dict.fromkeys(
        ("version", "code", "commit", "as_of", "vintage", "repository", "origin", "ledger_size", "ledger_root"), "x"
    )
    env = environment(Path("none"))
    return env.get_template(made.template).render(**made.values, root=made.root, here=made.path, navigation=[], footer=foot)


def test_every_table_names_its_mode_and_every_method_has_its_three_horizons(tables: dict[str, Any]) -> None:
    text = html(tables)

    assert "By release date: b, fraction" in text
    assert text.count("Stacked ensemble</th>") == 3
    assert "9 origins from 2023-01-01 to 2024-05-01" in text


def test_a_mode_without_origins_says_so(tables: dict[str, Any]) -> None:
    assert "No origin had something to train on" in html(tables)  # nothing was known on the day in these rows


def test_nine_origins_are_drawn_and_two_are_not(tables: dict[str, Any]) -> None:
    days = sorted({row["origin"] for row in tables["by_origin"]})[:2]
    few = {**tables, "by_origin": [row for row in tables["by_origin"] if row["origin"] in days]}

    assert "<svg" in html(tables)
    assert "<svg" not in html(few)


def test_the_sums_stand_on_the_page(tables: dict[str, Any]) -> None:
    assert "36 forecasts = 36 scored + 0 without a forecast" in html(tables)


def test_without_origins_the_page_is_empty_and_whole() -> None:
    assert "No forecast was requested." in html(dict(NO_ORIGINS))
    assert all(frame.height == 0 for frame in rolling_origin_page.downloads(material(dict(NO_ORIGINS))).values())
