"""A discrepancy learned across series: what is planted comes back, one diverged run moves nobody, and few series teach nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri
from tests.fitting.golden_curves import GOLDEN
from tests.laws.test_every_law import CASES, DAY, SEED, fitted

from foresaid.arrays import Array
from foresaid.fitting.discrepancy import Discrepancy, discrepancy_intervals, distances, halves, spread, student
from foresaid.fitting.frozen_curve import freeze_curve, from_plain, to_plain
from foresaid.forecasting.discrepancy import LEAST, SeriesBacktest, diverged, independent, learn
from foresaid.forecasting.predict import predict, probed
from foresaid.scoring.levels import LEVELS

LEVEL = np.array(LEVELS)
KNOWN = Discrepancy(-0.05, 1.2, 0.1, 0.02, 3.0, 1, 12, 10)


def plays(
    seed: int, count: int, bias: float = -0.06, growth: float = 0.1, prefix: str = "s", data_set: str = "a"
) -> list[SeriesBacktest]:
    """Series whose errors have a bias and a standard deviation that grow with distance, beside a bootstrap that knows neither."""
    rng = np.random.default_rng(seed)
    made = []
    for i in range(count):
        distance = np.linspace(0.2, 2.0, 9)
        error = bias * distance + growth * distance * rng.standard_normal(9)
        half = np.tile(0.01 * ndtri(LEVEL), (9, 1))
        made.append(SeriesBacktest(f"{prefix}{i:02d}", data_set, frozenset({f"{prefix}{i}"}), half, error, distance))
    return made


def test_a_planted_bias_and_growth_come_back() -> None:
    found = learn(plays(1, 60), "a", 0.0, 1)

    assert found is not None
    assert found.bias == pytest.approx(-0.06, abs=0.02)
    t_spread = found.growth * np.sqrt(5.0 / 3.0)  # standard deviation of Student's t with five degrees of freedom
    assert t_spread == pytest.approx(0.1, rel=0.35)
    assert found.series == found.independent == 60


def test_fresh_outcomes_lie_in_the_80_percent_interval_at_every_distance() -> None:
    found = learn(plays(2, 60), "a", 0.0, 1)
    assert found is not None
    for distance in (0.5, 1.0, 3.0):
        fresh = plays(3, 200)
        one = np.array([-0.06 * distance + 0.1 * distance * np.random.default_rng(9).standard_normal(4000)]).ravel()
        q = spread(fresh[0].half[:1], np.array([distance]), (found.bias, found.scale, found.growth, found.floor), student(LEVEL))[0]
        held = float(np.mean((one >= q[LEVELS.index(0.1)]) & (one <= q[LEVELS.index(0.9)])))

        assert 0.7 <= held <= 0.9, (distance, held)


def test_fewer_than_three_independent_series_teach_nothing() -> None:
    shared = [replace(one, subjects=frozenset({"same run", one.name})) for one in plays(1, 8)]

    assert independent(shared) == 1
    assert learn(shared, "a", 0.0, 1) is None
    assert learn(plays(1, LEAST - 1), "a", 0.0, 1) is None
    assert learn(plays(1, LEAST), "a", 0.0, 1) is not None
    assert learn(plays(1, LEAST), "a", 0.0, 1, without="s01") is None


def test_one_diverged_run_moves_nobody_and_is_named() -> None:
    calm = plays(1, 20)
    wild = replace(calm[7], error=calm[7].error * 300.0)
    every = [wild if one.name == wild.name else one for one in calm]
    found, without = learn(every, "a", 0.0, 1), learn(calm, "a", 0.0, 1, without="s07")

    assert diverged(every) == ("s07",)
    assert found is not None
    assert without is not None
    assert found.set_aside == ("s07",)
    assert (found.bias, found.growth, found.series) == (without.bias, without.growth, 19)


def test_a_large_data_set_goes_its_own_way_and_a_small_one_borrows() -> None:
    own, others = plays(1, 40, bias=-0.2), plays(2, 40, bias=0.2, prefix="t", data_set="b")
    small = plays(3, 2, bias=-0.2, prefix="u", data_set="c")
    found = {name: learn([*own, *others, *small], name, 0.0, 1) for name in "abc"}
    biases = {name: one.bias for name, one in found.items() if one is not None}

    assert biases["a"] < -0.12
    assert biases["b"] > 0.12
    assert biases["a"] < biases["c"] < biases["b"]


def test_the_order_of_the_series_does_not_matter() -> None:
    every = plays(4, 12)

    assert learn(every, "a", 0.0, 1) == learn(every[::-1], "a", 0.0, 1)


@given(
    st.floats(-1.0, 1.0), st.floats(0.05, 8.0), st.floats(0.0, 2.0), st.floats(0.0, 1.0), st.floats(0.0, 5.0),
    st.sampled_from(["log", "natural"]),
)  # fmt: skip
def test_quantiles_stay_in_order_and_within_bounds(
    bias: float, scale: float, growth: float, floor: float, distance: float, noise: str
) -> None:
    q = np.sort(np.random.default_rng(0).uniform(0.1, 0.9, (3, len(LEVELS))), axis=1)
    made = discrepancy_intervals(
        q, LEVEL, np.full(3, distance), Discrepancy(bias, scale, growth, floor, 0.0, 1, 3, 3), noise, (0.0, 1.0, 0.0, 1.0)
    )

    assert (np.diff(made, axis=1) >= 0).all()
    assert ((made >= 0.0) & (made <= 1.0)).all()


def test_within_the_rows_only_scale_and_floor_act() -> None:
    q = np.array([[0.2, 0.5, 0.9]])
    none = replace(KNOWN, scale=1.0, floor=0.0)

    assert distances(KNOWN, np.array([1.0, 3.0, 5.0])).tolist() == [0.0, 0.0, 2.0]
    made = discrepancy_intervals(q, np.array([0.1, 0.5, 0.9]), np.zeros(1), none, "log", (0.0, 1.0, 0.0, 1.0))
    np.testing.assert_allclose(made, q)


def test_halves_of_a_quantile_at_nought_stay_finite() -> None:
    assert np.isfinite(halves(np.array([[0.0, 1.0, 2.0]]), "log", 0.0, 1.0)[1]).all()


@pytest.mark.parametrize("name", ["cross_entropy_power", "chinchilla", "loss_logistic"])
def test_a_frozen_curve_carries_it_and_forecasts_wider_further_on(name: str) -> None:
    law, table, found = fitted(name)
    place = law.along(table)
    known = replace(KNOWN, bias=0.0, edge=float(place.max()), progress=table.target.progress)
    bare = freeze_curve(law, found, CASES[name].settings, DAY, SEED)
    curve = probed(law, freeze_curve(law, replace(found, discrepancy=known), CASES[name].settings, DAY, SEED))
    again = from_plain(to_plain(curve))
    last = table.x[[int(np.argmax(place))]]
    ahead = np.vstack([last, last + table.target.progress * np.array([1.0])])

    assert again.discrepancy == curve.discrepancy
    wide, narrow = predict(law, again, ahead), predict(law, bare, ahead)
    ratio = np.ptp(wide.interval(0.8), axis=1) / np.ptp(narrow.interval(0.8), axis=1)
    assert ratio[1] > 1.0
    assert (np.ptp(wide.interval(0.8), axis=1)[1] / wide.point[1]) > (np.ptp(wide.interval(0.8), axis=1)[0] / wide.point[0])


def test_older_curves_have_none() -> None:
    import json

    kept = json.loads((GOLDEN / "chinchilla.json").read_text(encoding="utf-8"))

    assert from_plain(kept["curve"]).discrepancy is None


def test_student_is_symmetric_about_an_exact_nought() -> None:
    t: Array = student(LEVEL)

    assert t[LEVELS.index(0.5)] == 0.0
    np.testing.assert_allclose(t, -t[::-1])
