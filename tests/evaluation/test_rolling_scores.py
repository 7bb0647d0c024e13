"""What earlier origins teach, and the tables: nothing from the future, nothing dropped, before and after side by side."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm

from foresaid.errors import RecordError
from foresaid.evaluation import rolling_recalibration, rolling_rows, rolling_scores
from foresaid.evaluation.claims import PERIOD
from foresaid.evaluation.rolling_origin import later
from foresaid.evaluation.rolling_recalibration import CENTRE, PLAIN, WIDTH
from foresaid.evaluation.units import NOTHING, attach
from foresaid.forecasting.floors import floored
from foresaid.pipeline.hindcast import by_board
from foresaid.report import rolling_origin_tables
from foresaid.scoring.levels import LEVELS

ORIGINS = [later(date(2023, 1, 1), 2 * i) for i in range(9)]
NONE = pl.DataFrame(
    schema={
        **dict.fromkeys(("mode", "unit", "board", "law", "target_id", "subject_id"), pl.String),
        "origin": pl.Date,
        "horizon": pl.Int64,
    }
)
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
                        "lower": 0.0, "upper": 1.0, "observed": value, "latest": value, "status": "converged", "distance": 0.1 * k,
                        "point": centre, "quantiles": quantiles.tolist(),
                    }
                )  # fmt: skip
    return pl.DataFrame(made, schema=rolling_rows.SCHEMA)


def quantiles(made: pl.DataFrame, law: str, after: bool) -> np.ndarray[Any, Any]:
    part = made.filter((pl.col("law") == law) & (pl.col("recalibration") == (WIDTH if after else PLAIN))).sort(
        "origin", "subject_id"
    )
    return np.array(part["quantiles"].to_list())


def test_what_an_origin_learns_does_not_change_with_outcomes_public_after_it() -> None:
    origin = ORIGINS[5]
    told = rows()
    rewritten = told.with_columns(
        observed=pl.when(pl.col("public_on") > origin).then(1.0 - pl.col("observed")).otherwise(pl.col("observed"))
    )

    first, second = (rolling_recalibration.learned(one).filter(pl.col("origin") <= origin) for one in (told, rewritten))

    assert first["quantiles"].to_list() == second["quantiles"].to_list()


def test_what_an_origin_learns_does_change_with_outcomes_public_before_it() -> None:
    told = rows()
    rewritten = told.with_columns(observed=1.0 - pl.col("observed"))

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


def test_forecasts_that_lie_too_low_are_moved_up_by_the_outcomes_of_the_last_year() -> None:
    made = rolling_recalibration.learned(rows(shift=-0.1)).filter((pl.col("law") == "good") & (pl.col("origin") == ORIGINS[-1]))
    by_how = made.group_by("recalibration").agg(off=(pl.col("quantiles").list.get(11) - pl.col("observed")).mean())
    off = dict(by_how.iter_rows())

    assert off[PLAIN] < -0.07
    assert abs(off[CENTRE]) < 0.6 * abs(off[PLAIN])
    assert off[WIDTH] == pytest.approx(off[PLAIN], abs=1e-9)


def test_the_running_centre_is_the_shrunk_mean_error_by_release_on_the_logit_scale() -> None:
    found = rolling_recalibration.asks(rows(shift=-0.1))
    origin = ORIGINS[4]
    at = [
        i
        for i, row in enumerate(found.rows.iter_rows(named=True))
        if row["origin"] < origin and origin - timedelta(days=365) < row["public_on"] <= origin
    ]
    plain = found.quantiles["good"]
    value, median = found.rows["observed"].to_numpy()[at], plain[at, 11]
    mean = (np.log(value / (1 - value)) - np.log(median / (1 - median))).mean()  # every release has one row here
    now = found.origins == origin
    before, after = plain[now], rolling_recalibration.recentred(found, plain)[now]

    np.testing.assert_allclose(
        np.log(after / (1 - after)), np.log(before / (1 - before)) + mean * len(at) / (len(at) + 5.0), atol=1e-9
    )


def test_a_recalibration_is_tested_against_the_method_as_it_was() -> None:
    made = rolling_scores.score(rolling_recalibration.learned(rows(narrow=0.25, shift=-0.1)))
    found = {(row["law"], row["recalibration"]): row for row in rolling_scores.recalibrations(made, 1)}

    assert found["good", CENTRE]["relative_wis"] < 1.0
    assert abs(found["good", CENTRE]["bias"]) < abs(found["good", CENTRE]["bias_before"])
    assert found["good", WIDTH]["coverage_80"] > found["good", WIDTH]["coverage_80_before"]


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
    table = rolling_scores.by_horizon(scored, NONE, (3, 6, 12), 1)

    assert len(table) == 3 * (3 * 5 + 1)  # horizons; two laws and three ensembles in three recalibrations, and a baseline
    assert {row["best_baseline"] for row in table} == {None}  # `naive` is not one of the named baselines


def test_the_best_baseline_is_the_named_one_with_the_least_score(scored: pl.DataFrame) -> None:
    named = scored.filter(pl.col("recalibration") == PLAIN).with_columns(
        law=pl.col("law").replace({"naive": "best_known", "wild": "growth"})
    )

    best, relative = rolling_scores.best_baseline(rolling_scores.numbered(named))

    assert best == "growth"
    assert relative["good"][0] < relative["growth"][0] < relative["best_known"][0] == 1.0


@pytest.fixture(scope="module")
def against_best_known(scored: pl.DataFrame) -> pl.DataFrame:
    return scored.with_columns(law=pl.col("law").replace({"naive": "best_known"}))


def claim(table: list[dict[str, Any]], law: str, horizon: int = 12) -> dict[str, Any]:
    return next(row for row in table if (row["law"], row["horizon"], row["recalibration"]) == (law, horizon, PLAIN))


def test_the_reference_is_named_before_and_the_best_baseline_stands_beside_it(against_best_known: pl.DataFrame) -> None:
    rows = against_best_known.with_columns(law=pl.col("law").replace({"wild": "growth"}))
    found = claim(rolling_scores.by_horizon(rows, NONE, (3, 6, 12), 1), "good")
    mine, theirs = (
        rows.filter((pl.col("law") == law) & (pl.col("recalibration") == PLAIN))["wis"].mean() for law in ("good", "best_known")
    )

    assert (found["reference"], found["told"], found["best_baseline"]) == ("best_known", "its covariates", "growth")
    assert found["relative_wis"] == pytest.approx(mine / theirs)  # type: ignore[operator]
    assert found["relative_wis_best"] > found["relative_wis"]
    assert (found["verdict"], found["n_claim"], found["claim_releases"]) == ("better, by release alone", 36, 36)


def test_a_row_without_a_forecast_counts_as_the_reference_and_is_counted(against_best_known: pl.DataFrame) -> None:
    shy = (pl.col("law") == "good") & (pl.col("origin") >= ORIGINS[5])
    no_forecast = against_best_known.filter(shy & (pl.col("recalibration") == PLAIN)).select(NONE.columns)
    whole = claim(rolling_scores.by_horizon(against_best_known, NONE, (12,), 1), "good")
    half = claim(rolling_scores.by_horizon(against_best_known.filter(~shy), no_forecast, (12,), 1), "good")
    base = against_best_known.filter((pl.col("law") == "best_known") & (pl.col("recalibration") == PLAIN))
    kept = against_best_known.filter(
        (pl.col("law") == "good") & (pl.col("recalibration") == PLAIN) & (pl.col("origin") < ORIGINS[5])
    )

    assert (half["n"], half["n_claim"], half["n_no_forecast"], whole["n_no_forecast"]) == (20, 36, 16, 0)
    late = base.filter(pl.col("origin") >= ORIGINS[5])
    expected = sum([*kept["wis"], *late["wis"]]) / sum(base["wis"])
    assert half["relative_wis"] == pytest.approx(expected)
    assert whole["relative_wis"] < half["relative_wis"] < 1.0
    # Nor is it placed by what it did forecast alone.
    made = against_best_known.filter(~shy & (pl.col("recalibration") == PLAIN))
    assert rolling_scores.best_baseline(rolling_scores.numbered(made))[1]["good"][0] < half["pairwise_relative_wis"] < 1.0


def test_p_is_adjusted_over_all_tables_of_the_page(against_best_known: pl.DataFrame) -> None:
    table = rolling_scores.by_horizon(against_best_known, NONE, (3, 6, 12), 1)
    claims = [row for row in table if row["adjusted_p"] is not None]

    # Two laws at 6 and 12 months: at 3 months nine releases are too few, and baselines and recalibrated rows carry no test.
    assert sorted((row["law"], row["horizon"]) for row in claims) == [("good", 6), ("good", 12), ("wild", 6), ("wild", 12)]
    assert min(row["adjusted_p"] for row in claims) == pytest.approx(4 / 10_000)


def test_the_parts_of_a_mode_hold_every_row_once_and_show_the_bias(against_best_known: pl.DataFrame) -> None:
    for by in (PERIOD, pl.col("quantity_id")):
        found = [row for row in rolling_scores.parts(against_best_known, by) if row["law"] == "good"]

        assert sum(row["n"] for row in found) == 36
        assert {row["mode"] for row in found} == {"released"}
        assert all(row["reference_wis"] is not None and row["bias"] is not None for row in found)


def test_asked_is_scored_plus_no_forecast_or_refused() -> None:
    told = rows()
    gone = pl.col("law").eq("good") & pl.col("origin").eq(ORIGINS[0])
    told = told.with_columns(quantiles=pl.when(gone).then(None).otherwise(pl.col("quantiles")))
    made = rolling_recalibration.learned(told)
    found = rolling_scores.score(made)

    first = next(row for row in rolling_scores.accounts(made, found) if row["law"] == "good")

    assert (first["asked"], first["scored"], first["no_forecast"]) == (36, 32, 4)
    with pytest.raises(RecordError, match="36 rows"):
        rolling_scores.accounts(made, found.head(5))


def test_a_revised_outcome_changes_only_the_score_beside(scored: pl.DataFrame) -> None:
    revised = rolling_scores.score(rolling_recalibration.learned(rows().with_columns(latest=pl.col("observed") + 0.2)))

    assert revised["wis"].to_list() == scored["wis"].to_list()
    assert revised["wis_revised"].sum() > scored["wis_revised"].sum()


def test_distances_are_counted_in_their_bins(scored: pl.DataFrame) -> None:
    found = {row["bin"]: row["n"] for row in rolling_scores.by_distance(scored) if row["law"] == "good"}

    # Nine origins with releases at 0, 0.1, 0.2 and 0.3 standard deviations beyond.
    assert found == {"within": 9, "up to 0.25": 18, "up to 0.5": 9}


def test_what_a_terminal_shows_has_a_row_for_each_method_and_the_sums(scored: pl.DataFrame) -> None:
    made = rolling_recalibration.learned(rows())
    tables = {
        "by_horizon": rolling_scores.by_horizon(scored, NONE, (3, 6, 12), 1),
        "accounts": rolling_scores.accounts(made, scored),
    }

    lines = rolling_origin_tables.lines(tables)

    assert lines[0] == "By release date: b, fraction"
    assert sum(line.startswith("good ") for line in lines) == 3
    assert "by release date, good: 36 forecasts = 36 scored + 0 without a forecast" in lines


def test_scores_board_by_board_are_those_of_all_boards_at_once() -> None:
    other = rows(0.1, board="other", shift=0.05).with_columns(target_id=pl.lit("u"))
    gone = (pl.col("law") == "good") & (pl.col("origin") == ORIGINS[0])
    told = (
        pl.concat([rows(0.25), other]).with_columns(quantiles=pl.when(~gone).then("quantiles")).sort("origin", "law", "target_id")
    )
    items = {"t": 40}
    whole = floored(rolling_recalibration.learned(attach(floored(told, items), NOTHING)), items)
    expected = rolling_scores.score(whole)

    found, asked, none = by_board(told, items, NOTHING)

    assert found.equals(expected)
    assert none.height == 8
    assert rolling_scores.accounts(asked, found) == rolling_scores.accounts(whole, expected)
    assert "quantiles" not in found.columns
    assert asked["quantiles"].list.len().max() == 0  # what was asked is counted, and holds no numbers


def test_no_forecast_at_any_origin_is_no_board() -> None:
    found, asked, none = by_board(pl.DataFrame(schema=rolling_rows.SCHEMA), {}, NOTHING)

    assert (found.height, asked.height, none.height) == (0, 0, 0)


def test_no_origins_give_empty_tables() -> None:
    made = rolling_recalibration.learned(pl.DataFrame(schema=rolling_rows.SCHEMA))
    found = rolling_scores.score(made)

    assert found.height == 0
    assert (
        rolling_scores.by_horizon(found, NONE, (3,), 1)
        == rolling_scores.by_distance(found)
        == rolling_scores.by_origin(found)
        == []
    )
