"""Published numbers of the laws of loss (A10 to A14 of the specification), found against expected.

`pytest -s` prints one line a number. Where a paper's data are not public here, the test says so and checks what can be.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from foresaid.arrays import Array
from foresaid.fitting.data import Covariate, Target, TrainingTable
from foresaid.fitting.fit import Fit, fit, problem_for
from foresaid.fitting.law import Design, Law
from foresaid.fitting.least_squares import solve
from foresaid.fitting.problem import LeastSquaresProblem
from foresaid.fitting.robust_loss import LINEAR
from foresaid.laws import _loader as laws
from foresaid.laws import broken
from foresaid.sources.gadre import MEANS, TASKS

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "registry" / "sources"
DAY = date(2026, 11, 21)
SIZES = ("params_total", "training_tokens")


def compare(test: str, what: str, found: float, expected: float, tolerance: float) -> None:
    print(f"{test} {what}: found {found:.10g}, expected {expected:.10g} within {tolerance:.3g}")
    assert found == pytest.approx(expected, rel=0.0, abs=tolerance)


def record(source: str) -> pl.DataFrame:
    """Return one row a subject: its values by quantity, and whether the loss is suspect."""
    rows = pl.read_csv(SOURCES / source / "observations.csv", infer_schema_length=None)
    suspect = rows.group_by("subject_id").agg(suspect=(pl.col("status") == "suspect").any())
    return rows.pivot(on="quantity_id", index="subject_id", values="value").join(suspect, on="subject_id").sort("subject_id")


def table_of(rows: pl.DataFrame, quantity: str) -> TrainingTable:
    """Return a table of one loss in ln parameters and ln tokens, every run a cluster."""
    names = tuple(rows["subject_id"])
    flops = rows["training_flops"] / (6.0 * rows["params_total"]) if "training_flops" in rows.columns else rows["training_tokens"]
    x = np.log(np.column_stack([rows["params_total"].to_numpy(), flops.to_numpy()]))
    target = Target(quantity, "T", quantity, tuple(Covariate(name, "ln") for name in SIZES), 0.0, 1.0, 0.0, 20.0, "s")
    return TrainingTable(target, names, names, (DAY,) * len(names), (DAY,) * len(names), x, rows[quantity].to_numpy())


def refit(table: TrainingTable) -> tuple[Fit, float]:
    """Refit Chinchilla as its authors did; return the fit and the sum of Huber's losses at it."""
    law = laws.load("chinchilla", {"sources": ["s"], "surfaces": {"t": {}}, "preset": "authors"})
    found = fit(law, table, 7, 2)
    miss = np.log(law.curve(found.point, found.table.x)) - np.log(found.table.y)
    size, delta = np.abs(miss), 1e-3
    return found, float(np.where(size <= delta, 0.5 * miss**2, delta * (size - 0.5 * delta)).sum())


def named(found: Fit) -> dict[str, float]:
    """Return the printed form's five numbers."""
    e, a, alpha, b, beta = (float(value) for value in found.point)
    return {"A": float(np.exp(a)), "B": float(np.exp(b)), "E": e, "alpha": alpha, "beta": beta}


def test_a10_chinchilla_on_240_points_gives_the_replications_numbers() -> None:
    rows = record("chinchilla")
    found, objective = refit(table_of(rows.filter(~pl.col("suspect")), "chinchilla_loss"))

    assert found.table.n == 240
    expected = {"A": 477.83, "B": 2143.42, "E": 1.8172, "alpha": 0.3473, "beta": 0.3672}
    for name, value in named(found).items():
        compare("A10", name, value, expected[name], 0.002 * expected[name])
    compare("A10", "objective", objective, 1.01827e-3, 0.002 * 1.01827e-3)


def test_a11_the_five_outliers_decide_beta() -> None:
    found, _ = refit(table_of(record("chinchilla"), "chinchilla_loss"))

    assert found.table.n == 245
    compare("A11", "beta on 245 points", named(found)["beta"], 0.453, 0.002)


# What a refit of the authors' own data gave (a, b, c0, c1, d1, f1). Those 17 points stand in no source of the registry and no
# copy of them could be had, so the printed extrapolation error of 1.09e-2 is not checked. The search is, on this very curve.
ADDITION = np.array([0.41389, np.log(2.2773), 0.05508, 5.6629, np.log(612.58), 0.05919])


def test_a12_the_authors_search_finds_their_curve_again_though_their_points_could_not_be_had() -> None:
    law = laws.load("broken", {"sources": ["s"], "series": {}})
    size = np.geomspace(100.0, 900.0, 17)
    y = law.curve(ADDITION, np.log(size)[:, None])
    point = broken.search(size[:14], y[:14])
    miss = np.log1p(law.curve(point, np.log(size)[:, None])) - np.log1p(y)

    print("A12 the paper's 17 points: not in the registry, extrapolation error 1.09e-2 not checked")
    compare("A12", "RMSLE of 14 fitted points of the printed curve", float(np.sqrt((miss[:14] ** 2).mean())), 0.0, 1e-3)


def test_a12_the_authors_search_and_the_laws_own_fit_real_losses_alike() -> None:
    rows = record("finetune-loss").filter(pl.col("finetune_wmt19_loss").is_not_null() & (pl.col("finetuning_examples") > 0))
    rows = rows.filter(pl.col("subject_id").str.starts_with("finetune-loss/facebook/opt-350m/")).sort("finetuning_examples")
    size, y = rows["finetuning_examples"].to_numpy().astype(float), rows["finetune_wmt19_loss"].to_numpy()
    law = laws.load("broken", {"sources": ["s"], "series": {}})
    x = np.log(size)[:, None]
    theirs = np.log1p(law.curve(broken.search(size, y), x)) - np.log1p(y)
    target = Target("t", "T", "t", (Covariate("finetuning_examples", "ln"),), 0.0, 1.0, 0.0, 15.0, "s")
    names = tuple(rows["subject_id"])
    own = fit(law, TrainingTable(target, names, names, (DAY,) * len(y), (DAY,) * len(y), x, y), 7, 2)
    ours = np.log1p(law.curve(own.point, own.table.x)) - np.log1p(own.table.y)

    assert len(y) == 14
    print(f"A12 real series, RMSLE: the authors' search {np.sqrt((theirs**2).mean()):.2e}, ours {np.sqrt((ours**2).mean()):.2e}")
    # They minimise different things (ln(y + 1) and squares; ln y and Huber's loss), hence not the same to the last digit.
    assert np.sqrt((ours**2).mean()) == pytest.approx(np.sqrt((theirs**2).mean()), rel=0.15)


@pytest.mark.parametrize(
    ("sizes", "expected"), [((6.34e9, 242e9, 25e9), 2.2256440889984477), ((8.67e9, 178e9, 25e9), 2.2269634075087867)]
)
def test_a13_the_data_constrained_law_gives_its_authors_two_losses(sizes: tuple[float, ...], expected: float) -> None:
    law = laws.load("data_constrained", {"sources": ["s"], "losses": {}})
    point = np.array([np.exp(0.6254804), 6.255414, 7.3049974, 0.3526596, 5.309743, 15.387756])

    compare("A13", f"loss at {sizes}", float(law.curve(point, np.log([sizes]))[0]), expected, 1e-9)


def squares(law: Law, x: Array, y: Array, starts: Array | None = None) -> Array:
    """Fit by plain least squares on the raw value, from the law's own starts; return the frozen form."""
    design: Design = law.design(x, np.ones((1, len(y))))
    target = Target("t", "T", "t", tuple(Covariate(f"x{i}") for i in range(x.shape[1])), 0.0, 1.0, 0.0, 20.0, "s")
    problem: LeastSquaresProblem = problem_for(law, design, y, law.parameters(target, x.shape[1]))
    plain = replace(problem, log=False, loss=LINEAR, prior_centre=None, prior_weight=None)
    found = solve(plain, np.ones((1, len(y))), law.starts(design.features, y) if starts is None else starts)
    return np.asarray(design.fold(found.parameters[:, found.best[0]])[0])


@pytest.fixture(scope="module")
def runs() -> dict[str, dict[str, Any]]:
    return {row["subject_id"].removeprefix("gadre/"): row for row in record("gadre").iter_rows(named=True)}


@pytest.fixture(scope="module")
def chance() -> dict[str, float]:
    rows = pl.read_csv(ROOT / "registry" / "quantities.csv", infer_schema_length=None)
    return {task: float(rows.filter(pl.col("quantity_id") == f"gadre_{task}")["chance"][0]) for task in TASKS}


def subset(runs: dict[str, dict[str, Any]], chance: dict[str, float]) -> list[str]:
    """Tasks on which at least one run of 0.154 billion parameters is ten points or more above chance."""
    small = [row for name, row in runs.items() if "-d576-" in name]
    return [task for task in TASKS if any(row[f"gadre_{task}"] - chance[task] >= 0.1 for row in small)]


def sizes(runs: dict[str, dict[str, Any]], names: list[str]) -> Array:
    return np.log([[runs[name][size] for size in SIZES] for name in names])


def column(runs: dict[str, dict[str, Any]], names: list[str], quantity: str) -> Array:
    return np.array([runs[name][quantity] for name in names])


FIVE = ["rpj-d96-l8-h4-1.0", "rpj-d512-l8-h4-1.0", "rpj-d576-l24-h8-1.0", "rpj-d1024-l24-h8-1.0", "rpj-d96-l8-h4-16.0"]
LARGE, LONG = "rpj-open-lm-7b-1.0", "rpj-open-lm-1b-32.0"


def loss_point(runs: dict[str, dict[str, Any]]) -> tuple[Law, Array]:
    law = laws.load("over_training", {"sources": ["s"], "surfaces": {}, "preset": "authors"})
    return law, squares(law, sizes(runs, FIVE), column(runs, FIVE, "gadre_c4_loss"))


@pytest.mark.parametrize(("run", "expected"), [(LARGE, 0.7320), (LONG, 0.7103)])
def test_a14_five_small_runs_forecast_the_losses_of_two_large_ones(
    runs: dict[str, dict[str, Any]], run: str, expected: float
) -> None:
    law, point = loss_point(runs)
    said, came = law.curve(point, sizes(runs, [run]))[0], runs[run]["gadre_c4_loss"]

    compare("A14", f"loss of {run}, relative error in %", float(100.0 * abs(said - came) / came), expected, 1e-3)


def test_a14_the_seventeen_tasks_follow_from_a_rule_and_have_the_printed_chance_error(
    runs: dict[str, dict[str, Any]], chance: dict[str, float]
) -> None:
    chosen = subset(runs, chance)

    assert len(chosen) == 17
    assert tuple(chosen) == MEANS["gadre_mean_of_17"]
    for quantity, tasks in MEANS.items():
        expected = [np.mean([row[f"gadre_{task}"] for task in tasks]) for row in runs.values()]
        np.testing.assert_allclose([row[quantity] for row in runs.values()], expected, rtol=1e-12)
    compare("A14", "chance error of 17 tasks", float(1.0 - np.mean([chance[task] for task in chosen])), 0.8088, 5e-5)
    compare("A14", "chance error of 46 tasks", float(1.0 - np.mean(list(chance.values()))), 0.75, 5e-3)


@pytest.mark.parametrize(("run", "expected"), [(LARGE, 0.0464), (LONG, 3.6365)])
def test_a14_the_forecast_loss_gives_the_printed_error_on_seventeen_tasks(
    runs: dict[str, dict[str, Any]], chance: dict[str, float], run: str, expected: float
) -> None:
    chosen = subset(runs, chance)
    six = [*FIVE, "rpj-open-lm-1b-1.0"]

    def score(name: str) -> float:
        return float(np.mean([runs[name][f"gadre_{task}"] for task in chosen]))

    law = laws.load("error_loss", {"sources": ["s"], "series": {}})
    guessing = float(np.mean([chance[task] for task in chosen]))
    # The law runs on the scale where chance is 0; the paper on the error itself. The bounds of epsilon differ, not the minimum.
    shifted = (np.array([score(name) for name in six]) - guessing) / (1.0 - guessing)
    point = squares(law, column(runs, six, "gadre_c4_loss")[:, None], shifted)
    loss, at = loss_point(runs)
    forecast = loss.curve(at, sizes(runs, [run]))
    error = 1.0 - guessing - (1.0 - guessing) * float(law.curve(point, forecast[:, None])[0])
    came = 1.0 - score(run)

    compare("A14", f"error of {run} on 17 tasks, relative error in %", 100.0 * abs(error - came) / came, expected, 1e-3)
