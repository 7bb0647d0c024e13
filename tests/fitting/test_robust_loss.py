"""Each robust loss: SciPy's values, a weight that is its derivative over the residual, and the same from the compiled rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import huber, pseudo_huber

from foresaid.errors import ParameterError
from foresaid.fitting.robust_loss import LINEAR, Huber, RobustLoss, SoftL1, fill_rows

LOSSES = [LINEAR, Huber(0.05), Huber(1.0), SoftL1(0.05), SoftL1(1.0)]
EACH = pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: f"{loss.name}-{loss.scale}")
RESIDUALS = st.lists(st.floats(-50, 50), min_size=1, max_size=9).map(np.array)


def test_the_values_are_scipys() -> None:
    r = np.linspace(-4, 4, 81)

    np.testing.assert_allclose(Huber(0.7).value(r), huber(0.7, r), rtol=1e-14)
    np.testing.assert_allclose(SoftL1(0.7).value(r), pseudo_huber(0.7, r), rtol=1e-12, atol=1e-15)
    np.testing.assert_array_equal(LINEAR.value(r), r * r / 2)


@EACH
def test_the_weight_is_the_slope_over_the_residual(loss: RobustLoss) -> None:
    r, h = np.array([-3.0, -0.4, -0.01, 0.02, 0.3, 2.0]), 1e-6
    slope = (loss.value(r + h) - loss.value(r - h)) / (2 * h)

    np.testing.assert_allclose(loss.weight(r), slope / r, rtol=1e-6)


@EACH
@given(r=RESIDUALS)
def test_the_compiled_rows_say_the_same(loss: RobustLoss, r: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    w = np.linspace(0.0, 3.0, len(r))
    v, f = np.empty(len(r)), np.empty(len(r))

    fill_rows(loss.code, loss.scale, r, w, v, f)  # as Python: how it is compiled is tested with the driver

    np.testing.assert_allclose(v, w * loss.weight(r), rtol=1e-14)
    np.testing.assert_allclose(f, w * loss.value(r), rtol=1e-13, atol=1e-300)


def test_every_loss_has_a_number_of_its_own() -> None:
    kinds = RobustLoss.__subclasses__()

    assert len({kind.code for kind in kinds}) == len({kind.name for kind in kinds}) == len(kinds)
    assert {type(loss) for loss in LOSSES} == set(kinds)


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan")])
def test_a_scale_that_is_none_is_refused(scale: float) -> None:
    with pytest.raises(ParameterError, match="huber loss: found scale"):
        Huber(scale)
