"""The tests by release keep their level, or are called too few, under the measured dependence of releases."""

from __future__ import annotations

import pytest
from scipy.stats import binom
from tests.size_study import World, rejected

from foresaid.scoring.significance import FEWEST_RELEASES

TRIALS = 200


@pytest.mark.parametrize("releases", [5, 20])
def test_diebold_mariano_by_release_keeps_its_level_where_rows_do_not(releases: int) -> None:
    found = rejected(World(releases, 0.75, 0.0), TRIALS)

    # 3 to 7 % is the aim; 200 trials tell it from the counted share only to within these 99.8 % bounds.
    least, most = binom.ppf(0.001, TRIALS, 0.03) / TRIALS, binom.ppf(0.999, TRIALS, 0.07) / TRIALS
    by_release = found["Diebold-Mariano", "release"]
    assert releases < FEWEST_RELEASES or least <= by_release <= most
    assert found["Diebold-Mariano", "row"] > 0.15


def test_a_difference_of_one_standard_deviation_is_found_with_twenty_releases() -> None:
    found = rejected(World(20, 0.75, 0.0), 100, effect=1.0)

    assert found["Diebold-Mariano", "release"] > 0.6
