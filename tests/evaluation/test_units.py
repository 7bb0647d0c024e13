"""What counts as one: read off the record for models and runs, and stated for what the record does not know."""

from __future__ import annotations

import polars as pl
import pytest
from tests.conftest import Built

from foresaid.evaluation import units
from foresaid.registry import database


@pytest.fixture(scope="module")
def known(built: Built) -> units.Units:
    return units.of(database.open_database(built.build / "database"))


def rows(*subjects: str, split: str = "released", series: str = "", quantity: str = "gsm8k_cot") -> pl.DataFrame:
    n = len(subjects)
    return pl.DataFrame(
        {"subject_id": subjects, "quantity_id": [quantity] * n, "split": [split] * n, "series": [series] * n, "cluster": ["f"] * n}
    )


def test_all_sizes_of_one_launch_are_one_release_of_one_maker(known: units.Units) -> None:
    found = units.attach(rows("qwen/qwen2-0.5b", "qwen/qwen2-72b", "google/gemma-2-2b", "google/gemma-2-9b"), known)

    assert found["release"].n_unique() == 3  # Gemma 2 came in two launches
    assert found["maker"].to_list() == ["Alibaba", "Alibaba", "Google", "Google"]


def test_runs_count_by_series_and_their_maker_is_their_source(known: units.Units) -> None:
    run = known.subjects.filter(pl.col("release").is_null() & pl.col("maker").is_not_null())["subject_id"][0]
    found = units.attach(rows(run, split="larger", series="one-series"), known).row(0, named=True)

    assert found["release"] == "one-series"
    assert found["maker"] not in ("f", run)


def test_what_the_record_does_not_know_is_a_release_of_its_own(known: units.Units) -> None:
    found = units.attach(rows("nobody/knows", quantity="nothing"), known).row(0, named=True)

    assert (found["release"], found["maker"], found["resolution"]) == ("nobody/knows", "f", 0.0)


def test_a_share_has_the_resolution_of_one_item_and_dollars_that_of_their_digits(known: units.Units) -> None:
    assert known.resolutions["gsm8k_cot"] == pytest.approx(1 / 500)  # items of quantities.csv
    assert known.resolutions["aider_edit_cost"] != pytest.approx(1 / 133)
