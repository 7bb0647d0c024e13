"""The BLEU law: the ridge of its exponent, reproduced, and the only public series."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from foresaid.arrays import Array
from foresaid.fitting.data import Covariate, Target, TrainingTable
from foresaid.fitting.fit import fit, problem_for
from foresaid.fitting.least_squares import solve
from foresaid.laws import _loader as laws

if TYPE_CHECKING:
    from tests.conftest import Built

SETTINGS: dict[str, Any] = {
    "sources": ["koehn-knowles"],
    "series": {"koehn_knowles_bleu": {"size": "training_words", "at_least": 5}},
}
LAW = laws.load("bleu_log", SETTINGS)
TARGET = Target("t", "T", "t", (Covariate("d", "ln"),), 0.0, 1.0, 0.0, 100.0, "s")
# laws.md L4.5: eight checkpoints, fitted on the four smallest, forecast for the largest.
TOKENS = np.geomspace(2e9, 1.28e11, 8)
BETAS = (0.5, 1.0, 2.0, 4.0, 8.0)
TRUTHS = {
    "first": ((-5.0, 0.62, 1.3), (21.5, 22.0, 22.4, 22.6, 22.7)),
    "second": ((-2.0, 0.16, 3.0), (6.8, 7.8, 8.7, 9.4, 9.9)),
}
SHEET = 0.05 + 0.005  # BLEU: tolerance A9; the sheet prints one digit, of which the tolerance is half


def bleu(truth: tuple[float, float, float]) -> tuple[Array, Array]:
    """Return ln D (8, 1) and BLEU (8,) of a truth."""
    a, alpha, beta = truth
    x = np.log(TOKENS)
    return x[:, None], (a + alpha * x) ** beta


def rows(x: Array, y: Array) -> TrainingTable:
    names = tuple(f"{i}" for i in range(len(y)))
    days = (date(2024, 1, 1),) * len(y)
    return TrainingTable(TARGET, names, names, days, days, x, y)


def forecasts(truth: tuple[float, float, float], by_line: bool) -> tuple[list[float], list[float]]:
    """Fix each exponent; return the largest miss on the four points and the forecast of the eighth.

    `by_line` fits a straight line through BLEU^(1 / beta), as the sheet does; else the law's own loss is used.
    """
    x, y = bleu(truth)
    design = LAW.design(x[:4], np.ones((1, 4)))
    lines = LAW.starts(design.features, y[:4])
    problem = problem_for(LAW, design, y[:4], LAW.parameters(TARGET, 1))
    misses, ahead = [], []
    for beta, line in zip(BETAS, lines, strict=True):
        point = line
        if not by_line:
            lower, upper = problem.lower.copy(), problem.upper.copy()
            lower[2] = upper[2] = np.log(beta)
            found = solve(replace(problem, lower=lower, upper=upper), np.ones((1, 4)), lines)
            point = found.parameters[0, found.best[0]]
        raw = design.fold(point[None, :])[0]
        misses.append(float(np.abs(LAW.curve(raw, x[:4]) - y[:4]).max()))
        ahead.append(float(LAW.curve(raw, x[7:])[0]))
    return misses, ahead


@pytest.mark.parametrize("name", sorted(TRUTHS))
def test_the_published_profile_of_the_exponent_is_reproduced(name: str) -> None:
    truth, printed = TRUTHS[name]

    np.testing.assert_allclose(forecasts(truth, by_line=True)[1], printed, atol=SHEET)


def test_every_exponent_fits_the_first_truth_within_a_thirtieth_of_a_bleu() -> None:
    misses, _ = forecasts(TRUTHS["first"][0], by_line=True)

    assert max(misses) <= 0.033 + 0.0005  # laws.md L4.5, printed to three digits


def test_the_laws_own_loss_shows_the_same_ridge() -> None:
    misses, ahead = forecasts(TRUTHS["first"][0], by_line=False)

    np.testing.assert_allclose(ahead, TRUTHS["first"][1], atol=SHEET)
    assert max(misses) < 0.05


def test_the_laws_own_loss_on_the_second_truth() -> None:
    # Golden. Errors on the log weigh the smallest BLEU most, so exponents far off the truth (3) miss by more than the line does.
    np.testing.assert_allclose(forecasts(TRUTHS["second"][0], by_line=False)[1], [6.64, 7.72, 8.70, 9.42, 9.89], atol=0.005)


@pytest.mark.parametrize("name", sorted(TRUTHS))
def test_four_points_do_not_identify_the_law(name: str) -> None:
    x, y = bleu(TRUTHS[name][0])
    found = fit(LAW, rows(x[:4], y[:4]), 1, 5)

    assert found.status == "unidentified"
    assert "ln_beta" in found.reason


def test_the_forecast_stays_valid_far_outside_the_sizes() -> None:
    x, y = bleu(TRUTHS["first"][0])
    found = fit(LAW, rows(x, y), 1, 20)
    far = LAW.curve(found.draws, np.array([[-50.0], [0.0], [60.0]]))

    assert np.isfinite(far).all()
    assert (far >= 0).all()


def test_falling_bleu_is_called_non_monotone_and_a_wobble_is_not() -> None:
    x, y = bleu(TRUTHS["first"][0])
    wobble, fall = y.copy(), y.copy()
    wobble[5], fall[5] = y[4] - 0.29, y[4] - 0.31

    assert LAW.pre_fit_status(rows(x, wobble)) is None
    assert LAW.pre_fit_status(rows(x, fall)) == "non_monotone"


def test_one_target_a_system_without_the_unchecked_value(built: Built) -> None:
    tables = LAW.tables(built.as_of("2026-11-21"))

    expected = {
        "koehn_knowles_bleu/koehn-knowles/neural": 11,
        "koehn_knowles_bleu/koehn-knowles/phrase-based": 10,
        "koehn_knowles_bleu/koehn-knowles/phrase-based-with-big-lm": 11,
    }
    assert {table.target.target_id: table.n for table in tables} == expected


def test_the_statuses_and_errors_of_the_public_series(built: Built) -> None:
    found = {table.target.series: fit(LAW, table, 20240531, 5) for table in LAW.tables(built.as_of("2026-11-21"))}
    errors = {name: float(np.abs(LAW.curve(one.point, one.table.x) - one.table.y).mean()) for name, one in found.items()}

    assert {name: one.status for name, one in found.items()} == {
        "koehn-knowles/neural": "converged",
        "koehn-knowles/phrase-based": "converged",
        "koehn-knowles/phrase-based-with-big-lm": "at_bound",
    }
    # Golden mean absolute errors in BLEU; the neural series does not follow one logarithm over its whole range.
    np.testing.assert_allclose(list(errors.values()), [0.803, 0.092, 0.330], atol=0.002)
