"""A frozen curve says for ever what it said when it was frozen: one golden curve of each law, and its quantiles to nine digits."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from tests.fitting.golden_curves import GOLDEN

from foresaid.errors import LedgerError
from foresaid.fitting.frozen_curve import from_plain
from foresaid.forecasting import predict as forecasts
from foresaid.laws import _loader as laws

RELATIVE, ABSOLUTE = 1e-9, 1e-12  # between machines the last digits of exp and log may differ


def golden(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    return read


def quantiles(kept: dict[str, Any]) -> forecasts.Forecast:
    law = laws.load(kept["curve"]["law"], kept["settings"])
    return forecasts.predict(law, from_plain(kept["curve"]), np.array(kept["x"]))


def test_every_law_has_a_golden_curve() -> None:
    assert sorted(file.stem for file in GOLDEN.glob("*.json")) == laws.names()


@pytest.mark.parametrize("name", laws.names())
def test_a_golden_curve_gives_its_quantiles(name: str) -> None:
    kept = golden(name)
    made = quantiles(kept)

    np.testing.assert_allclose(made.quantiles, kept["quantiles"], rtol=RELATIVE, atol=ABSOLUTE)
    np.testing.assert_allclose(made.mean, kept["mean"], rtol=RELATIVE, atol=ABSOLUTE)


@pytest.mark.parametrize("name", laws.names())
def test_another_number_of_noise_points_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = golden(name)
    monkeypatch.setattr(forecasts, "NOISE_POINTS", forecasts.NOISE_POINTS + 2)

    assert not np.allclose(quantiles(kept).quantiles, kept["quantiles"], rtol=RELATIVE, atol=ABSOLUTE)


@pytest.mark.parametrize("name", laws.names())
def test_a_golden_curve_with_an_unknown_scale_is_refused(name: str) -> None:
    kept = golden(name)
    kept["curve"]["covariates"][0]["transform"] = "log2"

    with pytest.raises(LedgerError, match="expected one of identity"):
        from_plain(kept["curve"])
