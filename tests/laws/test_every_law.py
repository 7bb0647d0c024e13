"""What every law promises: each check applies itself to every file of pipelines/foresaid/laws."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import msgspec
import numpy as np
import pytest

from foresaid.arrays import Array
from foresaid.canonical_json import dump_line
from foresaid.errors import LedgerError, ParameterError
from foresaid.fitting.data import Covariate, Target, TrainingTable
from foresaid.fitting.fit import Fit, fit
from foresaid.fitting.frozen_curve import check_probe, freeze_curve, from_plain, thaw_record, to_plain
from foresaid.fitting.law import Law
from foresaid.forecasting.predict import predict
from foresaid.laws import _loader as laws

DAY = date(2024, 1, 1)
SEED, DRAWS = 7, 12


@dataclass(frozen=True)
class Case:
    """One law, ready to be tried: its settings, covariates of made-up rows, and parameters of the frozen curve to plant."""

    settings: dict[str, Any]
    x: Array
    planted: list[float]
    noise: float
    bounds: tuple[float, float] = (0.0, 1.0)
    logarithmic: bool = False  # the unit of the first covariate must not matter


def column(low: float, high: float, n: int) -> Array:
    return np.linspace(low, high, n)[:, None]


METRICS = np.random.default_rng(11).uniform(0.2, 0.9, (30, 3))
LOGITS = np.random.default_rng(12).normal(0.0, 1.0, (30, 1)) * [1.0, 0.8, 0.7] + np.random.default_rng(13).normal(0.0, 0.2, (30, 3))
CHECKPOINTS = np.column_stack([np.repeat(np.linspace(2.6, 1.7, 10), 4), np.tile(np.log([16.0, 128.0, 1024.0, 4096.0]), 10)])
SIGMOID = {"sources": ["s"], "targets": {"t": {}}}
LOSS = {"sources": ["s"], "series": {"t": {"loss": "l"}}}
SIZE = {"sources": ["s"], "series": {"t": {"size": "d"}}}
MESH = np.array([[n, d] for n in np.log([1e7, 5e7, 2e8, 1e9, 4e9]) for d in np.log([5e8, 2e9, 8e9, 3e10, 1e11, 4e11])])
REPEATED = np.array(
    [[n, d, u] for n in np.log([1e8, 1e9, 8e9]) for u in np.log([1e8, 4e9]) for d in u + np.log([1.0, 4.0, 40.0, 200.0])]
)
# Sizes, the loss a planted first step gives them, and every row the end of a run.
CHAIN = [0.5, 5.0, 0.35, 5.0, 0.3, 0.02, 1.0, 8.0, 0.75]
RUNGS = np.column_stack([MESH, laws.law_class("ladder").task_loss(np.array(CHAIN), MESH), np.ones(len(MESH))])  # type: ignore[attr-defined]  # the ladder's own
SURFACE = {"sources": ["s"], "surfaces": {"t": {}}, "preset": "authors"}
SAMPLES = np.log([2.0**i for i in range(14)])[:, None]
EXAMPLES = np.log([200.0 * 2**i for i in range(14)])[:, None]
CASES = {
    "observational": Case({**SIGMOID, "metrics": ["a", "b", "c"]}, METRICS, [-4.0, 3.0, 2.0, 2.5, 0.0], 0.03),
    "ability": Case({**SIGMOID, "metrics": ["a", "b", "c"], "components": 3}, LOGITS, [-0.5, 0.5, 0.3, 0.4, 0.0], 0.03),
    "growth": Case(SIGMOID, column(2021.0, 2026.0, 24), [-1417.15, 0.7, 0.0], 0.03),
    "compute_sigmoid": Case(SIGMOID, column(40.0, 56.0, 24), [-24.0, 0.5, 0.0], 0.03, logarithmic=True),
    "size_sigmoid": Case(SIGMOID, column(18.0, 26.0, 24), [-22.0, 1.0, 0.0], 0.03, logarithmic=True),
    "loss_threshold": Case(LOSS, column(2.3, 3.2, 40), [0.6, 5.0, 2.731], 0.01),
    "loss_hinge": Case(LOSS, column(2.3, 3.2, 40), [1.5, 2.731], 0.01),
    "loss_logistic": Case(LOSS, column(2.3, 3.2, 40), [0.6, 2.7, 0.08], 0.01),
    "bleu_log": Case(SIZE, column(13.0, 20.0, 12), [12.0, 0.2, float(np.log(1.5)), 13.0], 0.01, (0.0, 100.0), True),
    "cross_entropy_power": Case(SIZE, column(18.0, 26.0, 12), [2.0, 5.0, 0.3], 0.003, (0.0, 15.0), True),
    "chinchilla": Case(SURFACE, MESH, [1.8, float(np.log(480.0)), 0.35, float(np.log(2100.0)), 0.37], 0.002, (0.0, 20.0), True),
    "over_training": Case(SURFACE, MESH, [1.8, 5.1, 5.6, 0.27], 0.002, (0.0, 20.0), True),
    "kaplan": Case(SURFACE, MESH, [0.8 * 32.1, 31.6, 0.8, 0.095], 0.002, (0.0, 20.0), True),
    "product_loss": Case(SURFACE, MESH, [1.8, 6.2, 0.1, 0.15], 0.002, (0.0, 20.0), True),
    "compute_loss": Case(SURFACE, MESH, [1.8, 7.6, 0.15], 0.002, (0.0, 20.0), True),
    "data_constrained": Case(
        {"sources": ["s"], "losses": {"t": {}}}, REPEATED, [1.87, 6.26, 7.3, 0.353, 5.3, 15.4], 0.002, (0.0, 20.0)
    ),
    "rectified": Case(SIZE, EXAMPLES, [1.0, 5.3, 4.6, 0.6], 0.003, (0.0, 15.0), True),
    "broken": Case(SIZE, EXAMPLES, [0.5, 1.0, 0.05, 0.4, 9.7, 0.3], 0.003, (0.0, 15.0), True),
    "coverage": Case(SIZE, SAMPLES, [0.7, 0.3], 0.01),
    "beta_coverage": Case(SIZE, SAMPLES, [-0.9, 1.5, 0.1], 0.01),
    "token_logit": Case(SIZE, EXAMPLES, [8.0, 0.9, 1.0], 0.01, logarithmic=True),
    "token_line": Case(SIZE, EXAMPLES, [-0.3, 0.15], 0.01, logarithmic=True),
    "error_loss": Case(LOSS, column(2.3, 3.2, 40), [0.02, 2.0, 1.5], 0.01),
    "uplift": Case({"sources": ["s"], "pairs": {"t": {"base": "b"}}}, column(0.05, 0.85, 24), [0.4], 0.01),
    "direct_power": Case({"sources": ["s"], "tasks": {"t": {}}}, MESH, [5.5, 0.3, 5.4, 0.25], 0.01, logarithmic=True),
    "ladder": Case({"sources": ["s"], "tasks": {"t": {"loss": "l"}}}, RUNGS, CHAIN, 0.01),
    "emergence": Case({}, CHECKPOINTS, [0.8, 0.25, 1.85, 0.4, 0.0], 0.01),
}
EVERY_LAW = pytest.mark.parametrize("name", laws.names())


def made(name: str, noise: float = 0.0, shift: float = 0.0) -> tuple[Law, TrainingTable]:
    """Return a law and rows that follow its planted curve; `shift` moves the first covariate after the values were made."""
    case = CASES[name]
    law = laws.load(name, case.settings)
    x, n = case.x, len(case.x)
    y = law.curve(np.array(case.planted), x)
    error = np.random.default_rng(5).normal(0.0, 1.0, n) * noise
    y = y * np.exp(error) if law.noise == "log" else y + error
    covariates = tuple(Covariate(f"x{i}") for i in range(x.shape[1]))
    target = Target("t", "T", "t", covariates, 0.0, 1.0, *case.bounds, "s")
    names = tuple(f"row-{i:02d}" for i in range(n))
    clusters = tuple(f"cluster-{i % 10}" for i in range(n))
    moved = x + np.array([shift, *[0.0] * (x.shape[1] - 1)])
    return law, TrainingTable(target, names, clusters, (DAY,) * n, (DAY,) * n, moved, y)


def fitted(name: str) -> tuple[Law, TrainingTable, Fit]:
    law, table = made(name, CASES[name].noise)
    return law, table, fit(law, table, SEED, DRAWS)


def wide(x: Array) -> Array:
    """Return rows far outside the training range on both sides, with the rows themselves between them."""
    span = x.max(axis=0) - x.min(axis=0)
    return np.vstack([x.min(axis=0) - 3.0 * span, x, x.max(axis=0) + 3.0 * span])


def test_every_law_is_put_to_these_checks() -> None:
    assert sorted(CASES) == laws.names()


@EVERY_LAW
def test_a_law_says_what_it_is_and_when_not_to_trust_it(name: str) -> None:
    kind = laws.law_class(name)

    assert kind.name == name
    assert all(len(text) > 10 for text in (kind.title, kind.formula, kind.reference, kind.limitations))
    assert ">>>" in (kind.__doc__ or "")


@EVERY_LAW
def test_parameters_have_meaning_and_bounds_around_their_starts(name: str) -> None:
    law, table = made(name)

    for parameter in law.parameters(table.target, law.features(table.x.shape[1])):
        assert parameter.meaning
        assert parameter.lower <= parameter.starts[0] <= parameter.starts[1] <= parameter.upper


@EVERY_LAW
def test_the_jacobian_is_the_derivative_of_the_curve(name: str) -> None:
    law, table = made(name)
    features = law.design(table.x, np.ones((1, table.n))).features
    features = features[0] if features.ndim == 3 else features
    parameters = law.parameters(table.target, law.features(table.x.shape[1]))
    starts = np.array([parameter.starts for parameter in parameters])
    rng = np.random.default_rng(3)
    points = starts[:, 0] + (starts[:, 1] - starts[:, 0]) * rng.random((8, len(parameters)))
    for i, point in enumerate(points):
        if name in ("loss_threshold", "loss_hinge", "loss_logistic"):  # a threshold in the middle of the rows, and off all of them
            point[2 if name == "loss_threshold" else 1] = 2.5 + 0.03 * i + 0.001
        slope = law.jacobian(point, features)
        for j in range(len(parameters)):
            step = np.zeros(len(parameters))
            step[j] = 1e-6 * max(abs(point[j]), 1.0)
            difference = (law.curve(point + step, features) - law.curve(point - step, features)) / (2.0 * step[j])
            # Central differences of this step are good to about 1e-8 of the curve's own size.
            np.testing.assert_allclose(slope[:, j], difference, atol=1e-6 * max(1.0, float(np.abs(slope).max())))


@EVERY_LAW
def test_leading_axes_of_parameters_broadcast(name: str) -> None:
    law, table = made(name)
    point = np.array(CASES[name].planted)
    stacked = np.stack([np.stack([point, point * 1.01])] * 3)

    assert law.curve(stacked, table.x).shape == (3, 2, table.n)
    np.testing.assert_array_equal(law.curve(stacked, table.x)[2, 0], law.curve(point, table.x))


@EVERY_LAW
def test_a_planted_curve_comes_back_from_noiseless_rows(name: str) -> None:
    law, table = made(name)
    found = fit(law, table, SEED, 2)

    assert found.status == "converged"
    # A minimum of squares is found to about the square root of rounding.
    np.testing.assert_allclose(law.curve(found.point, table.x), table.y, atol=1e-6 * float(table.y.max()))


@EVERY_LAW
def test_planted_parameters_come_back_from_noiseless_rows(name: str) -> None:
    law, table = made(name)

    np.testing.assert_allclose(fit(law, table, SEED, 2).point, CASES[name].planted, rtol=1e-3, atol=1e-3)


@EVERY_LAW
def test_the_same_seed_gives_the_same_bytes_and_another_does_not(name: str) -> None:
    law, table = made(name, CASES[name].noise)

    def line(seed: int) -> bytes:
        frozen = freeze_curve(law, fit(law, table, seed, DRAWS), CASES[name].settings, DAY, seed)
        return dump_line(to_plain(frozen))

    assert line(SEED) == line(SEED)
    assert line(SEED) != line(SEED + 1)


@EVERY_LAW
def test_the_order_of_rows_does_not_matter(name: str) -> None:
    law, table, found = fitted(name)
    shuffled = table.take(np.random.default_rng(1).permutation(table.n))

    assert fit(law, shuffled, SEED, DRAWS).draws.tobytes() == found.draws.tobytes()


@EVERY_LAW
def test_quantiles_ascend_within_bounds_even_far_outside_the_rows(name: str) -> None:
    law, table, found = fitted(name)
    made = predict(law, freeze_curve(law, found, CASES[name].settings, DAY, SEED), wide(table.x))
    low, high = CASES[name].bounds

    assert np.isfinite(made.quantiles).all()
    assert (np.diff(made.quantiles, axis=1) >= 0).all()
    assert made.quantiles.min() >= low
    assert made.quantiles.max() <= high


@EVERY_LAW
def test_too_few_points_is_a_status_and_not_an_exception(name: str) -> None:
    law, table = made(name)

    assert fit(law, table.where(np.arange(table.n) < 2), SEED, 2).status == "too_few_points"


@pytest.mark.parametrize("name", [name for name in laws.names() if name not in CASES or CASES[name].logarithmic])
def test_sizes_in_thousands_do_not_change_forecasts(name: str) -> None:
    law, table, found = fitted(name)
    _, other = made(name, CASES[name].noise, shift=float(-np.log(1000.0)))
    again = fit(law, other, SEED, DRAWS)
    settings = CASES[name].settings
    one = predict(law, freeze_curve(law, found, settings, DAY, SEED), table.x)
    two = predict(law, freeze_curve(law, again, settings, DAY, SEED), other.x)

    # Eight digits are frozen, and the origin of the logarithm costs two or three of them.
    np.testing.assert_allclose(one.quantiles, two.quantiles, rtol=1e-4, atol=1e-5)


@EVERY_LAW
def test_a_frozen_curve_survives_being_written_and_read(name: str) -> None:
    law, table, found = fitted(name)
    frozen = freeze_curve(law, found, CASES[name].settings, DAY, SEED)
    read = from_plain(to_plain(frozen))

    assert read.record == frozen.record
    np.testing.assert_array_equal(predict(law, read, table.x).quantiles, predict(law, frozen, table.x).quantiles)


@EVERY_LAW
def test_a_law_whose_code_changed_refuses_its_old_curves(name: str) -> None:
    law, _, found = fitted(name)
    record = freeze_curve(law, found, CASES[name].settings, DAY, SEED).record
    later = msgspec.structs.replace(record, version=record.version + 1)
    moved = [str(float(value) + 0.01 * max(1.0, abs(float(value)))) for value in record.probe.y]
    tampered = msgspec.structs.replace(record, probe=msgspec.structs.replace(record.probe, y=moved))

    with pytest.raises(LedgerError, match=r"found version"):
        check_probe(law, thaw_record(later))
    with pytest.raises(LedgerError, match=r"changed its meaning"):
        check_probe(law, thaw_record(tampered))


@EVERY_LAW
def test_a_frozen_curve_does_not_depend_on_rows_that_came_later(name: str) -> None:
    law, table, found = fitted(name)
    frozen = freeze_curve(law, found, CASES[name].settings, DAY, SEED)
    alone = predict(law, frozen, table.x[:1]).quantiles

    np.testing.assert_array_equal(alone[0], predict(law, frozen, table.x).quantiles[0])


@EVERY_LAW
def test_an_unknown_setting_is_refused_with_the_nearest_right_one(name: str) -> None:
    with pytest.raises(ParameterError, match="sourcs"):
        laws.load(name, {**CASES[name].settings, "sourcs": []})


@pytest.mark.parametrize("name", [name for name in laws.names() if "series" in CASES.get(name, CASES["emergence"]).settings])
def test_a_misspelt_key_of_a_series_is_refused_by_name(name: str) -> None:
    with pytest.raises(ParameterError, match="series, t"):
        laws.load(name, {"sources": ["s"], "series": {"t": {"sise": "d"}}})


def test_left_out_rows_stay_counted_through_a_fit() -> None:
    _, table = made("cross_entropy_power")
    counted = replace(table, excluded_rows=(("no logarithm", 1),))

    assert fit(laws.load("cross_entropy_power", SIZE), counted, SEED, 2).table.excluded_rows == (("no logarithm", 1),)
