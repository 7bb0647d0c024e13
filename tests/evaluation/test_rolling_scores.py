"""What earlier origins teach, and the tables: nothing from the future, nothing dropped, before and after side by side."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm

from foresaid.errors import RecordError
from foresaid.evaluation import rolling_origin, rolling_recalibration, rolling_scores
from foresaid.evaluation.rolling_origin import later
from foresaid.report import rolling_origin_tables
from foresaid.scoring.levels import LEVELS

ORIGINS = [later(date(2023, 1, 1), 2 * i) for i in range(9)]
SPREADS = {"good": 0.05, "wild": 0.2, "naive": 0.3}


def rows(narrow: float = 1.0, board: str = "b", shift: float = 0.0) -> pl.DataFrame:
    """Three methods at nine origins, four releases each: `good` errs by 0.05 and says so, but for `narrow`."""
    rng = np.random.default_rng(3)
    made: list[dict[str, Any]] = []
    for i, origin in enumerate(ORIGINS):
        for k in range(4):
            released = origin + timedelta(days=20 + 80 * k)
            value = float(rng.uniform(0.3, 0.7))
            for law, spread in SPREADS.items():
                centre = value + spread * rng.normal() + shift
                quantiles = np.clip(centre + narrow * spread * norm.ppf(LEVELS), 0.0, 1.0)
                made.append(
                    {
                        "mode": "released", "origin": origin, "law": law, "role": "baseline" if law == "naive" else "law",
                        "board": board, "unit": "fraction", "target_id": "t", "quantity_id": "t", "subject_id": f"m{i}-{k}",
                        "cluster": f"f{k}", "released_on": released, "public_on": released,
                        "horizon": next(h for h in (3, 6, 12) if released <= later(origin, h)), "trained_on": 10,
                        "lower": 0.0, "upper": 1.0, "value": value, "latest": value, "status": "converged", "distance": 0.1 * k,
                        "point": centre, "quantiles": quantiles.tolist(),
                    }
                )  # fmt: skip
    return pl.DataFrame(made, schema=rolling_origin.SCHEMA)


def quantiles(made: pl.DataFrame, law: str, after: bool) -> np.ndarray[Any, Any]:
    part = made.filter((pl.col("law") == law) & (pl.col("recalibrated") == after)).sort("origin", "subject_id")
    return np.array(part["quantiles"].to_list())


def test_what_an_origin_learns_does_not_change_with_outcomes_public_after_it() -> None:
    origin = ORIGINS[5]
    told = rows()
    rewritten = told.with_columns(
        value=pl.when(pl.col("public_on") > origin).then(1.0 - pl.col("value")).otherwise(pl.col("value"))
    )

    first, second = (rolling_recalibration.learned(one).filter(pl.col("origin") <= origin) for one in (told, rewritten))

    assert first["quantiles"].to_list() == second["quantiles"].to_list()


def test_what_an_origin_learns_does_change_with_outcomes_public_before_it() -> None:
    told = rows()
    rewritten = told.with_columns(value=1.0 - pl.col("value"))

    first, second = (rolling_recalibration.learned(one).filter(pl.col("origin") == ORIGINS[-1]) for one in (told, rewritten))

    assert first["quantiles"].to_list() != second["quantiles"].to_list()


def test_the_first_origin_has_nothing_to_learn_from() -> None:
    made = rolling_recalibration.learned(rows()).filter(pl.col("origin") == ORIGINS[0])

    np.testing.assert_array_equal(quantiles(made, "good", after=False), quantiles(made, "good", after=True))
    np.testing.assert_allclose(
        quantiles(made, "ensemble_stacked", after=False), quantiles(made, "ensemble_equal", after=False), atol=1e-12
    )


def test_the_stacked_ensemble_comes_to_trust_the_better_law() -> None:
    found = rolling_recalibration.asks(rows())
    weights = rolling_recalibration.weights_at(found, ("good", "wild"), later(ORIGINS[-1], 12))

    # 36 releases against 5 of belief in equal weights: at most 0.5 + 0.5 * 36 / 41 = 0.94.
    assert 0.8 < weights[0] <= 0.94 + 1e-9


def test_intervals_four_times_too_narrow_are_widened_by_what_came_out() -> None:
    made = rolling_recalibration.learned(rows(narrow=0.25)).filter(pl.col("origin") == ORIGINS[-1])
    width = [np.diff(quantiles(made, "good", after)[:, [1, 21]]).mean() for after in (False, True)]

    assert width[1] > 2.0 * width[0]


def test_an_ensemble_needs_two_members() -> None:
    made = rolling_recalibration.learned(rows().filter(pl.col("law") != "wild"))

    assert set(made["law"]) == {"good", "naive"}


def test_units_teach_themselves_only() -> None:
    alone = rolling_recalibration.learned(rows(0.25))
    both = rolling_recalibration.learned(pl.concat([rows(0.25), rows(3.0, board="other")])).filter(pl.col("board") == "b")

    assert quantiles(alone, "good", after=True).tolist() == quantiles(both, "good", after=True).tolist()


@pytest.fixture(scope="module")
def scored() -> pl.DataFrame:
    return rolling_scores.score(rolling_recalibration.learned(rows()))


def test_the_tables_hold_every_method_before_and_after_at_each_horizon(scored: pl.DataFrame) -> None:
    table = rolling_scores.by_horizon(scored, (3, 6, 12), 1)

    assert len(table) == 3 * 2 * 6  # horizons, before and after, three methods and three ensembles
    assert {row["baseline"] for row in table} == {None}  # `naive` is not one of the named baselines


def test_the_best_baseline_is_the_named_one_with_the_least_score(scored: pl.DataFrame) -> None:
    named = scored.filter(~pl.col("recalibrated")).with_columns(
        law=pl.col("law").replace({"naive": "training_mean", "wild": "growth"})
    )

    best, skill = rolling_scores.best_baseline(named)

    assert best == "growth"
    assert skill["good"][0] < 1.0 < skill["training_mean"][0]


def test_asked_is_scored_plus_declined_or_refused() -> None:
    told = rows()
    gone = pl.col("law").eq("good") & pl.col("origin").eq(ORIGINS[0])
    told = told.with_columns(quantiles=pl.when(gone).then(None).otherwise(pl.col("quantiles")))
    made = rolling_recalibration.learned(told)
    found = rolling_scores.score(made)

    first = next(row for row in rolling_scores.accounts(made, found) if row["law"] == "good")

    assert (first["asked"], first["scored"], first["declined"]) == (36, 32, 4)
    with pytest.raises(RecordError, match="36 forecasts"):
        rolling_scores.accounts(made, found.head(5))


def test_a_revised_outcome_changes_only_the_score_beside(scored: pl.DataFrame) -> None:
    revised = rolling_scores.score(rolling_recalibration.learned(rows().with_columns(latest=pl.col("value") + 0.2)))

    assert revised["wis"].to_list() == scored["wis"].to_list()
    assert revised["wis_revised"].sum() > scored["wis_revised"].sum()


def test_distances_are_counted_in_their_bins(scored: pl.DataFrame) -> None:
    found = {row["bin"]: row["n"] for row in rolling_scores.by_distance(scored) if row["law"] == "good"}

    # Nine origins with releases at 0, 0.1, 0.2 and 0.3 standard deviations beyond.
    assert found == {"within": 9, "up to 0.25": 18, "up to 0.5": 9}


def test_what_a_terminal_shows_has_a_row_for_each_method_and_the_sums(scored: pl.DataFrame) -> None:
    made = rolling_recalibration.learned(rows())
    tables = {"by_horizon": rolling_scores.by_horizon(scored, (3, 6, 12), 1), "accounts": rolling_scores.accounts(made, scored)}

    lines = rolling_origin_tables.lines(tables)

    assert lines[0] == "b, fraction, by release date only"
    assert sum(line.startswith("good") for line in lines) == 3
    assert "by release date only, good: 36 forecasts = 36 scored + 0 without a forecast" in lines


def test_no_origins_give_empty_tables() -> None:
    made = rolling_recalibration.learned(pl.DataFrame(schema=rolling_origin.SCHEMA))
    found = rolling_scores.score(made)

    assert found.height == 0
    assert rolling_scores.by_horizon(found, (3,), 1) == rolling_scores.by_distance(found) == rolling_scores.by_origin(found) == []
