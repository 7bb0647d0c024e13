"""Interval recalibration: what is held out, what a width is learned from, and what it never sees."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from tests.laws.test_every_law import DAY, made

from foresaid.fitting.data import TrainingTable
from foresaid.fitting.frozen_curve import freeze_curve
from foresaid.fitting.law import Law
from foresaid.forecasting import recalibration
from foresaid.forecasting.combine import learn_width
from foresaid.forecasting.predict import predict
from foresaid.forecasting.recalibration import Backtest, FitRequest, ensembles, held_out, recalibrated_fits
from foresaid.scoring.levels import LEVELS

LAW = "size_sigmoid"


@pytest.fixture(scope="module")
def planted() -> tuple[Law, TrainingTable]:
    """A sigmoid in size with some noise, whose models came out one a month, the larger the later."""
    law, table = made(LAW, 0.03)
    return law, replace(table, released_on=tuple(DAY + timedelta(days=30 * i) for i in range(table.n)))


def bent(table: TrainingTable) -> TrainingTable:
    """The same rows, but the largest models fall short of the curve by more than the smaller ones let expect."""
    far = table.x[:, 0] > np.quantile(table.x[:, 0], 0.7)
    return replace(table, y=np.where(far, table.y - 0.25, table.y))


def test_the_rows_furthest_along_are_held_out_and_rows_at_one_place_stay_together(planted: tuple[Law, TrainingTable]) -> None:
    law, table = planted
    same = replace(table, released_on=(*table.released_on[:-4], *[table.released_on[-1]] * 4))
    for share in recalibration.SHARES:
        parts = held_out(law, table, share)
        assert parts is not None
        earlier, later = parts
        assert (earlier.n + later.n, later.n) == (table.n, max(1, int(share * table.n)))
        assert law.along(earlier).max() < law.along(later).min()
    parts = held_out(law, same, 1 / table.n)
    assert parts is not None
    assert parts[1].n == 4


def test_rows_of_one_day_hold_nothing_out(planted: tuple[Law, TrainingTable]) -> None:
    law, table = planted

    assert held_out(law, replace(table, released_on=(DAY,) * table.n), 0.3) is None


def test_the_width_is_the_one_that_would_have_served_best_on_the_plays(planted: tuple[Law, TrainingTable]) -> None:
    law, table = planted
    rows = bent(table)
    (found,) = recalibrated_fits([FitRequest(law, rows, {})], 1, 10, None)
    backtest = found.backtest
    assert backtest is not None

    n = len(backtest.outcomes)
    clusters = len(set(backtest.clusters))
    width = learn_width(backtest.quantiles, LEVELS, backtest.outcomes, np.ones(n), (np.zeros(n), np.ones(n)), clusters)
    assert (found.fit.interval_recalibration, found.fit.n_backtest_clusters) == (width.scale, clusters)
    # Every play is of a row furthest along, its outcome the row's own value.
    values = dict(zip(rows.subjects, rows.y, strict=True))
    np.testing.assert_allclose(backtest.outcomes, [values[name.split("/", 1)[1]] for name in backtest.rows])


def test_a_law_that_fails_its_past_gets_wider_intervals_than_one_that_holds(planted: tuple[Law, TrainingTable]) -> None:
    law, table = planted
    good, bad = recalibrated_fits([FitRequest(law, table, {}), FitRequest(law, bent(table), {})], 1, 10, None)

    assert bad.fit.interval_recalibration > max(1.2, 1.2 * good.fit.interval_recalibration)


def test_a_fit_alone_and_beside_others_and_in_any_order_of_rows_is_the_same(planted: tuple[Law, TrainingTable]) -> None:
    law, table = planted
    (alone,) = recalibrated_fits([FitRequest(law, table, {})], 1, 10, None)
    mixed = table.take(np.random.default_rng(3).permutation(table.n))
    _, beside = recalibrated_fits([FitRequest(law, bent(table), {}), FitRequest(law, mixed, {})], 1, 10, None)

    assert beside.fit.interval_recalibration == alone.fit.interval_recalibration
    np.testing.assert_array_equal(beside.fit.point, alone.fit.point)


def test_where_nothing_can_be_played_the_width_stays(planted: tuple[Law, TrainingTable]) -> None:
    law, table = planted
    flat = replace(table, released_on=(DAY,) * table.n)
    surface, rows = made("chinchilla", 0.002)  # its authors' preset: the intervals are those of the bootstrap
    assert not surface.backtests

    for found in recalibrated_fits([FitRequest(law, flat, {}), FitRequest(surface, rows, {})], 1, 4, None):
        assert (found.fit.interval_recalibration, found.fit.n_backtest_clusters, found.backtest) == (1.0, 0, None)


def plays(rows: tuple[str, ...], centre: float, outcomes: list[float]) -> Backtest:
    spread = 0.1 * (np.array(LEVELS) - 0.5)
    return Backtest(np.tile(centre + spread, (len(rows), 1)), np.array(outcomes), rows, rows, np.zeros(len(rows)))


def test_an_ensemble_learns_from_rows_that_every_member_played_alone(planted: tuple[Law, TrainingTable]) -> None:
    law, table = planted
    (found,) = recalibrated_fits([FitRequest(law, table, {})], 1, 4, None)
    made_one = predict(law, freeze_curve(law, found.fit, {}, DAY, 1), table.x[:3])
    low, high = replace(made_one, quantiles=made_one.quantiles * 0.5), made_one
    names = ("a", "b", "c")
    members = [(low, plays(names, 0.2, [0.6, 0.6, 0.6])), (high, plays(names, 0.6, [0.6, 0.6, 0.6]))]
    # One member also played a row on which it would look perfect: it must not count.
    more = (high, plays((*names, "d"), 0.6, [0.6, 0.6, 0.6, 0.6]))

    assert ensembles(members[:1], table.target) == {}
    assert ensembles([members[0], (high, plays(("x",), 0.6, [0.6]))], table.target) == {}
    first, second = ensembles(members, table.target), ensembles([members[0], more], table.target)
    assert set(first) == {"ensemble_median", "ensemble_stacked"}
    for name in first:
        np.testing.assert_array_equal(first[name].quantiles, second[name].quantiles)
    # The stack leans to the member that was right; the median of two is their middle.
    assert (first["ensemble_stacked"].mean > first["ensemble_median"].mean - 1e-12).all()
