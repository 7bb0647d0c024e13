"""Choosing families: exact against brute force, monotone, and the published optima on the real tables."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from benchmarks.enumeration import best_of_all
from hypothesis import given, settings
from hypothesis import strategies as st

from foresaid.arrays import Array
from foresaid.errors import ParameterError
from foresaid.fitting.components import components
from foresaid.fitting.imputation import impute
from foresaid.studies.model_selection import v_optimal
from foresaid.studies.model_selection._bound import pack, relax, trace
from foresaid.studies.model_selection.v_optimal import objective, searched, select

if TYPE_CHECKING:
    from tests.conftest import Built

METRICS = ["mmlu", "arc_challenge", "hellaswag", "winogrande", "truthfulqa", "gsm8k", "xwinograd", "humaneval"]


def brute_force(scores: Array, families: Sequence[str], budget: int, forced: Sequence[str], most: int) -> float:
    """Enumerate every set in plain Python: the definition, word for word."""
    member = np.array(families)
    names = sorted(set(families))
    best = np.inf
    for size in range(most + 1):
        for chosen in itertools.combinations(names, size):
            rows = np.isin(member, chosen)
            if not set(forced) <= set(chosen) or not scores.shape[1] <= rows.sum() <= budget:
                continue
            gram = scores[rows].T @ scores[rows]
            if np.linalg.matrix_rank(gram) == scores.shape[1]:
                best = min(best, float(np.trace(scores.T @ scores @ np.linalg.inv(gram))))
    return best


def pool(seed: int, width: int, names: int = 7, rows: int = 18) -> tuple[Array, list[str]]:
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(rows, width)) * 2.0 ** -np.arange(width)
    return scores - scores.mean(axis=0), [chr(97 + i) for i in (*range(names), *rng.integers(0, names, rows - names))]


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("forced", [(), ("b",), ("b", "e")])
@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_the_search_finds_what_brute_force_finds(width: int, forced: tuple[str, ...], compiled: bool) -> None:
    scores, families = pool(width, width)
    budgets = range(1, 19)
    expected = [brute_force(scores, families, budget, forced, 4) for budget in budgets]

    found = {choice.budget: choice for choice in select(scores, families, budgets, forced, 4, compiled)}

    assert sorted(found) == [budget for budget, value in zip(budgets, expected, strict=True) if np.isfinite(value)]
    for budget, choice in found.items():
        assert expected[budget - 1] == pytest.approx(choice.objective, rel=1e-9)
        assert choice.models == sum(family in choice.families for family in families) <= budget
        assert set(forced) <= set(choice.families)
        assert choice.gap == 0.0


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(1, 9), st.integers(0, 2))
def test_no_set_is_better_than_the_one_found_at_any_budget(seed: int, width: int, most: int, always: int) -> None:
    scores, families = pool(seed, width, names=9, rows=24)
    forced = ["c", "h"][: min(always, most)]
    expected, _ = best_of_all(scores, families, range(1, 25), forced, most)

    found = select(scores, families, range(1, 25), forced, most)

    assert [(budget, one[1]) for budget, one in expected.items()] == [(choice.budget, choice.families) for choice in found]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("most", [6, 9, 10])  # some, all but the forced one, and all families: the plain search checks every index
@pytest.mark.parametrize("width", [1, 3])
def test_compiled_and_plain_are_one_search(seed: int, most: int, width: int) -> None:
    scores, families = pool(seed, width, names=10, rows=40)

    expected = searched(scores, families, range(3, 41), ("b",), most, compiled=False)

    assert expected == searched(scores, families, range(3, 41), ("b",), most, compiled=True)


def test_sets_that_a_bound_rules_out_are_not_visited() -> None:
    scores, families = pool(5, 3, names=16, rows=60)

    visited = searched(scores, families, [20, 30, 40])[1]

    assert visited < 3000  # of 58,651 sets for each budget


def test_the_bound_is_below_every_set_and_near_the_best() -> None:
    scores, families = pool(6, 3, names=9, rows=30)
    member, whole = np.array(families), scores.T @ scores
    grams = np.array([scores[member == name].T @ scores[member == name] for name in sorted(set(families))])
    sizes = np.array([float((member == name).sum()) for name in sorted(set(families))])
    packed = np.zeros((4, 6))
    packed[0] = pack(whole) * 0.5

    for room in (8.0, 12.0, 20.0):
        bound = relax(pack(grams), sizes, np.zeros(6), pack(whole), 5, room, 15.0, packed, np.zeros((2, 3, 3)), np.zeros((6, 9)))[0]
        best = select(scores, families, [int(room)], (), 5)[0].objective

        assert 0.7 * best < bound <= best


def test_of_two_families_alike_the_first_by_name_is_chosen() -> None:
    scores, families = pool(8, 2, names=5, rows=20)
    twice = np.vstack([scores, scores[[name == "b" for name in families]]])
    twice -= twice.mean(axis=0)

    found = select(twice, [*families, *["z"] * families.count("b")], range(2, 20))

    assert any("b" in choice.families and "z" not in choice.families for choice in found)
    assert not any("z" in choice.families and "b" not in choice.families for choice in found)


def test_a_search_cut_short_reports_the_gap_it_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    scores, families = pool(3, 3, names=9, rows=30)
    best = {choice.budget: choice.objective for choice in select(scores, families, [10, 15])}
    monkeypatch.setattr(v_optimal, "VISITS", 3)
    monkeypatch.setattr(v_optimal, "PLAIN_VISITS", 3)

    found = select(scores, families, [10, 15])

    assert found
    assert any(choice.gap > 0 for choice in found)
    for choice in found:
        assert choice.objective * (1 - choice.gap) <= best[choice.budget] <= choice.objective


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 4))
def test_adding_a_family_never_raises_the_objective(seed: int, width: int) -> None:
    scores, families = pool(seed, width)
    member, whole = np.array(families), scores.T @ scores
    order = np.random.default_rng(seed).permutation(sorted(set(families)))

    values = [
        float(objective(whole, scores[np.isin(member, order[:i])].T @ scores[np.isin(member, order[:i])])) for i in range(1, 8)
    ]

    for before, after in itertools.pairwise(values):
        assert after <= before * (1 + 1e-9)
    assert width == pytest.approx(values[-1], rel=1e-9)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(1, 3))
def test_a_larger_budget_and_more_families_never_do_worse(seed: int, width: int) -> None:
    scores, families = pool(seed, width)
    found = select(scores, families, range(1, 19), (), 5)
    fewer = {choice.budget: choice.objective for choice in select(scores, families, range(1, 19), (), 3)}

    for before, after in itertools.pairwise(found):
        assert after.objective <= before.objective
    assert all(choice.objective <= fewer.get(choice.budget, np.inf) for choice in found)


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_the_order_of_rows_does_not_matter(seed: int) -> None:
    scores, families = pool(seed, 3)
    shuffled = np.random.default_rng(seed).permutation(len(families))
    expected = select(scores, families, [6, 12])

    found = select(scores[shuffled], [families[i] for i in shuffled], [6, 12])

    assert [choice.families for choice in expected] == [choice.families for choice in found]


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.integers(1, 5))
def test_the_scalar_trace_equals_the_matrix_formula(seed: int, width: int) -> None:
    rows = np.random.default_rng(seed).normal(size=(2, 9, width))
    whole, chosen = rows[0].T @ rows[0], rows[1].T @ rows[1]

    found = trace(pack(whole), pack(chosen), np.empty((width, width)))

    assert np.trace(whole @ np.linalg.inv(chosen)) == pytest.approx(found, rel=1e-7)


def test_a_plane_that_is_not_determined_has_no_finite_objective() -> None:
    flat = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [1.0, 0.0, 1.0], [0.0, 1.0, 1.0]])

    assert np.inf == objective(np.eye(3), flat.T @ flat)
    assert np.inf == trace(pack(np.eye(3)), pack(flat.T @ flat), np.empty((3, 3)))
    assert select(flat, ["a", "b", "c", "d"], [4]) == []


@pytest.mark.parametrize(
    ("scores", "families", "forced", "said"),
    [
        (np.ones((2, 1)), ["a", "b"], ["z"], r"forced families \['z'\]"),
        (np.array([[1.0], [np.nan]]), ["a", "b"], [], "expected finite"),
        (np.ones((2, 1)), ["a"], [], "for 1 rows"),
        (np.ones((3, 1)), ["a", "b", "c"], ["a", "b"], "2 forced families, expected at most 1"),
    ],
)
def test_impossible_requests_are_refused(scores: Array, families: list[str], forced: list[str], said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        select(scores, families, [2], forced, 1)


def plane(values: Array) -> Array:
    """Return the scores of the first three components, as the authors make them."""
    equal = np.ones((1, len(values)))
    filled = impute(values, equal).values
    return np.asarray(components(filled, equal, 3).scores(filled)[0])


@pytest.mark.parametrize("compiled", [True, False])
def test_the_published_optima_of_15913_sets_are_found(built: Built, compiled: bool) -> None:
    """Ruan et al., `selection_eval` notebook: post-training rows within 84e21 FLOPs, no gaps; the sign is flipped there."""
    wide = built.as_of("2024-05-31").wide([*METRICS, "gsm8k_naive", "training_flops"], ["obsscaling"]).drop_nulls(METRICS)
    wide = wide.filter((pl.col("kind") == "model") & pl.col("gsm8k_naive").is_not_null() & (pl.col("training_flops") <= 84e21))
    families = list(wide["family"])
    scores = plane(wide.select(METRICS).to_numpy().astype(float))
    expected = [26.76, 8.84, 6.31, 5.27, 4.55]

    found = select(scores, families, [4, 8, 12, 16, 20], compiled=compiled)

    assert (len(scores), len(set(families))) == (45, 14)
    assert expected == pytest.approx([choice.objective for choice in found], abs=0.005)  # two printed decimals


@pytest.mark.parametrize("compiled", [True, False])
def test_the_published_optima_of_431909_sets_are_found(compiled: bool) -> None:
    """Ruan et al., `selection_guide` notebook: all 77 post-training rows as published, Llama-2 always in."""
    mirror = os.environ.get("FORESAID_MIRROR")
    if not mirror:
        pytest.skip("FORESAID_MIRROR is not set: the upstream tables are not in the repository")
    folder = Path(mirror) / "ryoungj+ObsScaling@2024-05-31" / "eval_results"
    tables = [pl.read_csv(folder / f"base_llm_{name}_eval.csv") for name in ("benchmark", "post_training")]
    rows = tables[0].join(tables[1].select("Model"), on="Model", how="inner", maintain_order="left")
    scores, families = plane(rows[:, 5:13].to_numpy().astype(float)), list(rows["Model Family"])
    expected = [1365.30, 37.43, 16.93, 12.70, 10.25, 8.35]

    found = select(scores, families, [4, 8, 12, 16, 20, 24], ["Llama-2"], compiled=compiled)

    assert (len(scores), len(set(families))) == (77, 21)
    assert expected == pytest.approx([choice.objective for choice in found], abs=0.005)  # two printed decimals
