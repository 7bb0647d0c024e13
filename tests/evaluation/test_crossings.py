"""Numbers that may be reached: their probabilities come from the forecast alone, and only those count that the target froze."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.attacks.build import ROUND
from tests.evaluation.test_ledger_scores import VALUES, batch, forecast, resolution, score
from tests.ledger.test_store import target

from foresaid.errors import LedgerError
from foresaid.evaluation.crossings import reached
from foresaid.ledger.entries.schema import TargetEntry, parse
from foresaid.scoring.levels import LEVELS

RISING = st.lists(st.floats(0, 1), min_size=23, max_size=23).map(sorted)


@given(RISING, st.floats(0.001, 0.999), st.floats(0.001, 0.999))
def test_probabilities_fall_as_the_number_rises_and_both_directions_cover_all(
    values: list[float], one: float, other: float
) -> None:
    low, high = sorted((one, other))
    more, less = (reached(LEVELS, values, (0.0, 1.0), at, True) for at in (low, high))

    assert 0.0 <= less <= more <= 1.0
    assert reached(LEVELS, values, (0.0, 1.0), low, True) + reached(LEVELS, values, (0.0, 1.0), low, False) >= 1.0 - 1e-12


def test_the_probability_of_a_known_distribution_comes_back() -> None:
    values = list(np.array(LEVELS))  # uniform on 0 to 1
    for at in (0.1, 0.37, 0.999):
        assert reached(LEVELS, values, (0.0, 1.0), at, True) == pytest.approx(1.0 - at)
        assert reached(LEVELS, values, (0.0, 1.0), at, False) == pytest.approx(at)


def asked(**changes: Any) -> TargetEntry:
    found = parse({**msgspec.to_builtins(target("mmlu-pro")), "levels": [f"{level:g}" for level in LEVELS], **changes})
    assert isinstance(found, TargetEntry)
    return found


def test_crossings_that_the_target_froze_have_brier_scores_beside_the_mean() -> None:
    plain = score(batch([ROUND, asked(), forecast("a")]), batch([resolution("0.6")], 1))
    done = score(batch([ROUND, asked(crossings=["0.5", "0.7"]), forecast("a")]), batch([resolution("0.6")], 1))

    assert (plain.crossings, done.table) == ([], plain.table)
    half, more = done.crossings
    chance = reached(LEVELS, VALUES, (0.0, 1.0), 0.5, True)
    assert (half["probability"], half["reached"], half["brier"]) == (chance, True, pytest.approx((1.0 - chance) ** 2))
    assert (more["reached"], more["brier"]) == (False, pytest.approx(more["probability"] ** 2))
    assert 0.0 < more["probability"] < chance < 1.0
    assert (half["standing"], half["subject"], half["threshold"]) == ("scored", "model-x", "0.5")


def test_where_lower_is_better_a_number_is_reached_from_above() -> None:
    (row,) = score(
        batch([ROUND, asked(crossings=["0.5"], direction="lower"), forecast("a")]), batch([resolution("0.6")], 1)
    ).crossings

    assert (row["reached"], row["probability"]) == (False, pytest.approx(1.0 - reached(LEVELS, VALUES, (0.0, 1.0), 0.5, True)))


@pytest.mark.parametrize("crossings", [[], ["0"], ["1"], ["0.7", "0.5"], ["0.5", "0.50"]])
def test_crossings_beyond_the_scale_or_not_rising_are_refused(crossings: list[str]) -> None:
    with pytest.raises(LedgerError, match="crossings"):
        asked(crossings=crossings)
