"""Leave one family out: what trains, what is forecast, and that settings are chosen without the answers."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from foresaid import family_boards, family_holdout
from foresaid.family_holdout import Board
from foresaid.law import Array
from foresaid.sigmoid import sigmoid


def board(seed: int = 1) -> Board:
    """Five families of four base and two chat models on two benchmarks, one skill."""
    rng = np.random.default_rng(seed)
    family = np.repeat([f"f{i}" for i in range(5)], 6)
    level = np.array([f"{name}-{'chat' if i % 6 > 3 else 'base'}" for i, name in enumerate(family)])
    size = np.tile([1e9, 3e9, 7e9, 7e10, 3e9, 7e10], 5)
    chat = np.tile([0.0, 0.0, 0.0, 0.0, 0.3, 0.3], 5)
    skill = 0.4 * (np.log(size) - 22.0) + np.repeat(rng.normal(size=5), 6) + chat
    return Board(family, level, size, np.full(30, 1e12), sigmoid(np.outer(skill, [0.8, 1.2])), np.zeros(2))


def test_base_and_chat_models_are_held_out_together_but_for_the_smallest_of_each() -> None:
    table = board()
    train, test = family_holdout.split(table, "f2", 1)

    assert not (train & test).any()
    assert sorted(zip(table.level[test], table.size[test], strict=True)) == [
        ("f2-base", 3e9), ("f2-base", 7e9), ("f2-base", 7e10), ("f2-chat", 7e10)
    ]  # fmt: skip


def test_a_family_counts_with_two_models_beyond_the_small_ones() -> None:
    assert family_holdout.eligible(board(), 2) == [f"f{i}" for i in range(5)]
    assert family_holdout.eligible(board(), 3) == []


def test_a_setting_is_chosen_without_the_rows_that_are_forecast() -> None:
    table = board()
    held = family_holdout.split(table, "f2", 1)[1]
    seen: list[Array] = []

    def method(rows: Board, train: NDArray[np.bool_], test: NDArray[np.bool_]) -> Array:
        seen.append(rows.y)
        return np.stack([rows.y[test], 0.0 * rows.y[test]])

    family_holdout.chosen_within(table.take(~held), method, 1)

    assert seen
    assert all(not (rows[:, None, :] == table.y[held][None]).all(axis=2).any() for rows in seen)


def test_the_better_setting_is_chosen_and_counted() -> None:
    found = family_holdout.leave_one_out(board(), lambda rows, train, test: np.stack([0.0 * rows.y[test], rows.y[test]]), 1)

    assert (found.families, found.models, found.within, found.afterwards) == (5, 20, 0.0, 0.0)


@pytest.mark.parametrize("name", sorted(set(family_holdout.METHODS) - {"observational: told the other benchmarks"}))
def test_no_method_sees_the_scores_it_is_asked_for(name: str) -> None:
    table = board()
    train, test = family_holdout.split(table, "f2", 1)
    changed = Board(table.family, table.level, table.size, table.tokens, np.where(test[:, None], 0.5, table.y), table.floor)
    method = family_holdout.METHODS[name]

    np.testing.assert_array_equal(method(table, train, test), method(changed, train, test))


def test_the_observational_method_sees_the_other_benchmarks_and_not_the_one_it_is_asked_for() -> None:
    table = board()
    train, test = family_holdout.split(table, "f2", 1)
    said = family_holdout.by_other_benchmarks(table, train, test)[0]
    hidden = table.y.copy()
    hidden[test, 0] = 0.9
    again = family_holdout.by_other_benchmarks(
        Board(table.family, table.level, table.size, table.tokens, hidden, table.floor), train, test
    )[0]

    np.testing.assert_array_equal(said[:, 0], again[:, 0])
    assert not np.allclose(said[:, 1], again[:, 1])


def test_a_common_level_for_all_families_is_one_end_of_the_pooling() -> None:
    table = board()
    train, test = family_holdout.split(table, "f2", 1)
    pooled = family_holdout.by_pooled_skills(table, train, test)
    alike = Board(table.family, np.full(30, "all"), table.size, table.tokens, table.y, table.floor)

    assert len(pooled) == len(family_holdout.POOLED) * len(family_holdout.OWN)
    np.testing.assert_allclose(pooled[-3], family_holdout.by_skills(alike, train, test)[4], atol=0.01)


@pytest.mark.parametrize(("name", "models", "levels"), [("leaderboard-v1", 149, 43), ("leaderboard-v2", 105, 30)])
def test_the_boards_of_the_paper_have_their_models(name: str, models: int, levels: int) -> None:
    mirror = os.environ.get("FORESAID_MIRROR")
    if not mirror:
        pytest.skip("FORESAID_MIRROR is not set: the paper's table is not in the repository")
    table = family_boards.read(Path(mirror) / "felipemaiapolo+sloth", name)

    assert table.y.shape == (models, 6)
    assert len(set(table.level.tolist())) == levels
    assert ((table.y >= 0) & (table.y <= 1)).all()
