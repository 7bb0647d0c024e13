"""Compiled mixtures are those of NumPy to the byte, whatever the draws, and are taken where they pay."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from foresaid.arrays import Array
from foresaid.fitting import _jit
from foresaid.forecasting import _mixture, predict
from foresaid.scoring.levels import LEVELS

NUMBERS = st.floats(-1e12, 1e12) | st.sampled_from([0.0, 0.25, 0.5, 1.0, 1e-300, np.inf, -np.inf, np.nan])
DRAWS = st.tuples(st.integers(2, 40), st.integers(1, 6)).flatmap(lambda shape: arrays(np.float64, shape, elements=NUMBERS))
SCALES = st.sampled_from([0.0, 1e-12, 1e-3, 0.1, 5.0, 800.0])  # the largest: factors beyond what a double holds


def both(monkeypatch: pytest.MonkeyPatch, *words: Any) -> list[tuple[Array, Array]]:
    """Quantiles and mean, compiled and by NumPy."""
    found = []
    for compiled in (True, False):
        monkeypatch.setattr(_mixture, "pays", lambda _, compiled=compiled: compiled)
        with np.errstate(all="ignore"):
            found.append((predict.mixture(*words), predict.mean_within(*words)))
    return found


@pytest.fixture(scope="module", autouse=True)
def _numba() -> None:
    if not _jit.available():
        pytest.skip("Numba is not installed or not wanted")


@given(DRAWS, SCALES, st.sampled_from(["natural", "log"]), st.sampled_from([(0.0, 1.0), (-np.inf, np.inf), (-5.0, 5.0)]))
def test_any_draws_give_the_bytes_of_numpy(draws: Array, scale: float, noise: str, bounds: tuple[float, float]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        (quantiles, mean), (by_numpy, mean_by_numpy) = both(patch, draws, scale, noise, *bounds)
    np.testing.assert_array_equal(quantiles, by_numpy)
    np.testing.assert_array_equal(mean, mean_by_numpy)


@pytest.mark.parametrize("noise", ["natural", "log"])
@pytest.mark.parametrize("scale", [1e-9, 0.1, 5.0])
@pytest.mark.parametrize("tails", [1, 2, 5, 1000])
def test_heavy_tails_give_the_bytes_of_numpy_and_are_found_in_buckets(
    tails: int, scale: float, noise: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Few clusters make tails as heavy as Cauchy's: buckets as wide as its farthest draws would hold nearly all others."""
    draws = np.abs(np.random.default_rng(tails).standard_t(tails, size=(200, 30)))
    (quantiles, mean), (by_numpy, mean_by_numpy) = both(monkeypatch, draws, scale, noise, 0.0, 50.0)
    assert (quantiles.tobytes(), mean.tobytes()) == (by_numpy.tobytes(), mean_by_numpy.tobytes())

    size = len(draws) * predict.NOISE_POINTS
    places = np.floor(size * np.array(LEVELS) - 0.5).astype(np.intp)
    z = predict._noise(scale, noise)
    _, found = _mixture.at_places(draws, z, noise == "log", places)
    if (noise, scale) != ("log", 5.0):  # factors from e^-13 to e^13 lie in the lowest bucket but for a few
        assert found.mean() >= (0.5 if tails == 1 else 1.0)


def test_draws_that_all_agree_or_are_not_numbers_are_left_to_numpy() -> None:
    draws = np.array([[0.3, 0.3, 0.1], [0.3, np.nan, 0.2], [0.3, 0.5, 0.4]])
    _, found = _mixture.at_places(draws, np.zeros(predict.NOISE_POINTS), False, np.array([100, 200]))
    assert found.tolist()[:2] == [False, False]


def test_the_compiler_is_loaded_once_sorting_has_taken_as_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_mixture, "_sorted_so_far", [0])
    monkeypatch.delitem(sys.modules, "numba", raising=False)
    assert not _mixture.pays(_mixture.LOADING)
    monkeypatch.setattr(_jit, "available", lambda: False)
    assert not _mixture.pays(1)
    monkeypatch.setattr(_jit, "available", lambda: True)
    assert _mixture.pays(0)


def test_nothing_is_compiled_where_numpy_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_mixture, "_sorted_so_far", [2 * _mixture.LOADING])
    monkeypatch.setenv("FORESAID_ENGINE", "numpy")
    assert not _mixture.pays(_mixture.LOADING)
