"""Frontier laws against closed forms, and the promise that none sees beyond its origin."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial

import numpy as np
import polars as pl
import pytest
from scipy.special import expit, logit
from scipy.stats import norm
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, DotProduct, Matern

from foresaid.arrays import Array
from foresaid.errors import RecordError
from foresaid.laws import (
    _frontier_ceiling,
    _frontier_curves,
    _frontier_jumps,
    _frontier_process,
    _frontier_releases,
    _frontier_still,
)
from foresaid.laws._capability_rows import SCHEMA
from foresaid.laws._frontier_lag import Lag, rises, with_lag
from foresaid.laws._frontier_process import LEVEL_VARIANCE, Shared, condition, covariance
from foresaid.laws._frontier_rows import LEVELS, MONTH, Board, Question, board, known, path
from foresaid.laws._frontier_scale import to_line, to_share
from foresaid.scoring.rules import crps_of_draws
from foresaid.studies.frontier.forms import LEVEL
from foresaid.studies.frontier.protocol import Law

ORIGIN = date(2025, 1, 1)
DAY = float(ORIGIN.toordinal())


def grown(name: str, middle: float, rate: float, months: int = 14) -> Board:
    """A board whose models follow a Gompertz curve in the day, one a month, six of them after the origin.

    The curves start above the edge of the scale, where a share says nothing more."""
    days = [ORIGIN - timedelta(days=round(MONTH * k)) for k in range(months, -7, -1)]
    line = rate * (np.array([(day - ORIGIN).days for day in days]) / 365.25 - middle)
    return board(name, "f" + name, list(zip(days, np.clip(to_share(line), 0, 1).tolist(), strict=True)))


BOARDS = [grown("a", 0.3, 1.2), grown("b", -0.5, 0.9), grown("c", 0.0, 1.5), grown("d", 0.2, 1.1)]
ASKED = [Question(one.name, top, months) for one in BOARDS for top in (1, 3) for months in (3, 6)]


def cells_of(boards: list[Board]) -> pl.DataFrame:
    rows = []
    for one in boards:
        for day, value in zip(one.day, one.value, strict=True):
            when = date.fromordinal(int(day))
            line = "xy"[int(day) % 2]
            rows.append(
                (f"m{day}", f"m{day}", line, line, "", None, f"{line}@{when}", when, one.name, float(value), 0.0, None, when)
            )
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def simulated(boards: Sequence[Board], origin: float, asked: Sequence[Question]) -> Array:
    few = _frontier_releases.Settings(schedules=3, draws=20)
    return _frontier_releases.forecast(boards, origin, asked, cells_of(BOARDS), np.random.default_rng(3), few)


LAWS: dict[str, Law] = {
    "no change": _frontier_jumps.no_change,
    "jumps": _frontier_jumps.pooled,
    "jumps by level": partial(_frontier_jumps.by_level, settings=LEVEL),
    "constant growth": _frontier_curves.constant_growth,
    "logistic": _frontier_curves.logistic_growth,
    "growth": partial(_frontier_process.forecast, "growth"),
    "trend": partial(_frontier_process.forecast, "trend"),
    "simulated releases": simulated,
    "jumps by level to ceilings": _frontier_ceiling.to_ceilings(partial(_frontier_jumps.by_level, settings=LEVEL)),
    "growth to ceilings": _frontier_ceiling.to_ceilings(partial(_frontier_process.forecast, "growth")),
}


def test_frontier_is_the_mean_of_the_best() -> None:
    one = board("x", "f", [(date(2024, 3, 1), 0.4), (date(2024, 1, 1), 0.2), (date(2024, 2, 1), 0.6)])
    assert one.frontier(float(date(2024, 1, 31).toordinal()), 1) == 0.2
    assert one.frontier(float(date(2024, 2, 1).toordinal()), 1) == 0.6
    assert one.frontier(float(date(2024, 12, 1).toordinal()), 3) == pytest.approx(0.4)
    assert np.isnan(one.frontier(float(date(2024, 2, 1).toordinal()), 3))


def test_a_value_that_is_no_share_is_named() -> None:
    with pytest.raises(RecordError, match=r"board x: found 1\.2 on 2024-01-01"):
        board("x", "f", [(date(2024, 1, 1), 1.2)])


def test_path_ends_at_the_origin_and_starts_when_there_are_enough() -> None:
    days, values = path(BOARDS[0], DAY, 3)
    assert days[-1] == DAY
    assert (np.diff(values) >= 0).all()
    assert days[0] >= np.sort(BOARDS[0].day)[2]


@pytest.mark.parametrize("name", LAWS)
def test_quantiles_rise_never_fall_below_today_and_end_at_one(name: str) -> None:
    found = LAWS[name](known(BOARDS, DAY), DAY, ASKED)
    now = np.array([{one.name: one for one in BOARDS}[asked.board].frontier(DAY, asked.top) for asked in ASKED])
    assert found.shape == (len(ASKED), len(LEVELS))
    assert (np.diff(found, axis=1) >= -1e-12).all()
    assert (found >= now[:, None] - 1e-9).all()
    assert found.max() <= 1.0


@pytest.mark.parametrize("name", LAWS)
def test_no_law_sees_beyond_its_origin_nor_the_order_of_boards(name: str) -> None:
    """Scores after the origin moved, boards turned about: the same forecast to the bit."""
    moved = [Board(one.name, one.family, one.day, np.where(one.day > DAY, one.value / 2, one.value)) for one in BOARDS]
    first = LAWS[name](known(BOARDS, DAY), DAY, ASKED)
    np.testing.assert_array_equal(first, LAWS[name](known(moved[::-1], DAY), DAY, ASKED))


def test_simulated_releases_leave_a_board_that_the_law_does_not_know_where_it_is() -> None:
    two = board("two", "f", [(ORIGIN - timedelta(days=90), 0.2), (ORIGIN - timedelta(days=30), 0.4)])
    few = _frontier_releases.Settings(schedules=3, draws=20)
    asked = [Question("a", 1, 6), Question("two", 1, 6)]
    rng = np.random.default_rng(3)
    found = _frontier_releases.forecast([*known(BOARDS, DAY), two], DAY, asked, cells_of([*BOARDS, two]), rng, few)
    assert found[1].tolist() == [0.4] * len(LEVELS)
    assert found[0].max() > known(BOARDS, DAY)[0].frontier(DAY, 1)


def test_pooled_jumps_by_hand() -> None:
    """Two spans of one month on one board, rises .1 and .3: quantiles between today + .1 and today + .3."""
    days = [ORIGIN - timedelta(days=int(np.ceil(MONTH * k))) for k in (4, 3, 2, 1, 0)]
    one = board("x", "f", list(zip(days, [0.0, 0.05, 0.1, 0.2, 0.5], strict=True)))
    pool = _frontier_jumps.past_jumps([one], DAY, 1, 1, 3)
    np.testing.assert_allclose(sorted(pool.end - pool.start), [0.1, 0.3])
    found = _frontier_jumps.pooled([one], DAY, [Question("x", 1, 1)])
    assert found.min() == pytest.approx(0.6)
    assert found.max() == pytest.approx(0.8)


def test_growth_equals_scikit_learn_on_one_board() -> None:
    shared = Shared(0.0, 0.7, 0.4, 0.5, 0.1)
    times, values, at = np.array([-1.5, -1.0, -0.4, 0.0]), np.array([-0.5, 0.0, 0.4, 0.3]), np.array([0.5])
    kernel = (
        ConstantKernel(LEVEL_VARIANCE, "fixed")
        + ConstantKernel(0.49, "fixed") * DotProduct(0.0, "fixed")
        + ConstantKernel(0.16, "fixed") * Matern(0.5, "fixed", nu=0.5)
    )
    reference = GaussianProcessRegressor(kernel, alpha=0.01, optimizer=None).fit(times[:, None], values)
    mean, sd = reference.predict(at[:, None], return_std=True)
    found = condition("growth", shared, times, values, at)
    assert found[0][0] == pytest.approx(mean[0], abs=1e-9)
    assert found[1][0] == pytest.approx(np.sqrt(sd[0] ** 2 + 0.01), abs=1e-9)


def test_integrated_brownian_motion_has_the_variance_of_its_definition() -> None:
    """Var of the integral of Brownian motion to u is u^3 / 3, and its covariance with s <= u is s^2 (3u - s) / 6."""
    shared = Shared(0.0, 0.0, 0.0, 1.0, 0.0)
    at = np.array([0.0, 1.0, 2.0])
    found = covariance("trend", shared, at, at) - LEVEL_VARIANCE
    np.testing.assert_allclose(found, np.array([[0, 0, 0], [0, 1 / 3, 5 / 6], [0, 5 / 6, 8 / 3]]))


@pytest.mark.parametrize("form", ["growth", "trend"])
def test_a_planted_curve_is_continued(form: str) -> None:
    """Boards on exact Gompertz curves: the median six months on lies on the curve."""
    found = _frontier_process.forecast(form, known(BOARDS, DAY), DAY, ASKED)  # type: ignore[arg-type]
    for row, asked in zip(found, ASKED, strict=True):
        truth = {one.name: one for one in BOARDS}[asked.board].frontier(DAY + asked.months * MONTH, asked.top)
        assert np.median(row) == pytest.approx(truth, abs=0.04)


def test_a_finer_path_changes_little() -> None:
    """The grid of the path is a means: half its step moves no quantile by more than .03."""
    seen = known(BOARDS, DAY)
    coarse = _frontier_process.forecast("growth", seen, DAY, ASKED)
    fine = _frontier_process.forecast("growth", seen, DAY, ASKED, _frontier_process.Settings(step=MONTH / 2))
    assert np.abs(coarse - fine)[:, 20:180].max() < 0.03


def test_scale_is_undone() -> None:
    share = np.linspace(0.01, 0.99, 9)
    np.testing.assert_allclose(to_share(to_line(share)), share)


def test_lag_adds_its_rises() -> None:
    """Of four boards one rose by .2: a certain forecast of .5 becomes .5 with chance 3/4 and .7 with 1/4."""
    earlier = [board(name, "f", [(date(2024, 1, 1), 0.3)]) for name in "abcd"]
    later = [
        board(name, "f", [(date(2024, 1, 1), 0.3), (date(2024, 5, 1), 0.9)] + ([(date(2024, 1, 2), 0.5)] if name == "b" else []))
        for name in "abcd"
    ]
    found = rises(earlier, later, float(date(2024, 2, 1).toordinal()), 1)
    np.testing.assert_allclose(found, [0.0, 0.2, 0.0, 0.0])
    row = with_lag(np.full((1, 200), 0.5), Lag(found, 2.0), 2.0)[0]
    assert np.mean(row < 0.6) == pytest.approx(0.75, abs=0.01)
    assert row.max() == pytest.approx(0.7)
    assert np.mean(with_lag(np.full((1, 200), 0.5), Lag(found, 2.0), 1.0)[0] < 0.6) == pytest.approx(0.875, abs=0.01)
    np.testing.assert_array_equal(with_lag(np.full((1, 200), 0.5), Lag(np.zeros(4), 2.0), 2.0), np.full((1, 200), 0.5))


def test_chance_of_no_rise_is_read_off_boards_at_a_like_level() -> None:
    """Low boards rose in every span and high ones in none: each question gets the chance of its own level."""
    pool = _frontier_jumps.Jumps(np.array([0.1, 0.12, 0.9, 0.91]), np.array([0.3, 0.2, 0.9, 0.9105]))
    assert _frontier_still.chance_of_none(pool, 0.1, 0.1) == pytest.approx(0.0, abs=1e-5)
    assert _frontier_still.chance_of_none(pool, 0.9, 0.1) == pytest.approx(1.0, abs=1e-5)
    assert _frontier_still.chance_of_none(pool, 0.505, 100.0) == pytest.approx(0.5, abs=1e-3)


def test_a_law_keeps_its_shape_beyond_the_chance_of_no_rise() -> None:
    """A quarter stays; the rest is the law given a rise: its own median of what lies above today is the mixture's at 5/8."""
    row = np.quantile(np.linspace(0.2, 1.0, 10_001), LEVELS)
    found = _frontier_still.mixed(row, 0.4, 0.25)
    assert np.mean(found == 0.4) == 0.25
    assert np.interp(0.625, LEVELS, found) == pytest.approx(0.7, abs=0.01)
    np.testing.assert_array_equal(_frontier_still.mixed(np.full(200, 0.4), 0.4, 0.1), np.full(200, 0.4))


def test_only_more_leaves_a_law_that_stays_more_often() -> None:
    seen, asked = known(BOARDS, DAY), ASKED[:1]
    now = seen[0].frontier(DAY, asked[0].top)
    row = np.r_[np.full(190, now), np.linspace(now, 1.0, 10)][None, :]
    more = _frontier_still.with_still(row, seen, DAY, asked, _frontier_still.Settings(only_more=True))
    np.testing.assert_array_equal(more, row)
    replaced = _frontier_still.with_still(row, seen, DAY, asked)
    assert np.mean(replaced == now) < 0.95


def test_a_lag_on_gompertz_scale_keeps_a_board_near_its_ceiling_off_it() -> None:
    """A rise from .3 to .5, had by every board: in shares .95 becomes 1; on the scale it rises by as much and stays below."""
    risen = to_line(np.array([0.5])) - to_line(np.array([0.3]))
    at = np.full((1, 200), 0.95)
    raised = with_lag(at, Lag(risen, 2.0, on_line=True), 2.0)[0]

    assert with_lag(at, Lag(np.array([0.2]), 2.0), 2.0)[0].max() == 1.0
    np.testing.assert_allclose(raised, to_share(to_line(np.array([0.95])) + risen)[0])
    assert 0.95 < raised.max() < 1.0
    np.testing.assert_allclose(with_lag(np.full((1, 200), 0.3), Lag(risen, 2.0, on_line=True), 2.0), 0.5)
    edge = np.full((1, 200), 1.0)  # beyond the edge of the scale: what does not rise stays what it is
    assert with_lag(edge, Lag(np.array([0.0, *risen]), 2.0, on_line=True), 2.0)[0].max() == 1.0


def flat(name: str, record: float, since: int) -> Board:
    """A board whose record was set `since` months before the origin, with a lower model every month."""
    days = [ORIGIN - timedelta(days=round(MONTH * k)) for k in range(since + 4, -1, -1)]
    values = [record / 2] * 4 + [record] + [record / 2] * since
    return board(name, "f", list(zip(days, values, strict=True)))


def test_ceilings_are_pooled_over_boards_at_their_end() -> None:
    """High, still measured, a year without a rise: of four boards two. With two pseudo-boards the mean is that of four logits."""
    told = _frontier_ceiling.Settings()
    boards = [flat("a", 0.9, 14), flat("b", 0.8, 13), flat("young", 0.95, 5), flat("low", 0.3, 20)]
    assert [_frontier_ceiling.at_its_end(one, DAY, told) for one in boards] == [True, True, False, False]
    closed = board("closed", "f", [(date(2023, 1, 1), 0.9), (date(2023, 2, 1), 0.5), (date(2023, 3, 1), 0.4)])
    assert not _frontier_ceiling.at_its_end(closed, DAY, told)

    logits = np.array([told.centre, told.centre, *logit([0.9, 0.8])])
    mean, sd = _frontier_ceiling.pooled(boards, DAY, told)
    assert mean == pytest.approx(logits.mean())
    assert sd == pytest.approx(np.sqrt(((logits - mean) ** 2).mean() + told.spread**2 / 2))


def test_ceilings_of_a_board_are_equally_likely_and_above_its_record() -> None:
    """Far below, the quantiles of the logit-normal itself; at its median, the upper half of it."""
    told = _frontier_ceiling.ceilings
    wanted = norm.ppf([0.1, 0.3, 0.5, 0.7, 0.9], 2.0, 0.5)
    np.testing.assert_allclose(logit(told(flat("low", 0.1, 3), DAY, 2.0, 0.5, 5)), wanted, atol=1e-6)
    half = norm.ppf([0.55, 0.65, 0.75, 0.85, 0.95], 2.0, 0.5)
    np.testing.assert_allclose(logit(told(flat("high", float(expit(2.0)), 3), DAY, 2.0, 0.5, 5)), half)
    assert told(flat("full", 1.0, 3), DAY, 2.0, 0.5, 5).min() == 1.0


def test_a_curve_that_ends_below_one_is_continued_to_where_it_ends() -> None:
    """Boards on Gompertz curves to .6 that have come near it: the law alone goes on rising, on the way to .6 it does not."""
    ends = [
        Board(one.name, one.family, one.day, 0.6 * one.value) for one in [*(grown(name, -1.2, 2.2) for name in "abc"), BOARDS[3]]
    ]
    seen, asked = known(ends, DAY), [Question("a", 1, 6)]
    truth = ends[0].frontier(DAY + 6 * MONTH, 1)
    alone = _frontier_process.forecast("growth", seen, DAY, asked)
    exact = _frontier_ceiling.Settings(boards=1e9, centre=float(logit(0.6)), spread=1e-6, points=1)
    told = _frontier_ceiling.to_ceilings(partial(_frontier_process.forecast, "growth"), exact)(seen, DAY, asked)

    assert told.max() <= 0.6 + 1e-9
    assert np.median(told) == pytest.approx(truth, abs=0.01)
    assert crps_of_draws(told.T, np.array([truth]))[0] < 0.5 * crps_of_draws(alone.T, np.array([truth]))[0]


def test_a_ceiling_of_one_changes_nothing() -> None:
    law = partial(_frontier_jumps.by_level, settings=LEVEL)
    one = _frontier_ceiling.Settings(boards=1e9, centre=40.0, spread=1e-6, points=1)
    seen = known(BOARDS, DAY)
    np.testing.assert_allclose(
        _frontier_ceiling.to_ceilings(law, one)(seen, DAY, ASKED), np.quantile(law(seen, DAY, ASKED), LEVELS, axis=1).T, atol=1e-9
    )


def test_levels_make_the_crps() -> None:
    """Twice the mean pinball loss at LEVELS of a normal distribution is its closed-form CRPS, 2 phi(0) - 1 / sqrt(pi), to 1e-3."""
    exact = 2 * norm.pdf(0) - 1 / np.sqrt(np.pi)
    assert crps_of_draws(norm.ppf(LEVELS)[:, None], np.zeros(1))[0] == pytest.approx(exact, abs=1e-3)
