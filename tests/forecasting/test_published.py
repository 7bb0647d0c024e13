"""Adopted forecasts are applied as printed, on what they need and nothing else."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.conftest import ROOT, Built

from foresaid.errors import RecordError, UnreadableError
from foresaid.forecasting import published
from foresaid.forecasting.published import RecordForecast, record_outcome
from foresaid.pipeline.score import ALWAYS, adopted_rows
from foresaid.registry import database
from foresaid.registry.view import Quantity, View
from foresaid.scoring.levels import LEVELS

FOLDER = ROOT / "registry" / "adopted" / "obsscaling-2024-05"


def test_the_shipped_record_holds_eleven_forms_and_twenty_models() -> None:
    record = published.load(FOLDER)

    assert (len(record.forms), len(record.models)) == (11, 20)


def test_a_form_is_the_printed_formula() -> None:
    # 3.06 x 0.5 - 1 on the logit, h = 0.9, chance 0.25, worked out by hand.
    form = published.Form("t", -1.0, {"a": 3.06}, 0.9)
    expected = 0.25 + 0.75 * (0.1 + 0.9 / (1 + np.exp(-0.53)))

    assert published.apply(form, {"a": np.array([0.5])}, 0.25)[0] == pytest.approx(expected, abs=1e-12)


def test_a_missing_metric_means_no_forecast() -> None:
    form = published.Form("t", 0.0, {"a": 1.0, "b": 1.0}, 1.0)

    assert np.isnan(published.apply(form, {"a": np.array([0.5]), "b": np.array([np.nan])}, 0.0)).all()


def test_another_header_is_refused(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "record")
    (tmp_path / "record" / "forms.csv").write_text("quantity,parameter,value\n", encoding="utf-8")

    with pytest.raises(RecordError, match="found the header"):
        published.load(tmp_path / "record")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match=r"adopted\.toml"):
        published.load(tmp_path)


FRONTIER = ROOT / "registry" / "adopted" / "pimpale-2025-02"
SWE = "benchpress_swe_bench_verified"


def test_the_frontier_record_holds_what_the_paper_prints_and_the_bounds_of_its_files() -> None:
    """87 and 66 per cent in early 2026, as arXiv 2502.15850 prints; .660 and .940 are the outer bounds of the authors' file."""
    record = published.load(FRONTIER)
    early = {one.quantity_id: one for one in record.records if one.by == date(2026, 1, 7)}

    assert (record.forms, record.models, len(record.records)) == ((), (), 8)
    assert {name: round(one.point, 2) for name, one in early.items()} == {SWE: 0.87, "epoch_cybench": 0.66}
    bounds = [early[SWE].quantiles[LEVELS.index(level)] for level in (0.025, 0.975)]
    assert bounds == pytest.approx([0.660, 0.940], abs=0.0005)
    assert early[SWE].quantiles[LEVELS.index(0.5)] == pytest.approx(0.842, abs=0.0005)  # not the point: that is the printed curve


def rows(*values: tuple[str, date, float, date], direction: str = "higher") -> View:
    """A board as it was published: model, release, value, day."""
    frame = pl.DataFrame(
        [(name, "q", "", "board", on, value, "model", name, name.split("/")[0], released) for name, released, value, on in values],
        schema=["subject_id", "quantity_id", "setting", "source_id", "known_on", "value", "kind", "run", "family", "released_on"],
        orient="row",
    )
    card = Quantity("q", "Q", "benchmark", "fraction", 0.0, 1.0, None, direction, "", "board")
    return View(ALWAYS, frame, {"q": card})


DAY, LATER = date(2026, 1, 7), date(2026, 2, 1)
FORECAST = RecordForecast("q", DAY, 0.8, tuple(np.linspace(0.5, 0.9, len(LEVELS))))


def test_a_record_is_the_best_value_of_models_released_by_the_day_however_they_were_set() -> None:
    board = rows(
        ("a/old", date(2025, 1, 1), 0.5, LATER),
        ("a/best", date(2025, 12, 1), 0.8, LATER),
        ("b/equal", DAY, 0.8, LATER),
        ("b/after", DAY + timedelta(days=1), 0.9, LATER),
    )
    found = record_outcome(FORECAST, board)

    assert found is not None
    assert (found.subject_id, found.value, found.released_on) == ("a/best", 0.8, date(2025, 12, 1))


def test_a_record_of_which_less_is_better_is_the_least() -> None:
    board = rows(("a/x", date(2025, 1, 1), 0.5, LATER), ("a/y", date(2025, 2, 1), 0.4, LATER), direction="lower")
    found = record_outcome(FORECAST, board)

    assert found is not None
    assert found.subject_id == "a/y"


def test_a_record_has_no_outcome_before_the_board_was_read_on_its_day() -> None:
    assert record_outcome(FORECAST, rows(("a/x", date(2025, 1, 1), 0.5, DAY - timedelta(days=1)))) is None
    assert record_outcome(FORECAST, rows(("a/x", date(2025, 1, 1), 0.5, DAY))) is not None
    assert record_outcome(FORECAST, rows(("a/x", DAY + timedelta(days=1), 0.5, LATER))) is None


def test_a_records_file_that_is_no_forecast_is_refused(tmp_path: Path) -> None:
    good = (FRONTIER / "records.csv").read_text(encoding="utf-8")
    first = good.splitlines()[1]
    damaged = {
        "a level lacks": good.replace(first + "\n", ""),
        "a level twice": good.replace(first, first + "\n" + first),
        "a fall": good.replace("0.01,0.4893", "0.01,0.9999"),
        "a word": good.replace("0.01,0.4893", "0.01,low"),
        "no number": good.replace("0.01,0.4893", "0.01,nan"),
        "no day": good.replace("2025-07-07", "2025-07-37"),
        "a header": good.replace("quantity_id", "quantity"),
    }
    for name, text in damaged.items():
        assert text != good, name
        shutil.copytree(FRONTIER, tmp_path / name)
        (tmp_path / name / "records.csv").write_text(text, encoding="utf-8")
        with pytest.raises(RecordError, match=r"records\.csv: found"):
            published.load(tmp_path / name)


def test_the_frontier_of_swe_bench_is_scored_where_the_record_has_its_outcome_and_nowhere_else(built: Built) -> None:
    connection = database.open_database(built.build / "database")
    view, resolved = database.as_of(connection, ALWAYS), database.resolutions(connection, ALWAYS)
    connection.close()
    mine = adopted_rows(built.registry, view, resolved).filter(pl.col("law") == published.RECORD).sort("target_id")

    assert mine["target_id"].to_list() == [f"{SWE}/record-2025-07-07", f"{SWE}/record-2026-01-07"]
    assert mine["observed"].to_list() == [0.727, 0.809]
    assert mine["subject_id"].to_list() == ["anthropic/claude-sonnet-4-20250514", "anthropic/claude-opus-4-5-20251101"]
    assert (mine["released_on"] > mine["as_of"]).all()
    assert all(len(quantiles) == len(LEVELS) for quantiles in mine["quantiles"])
