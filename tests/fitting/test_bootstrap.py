"""Bands of few clusters: the correction is that of the t interval where there is one, and moves nothing but the width."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.laws.test_every_law import fitted

from foresaid.fitting.bootstrap import cluster_weights, cr1_factor, inflate_about_median, student_factors
from foresaid.fitting.summary import parameter_ranges

DRAWS = 200


def test_corrected_draws_of_a_mean_hold_four_truths_in_five_and_plain_ones_do_not() -> None:
    """The mean of six rows, each a cluster: the one case with an exact answer, Student's t with five degrees of freedom."""
    rows, trials = 6, 600
    rng = np.random.default_rng(1)
    factors = cr1_factor(rows, rows, 1) * student_factors(DRAWS, rows)
    plain = corrected = 0
    for _ in range(trials):
        y = rng.normal(0.0, 1.0, rows)
        weights = cluster_weights([str(i) for i in range(rows)], DRAWS, rng)[1:]
        draws = (weights @ y / rows)[:, None]
        ends = np.quantile(np.hstack([draws, inflate_about_median(draws, factors, "natural")]), [0.1, 0.9], axis=0)
        inside = (ends[0] <= 0.0) & (ends[1] >= 0.0)
        plain, corrected = plain + int(inside[0]), corrected + int(inside[1])
    print(f"80 % bands of a mean of {rows}: plain {plain / trials:.3f}, corrected {corrected / trials:.3f}")

    assert plain / trials < 0.74
    # Three standard errors of 600 trials are 0.049.
    assert abs(corrected / trials - 0.8) < 0.05


@given(st.lists(st.floats(0.1, 10.0), min_size=2, max_size=30), st.sampled_from(["natural", "log"]), st.integers(2, 40))
def test_the_middle_of_a_band_stays_where_it_is(values: list[float], noise: str, clusters: int) -> None:
    draws = np.array(values[: len(values) - 1 + len(values) % 2])[:, None]  # an odd number has one in the middle
    moved = inflate_about_median(draws, np.full(len(draws), cr1_factor(clusters + 3, clusters, 2)), noise)

    np.testing.assert_allclose(np.median(moved), np.median(draws), rtol=1e-9)


def test_one_cluster_has_nothing_to_correct() -> None:
    assert cr1_factor(20, 1, 3) == 1.0
    assert student_factors(5, 1).tolist() == [1.0] * 5


def test_many_clusters_need_hardly_any_correction() -> None:
    assert cr1_factor(10_000, 1_000, 3) < 1.001
    assert np.abs(student_factors(DRAWS, 1_000) - 1.0).max() < 0.1


def test_losses_stay_above_zero_however_few_the_clusters() -> None:
    draws = np.array([[0.5], [2.0], [2.1], [2.2], [9.0]])
    moved = inflate_about_median(draws, student_factors(5, 2) * 3.0, "log")

    assert (moved > 0).all()


def test_ranges_of_parameters_are_set_apart_and_stop_where_the_law_becomes_a_simpler_one() -> None:
    law, table, found = fitted("cross_entropy_power")
    draws = found.draws.copy()
    draws[:, 0] = np.random.default_rng(0).uniform(0.0, 1.0, len(draws))  # the floor of the loss, which cannot be below nought
    wide = parameter_ranges(law, replace(found, draws=draws))
    plain = np.quantile(draws, [0.05, 0.95], axis=0)

    assert found.parameters[0] == "irreducible"
    assert wide[0, 0] == 0.0
    assert (wide[0] <= plain[0]).all()
    assert (wide[1] > plain[1]).all()
    middle = np.median(draws[:, 2])
    apart = cr1_factor(table.n, 10, 3) * student_factors(len(draws), 10)
    np.testing.assert_allclose(wide[:, 2], np.quantile(middle + apart * (draws[:, 2] - middle), [0.05, 0.95]))
