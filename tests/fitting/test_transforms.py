"""The scales of covariates: each undoes itself, and a name that is none is refused wherever it comes from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foresaid.errors import ParameterError
from foresaid.fitting.data import Covariate
from foresaid.fitting.transforms import LOGIT_EDGE, TRANSFORMS, transform_named


@pytest.mark.parametrize("name", sorted(TRANSFORMS))
@given(value=st.floats(LOGIT_EDGE, 1.0 - LOGIT_EDGE))
def test_undo_gives_back_what_apply_was_given(name: str, value: float) -> None:
    scale = transform_named(name)
    assert scale.undo(scale.apply(np.array([value])))[0] == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("name", ["log2", "sqrt", "LN", "", "log10 "])
def test_unknown_scale_is_refused(name: str) -> None:
    with pytest.raises(ParameterError, match="expected one of identity, ln, log10, logit"):
        Covariate("training_tokens", name)


def test_values_without_a_logarithm_are_missing() -> None:
    for name in ("ln", "log10"):
        assert np.isnan(transform_named(name).apply(np.array([0.0, -1.0, np.nan]))).all()


def test_a_chart_shows_raw_values_on_logarithmic_scales() -> None:
    assert transform_named("log10").axis(np.array([9.0]))[0] == pytest.approx(1e9)
    assert transform_named("ln").axis(np.log(np.array([1e9])))[0] == pytest.approx(1e9)
