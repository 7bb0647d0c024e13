"""Means, counts and skill: on the common set, with releases counted beside rows."""

from __future__ import annotations

from datetime import date
from functools import partial
from statistics import NormalDist
from typing import Any

import numpy as np
import polars as pl
import pytest

from foresaid.errors import ParameterError
from foresaid.evaluation.tables import by_unit, calibrated, compared, pairwise, score_rows, skill, summarise
from foresaid.scoring.levels import LEVELS
from foresaid.scoring.row_scores import MEANS, ROW_SCORES, SHOWN


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
        "observed": value,
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

    assert (found["n"], found["n_releases"], found["n_makers"]) == (3, 2, 1)


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


def many(law: str, centre: float, releases: int, role: str = "law") -> list[dict[str, Any]]:
    rng = np.random.default_rng(3)
    return [
        row(law, f"m{i:02d}", target, 0.5 + rng.normal(0, 0.02), centre, role) for i in range(releases) for target in ("t", "u")
    ]


def test_a_law_clearly_better_than_a_baseline_is_called_better_with_its_interval() -> None:
    found = compared(scored(*many("l", 0.5, 14), *many("b", 0.9, 14, "baseline")), 1).row(0, named=True)

    assert (found["law"], found["baseline"], found["n"], found["n_releases"], found["n_makers"]) == ("l", "b", 28, 14, 1)
    assert found["p"] < 0.05
    assert found["skill"] == pytest.approx(1.0 - found["relative_wis"])
    assert found["lower_95"] < found["relative_wis"] < found["upper_95"] < 1.0


def test_few_releases_get_no_verdict_however_large_the_difference() -> None:
    found = compared(scored(*many("l", 0.5, 6), *many("b", 0.9, 6, "baseline")), 1).row(0, named=True)

    assert (found["lower_95"], found["p"]) == (None, None)


def test_comparisons_do_not_depend_on_the_order_of_rows() -> None:
    rows = [*many("l", 0.5, 12), *many("b", 0.55, 12, "baseline")]

    assert compared(scored(*rows), 1).equals(compared(scored(*rows[::-1]), 1))


def test_forecasts_far_too_low_are_called_so() -> None:
    found = calibrated(scored(*many("l", 0.3, 14)), 1).row(0, named=True)

    assert (found["verdict"], found["coverage_95"], found["n_releases"]) == ("forecasts too low", 0.0, 14)
    assert found["coverage_95_upper"] < 0.4


def test_pairwise_relative_wis_of_the_baseline_is_one() -> None:
    found = pairwise(scored(*many("l", 0.5, 4), *many("b", 0.6, 4, "baseline")), "b")

    assert dict(found.select("law", "pairwise_relative_wis").iter_rows())["b"] == pytest.approx(1.0)
    assert found["law"][0] == "l"


def test_nothing_scored_gives_empty_tables_with_their_columns() -> None:
    empty = scored(row("l", "a", "t", 0.5, 0.5)).clear()

    assert compared(empty, 1).height == calibrated(empty, 1).height == pairwise(empty, "b").height == 0
    assert by_unit(empty.with_columns(unit=pl.lit("x")), partial(calibrated, seed=1)).height == 0


def test_an_outcome_within_half_an_item_of_the_interval_is_covered() -> None:
    exact, counted = (
        scored(row("l", "a", "t", 1.0, 0.9, resolution=step)).row(0, named=True) for step in (0.0, 1 / 20)
    )  # the 80 % interval ends at .98

    assert (exact["covered_80"], counted["covered_80"]) == (False, True)
    assert exact["wis"] == counted["wis"]  # the score is that of the values


@pytest.mark.parametrize("levels", [[0.01, 0.5, 0.99], [0.01, 0.99]])
def test_one_distribution_has_one_wis_or_none(levels: list[float]) -> None:
    # .256 on the 23 levels, .140 and .009 on these: no two of them may share a mean.
    normal = NormalDist(0.5, 0.2)
    one = row("l", "a", "t", 0.9, 0.5)
    frame = pl.DataFrame(
        [{**one, "quantiles": [normal.inv_cdf(level) for level in levels]}], schema_overrides={"distance": pl.Float64}
    )
    every = [normal.inv_cdf(level) for level in LEVELS]

    assert score_rows(frame, levels)["wis"].to_list() == [None]
    assert score_rows(frame.with_columns(quantiles=pl.Series([every])))["wis"][0] == pytest.approx(0.256, abs=5e-4)


def test_levels_that_floating_point_moved_are_the_same_levels() -> None:
    made = [0.01, 0.025, *(0.05 * i for i in range(1, 20)), 0.975, 0.99]
    frame = pl.DataFrame([row("l", "a", "t", 0.5, 0.55)], schema_overrides={"distance": pl.Float64})

    assert score_rows(frame, made).equals(score_rows(frame))


def test_an_outcome_that_is_no_number_is_refused() -> None:
    with pytest.raises(ParameterError, match="not numbers"):
        scored(row("l", "a", "t", float("nan"), 0.5))


def test_every_entry_of_the_list_of_scores_has_its_column_and_its_mean() -> None:
    frame = scored(row("l", "a", "t", 0.5, 0.4), row("l", "b", "t", 0.5, 0.9))
    found = summarise(frame).row(0, named=True)

    assert [name for name in frame.columns if name in {one.name for one in ROW_SCORES}] == [one.name for one in ROW_SCORES]
    assert {one.mean: found[one.mean] for one in MEANS} == {one.mean: pytest.approx(frame[one.name].mean()) for one in MEANS}
    assert set(SHOWN) <= set(MEANS)
