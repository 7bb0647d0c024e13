"""Leave one family out: what trains, what is forecast, and that settings are chosen without the answers."""

from __future__ import annotations

import numpy as np
import pytest

from foresaid.arrays import Array, sigmoid
from foresaid.studies.held_out_families import methods, protocol
from foresaid.studies.held_out_families.protocol import Exercise, Forecasts, Leaderboard


def board(seed: int = 1) -> Leaderboard:
    """Five families of four base and two chat models on two benchmarks, one skill."""
    rng = np.random.default_rng(seed)
    family = np.repeat([f"f{i}" for i in range(5)], 6)
    level = np.array([f"{name}/{'chat' if i % 6 > 3 else 'base'}" for i, name in enumerate(family)])
    size = np.tile([1e9, 3e9, 7e9, 7e10, 3e9, 7e10], 5)
    chat = np.tile([0.0, 0.0, 0.0, 0.0, 0.3, 0.3], 5)
    skill = 0.4 * (np.log(size) - 22.0) + np.repeat(rng.normal(size=5), 6) + chat
    return Leaderboard(family, level, size, np.full(30, 1e12), sigmoid(np.outer(skill, [0.8, 1.2])), np.zeros(2))


def test_base_and_chat_models_are_held_out_together_but_for_the_smallest_of_each() -> None:
    table = board()
    train, test = protocol.split(table, "f2", 1)

    assert not (train & test).any()
    assert sorted(zip(table.level[test], table.size[test], strict=True)) == [
        ("f2/base", 3e9), ("f2/base", 7e9), ("f2/base", 7e10), ("f2/chat", 7e10)
    ]  # fmt: skip


def test_a_family_counts_with_two_models_beyond_the_small_ones() -> None:
    assert protocol.eligible(board(), 2) == [f"f{i}" for i in range(5)]
    assert protocol.eligible(board(), 3) == []


def test_a_setting_is_chosen_without_the_rows_that_are_forecast() -> None:
    table = board()
    exercise = protocol.hold_out(table, "f2", 1)
    held = table.y[exercise.test]
    seen: list[Array] = []

    def method(one: Exercise) -> dict[str, Forecasts]:
        seen.append(one.board.y)
        return {"a": Forecasts(np.stack([one.asked.y, 0.0 * one.asked.y]))}

    chosen = protocol.chosen_within(exercise.known, method, 1)

    assert chosen == {"a": 0}
    assert len(seen) == 4
    assert all(not (rows[:, None, :] == held[None]).all(axis=2).any() for rows in seen)


def test_the_better_setting_is_chosen_and_counted() -> None:
    def method(one: Exercise) -> dict[str, Forecasts]:
        return {"a": Forecasts(np.stack([0.0 * one.asked.y, one.asked.y]))}

    found = protocol.leave_one_out(board(), method, 1)["a"]

    assert (len(found.by_family), found.models, found.within, found.afterwards) == (5, 20, 0.0, 0.0)
    assert found.wis is None


def test_a_method_may_choose_its_setting_itself_and_is_scored_on_its_quantiles() -> None:
    def method(one: Exercise) -> dict[str, Forecasts]:
        assert not one.nested
        points = np.stack([one.asked.y, one.asked.y + 0.1])
        return {"a": Forecasts(points, 1, np.repeat(points[1][..., None], 23, axis=2))}

    found = protocol.leave_one_out(board(), method, 1)["a"]

    assert found.within == pytest.approx(0.1)
    assert found.afterwards == 0.0
    assert found.wis == pytest.approx(0.1)  # a point mass: WIS is the absolute error
    assert found.coverage == (0.0, 0.0, 0.0)


def test_errors_are_averaged_over_families_and_not_over_models() -> None:
    table = board()
    few = (table.family != "f0") | (table.size < 1e10)

    def method(one: Exercise) -> dict[str, Forecasts]:
        wrong = 1.0 if one.asked.family[0] == "f0" else 0.0
        return {"a": Forecasts((one.asked.y + wrong)[None])}

    found = protocol.leave_one_out(table.take(few), method, 1)["a"]

    assert found.within == pytest.approx(0.2)
    assert found.standard_error == pytest.approx(0.2)  # of 1, 0, 0, 0, 0


def every(exercise: Exercise) -> dict[str, Forecasts]:
    made: dict[str, Forecasts] = {}
    for method in methods.methods():
        made |= method(exercise)
    return made


def test_no_method_sees_the_scores_it_is_asked_for() -> None:
    table = board()
    exercise = protocol.hold_out(table, "f2", 1)
    test = exercise.test
    changed = Leaderboard(table.family, table.level, table.size, table.tokens, np.where(test[:, None], 0.5, table.y), table.floor)

    said, again = every(exercise), every(protocol.hold_out(changed, "f2", 1))

    assert len(said) == 11
    for name in sorted(set(said) - {protocol.TOLD}):
        np.testing.assert_array_equal(said[name].points, again[name].points, err_msg=name)
        assert said[name].chosen == again[name].chosen
        assert said[name].points.shape[1:] == (4, 2)


def test_the_observational_method_sees_the_other_benchmarks_and_not_the_one_it_is_asked_for() -> None:
    table = board()
    train, test = protocol.split(table, "f2", 1)
    said = methods.by_other_benchmarks(table, train, test)[0]
    hidden = table.y.copy()
    hidden[test, 0] = 0.9
    again = methods.by_other_benchmarks(
        Leaderboard(table.family, table.level, table.size, table.tokens, hidden, table.floor), train, test
    )[0]

    np.testing.assert_array_equal(said[:, 0], again[:, 0])
    assert not np.allclose(said[:, 1], again[:, 1])


def test_a_common_level_for_all_families_is_one_end_of_the_pooling() -> None:
    table = board()
    pooled = methods.by_skills(protocol.hold_out(table, "f2", 1))[methods.PARTLY].points
    alike = Leaderboard(table.family, np.full(30, "all"), table.size, table.tokens, table.y, table.floor)
    exercise = protocol.Exercise(alike, *protocol.split(table, "f2", 1), 1)

    assert len(pooled) == len(methods.POOLED) * len(methods.OWN)
    np.testing.assert_allclose(pooled[-3], methods.by_skills(exercise)[methods.SKILLS].points[4], atol=0.01)
