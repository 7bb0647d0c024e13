"""Tests that keep their level when releases are dependent, where naive ones fail; and skill on common rows."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_1samp, ttest_rel

from foresaid.arrays import Array
from foresaid.errors import ParameterError
from foresaid.scoring.significance import (
    FEWEST_RELEASES,
    TOO_FEW,
    Comparison,
    compare,
    diebold_mariano,
    holm,
    pairwise_relative_wis,
    sign_test,
    verdict,
)

RELEASES, BENCHMARKS, TRIALS = 20, 15, 400
CLUSTERS = [f"release-{i // BENCHMARKS:02d}" for i in range(RELEASES * BENCHMARKS)]


def dependent_scores(rng: np.random.Generator) -> tuple[Array, Array]:
    """Two equally good forecasters; nine tenths of the variance of their difference belongs to the release."""
    shared = np.repeat(rng.normal(size=RELEASES), BENCHMARKS) * np.sqrt(0.9) + rng.normal(size=len(CLUSTERS)) * np.sqrt(0.1)
    common = np.exp(0.3 * np.repeat(rng.normal(size=RELEASES), BENCHMARKS))
    return common * np.exp(0.2 * shared), common * np.exp(-0.2 * shared)


def test_the_tests_by_release_keep_their_level_where_the_naive_test_does_not() -> None:
    rng = np.random.default_rng(7)
    by_release = bootstrap = naive = 0
    for _ in range(TRIALS):
        first, second = dependent_scores(rng)
        found = compare(first, second, CLUSTERS, rng, replicates=299)
        by_release += found.p < 0.05
        bootstrap += not found.lower <= 1.0 <= found.upper
        naive += int(ttest_rel(first, second).pvalue < 0.05)
    print(f"rejected of {TRIALS} equal pairs at 5 %: by release {by_release}, bootstrap {bootstrap}, row by row {naive}")
    # 99.9 % of binomial(400, 0.05) lies within 8 to 35; the bootstrap is allowed the known few per cent of small samples.
    assert 8 <= by_release <= 35
    assert 8 <= bootstrap <= 44
    assert naive > 0.3 * TRIALS


def test_a_real_difference_is_found() -> None:
    rng = np.random.default_rng(1)
    first, second = dependent_scores(rng)

    found = compare(0.5 * first, second, CLUSTERS, rng, makers=CLUSTERS)

    assert found.upper < 1.0
    assert verdict(found, found.p) == "better"


def test_what_the_makers_do_not_show_holds_by_release_alone() -> None:
    # All of the lead is one maker's: fifteen releases of one laboratory are one opinion about it.
    rng = np.random.default_rng(2)
    second = np.exp(0.1 * rng.normal(size=30))
    first = second * np.where(np.arange(30) < 15, 0.4, 1.0)
    makers = ["one" if i < 15 else f"m{i % 12}" for i in range(30)]

    found = compare(first, second, [str(i) for i in range(30)], rng, makers=makers)

    assert (found.n_releases, found.n_makers) == (30, 13)
    assert verdict(found, found.p) == "better, by release alone"


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(10, 30), st.floats(0.5, 2.0))
def test_p_is_below_five_per_cent_exactly_where_the_interval_leaves_out_one(seed: int, releases: int, lead: float) -> None:
    rng = np.random.default_rng(seed)
    names = [str(i) for i in rng.integers(0, releases, 90)]
    second = rng.exponential(size=90)
    first = lead * second * np.exp(rng.normal(size=90))

    found = compare(first, second, names, rng, replicates=199)

    if found.n_releases >= FEWEST_RELEASES:
        assert found.lower <= found.ratio <= found.upper
        assert (found.p < 0.05) == (not found.lower <= 1.0 <= found.upper)


def test_a_perfect_forecaster_is_better_and_a_perfect_baseline_cannot_be_beaten() -> None:
    names = [str(i) for i in range(12)]
    zero, some = np.zeros(12), np.linspace(0.5, 1.5, 12)

    won, lost, equal = (
        compare(a, b, names, np.random.default_rng(0), makers=names) for a, b in ((zero, some), (some, zero), (zero, zero))
    )

    assert (won.ratio, verdict(won, won.p)) == (0.0, "better")
    assert (lost.ratio, verdict(lost, lost.p)) == (float("inf"), "worse")
    assert (equal.ratio, verdict(equal, equal.p)) == (1.0, "no difference shown")


@pytest.mark.parametrize("score", [np.nan, np.inf, -0.1])
def test_a_score_that_is_none_gives_no_verdict(score: float) -> None:
    names, some = [str(i) for i in range(12)], np.linspace(0.5, 1.5, 12)
    bad = np.r_[score, some[1:]]

    for first, second in ((bad, some), (some, bad)):
        with pytest.raises(ParameterError, match="scores"):
            compare(first, second, names, np.random.default_rng(0))
    if not np.isfinite(score):
        for test in (diebold_mariano, lambda d, c: sign_test(d, c, np.random.default_rng(0))):
            with pytest.raises(ParameterError, match="scores"):
                test(bad - some, names)


def test_the_sign_test_is_the_share_of_all_signs_that_are_as_far_out() -> None:
    sums = np.array([3.0, 1.0, 4.0, -1.0, 5.0])
    every = np.array(list(product((-1.0, 1.0), repeat=5)))
    exact = float((np.abs(every @ sums) >= abs(sums.sum())).mean())

    assert sign_test(sums, list("abcde"), np.random.default_rng(1), 99_999) == pytest.approx(exact, abs=0.005)


def test_releases_with_zero_scores_widen_the_interval_and_leave_no_gap() -> None:
    # Most releases score exactly zero: resamples without a positive total must not drop out.
    first, second = np.zeros(12), np.zeros(12)
    first[0], second[:2] = 1.0, 1.0
    found = compare(first, second, [str(i) for i in range(12)], np.random.default_rng(0))

    assert found.p > 0.4
    assert found.lower <= 0.5 <= found.upper
    assert found.upper > 1.0


def test_a_perfect_baseline_is_the_best_one_in_pairwise_comparison() -> None:
    rows = {"perfect": {"a": 0.0, "b": 0.0}, "x": {"a": 1.0, "b": 2.0}, "base": {"a": 2.0, "b": 4.0}}

    assert pairwise_relative_wis(rows, "base")["perfect"][0] == 0.0
    assert pairwise_relative_wis(rows, "base")["x"][0] == pytest.approx(0.5)
    assert pairwise_relative_wis(rows, "perfect")["perfect"][0] == 1.0
    assert pairwise_relative_wis(rows, "perfect")["x"][0] == float("inf")


def test_with_one_row_a_release_it_is_the_paired_t_test() -> None:
    difference = np.random.default_rng(3).normal(0.2, 1.0, 25)

    expected = ttest_1samp(difference, 0.0)
    statistic, p = diebold_mariano(difference, [str(i) for i in range(25)])

    assert statistic == pytest.approx(expected.statistic, rel=1e-12)
    assert p == pytest.approx(expected.pvalue, rel=1e-12)


def test_the_small_sample_correction_is_that_of_harvey_leybourne_and_newbold() -> None:
    # At horizon one their factor sqrt((n - 1) / n) multiplies the statistic whose variance is divided by n, not n - 1.
    difference = np.array([0.3, -0.1, 0.4, 0.2, 0.05, 0.6])
    n = len(difference)
    plain = difference.mean() / np.sqrt(difference.var(ddof=0) / n)

    statistic, _ = diebold_mariano(difference, list("abcdef"))

    assert statistic == pytest.approx(plain * np.sqrt((n - 1) / n), rel=1e-12)


def test_twenty_copies_of_each_row_change_nothing() -> None:
    # Copying rows adds no releases: the naive test would find any difference this way.
    difference = np.random.default_rng(5).normal(0.1, 1.0, 15)
    names = [str(i) for i in range(15)]

    once, copied = diebold_mariano(difference, names), diebold_mariano(np.repeat(difference, 20), list(np.repeat(names, 20)))

    np.testing.assert_allclose(copied, once, rtol=1e-9)


def test_row_order_does_not_matter() -> None:
    rng = np.random.default_rng(11)
    first, second = dependent_scores(rng)
    order = rng.permutation(len(first))

    straight = compare(first, second, CLUSTERS, np.random.default_rng(0))
    shuffled = compare(first[order], second[order], [CLUSTERS[i] for i in order], np.random.default_rng(0))

    np.testing.assert_allclose(
        [shuffled.lower, shuffled.upper, shuffled.p], [straight.lower, straight.upper, straight.p], rtol=1e-9
    )


def test_few_releases_are_called_few() -> None:
    few = [str(i) for i in range(FEWEST_RELEASES - 1)]
    found = compare(np.linspace(0.1, 0.2, len(few)), np.linspace(1.0, 1.1, len(few)), few, np.random.default_rng(0))

    assert np.isnan(found.lower)
    assert verdict(found, found.p) == TOO_FEW


def test_no_difference_shown_is_not_called_equal() -> None:
    assert verdict(Comparison(0.9, 0.7, 1.2, 0.3, 100, 30), 0.3) == "no difference shown"


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_adjusted_p_values_are_never_smaller_and_keep_their_order(p: list[float]) -> None:
    adjusted = holm(p)

    assert all(after >= before for before, after in zip(p, adjusted, strict=True))
    assert all(adjusted[i] <= adjusted[j] + 1e-15 for i in range(len(p)) for j in range(len(p)) if p[i] < p[j])
    assert max(adjusted) <= 1.0


def test_skill_does_not_reward_forecasting_easy_rows_only() -> None:
    easy = {f"easy-{i}": 1.0 for i in range(5)}
    hard = {f"hard-{i}": 10.0 for i in range(5)}

    skill = pairwise_relative_wis({"base": {**easy, **hard}, "easy only": easy, "hard only": hard}, "base")

    assert skill["easy only"] == pytest.approx((1.0, 5))
    assert skill["hard only"] == pytest.approx((1.0, 5))


def test_skill_matches_a_case_worked_by_hand() -> None:
    # theta: a/b = 2/4, a/base = 2/3; theta_a = (1/2 * 2/3)^(1/3), theta_base = (3/2 * 3/4)^(1/3).
    rows = {"a": {"r": 2.0}, "b": {"r": 4.0}, "base": {"r": 3.0}}

    assert pairwise_relative_wis(rows, "base")["a"][0] == pytest.approx((1 / 3) ** (1 / 3) / (9 / 8) ** (1 / 3))
