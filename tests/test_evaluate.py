"""Means, counts and skill: on the common set, with releases counted beside rows."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest

from foresaid.evaluate import by_unit, score_rows, skill, summarise
from foresaid.forecast import LEVELS


def row(law: str, subject: str, target: str, value: float, centre: float | None, role: str = "law", **other: Any) -> dict[str, Any]:
    quantiles = None if centre is None else [centre + (level - 0.5) * 0.2 for level in LEVELS]
    return {
        "evidence": "hindcast",
        "case": "c",
        "split": "released",
        "law": law,
        "role": role,
        "target_id": target,
        "quantity_id": target,
        "series": "",
        "subject_id": subject,
        "cluster": subject[0],
        "released_on": date(2024, 7, 1),
        "as_of": date(2024, 5, 31),
        "value": value,
        "status": "converged",
        "distance": None,
        "point": 0.4 if centre is None else centre,
        "quantiles": quantiles,
        **other,
    }


def scored(*rows: dict[str, Any]) -> pl.DataFrame:
    return score_rows(pl.DataFrame(list(rows), schema_overrides={"quantiles": pl.List(pl.Float64), "distance": pl.Float64}))


def test_rows_and_releases_are_counted_apart() -> None:
    frame = scored(row("l", "a1", "t", 0.5, 0.5), row("l", "a1", "u", 0.5, 0.5), row("l", "a2", "t", 0.5, 0.6))

    found = summarise(frame).row(0, named=True)

    assert (found["n"], found["n_releases"], found["n_families"]) == (3, 2, 1)


def test_means_are_those_of_the_rows() -> None:
    frame = scored(row("l", "a", "t", 0.5, 0.6), row("l", "b", "t", 0.5, 0.3))

    found = summarise(frame).row(0, named=True)

    assert found["mae"] == pytest.approx(0.15)
    assert found["mse"] == pytest.approx((0.01 + 0.04) / 2)
    assert found["bias"] == pytest.approx(-0.05)
    # Half the interval of 0.2 x level: 0.1 lies outside the 95 % interval of half-width 0.095, and so does 0.2.
    assert found["coverage_95"] == 0.0


def test_skill_is_taken_on_the_common_set_alone() -> None:
    frame = scored(
        row("l", "a", "t", 0.5, 0.55),
        row("l", "b", "t", 0.5, 0.9),  # the baseline has no forecast here
        row("mean", "a", "t", 0.5, 0.6, role="baseline"),
    )
    alone = frame.filter(pl.col("subject_id") == "a")

    found = skill(frame).row(0, named=True)

    expected = alone.filter(law="l")["wis"].item() / alone.filter(law="mean")["wis"].item()
    assert (found["n"], found["baseline"]) == (1, "mean")
    assert found["relative_wis"] == pytest.approx(expected)


def test_a_bare_point_is_scored_by_its_error_and_has_no_coverage() -> None:
    found = scored(row("printed", "a", "t", 0.5, None)).row(0, named=True)

    assert found["wis"] == pytest.approx(0.1)
    assert found["covered_80"] is None
    assert found["lower_80"] is None


def test_no_forecasts_make_an_empty_table_of_the_same_columns() -> None:
    empty = score_rows(scored(row("l", "a", "t", 0.5, 0.5)).clear())

    assert empty.columns == scored(row("l", "a", "t", 0.5, 0.5)).columns


def test_wis_of_a_row_does_not_depend_on_the_rows_beside_it() -> None:
    alone = scored(row("l", "a", "t", 0.5, 0.55))["wis"].to_list()

    together = scored(row("l", "a", "t", 0.5, 0.55), row("l", "b", "t", 0.1, 0.9))["wis"].to_list()

    np.testing.assert_array_equal(alone[0], together[0])


def test_units_never_share_a_mean() -> None:
    frame = scored(row("l", "a", "t", 0.5, 0.6), row("l", "b", "u", 3.0, 5.0)).with_columns(unit=pl.Series(["fraction", "nats"]))

    found = by_unit(frame, summarise)

    assert dict(found.select("unit", "mae").iter_rows()) == pytest.approx({"fraction": 0.1, "nats": 2.0})
