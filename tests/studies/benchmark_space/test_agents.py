"""Agents on the embedded record: the strongest are forecast from weaker ones only, and every sentence follows the figures."""

from __future__ import annotations

import dataclasses
from datetime import date

import numpy as np
import pytest
from tests.conftest import Built

from foresaid.scoring.levels import LEVELS
from foresaid.studies.benchmark_space import agents
from foresaid.studies.benchmark_space.paper_fit import CHAT_METRICS


@pytest.fixture(scope="module")
def found(built: Built) -> list[agents.HeldOut]:
    return agents.held_out(built.as_of("2026-11-21"), built.params.laws["observational"], 1, 20)


def test_the_strongest_agents_are_forecast_from_weaker_ones_alone(found: list[agents.HeldOut]) -> None:
    whole = [one for one in found if not one.without]

    assert [one.subject for one in whole[:2]] == ["openai/gpt-4-0613", "anthropic/claude-2.0"]
    assert {one.board for one in whole} == set(agents.AGENTS)
    for one in whole:
        assert one.best_weaker < one.outcome
        assert one.trained >= agents.LEAST
        assert (np.diff(one.quantiles) >= 0.0).all()
        assert len(one.quantiles) == len(LEVELS)


def test_every_benchmark_is_left_out_once_on_every_agent(found: list[agents.HeldOut]) -> None:
    section = agents.said(found, agents_adverse())
    (ablation,) = (table for table in section.tables if table.key == "ablation")

    assert {row[0] for row in ablation.rows} == set(CHAT_METRICS)
    assert {row[1] for row in ablation.rows} == {sum(not one.without for one in found)}
    ratios = [float(row[3]) for row in ablation.rows if isinstance(row[3], float)]
    assert ratios == sorted(ratios, reverse=True)


def agents_adverse() -> list[agents.Adverse]:
    return [agents.Adverse("t", 5, 0.2, 0.1), agents.Adverse("u", 5, 0.1, 0.2)]


def test_an_outcome_outside_its_interval_is_counted_outside(found: list[agents.HeldOut]) -> None:
    far = [dataclasses.replace(one, outcome=1e6) for one in found]

    assert "the 80 % interval holds 0, and" in agents.said(far, agents_adverse()).said[0]
    assert "t (0.2 against 0.1, 5 models)" in agents.said(found, agents_adverse()).said[2]


def test_compute_beats_the_paper_on_bbh_with_chains_of_thought(built: Built) -> None:
    against = {one.task: one for one in agents.adverse(built.as_of("2024-05-31"))}

    # laws.md L1.5, on the record's mean of BBH: compute has the lower error on this task and on few others
    assert against["bbh_cot"].benchmarks > against["bbh_cot"].compute
    assert sum(one.benchmarks > one.compute for one in against.values()) < len(against) / 2


def test_without_agents_nothing_is_said(built: Built) -> None:
    day = date(2024, 1, 1)  # before the paper's tables

    assert agents.section(lambda _: built.as_of(day.isoformat()), built.params) is None
