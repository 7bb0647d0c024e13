"""Scores of released models in the order of release: the resolver's current values, and the best so far by its direction."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from foresaid.evaluation.released_scores import SCHEMA, released_scores
from foresaid.registry import schema
from foresaid.registry.view import Quantity

FIRST, SECOND = date(2024, 5, 31), date(2024, 10, 1)
MMLU = Quantity("mmlu", "MMLU", "benchmark", "fraction", 0.0, 1.0, 0.25, "higher", "", "board")
DAYS = {"late": date(2024, 3, 1), "early": date(2023, 1, 1), "middle": date(2023, 6, 1), "undated": None}
MODELS = pl.DataFrame({"model_id": list(DAYS), "released_on": list(DAYS.values())}, schema_overrides={"released_on": pl.Date})


def observations(*rows: tuple[str, str, str, date, float, str]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "subject_id": name, "quantity_id": "mmlu", "setting": setting, "source_id": source, "known_on": day, "value": value,
                "stderr": None, "n": None, "recorded_on": date(2026, 1, 1), "status": status, "note": "",
            }
            for name, setting, source, day, value, status in rows
        ],
        schema=schema.SCHEMA,
    )  # fmt: skip


RECORD = observations(
    ("late", "", "board", SECOND, 0.6, "reported"),
    ("early", "", "board", FIRST, 0.7, "reported"),
    ("early", "", "board", SECOND, 0.5, "revised"),
    ("middle", "effort=high", "board", FIRST, 0.4, "reported"),
    ("middle", "", "other", FIRST, 0.9, "reported"),
    ("undated", "", "board", FIRST, 0.95, "reported"),
)


@pytest.mark.parametrize(("direction", "best"), [("higher", [0.5, 0.5, 0.6]), ("lower", [0.5, 0.4, 0.4])])
def test_the_best_so_far_follows_the_release_and_the_direction(direction: str, best: list[float]) -> None:
    found = released_scores(RECORD, MODELS, {"mmlu": replace(MMLU, direction=direction)})

    assert found["subject_id"].to_list() == ["early", "middle[effort=high]", "late"]
    assert found["value"].to_list() == [0.5, 0.4, 0.6]
    assert found["best"].to_list() == best
    assert found["known_on"].to_list() == [FIRST, FIRST, SECOND]  # when the value was first public, revised or not


def test_a_withdrawn_value_is_gone_and_what_is_left_counts() -> None:
    withdrawn = observations(("early", "", "board", date(2025, 1, 1), 0.5, "withdrawn"))
    found = released_scores(pl.concat([RECORD, withdrawn]), MODELS, {"mmlu": MMLU})

    assert found.select("subject_id", "best").rows() == [("middle[effort=high]", 0.4), ("late", 0.6)]


def test_without_a_forecast_quantity_the_table_has_its_columns_and_no_row() -> None:
    assert released_scores(RECORD, MODELS, {}).schema == SCHEMA
    assert released_scores(RECORD, MODELS, {}).height == 0
