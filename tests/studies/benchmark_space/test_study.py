"""The plane of benchmarks on the law's page: every table beside what was printed, from the record and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from tests.conftest import Built

from foresaid.registry.view import View
from foresaid.report.sections import benchmark_space
from foresaid.studies.benchmark_space import study
from foresaid.studies.benchmark_space.study import Plane


@pytest.fixture(scope="module")
def plane(built: Built) -> Plane:
    found = study.study(built.as_of(study.DAY.isoformat()), 20240531)
    assert found is not None
    return found


def test_both_populations_lie_near_a_plane_of_three_dimensions(plane: Plane) -> None:
    base, chat = plane.shares
    print(base, chat)

    # Printed: 80.16, 11.90 and 4.63 % for 77 base models of 21 families; 89.28 % and 98.52 % together for 27 chat models.
    assert (base.models, base.families) == (77, 21)
    assert base.explained == pytest.approx((0.8016, 0.1190, 0.0463), abs=1e-3)
    assert chat.models == 27
    assert (chat.explained[0], sum(chat.explained)) == pytest.approx((0.8928, 0.9852), abs=1e-3)


def test_three_components_are_best_beyond_the_cut_off_where_the_paper_says_so(plane: Plane) -> None:
    # laws.md L1.5, number of components: test errors for one to four of them.
    printed = {
        "bigbench_word_unscrambling": (2.5e-2, 4.5e-3, 2.6e-3, 1.5e-2),
        "bigbench_arithmetic_3ds": (0.36, 0.36, 0.017, 0.048),
        "gsm8k_cot": (2.1e-2, 7.9e-3, 4.7e-3, 2.8e-2),
    }
    for name, errors in printed.items():
        print(name, errors, plane.errors[name])

        assert plane.errors[name] == pytest.approx(errors, rel=0.03)  # printed to two digits


def test_lines_of_the_reference_family_are_the_registered_ones(plane: Plane) -> None:
    found = {one.quantity_id: (one.line.slope, one.line.intercept) for one in plane.axes}

    assert found["gsm8k_cot"] == pytest.approx((2.04, -5.53), abs=0.006)
    assert found["bigbench_arithmetic_3ds"] == pytest.approx((5.50, -8.92), abs=0.006)
    assert found["agentbench_overall"] == pytest.approx((1.00, -5.52), abs=0.006)


def test_ten_to_twenty_chosen_models_forecast_about_as_well_as_all_and_random_ones_do_not(plane: Plane) -> None:
    chosen = {one.choice.budget: one for one in plane.chosen}
    print({budget: (round(one.choice.objective, 2), one.error, one.random) for budget, one in chosen.items()}, plane.all_error)

    # laws.md A5, and L1.8: 2.63e-3 with all.
    assert [chosen[budget].choice.objective for budget in (4, 8, 12, 16, 20)] == pytest.approx(
        [26.76, 8.84, 6.31, 5.27, 4.55], abs=0.01
    )
    assert plane.all_error == pytest.approx(2.63e-3, rel=0.02)
    assert chosen[20].error < 1.2 * plane.all_error
    assert all(one.error < one.random for one in plane.chosen)


def test_the_page_shows_every_table_and_a_record_without_the_papers_tables_shows_none(plane: Plane, built: Built) -> None:
    shown = benchmark_space.shown(plane, lambda name: name)
    assert shown is not None
    view = built.as_of(study.DAY.isoformat())
    few = View(view.day, view.observations.head(10), view.quantities)

    assert shown["families"][0]["family"] == "Llama-2"
    assert len(shown["families"]) == 14
    assert all(np.isfinite([one.components, one.compute]).all() for one in plane.swept)
    assert [name for name, frame in benchmark_space.downloads(plane).items() if not frame.height] == []
    assert study.study(few, 1) is None
    assert benchmark_space.shown(None, str) is None
