"""A frozen curve says for ever what it said when it was frozen: one golden curve of each law, and its quantiles to nine digits."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom
from tests.fitting.golden_curves import COUNTED, COUNTED_FILE, COUNTED_LAW, GOLDEN

from foresaid.errors import LedgerError
from foresaid.fitting.frozen_curve import from_plain
from foresaid.forecasting import predict as forecasts
from foresaid.laws import _loader as laws
from foresaid.scoring.levels import LEVELS

RELATIVE, ABSOLUTE = 1e-9, 1e-12  # between machines the last digits of exp and log may differ


def golden(name: str) -> dict[str, Any]:
    file = COUNTED_FILE if name == COUNTED_FILE.stem else GOLDEN / f"{name}.json"
    read: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return read


def quantiles(kept: dict[str, Any]) -> forecasts.Forecast:
    law = laws.load(kept["curve"]["law"], kept["settings"])
    return forecasts.predict(law, from_plain(kept["curve"]), np.array(kept["x"]))


def test_every_law_has_a_golden_curve() -> None:
    assert sorted(file.stem for file in GOLDEN.glob("*.json")) == laws.names()


@pytest.mark.parametrize("name", [*laws.names(), COUNTED_FILE.stem])
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


@pytest.mark.parametrize("name", laws.names())
def test_a_curve_frozen_before_curves_counted_items_has_no_floor(name: str) -> None:
    kept = golden(name)
    assert kept["curve"].pop("items", None) is None

    np.testing.assert_allclose(quantiles(kept).quantiles, kept["quantiles"], rtol=RELATIVE, atol=ABSOLUTE)


def test_the_golden_curve_of_counted_items_has_the_closed_form_of_the_floor() -> None:
    kept = golden(COUNTED_FILE.stem)
    assert (kept["curve"]["items"], kept["curve"]["law"]) == (COUNTED, COUNTED_LAW)
    counted = np.array(kept["quantiles"])
    kept["curve"]["items"], kept["curve"]["probe"]["quantiles"] = None, []
    bare = quantiles(kept).quantiles
    half = len(LEVELS) // 2

    assert (counted != bare).any()
    for row, plain in zip(counted, bare, strict=True):
        p = min(max(plain[half], 0.5 / COUNTED), 1 - 0.5 / COUNTED)
        noise = [binom.ppf(level, COUNTED, p) / COUNTED for level in LEVELS]
        expected = [*map(min, plain[:half], noise[:half]), plain[half], *map(max, plain[half + 1 :], noise[half + 1 :])]
        np.testing.assert_allclose(row, expected, rtol=RELATIVE, atol=ABSOLUTE)


@pytest.mark.parametrize("change", [{"items": 0}, {"items": -3}, {"upper": "2"}, {"lower": "-1"}])
def test_a_number_of_items_that_cannot_be_is_refused(change: dict[str, Any]) -> None:
    kept = golden(COUNTED_FILE.stem)

    with pytest.raises(LedgerError, match="items: found"):
        from_plain({**kept["curve"], **change})


def test_a_number_of_items_that_is_no_whole_number_is_refused() -> None:
    with pytest.raises(LedgerError, match="items"):
        from_plain({**golden(COUNTED_FILE.stem)["curve"], "items": "30"})
