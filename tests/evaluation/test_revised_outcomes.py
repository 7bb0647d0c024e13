"""What changed between vintages is told apart, measured, and laid beside the forecasts that were scored on it."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from foresaid.evaluation import revised_outcomes
from foresaid.registry import schema

FIRST, SECOND, THIRD = date(2024, 5, 31), date(2024, 10, 1), date(2025, 3, 1)


def observations(*rows: tuple[str, date, float, str]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "subject_id": name, "quantity_id": "mmlu", "setting": "", "source_id": "board", "known_on": day, "value": value,
                "stderr": None, "n": None, "recorded_on": date(2026, 1, 1), "status": status, "note": "",
            }
            for name, day, value, status in rows
        ],
        schema=schema.SCHEMA,
    )  # fmt: skip


RECORD = observations(
    ("a", FIRST, 0.4, "reported"),
    ("a", SECOND, 0.5, "revised"),
    ("b", FIRST, 0.3, "reported"),
    ("b", SECOND, 0.3, "withdrawn"),
    ("b", THIRD, 0.3, "revised"),
    ("c", SECOND, 0.6, "reported"),
    ("old", SECOND, 0.2, "reported"),
)


def test_new_revised_withdrawn_and_returned_values_are_told_apart() -> None:
    found = revised_outcomes.changes(RECORD).select("known_on", "kind", "subject_id", "before", "value").rows()

    assert found == [
        (SECOND, "new", "c", None, 0.6),
        (SECOND, "new", "old", None, 0.2),
        (SECOND, "revised", "a", 0.4, 0.5),
        (SECOND, "withdrawn", "b", 0.3, 0.3),
        (THIRD, "back", "b", 0.3, 0.3),
    ]


def test_each_vintage_says_how_many_values_it_revised_and_by_how_much() -> None:
    totals = revised_outcomes.totals(revised_outcomes.changes(RECORD), {"mmlu": "fraction"}).row(0, named=True)

    assert (totals["previous"], totals["known_on"], totals["unit"]) == (FIRST, SECOND, "fraction")
    assert (totals["new"], totals["revised"], totals["withdrawn"]) == (2, 1, 1)
    assert abs(totals["mean_change"] - 0.1) < 1e-12  # the difference of two floats
    assert abs(totals["largest_change"] - 0.1) < 1e-12


def test_an_old_model_added_late_is_told_from_a_new_one() -> None:
    models = pl.DataFrame({"model_id": ["c", "old"], "released_on": [date(2024, 8, 1), date(2023, 1, 1)]})

    assert revised_outcomes.late(revised_outcomes.changes(RECORD), RECORD, models)["subject_id"].to_list() == ["old"]


def test_a_scored_forecast_whose_outcome_changed_shows_both_errors_and_others_are_left_out() -> None:
    def scored(name: str, value: float) -> dict[str, Any]:
        return {
            "evidence": "hindcast", "case": "case", "law": "law", "target_id": "mmlu", "subject_id": name, "quantity_id": "mmlu",
            "observed": value, "median": 0.45, "status": "converged",
        }  # fmt: skip

    scores = pl.DataFrame([scored("a", 0.4), scored("b", 0.3), scored("c", 0.6)])
    found = revised_outcomes.moved(scores, RECORD, {"mmlu": "board"}).row(0, named=True)

    assert (found["subject_id"], found["observed"], found["now"], found["changed_on"]) == ("a", 0.4, 0.5, SECOND)
    assert (round(found["error"], 9), round(found["error_now"], 9)) == (0.05, 0.05)
    assert revised_outcomes.moved(scores, RECORD, {"mmlu": "board"}).height == 1


def test_a_record_without_rows_has_no_changes() -> None:
    assert revised_outcomes.changes(pl.DataFrame()).height == 0
