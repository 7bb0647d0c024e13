"""Each robust loss: SciPy's values, a weight and a curvature that are its derivatives, and the same from the compiled rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import huber, pseudo_huber

from foresaid.errors import ParameterError
from foresaid.fitting.problem import FIRST_DAMPING
from foresaid.fitting.robust_loss import LINEAR, SETTLED, Huber, RobustLoss, SoftL1, blend_rows, fill_rows, share_beyond

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
def test_the_curvature_is_the_second_derivative_and_never_above_the_weight(loss: RobustLoss) -> None:
    r, h = np.array([-3.0, -0.4, -0.01, 0.02, 0.3, 2.0]), 1e-6
    bend = ((r + h) * loss.weight(r + h) - (r - h) * loss.weight(r - h)) / (2 * h)

    np.testing.assert_allclose(loss.curvature(r), bend, rtol=1e-6, atol=1e-9)
    assert (loss.curvature(r) <= loss.weight(r)).all()


def test_reweighting_comes_first_and_gives_way_as_the_damping_falls_where_that_is_asked() -> None:
    damping = np.array([1.0, FIRST_DAMPING, SETTLED, 0.1 * SETTLED, 1e-12])

    np.testing.assert_allclose(share_beyond(SETTLED, damping), [1.0, 1.0, 1.0, 0.1, 1e-7])
    np.testing.assert_array_equal(share_beyond(Huber(1.0).settled, damping), np.ones(5))


@EACH
@given(r=RESIDUALS)
def test_the_compiled_rows_say_the_same(loss: RobustLoss, r: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    w = np.linspace(0.0, 3.0, len(r))
    v, f, q = np.empty((3, len(r)))

    fill_rows(loss.code, loss.scale, r, w, v, f)  # as Python: how it is compiled is tested with the driver

    np.testing.assert_allclose(v, w * loss.weight(r), rtol=1e-14)
    np.testing.assert_allclose(f, w * loss.value(r), rtol=1e-13, atol=1e-300)
    blend_rows(loss.code, loss.scale, 0.25, r, w, v, q)
    np.testing.assert_allclose(q, w * (0.75 * loss.curvature(r) + 0.25 * loss.weight(r)), rtol=1e-13)


def test_every_loss_has_a_number_of_its_own() -> None:
    kinds = RobustLoss.__subclasses__()

    assert len({kind.code for kind in kinds}) == len({kind.name for kind in kinds}) == len(kinds)
    assert {type(loss) for loss in LOSSES} == set(kinds)


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan")])
def test_a_scale_that_is_none_is_refused(scale: float) -> None:
    with pytest.raises(ParameterError, match="huber loss: found scale"):
        Huber(scale)
