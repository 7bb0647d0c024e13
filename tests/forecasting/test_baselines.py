"""Baselines: simple points, and spreads that are their own record."""

from __future__ import annotations

from datetime import date

import numpy as np

from foresaid.fitting.data import Covariate, Table, Target
from foresaid.forecasting.baselines import FOR_RELEASES, FOR_SIZES, best_known, forecast, last_of_family, past_errors, straight_line
from foresaid.scoring.levels import LEVELS

MEDIAN = LEVELS.index(0.5)


def table(rows: list[tuple[str, str, int, float, float]]) -> Table:
    """Rows of (name, family, month of 2024, covariate, value)."""
    target = Target("t", "T", "t", (Covariate("x", "identity"),), 0.0, 1.0, 0.0, 1.0, "s")
    return Table(
        target,
        tuple(name for name, *_ in rows),
        tuple(family for _, family, *_ in rows),
        tuple(date(2024, month, 1) for _, _, month, *_ in rows),
        tuple(date(2024, month, 1) for _, _, month, *_ in rows),
        np.array([[x] for *_, x, _ in rows]),
        np.array([y for *_, y in rows]),
    )


KNOWN = table([("a1", "a", 1, 1.0, 0.2), ("a2", "a", 3, 2.0, 0.3), ("b1", "b", 2, 3.0, 0.7)])


def test_the_newest_member_speaks_for_its_family() -> None:
    assert last_of_family(KNOWN, "a", None, np.zeros(1)) == 0.3


def test_a_new_family_gets_the_mean_of_all() -> None:
    assert last_of_family(KNOWN, "z", None, np.zeros(1)) == np.mean([0.2, 0.3, 0.7])


def test_the_straight_line_goes_through_points_on_a_line() -> None:
    line = table([("a", "a", 1, 0.0, 0.1), ("b", "b", 1, 1.0, 0.2), ("c", "c", 1, 2.0, 0.3)])

    np.testing.assert_allclose(straight_line(line, "", None, np.array([4.0])), 0.5)


def test_past_errors_leave_the_whole_family_out() -> None:
    # a1 and a2 are forecast from b1 alone, b1 from the better of a1 and a2.
    np.testing.assert_allclose(past_errors(best_known, KNOWN), [0.2 - 0.7, 0.3 - 0.7, 0.7 - 0.3])


def test_every_baseline_gives_quantiles_that_ascend_within_bounds() -> None:
    target = table([("c1", "c", 5, 5.0, 0.9)])
    for baseline in {**FOR_RELEASES, **FOR_SIZES}.values():
        made = forecast(baseline, KNOWN, target)

        assert (np.diff(made.quantiles, axis=1) >= 0).all()
        assert made.quantiles.min() >= 0
        assert made.quantiles.max() <= 1


def test_the_median_is_the_point_and_the_spread_its_own_record() -> None:
    target = table([("c1", "c", 5, 5.0, 0.9)])
    sizes = np.abs(past_errors(last_of_family, KNOWN))

    made = forecast(last_of_family, KNOWN, target)

    np.testing.assert_allclose(made.quantiles[0, MEDIAN], 0.4)
    np.testing.assert_allclose(made.quantiles[0, LEVELS.index(0.99)], min(0.4 + np.quantile([*sizes, *-sizes], 0.99), 1.0))
