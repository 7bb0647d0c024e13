"""The frozen curve: what is written is what is applied, and a law that changed its mind is refused."""

from __future__ import annotations

import dataclasses
from datetime import date
from typing import Any

import msgspec
import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

from foresaid.arrays import Array
from foresaid.canonical_json import dump_line, parse_line
from foresaid.errors import LedgerError
from foresaid.fitting.data import Covariate, Target, TrainingTable
from foresaid.fitting.fit import fit
from foresaid.fitting.frozen_curve import Curve, applied_curve, check_probe, freeze_curve, from_plain, plain, thaw_record, to_plain
from foresaid.fitting.written_numbers import as_written, written
from foresaid.forecasting import predict as predicting
from foresaid.forecasting.predict import locations, mean_within, mixture, predict
from foresaid.laws import _loader as laws
from foresaid.scoring.levels import LEVELS

METRICS = ("a", "b", "c", "d")
SETTINGS: dict[str, Any] = {
    "sources": ["s"],
    "targets": {"t": {"floor_at_most": 0.2}},
    "metrics": list(METRICS),
    "components": 2,
}
LAW = laws.load("observational", SETTINGS)


def _rows(n: int = 30) -> TrainingTable:
    rng = np.random.default_rng(3)
    ability = rng.normal(0, 1, n)
    x = 1 / (1 + np.exp(-(np.outer(ability, [1, 0.8, 1.2, 0.6]) + rng.normal(0, 0.2, (n, 4)))))
    y = np.clip(1 / (1 + np.exp(-2 * ability)) + rng.normal(0, 0.02, n), 0, 1)
    x[4, 1] = np.nan
    target = Target("t", "T", "t", tuple(Covariate(name) for name in METRICS), 0.25, 0.75, 0.0, 1.0, "s")
    days = tuple([date(2024, 1, 1)] * n)
    return TrainingTable(target, tuple(f"m{i:02d}" for i in range(n)), tuple(f"f{i % 7}" for i in range(n)), days, days, x, y)


def _frozen() -> tuple[Curve, Array]:
    rows = _rows()
    return freeze_curve(LAW, fit(LAW, rows, 1, 50), SETTINGS, date(2024, 5, 31), 1), rows.x


def test_a_curve_survives_the_ledgers_bytes() -> None:
    curve, x = _frozen()

    read = from_plain(parse_line(dump_line(to_plain(curve))[:-1]))

    assert read.record == curve.record
    np.testing.assert_array_equal(predict(LAW, read, x).quantiles, predict(LAW, curve, x).quantiles)


def test_a_curve_frozen_before_bands_were_put_right_for_few_clusters_is_read_and_applied_as_it_was() -> None:
    curve, x = _frozen()
    written = to_plain(curve)
    assert float(written.pop("cr1_factor")) > 1.0
    old = from_plain(written)

    np.testing.assert_array_equal(locations(LAW, old, old.prepare(x)), LAW.curve(old.draws, old.prepare(x)))
    widths = [np.ptp(predict(LAW, one, x).quantiles[:, [2, -3]], axis=1).mean() for one in (old, curve)]
    assert widths[0] < widths[1]


def test_quantiles_ascend_and_respect_the_bounds() -> None:
    curve, x = _frozen()

    quantiles = predict(LAW, curve, x).quantiles

    assert (np.diff(quantiles, axis=1) >= 0).all()
    assert quantiles.min() >= 0.0
    assert quantiles.max() <= 1.0


def test_a_subject_with_a_missing_metric_is_forecast_and_one_with_none_is_not() -> None:
    curve, x = _frozen()

    made = predict(LAW, curve, np.vstack([x[4], np.full(4, np.nan)]))

    assert np.isfinite(made.quantiles[0]).all()
    assert np.isnan(made.quantiles[1]).all()


def test_a_law_that_says_something_else_now_is_refused() -> None:
    curve, _ = _frozen()
    moved = [*curve.record.probe.y]
    moved[0] = "0.123"
    record = msgspec.structs.replace(curve.record, probe=msgspec.structs.replace(curve.record.probe, y=moved))

    with pytest.raises(LedgerError, match="the law's code changed its meaning"):
        check_probe(LAW, thaw_record(record))


def test_another_version_of_the_law_is_refused() -> None:
    curve, _ = _frozen()

    with pytest.raises(LedgerError, match="version"):
        check_probe(LAW, thaw_record(msgspec.structs.replace(curve.record, version=9)))


@pytest.mark.parametrize("change", [{"extra": "1"}, {"draws": "none"}, {"seed": "1"}])
def test_a_curve_with_a_wrong_field_is_refused_by_name(change: dict[str, Any]) -> None:
    value = {**to_plain(_frozen()[0]), **change}

    with pytest.raises(LedgerError, match=next(iter(change))):
        from_plain(value)


def test_the_training_digest_moves_with_any_row() -> None:
    rows = _rows()
    y = rows.y.copy()
    y[0] += 1e-6
    changed = dataclasses.replace(rows, y=y)
    fitted = fit(LAW, rows, 1, 5)

    digests = {
        freeze_curve(LAW, dataclasses.replace(fitted, table=item), SETTINGS, date(2024, 5, 31), 1).record.training.sha256
        for item in (rows, changed)
    }

    assert len(digests) == 2


def test_settings_without_a_place_in_the_profile_are_refused() -> None:
    with pytest.raises(TypeError, match="profile"):
        plain({"when": date(2024, 1, 1)})


def test_the_mixture_of_one_draw_is_its_noise() -> None:
    quantiles = mixture(np.array([[2.0]]), 0.5, "natural", -100.0, 100.0)
    mean = mean_within(np.array([[2.0]]), 0.5, "natural", -100.0, 100.0)

    # A hundred noise points: the centre is exact, quantiles between the points are interpolated.
    assert quantiles[0, len(LEVELS) // 2] == pytest.approx(2.0, abs=1e-12)
    assert mean[0] == pytest.approx(2.0, abs=1e-12)
    assert quantiles[0, LEVELS.index(0.9)] == pytest.approx(2.0 + 0.5 * 1.2816, abs=0.002)


@pytest.mark.parametrize("noise", ["natural", "log"])
@pytest.mark.parametrize("draws", [1, 2, 50, 200])
def test_the_quantiles_of_a_mixture_are_to_the_byte_those_of_numpy(noise: str, draws: int) -> None:
    location = np.random.default_rng(draws).normal(0.5, 0.3, (draws, 7))
    location[0, 1] = np.nan
    z = 0.2 * scipy.special.ndtri((np.arange(predicting.NOISE_POINTS) + 0.5) / predicting.NOISE_POINTS)
    spread = location[:, None, :] * np.exp(z)[:, None] if noise == "log" else location[:, None, :] + z[:, None]
    values = np.clip(spread.reshape(-1, 7), -0.1, 1.0)

    made = mixture(location, 0.2, noise, -0.1, 1.0)

    np.testing.assert_array_equal(made, np.quantile(values, LEVELS, axis=0, method="hazen").T)
    np.testing.assert_array_equal(mean_within(location, 0.2, noise, -0.1, 1.0), values.mean(axis=0))


def test_b21_fewer_noise_points_are_noticed_by_the_quantiles_of_the_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    frozen, x = _frozen()
    curve = predicting.probed(LAW, frozen)
    assert [len(row) for row in curve.record.probe.quantiles] == [23] * 3
    assert from_plain(to_plain(curve)).record == curve.record
    before = predicting.predict(LAW, curve, x).quantiles

    monkeypatch.setattr(predicting, "NOISE_POINTS", 11)

    check_probe(LAW, curve)  # the curve itself is the same
    with pytest.raises(LedgerError, match="quantiles of its probe"):
        predicting.predict(LAW, curve, x)
    assert not np.allclose(predicting.predict(LAW, frozen, x).quantiles, before, equal_nan=True)  # without them, in silence


@given(st.lists(st.floats(-9e17, 9e17) | st.floats(-10.0, 10.0) | st.floats(-1e-6, 1e-6), min_size=1, max_size=20))
def test_numbers_are_those_that_their_text_reads_back_as(numbers: list[float]) -> None:
    expected = [float(text) for text in written(np.array(numbers))]

    assert as_written(np.array(numbers)).tolist() == expected


def test_numbers_close_to_a_tie_and_to_a_power_of_ten_are_rounded_once() -> None:
    ties = (np.arange(-3000, 3000) + 0.5)[:, None] * 10.0 ** np.arange(-16, 9)
    edges = 10.0 ** np.arange(-14, 17)[:, None] * (1.0 + np.arange(-8, 9) * 2.0**-52)
    numbers = np.concatenate([ties.ravel(), edges.ravel()])

    assert as_written(numbers).tolist() == [float(text) for text in written(numbers)]


@pytest.mark.parametrize("number", [np.nan, np.inf, 1e18])
def test_a_number_without_a_text_is_refused_with_and_without_the_text(number: float) -> None:
    with pytest.raises(LedgerError):
        as_written(np.array([0.5, number]))


def test_a_curve_applied_at_once_says_what_the_frozen_one_says_and_cannot_be_written() -> None:
    rows = _rows()
    found = fit(LAW, rows, 1, 50)
    frozen = freeze_curve(LAW, found, SETTINGS, date(2024, 5, 31), 1)

    bare = applied_curve(LAW, found, date(2024, 5, 31), 1)

    made, expected = predict(LAW, bare, rows.x), predict(LAW, frozen, rows.x)
    assert made.quantiles.tobytes() == expected.quantiles.tobytes()
    assert (made.mean.tobytes(), made.point.tobytes()) == (expected.mean.tobytes(), expected.point.tobytes())
    with pytest.raises(ValueError, match="applied at once"):
        to_plain(bare)


@pytest.mark.parametrize("rows", [1, 2, 7])
@pytest.mark.parametrize("draws", [1, 16, 50])
def test_a_mean_taken_in_blocks_of_draws_is_that_of_all_at_once(rows: int, draws: int) -> None:
    location = np.random.default_rng(rows).normal(0.5, 0.3, (draws, rows))
    noise = scipy.special.ndtri((np.arange(101) + 0.5) / 101) * 0.2
    expected = np.clip((location[:, None, :] + noise[:, None]).reshape(-1, rows), 0.0, 1.0).mean(axis=0)

    assert mean_within(location, 0.2, "natural", 0.0, 1.0).tobytes() == expected.tobytes()
