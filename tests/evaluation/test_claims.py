"""One verdict a law and case: reference named before, rows without a forecast counted as the reference, Holm over all claims."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.evaluation.test_tables import row, scored

from foresaid.evaluation.claims import PERIOD, broken_down, claims
from foresaid.evaluation.tables import best_baseline, skill
from foresaid.forecasting.methods import BASELINES, METHODS, REFERENCES
from foresaid.scoring.significance import holm

NONE = pl.DataFrame(schema=dict.fromkeys(("evidence", "case", "law", "target_id", "subject_id"), pl.String))


def many(law: str, centre: float, releases: int, role: str = "law", **other: Any) -> list[dict[str, Any]]:
    rng = np.random.default_rng(3)
    return [
        row(law, f"m{i:02d}", target, 0.5 + rng.normal(0, 0.02), centre, role, maker=f"maker-{i}", **other)
        for i in range(releases)
        for target in ("t", "u")
    ]


def frame(*rows: list[dict[str, Any]]) -> pl.DataFrame:
    return scored(*(one for part in rows for one in part)).with_columns(unit=pl.lit("fraction"))


def test_the_reference_is_the_named_one_and_the_best_baseline_stands_beside_it() -> None:
    found = claims(
        frame(many("l", 0.5, 12), many("best_known", 0.9, 12, "baseline"), many("last_of_family", 0.52, 12, "baseline")), NONE, 1
    ).row(0, named=True)

    assert (found["law"], found["reference"], found["verdict"]) == ("l", "best_known", "better")
    assert (found["n"], found["n_releases"], found["n_makers"]) == (24, 12, 12)
    assert found["best_baseline"] == "last_of_family"
    assert found["relative_wis_best"] > found["relative_wis"]
    assert found["skill"] == pytest.approx(1.0 - found["relative_wis"])


def test_a_row_without_a_forecast_counts_as_the_reference() -> None:
    law, base = many("l", 0.5, 12), many("best_known", 0.9, 12, "baseline")
    shy = [one for one in law if one["subject_id"] < "m06"]
    excluded_rows = pl.DataFrame([{name: one[name] for name in NONE.columns} for one in law if one["subject_id"] >= "m06"])

    whole, half = (
        claims(frame(law, base), NONE, 1).row(0, named=True),
        claims(frame(shy, base), excluded_rows, 1).row(0, named=True),
    )

    assert (half["n"], half["n_no_forecast"], whole["n_no_forecast"]) == (24, 12, 0)
    rows = frame(shy, base)
    kept, theirs = (
        sum(rows.filter(law="l")["wis"].to_list()),
        rows.filter(pl.col("law") == "best_known").sort("subject_id", "target_id"),
    )
    assert half["wis"] == pytest.approx((kept + sum(theirs.filter(pl.col("subject_id") >= "m06")["wis"].to_list())) / 24)
    assert half["relative_wis"] > whole["relative_wis"]


def test_few_releases_get_no_verdict_and_no_p_however_large_the_difference() -> None:
    found = claims(frame(many("l", 0.5, 6), many("best_known", 0.9, 6, "baseline")), NONE, 1).row(0, named=True)

    assert (found["verdict"], found["p"], found["adjusted_p"]) == ("too few releases to say", None, None)


def test_sizes_of_one_launch_are_one_release() -> None:
    law, base = many("l", 0.5, 12, release="one/2024-07-01"), many("best_known", 0.9, 12, "baseline", release="one/2024-07-01")

    assert claims(frame(law, base), NONE, 1).row(0, named=True)["verdict"] == "too few releases to say"


def test_p_is_adjusted_over_all_cases_that_stand_together() -> None:
    one = [*many("l", 0.5, 12), *many("best_known", 0.56, 12, "baseline")]
    two = [{**item, "case": "d"} for item in one]

    alone, together = claims(frame(one), NONE, 1), claims(frame(one, two), NONE, 1)

    assert together["adjusted_p"][0] >= alone["adjusted_p"][0]
    assert together["adjusted_p"].to_list() == pytest.approx(holm(together["p"].to_list()))
    assert max(together["adjusted_p"].to_list()) > max(together["p"].to_list())


def test_a_perfect_baseline_is_the_best_one() -> None:
    rows = frame(many("l", 0.5, 3), many("best_known", 0.6, 3, "baseline"))
    perfect = rows.filter(law="l").with_columns(law=pl.lit("last_of_family"), role=pl.lit("baseline"), wis=0.0, absolute_error=0.0)

    found = best_baseline(skill(pl.concat([rows, perfect]))).filter(law="l").row(0, named=True)

    assert (found["baseline"], found["baseline_wis"], found["relative_wis"], found["skill"]) == ("last_of_family", 0.0, None, None)


def test_compute_and_size_laws_are_baselines_wherever_one_is_picked() -> None:
    rows = frame(many("l", 0.52, 4), many("compute_sigmoid", 0.51, 4), many("best_known", 0.9, 4, "baseline"))

    assert {"compute_sigmoid", "size_sigmoid"} <= set(BASELINES)
    assert claims(rows, NONE, 1).filter(law="l")["best_baseline"].to_list() == ["compute_sigmoid"]
    assert set(skill(rows)["baseline"]) == {"compute_sigmoid", "best_known"}


def test_every_reference_is_a_baseline_with_a_title() -> None:
    assert all(METHODS[name].role == "baseline" for name in REFERENCES.values())


def test_a_law_told_other_scores_is_compared_with_the_nearest_known_model() -> None:
    rows = frame(
        many("observational", 0.5, 12), many("best_known", 0.9, 12, "baseline"), many("nearest_known_model", 0.51, 12, "baseline")
    )
    found = claims(rows, NONE, 1).row(0, named=True)

    assert (found["told"], found["reference"]) == ("other scores", "nearest_known_model")


def test_the_parts_of_a_case_show_where_it_drifts() -> None:
    early, late = many("l", 0.52, 4), many("l", 0.40, 4, released_on=date(2025, 1, 5))
    late = [{**one, "subject_id": f"x{one['subject_id']}"} for one in late]
    base = [{**one, "law": "best_known", "role": "baseline", "point": 0.9} for one in (*early, *late)]
    found = broken_down(frame(early, late, base), PERIOD)

    assert found["group"].to_list() == ["2024 H2", "2025 H1"]
    assert found["n_releases"].to_list() == [4, 4]
    assert found["bias"][0] > 0 > found["bias"][1]
    assert found["relative_wis"].to_list() == pytest.approx([1.0, 1.0])  # the same quantiles


def test_parts_without_a_reference_have_no_ratio() -> None:
    found = broken_down(frame(many("l", 0.5, 4)), pl.col("quantity_id"))

    assert found["group"].to_list() == ["t", "u"]
    assert found["relative_wis"].to_list() == [None, None]
