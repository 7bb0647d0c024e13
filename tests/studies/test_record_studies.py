"""Studies of the embedded record on pages of laws: data ranked by one size, tasks without a law, accuracy straight from sizes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import partial

import numpy as np
import pytest
from tests.conftest import ROOT, Built

from foresaid import params
from foresaid.errors import ParameterError
from foresaid.laws import _loader as laws
from foresaid.params import Params
from foresaid.pipeline import study
from foresaid.registry import database
from foresaid.registry.view import View
from foresaid.report.sections import study_tables
from foresaid.studies import data_ranking, direct_power, law_sections, no_law

SHIPPED = params.load(ROOT / "params.yaml")


@pytest.fixture(scope="module")
def view(built: Built) -> View:
    return built.as_of("2026-11-21")


def test_pairs_are_counted_with_ties_as_half() -> None:
    up, down = np.array([1.0, 2.0, 3.0, 4.0]), np.array([4.0, 3.0, 2.0, 1.0])

    assert data_ranking.decisions(up, up) == 1.0
    assert data_ranking.decisions(up, down) == 0.0
    assert data_ranking.decisions(np.ones(4), up) == 0.5
    assert np.isnan(data_ranking.decisions(up, up, 9.0))


def test_one_small_size_orders_most_pairs_of_data_sets_but_not_by_a_task_at_chance(view: View) -> None:
    small, large = data_ranking.pairs(view, "dclm_core")
    mmlu = data_ranking.decisions(*data_ranking.pairs(view, "dclm_mmlu_fewshot"))

    assert len(small) == len(large) == 17
    assert large.min() > small.min()
    assert 0.7 < data_ranking.decisions(small, large) < 0.85
    assert 0.4 < mmlu < 0.6  # at 1.4 billion parameters MMLU is at chance


def test_eighteen_of_forty_six_tasks_follow_the_loss(view: View) -> None:
    found = no_law.fits(view, 1)
    by_task = {one.task: [each.correlation for each in found if each.task == one.task] for one in found}

    # laws.md, section 14: Spearman of loss and error of .7 or more for 18 of 46, computed there over all 104 runs
    assert len(by_task) == 46
    assert sum(np.mean(each) >= no_law.FOLLOWS for each in by_task.values()) == 18
    assert all(one.law is None or one.law <= 1.0 for one in found)
    hellaswag = [one for one in found if one.task == "gadre_hellaswag"]
    assert all(one.law is not None and one.law < one.constant for one in hellaswag)


def test_the_stage_writes_every_section_and_a_page_shows_it(built: Built) -> None:
    asked: Params = SHIPPED
    connection = database.open_database(built.build / "database")
    as_of: Callable[[date], View] = partial(database.as_of, connection)
    made = [one for make in study.STUDIES[2:] if (one := make(as_of, asked)) is not None]
    connection.close()

    assert [one.key for one in made] == ["data-ranking", "no-law", "direct-power"]
    again = [law_sections.from_plain(json.loads(json.dumps(law_sections.to_plain(one))), "here") for one in made]
    assert [one.said for one in again] == [one.said for one in made]
    (ladder,) = study_tables.shown(again, "ladder")
    assert study_tables.shown(again, "direct_power") == [ladder]
    assert len(ladder["tables"][0]["rows"]) == 8
    errors = np.array([[float(cell) for cell in row[1:] if cell is not None] for row in made[2].tables[0].rows])
    assert errors[:, 0].mean() == pytest.approx(0.036, abs=0.003)  # the ladder, as in ladder-7b
    chosen = made[2].said[0]
    assert "The least error is that of A / N^α + B / D^β, from chance: the law of this record." in chosen


def test_a_form_that_plays_do_not_choose_would_be_said_to_be_the_records_own(built: Built) -> None:
    asked = replace(SHIPPED, laws={**SHIPPED.laws, "direct_power": {**SHIPPED.laws["direct_power"], "budget": "compute"}})
    connection = database.open_database(built.build / "database")
    made = direct_power.section(partial(database.as_of, connection), asked)
    connection.close()

    assert made is not None
    assert "the law of this record is A / C^α, from chance." in made.said[0]


def test_the_largest_of_a_laws_own_runs_are_its_plays(view: View) -> None:
    law = laws.load("direct_power", SHIPPED.laws["direct_power"])
    table = law.tables(view)[0]
    planted = replace(table, y=law.curve(np.array([5.5, 0.3, 5.4, 0.25]), table.x))

    assert table.n == 17
    assert max(direct_power.plays(law, planted, 1)) < 1e-5
    assert len(direct_power.plays(law, planted, 1)) == 3
    assert min(direct_power.plays(law, table, 1)) > 1e-3


def test_raw_accuracy_and_shares_from_chance_are_two_scales_of_one_score(view: View) -> None:
    settings = SHIPPED.laws["direct_power"]
    tables = {raw: laws.load("direct_power", {**settings, "from_chance": not raw}).tables(view)[0] for raw in (True, False)}
    accuracy = {raw: table.target.offset + table.target.span * table.y for raw, table in tables.items()}

    assert (tables[True].target.offset, tables[False].target.offset) == (0.0, 0.25)
    np.testing.assert_allclose(accuracy[True], accuracy[False])


def test_another_budget_is_refused_by_name() -> None:
    with pytest.raises(ParameterError, match="budget: found 'flops', expected one of compute, sizes"):
        laws.load("direct_power", {"sources": ["s"], "budget": "flops"})
