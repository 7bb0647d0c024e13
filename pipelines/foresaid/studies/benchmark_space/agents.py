"""Agents forecast from benchmarks: the strongest of them held out with intervals, each benchmark left out in turn, and what fails.

Ruan et al. 2024 (arXiv 2405.10938) forecast AgentBench and AgentBoard from seven benchmarks and say that coding drives agents. They
hold out two models and one; here the strongest ones are forecast one by one, each from all weaker ones alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from foresaid.evaluation.modes import SAID, SCALE
from foresaid.evaluation.schema import COVERAGES
from foresaid.fitting.data import TrainingTable
from foresaid.fitting.fit import NO_FORECAST
from foresaid.fitting.frozen_curve import freeze_curve
from foresaid.forecasting.predict import predict
from foresaid.forecasting.recalibration import UNDATED, FitRequest, recalibrated_fits
from foresaid.laws import _loader as laws
from foresaid.params import Params
from foresaid.registry.view import ZETTA, View
from foresaid.scoring.levels import LEVELS
from foresaid.scoring.rules import weighted_interval_score
from foresaid.studies.benchmark_space import paper_fit
from foresaid.studies.benchmark_space.paper_fit import TASKS
from foresaid.studies.law_sections import LawSection, StudyTable

LAW = "observational"
AGENTS = ("agentbench_overall", "agentboard_success_rate")
STRONGEST = 5  # of each board, forecast one by one
LEAST = 8  # weaker models that a forecast is made from
COMPONENTS = 2  # of so few models; three leave resamples whose weights nothing holds
DAY = date(2024, 5, 31)  # the vintage the paper's errors are of
CODING = "humaneval"
BBH = ("bbh_naive", "bbh_cot")  # tasks of the paper without a released result; chance is that of its 27 parts
NOTHING = ""


@dataclass(frozen=True)
class HeldOut:
    """One forecast of a held-out agent: what was left out, weaker models trained on, and quantiles (23,) in the board's unit."""

    board: str
    subject: str
    without: str
    trained: int
    quantiles: tuple[float, ...]
    point: float
    outcome: float
    best_weaker: float

    @property
    def wis(self) -> float:
        """The weighted interval score."""
        return float(weighted_interval_score(np.array([self.quantiles]), LEVELS, np.array([self.outcome])).wis[0])

    def ends(self, coverage: float) -> tuple[float, float]:
        """The ends of a central interval."""
        at = [int(np.argmin(np.abs(np.array(LEVELS) - end))) for end in ((1.0 - coverage) / 2.0, (1.0 + coverage) / 2.0)]
        return self.quantiles[at[0]], self.quantiles[at[1]]


def _settings(settings: dict[str, Any], board: str, without: str) -> dict[str, Any]:
    entry: dict[str, Any] = dict(settings["targets"][board] or {})
    entry["without"] = [*entry.get("without", []), *([without] if without else [])]
    return {**settings, "components": COMPONENTS, "targets": {board: entry}}


def _strongest(table: TrainingTable) -> Iterator[tuple[str, TrainingTable, TrainingTable]]:
    """Yield each of the strongest with all that score below it, and itself."""
    for at in np.argsort(-table.y, kind="stable")[:STRONGEST]:
        weaker = table.y < table.y[at]
        if weaker.sum() >= LEAST:
            yield table.subjects[at], table.where(weaker), table.take(np.array([at]))


def held_out(view: View, settings: dict[str, Any], seed: int, replicates: int) -> list[HeldOut]:
    """Forecast the strongest agents of each board, with all benchmarks and without each in turn."""
    asked: list[tuple[str, str, str, FitRequest, TrainingTable]] = []
    for board in AGENTS:
        for without in (NOTHING, *(name for name in settings["metrics"] if name in paper_fit.CHAT_METRICS)):
            entry = _settings(settings, board, without)
            law = laws.load(LAW, entry)
            for table in law.tables(view):
                for subject, train, test in _strongest(table):
                    # What one held-out agent is told must not teach another: each is a state of knowledge of its own.
                    request = FitRequest(law, train, entry, f"{board}/{without}/{subject}")
                    asked.append((board, subject, without, request, test))
    found = recalibrated_fits([item[3] for item in asked], seed, replicates, None)
    made = []
    for (board, subject, without, request, test), answer in zip(asked, found, strict=True):
        if answer.fit.status in NO_FORECAST:
            continue
        said = predict(request.law, freeze_curve(request.law, answer.fit, request.settings, UNDATED, seed), test.x)
        target = test.target
        outcome, best = (target.offset + target.span * float(value) for value in (test.y[0], request.table.y.max()))
        quantiles = tuple(float(value) for value in said.quantiles[0])
        made.append(HeldOut(board, subject, without, request.table.n, quantiles, float(said.point[0]), outcome, best))
    return made


@dataclass(frozen=True)
class Adverse:
    """Mean squared test error of the paper's forms on one task beyond its cut-off: benchmarks and compute, on rows with both."""

    task: str
    rows: int
    benchmarks: float
    compute: float


def adverse(view: View) -> list[Adverse]:
    """Lay the paper's form beside compute alone on every task where both can be asked, the least favourable first."""
    made = []
    tasks = {
        **TASKS,
        **{name: replace(TASKS["leaderboard_bbh"], quantity_id=name, optimiser="trf", with_compute_only=False) for name in BBH},
    }
    for name, task in tasks.items():
        if task.zettaflops is None:
            continue
        rows = paper_fit.rows(view, task)
        test = ~rows.trains & np.isfinite(rows.flops)
        if not test.any():
            continue
        ours = paper_fit.fit(rows.x[rows.trains], rows.y[rows.trains], task.optimiser).predict(rows.x[test])
        flops = np.log(rows.flops[test] / ZETTA)[:, None]
        theirs = paper_fit.fit_compute(rows.flops[rows.trains], rows.y[rows.trains], task.optimiser).predict(flops)
        errors = [float(np.mean((one - rows.y[test]) ** 2)) for one in (ours, theirs)]
        made.append(Adverse(name, int(test.sum()), *errors))
    return sorted(made, key=lambda one: -one.benchmarks / one.compute)


def section(as_of: Callable[[date], View], params: Params) -> LawSection | None:
    """Say what the record says of agents; None where it lacks them or the law is not asked for."""
    settings, view = params.laws.get(LAW), as_of(params.fit_as_of)
    if settings is None or not set(AGENTS) <= set(view.observations["quantity_id"].unique()) & set(settings["targets"]):
        return None
    return said(held_out(view, settings, params.seed, params.replicates), adverse(as_of(DAY)))


def said(found: Sequence[HeldOut], against: Sequence[Adverse]) -> LawSection:
    """Turn forecasts into sentences and tables."""
    whole = [one for one in found if one.without == NOTHING]
    inside = sum(one.ends(COVERAGES[1])[0] <= one.outcome <= one.ends(COVERAGES[1])[1] for one in whole)
    below = sum(one.outcome > one.point for one in whole)
    ratios = {board: _mean(whole, board) / _naive(whole, board) for board in AGENTS}
    ablation = _ablation(found)
    rank = [row[0] for row in sorted(ablation, key=lambda row: -float(row[3]))]
    place = 1 + rank.index(CODING)
    worse = [one for one in against if one.benchmarks >= one.compute]
    named = ", ".join(f"{one.task} ({one.benchmarks:.2g} against {one.compute:.2g}, {one.rows} models)" for one in worse) or "none"
    sentences = (
        f"The {len(whole)} strongest agents of the two boards, each forecast from all weaker ones alone: the 80 % interval holds "
        f"{inside}, and {below} score above the point forecast. Mean WIS is {ratios[AGENTS[0]]:.2f} (AgentBench) and "
        f"{ratios[AGENTS[1]]:.2f} (AgentBoard) of saying the best weaker agent’s score again. Forecasts of one board share their "
        "training rows, and two boards are two draws; two components were taken because three cannot be held by so few models.",
        f"Does coding drive agents? Leaving HumanEval out does more harm to the mean WIS than leaving out {len(rank) - place} "
        f"of the other {len(rank) - 1} benchmarks; the most harm does {rank[0]}, by a factor of {float(ablation[0][3]):.2f}.",
        f"Where compute alone does as well as the benchmarks or better, by mean squared error of the paper’s own form beyond its "
        f"cut-off on models with known compute: {named}.",
    )
    hid = SAID["strength"]
    tables = (
        StudyTable(
            "held-out", "The strongest agents, each forecast from all weaker ones", _HELD, tuple(map(_held_row, whole)), hid,
        ),
        StudyTable("ablation", "Each benchmark left out in turn: mean over the held-out agents", _LEFT, tuple(ablation), hid),
        StudyTable(
            "adverse", "The paper’s form against compute alone, mean squared test error, least favourable first",
            ("task", "models", "benchmarks", "compute", "ratio"),
            tuple((one.task, one.rows, one.benchmarks, one.compute, one.benchmarks / one.compute) for one in against), SAID[SCALE],
        ),
    )  # fmt: skip
    return LawSection("agents", "Agents, and where the law fails", (LAW,), sentences, tables, "foresaid agents")


_HELD = ("agent", "board", "weaker models", "point", "median", "80 % from", "to", "observed", "best weaker", "WIS")
_LEFT = ("left out", "forecasts", "mean WIS", "WIS, ratio to all benchmarks", "mean absolute error, ratio")


def _held_row(one: HeldOut) -> tuple[str | float | int, ...]:
    low, high = one.ends(COVERAGES[1])
    middle = one.quantiles[LEVELS.index(0.5)]
    return (one.subject, one.board, one.trained, one.point, middle, low, high, one.outcome, one.best_weaker, one.wis)


def _mean(found: Sequence[HeldOut], board: str) -> float:
    return float(np.mean([one.wis for one in found if one.board == board]))


def _naive(found: Sequence[HeldOut], board: str) -> float:
    return float(np.mean([abs(one.outcome - one.best_weaker) for one in found if one.board == board]))


def _ablation(found: Sequence[HeldOut]) -> list[tuple[str, int, float, float, float]]:
    """Compare on the agents that both forecast; boards differ in unit, so ratios are averaged over boards (geometric mean)."""
    whole = {(one.board, one.subject): one for one in found if one.without == NOTHING}
    made = []
    for without in dict.fromkeys(one.without for one in found if one.without != NOTHING):
        parts = [one for one in found if one.without == without and (one.board, one.subject) in whole]
        logs, misses = [], []
        for board in AGENTS:
            mine = [one for one in parts if one.board == board]
            theirs = [whole[one.board, one.subject] for one in mine]
            logs.append(np.log(np.mean([one.wis for one in mine]) / np.mean([one.wis for one in theirs])))
            errors = [np.mean([abs(one.point - one.outcome) for one in each]) for each in (mine, theirs)]
            misses.append(np.log(errors[0] / errors[1]))
        wis = float(np.mean([one.wis for one in parts]))
        made.append((without, len(parts), wis, float(np.exp(np.mean(logs))), float(np.exp(np.mean(misses)))))
    return sorted(made, key=lambda row: -row[3])
