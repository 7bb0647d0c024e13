"""Choosing families on the record: the printed curve, the options, and what is refused."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from tests.conftest import ROOT, Built

from foresaid.cli.main import main
from foresaid.errors import ParameterError
from foresaid.studies.benchmark_space.paper_fit import METRICS
from foresaid.studies.model_selection import candidates
from foresaid.studies.model_selection.candidates import Candidates


@pytest.fixture(scope="module")
def pool(built: Built) -> Candidates:
    return candidates.candidates(built.as_of("2024-05-31"), METRICS, "obsscaling")


def test_ten_to_twenty_models_buy_most_of_what_all_would(pool: Candidates) -> None:
    found = {one.budget: one.objective for one in candidates.curve(pool, [4, 10, 20, 40], ["Llama-2"])}
    print({budget: round(value, 2) for budget, value in found.items()}, "of", len(pool.families))

    assert list(found.values()) == sorted(found.values(), reverse=True)
    # laws.md L1.8: 10 to 20 models are enough. Half of what four models leave open is gone at ten, and nine tenths at twenty.
    assert found[10] - candidates.COMPONENTS < (found[4] - candidates.COMPONENTS) / 2
    assert found[20] - candidates.COMPONENTS < (found[4] - candidates.COMPONENTS) / 10


def test_included_families_are_in_and_the_search_is_exhaustive(pool: Candidates) -> None:
    found = candidates.chosen(pool, 12, ["Llama-2", "Qwen"])

    assert {"Llama-2", "Qwen"} <= set(found.families)
    assert found.models <= 12
    assert found.gap == 0.0
    assert "the best there is" in candidates.lines(pool, found)[-1]


def test_a_limit_on_size_leaves_only_models_of_known_size_below_it(built: Built) -> None:
    view = built.as_of("2024-05-31")
    small = candidates.candidates(view, METRICS, "obsscaling", 7e9)
    all_of_them = candidates.candidates(view, METRICS, "obsscaling")

    assert 4 < len(small.families) < len(all_of_them.families) == 71
    with pytest.raises(ParameterError, match="of at most 1000 parameters"):
        candidates.candidates(view, METRICS, "obsscaling", 1e3)


@pytest.mark.parametrize(
    ("budget", "include", "said"), [(2, [], "at least 3"), (3, ["Llama-2", "OPT"], "at least"), (9, ["Opt"], "Opt")]
)
def test_what_cannot_be_chosen_is_refused(pool: Candidates, budget: int, include: list[str], said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        candidates.chosen(pool, budget, include)


def test_an_unknown_source_is_refused_by_name() -> None:
    done = CliRunner().invoke(main, ["--root", str(ROOT), "select", "--budget", "9", "--source", "nowhere"])

    assert done.exit_code == 2
    assert "found the source nowhere" in done.output
