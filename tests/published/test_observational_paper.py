"""The numbers of the seed papers, each printed as found against expected: `pytest tests/test_acceptance_seed.py -s`.

Tolerances are those stated with the numbers. What is not met, by how much and why:

- A3, weights of the two BIG-Bench Hard rows: the authors score the mean of 27 subtasks, each rescaled by its own chance; the record
  holds the plain mean, from which that cannot be made. They are reproduced from the upstream table (skipped without it).
- A3, some weights of GSM8K with chains of thought and of BIG-Bench Hard differ from the printed ones by one in the last digit, by
  optimiser: within the tolerance.
- The law's own preset `search: authors` (the engine's optimiser from the authors' start) reaches the optimum of Persian QA where
  theirs stops short; digits are therefore checked on studies/benchmark_space/paper_fit.py, which uses their optimisers.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.conftest import Built

from foresaid.fitting.components import components
from foresaid.fitting.imputation import impute
from foresaid.forecasting import published
from foresaid.registry.view import View
from foresaid.studies.benchmark_space import paper_fit
from foresaid.studies.benchmark_space.equivalent_compute import equivalent_compute, within_families
from foresaid.studies.benchmark_space.paper_fit import METRICS, TASKS, WITHOUT_GSM8K, PaperFit, PaperRows
from foresaid.studies.model_selection.v_optimal import select

ROUNDED = 0.0055  # half a unit of the second decimal, and what rounding to it may add

# L1.5, test MSE as reproduced on the authors' tables: components, compute.
TEST_ERRORS = {
    "bigbench_word_unscrambling": (3.95e-3, 1.33e-2),
    "bigbench_parsinlu_qa": (3.15e-3, 2.08e-2),
    "bigbench_arithmetic_3ds": (1.32e-2, 6.33e-2),
    "bigbench_arithmetic_2dm": (9.89e-3, 1.24e-1),
    "gsm8k_naive": (2.55e-3, 8.93e-3),
    "gsm8k_cot": (5.97e-3, 4.52e-2),
    "gsm8k_cot_self_consistency": (6.44e-3, 4.63e-2),
    "leaderboard_gpqa": (8.27e-4, 2.30e-3),
    "leaderboard_math_hard": (2.21e-3, 1.35e-2),
    "leaderboard_bbh": (1.50e-3, 2.66e-2),
}
# Table C.1: height, equivalent-compute slope and intercept, weights on the task's metrics, intercept.
FORMS: dict[str, tuple[float, tuple[float, float], list[float], float]] = {
    "bigbench_word_unscrambling": (1.00, (2.00, -6.11), [1.02, 3.02, 5.73, 2.44, -1.06, 1.21, 2.48, -0.08], -12.28),
    "bigbench_parsinlu_qa": (1.00, (2.32, -8.43), [2.08, 1.06, 1.13, 0.53, 0.36, 2.89, 0.66, 1.55], -7.98),
    "bigbench_arithmetic_3ds": (1.00, (5.50, -8.92), [2.17, 2.32, -3.44, -7.96, 0.65, 34.27, 20.39], -20.99),
    "bigbench_arithmetic_2dm": (1.00, (2.22, -4.45), [1.62, 1.95, 0.55, -0.63, 0.14, 6.80, 6.52], -8.00),
    "gsm8k_naive": (1.00, (1.09, -4.77), [1.53, 1.30, 1.22, 0.75, 0.16, 0.13, 1.92], -5.97),
    "gsm8k_cot": (1.00, (2.04, -5.53), [5.03, 2.04, -0.10, 0.96, 1.75, -2.39, 2.58], -4.77),
    "gsm8k_cot_self_consistency": (1.00, (2.19, -5.74), [5.58, 2.27, -0.08, 1.11, 1.97, -2.78, 2.45], -4.95),
    "agentbench_overall": (0.99, (1.00, -5.52), [2.34, 0.82, 0.32, 0.54, 0.60, -0.42, 2.63], -6.37),
    "agentboard_success_rate": (0.97, (0.98, -6.60), [-0.10, -0.31, -0.55, 0.14, 0.56, 2.28, 3.36], -5.06),
}
LAST_DIGIT = 0.01 + 0.005  # tolerance of A3, and half a unit of the last printed digit
# L1.5, agents: training and test MSE for one to four components.
AGENTS = {
    "agentbench_overall": [(6.8e-4, 5.7e-3), (4.6e-4, 2.6e-4), (3.7e-4, 2.2e-4), (3.5e-4, 1.0e-3)],
    "agentboard_success_rate": [(5.9e-4, 2.0e-2), (3.2e-4, 1.3e-3), (2.9e-4, 3.6e-3), (9.1e-5, 1.8e-2)],
}
# L1.6, second table: frozen components (n, MSE, MAE), frozen compute (n, MSE, MAE), on the released models of the list.
RELEASED = {
    "bigbench_word_unscrambling": ((19, 5.12e-3, 0.055), (10, 1.31e-2, 0.091)),
    "bigbench_parsinlu_qa": ((16, 5.53e-3, 0.065), (7, 4.98e-2, 0.215)),
    "bigbench_arithmetic_3ds": ((19, 1.97e-3, 0.018), (10, 2.40e-2, 0.107)),
    "bigbench_arithmetic_2dm": ((19, 3.92e-3, 0.044), (10, 1.75e-1, 0.392)),
    "gsm8k_naive": ((19, 5.25e-3, 0.053), (10, 2.26e-2, 0.132)),
    "gsm8k_cot": ((18, 7.91e-3, 0.063), (9, 6.86e-2, 0.221)),
    "gsm8k_cot_self_consistency": ((19, 7.63e-3, 0.057), (10, 6.85e-2, 0.214)),
}
R2 = {
    "Llama-2": 1.000, "XGLM": 0.988, "Pythia": 0.985, "OPT": 0.984, "BLOOM": 0.981, "Llama": 0.981, "StarCoder": 0.974,
    "Qwen1.5": 0.972, "Qwen": 0.964, "CodeLlama": 0.959, "DeepSeek-Coder": 0.959, "GPT-Neo/J": 0.945, "Falcon": 0.940,
    "StarCoder2": 0.899,
}  # fmt: skip


def said(what: str, expected: object, found: object) -> None:
    """Print one line of the table."""

    def words(value: object) -> str:
        if isinstance(value, float):
            return f"{value:.4g}"
        return "[" + ", ".join(words(one) for one in value) + "]" if isinstance(value, list | tuple) else str(value)

    print(f"{what}: expected {words(expected)}, found {words(found)}")


@pytest.fixture(scope="module")
def before(built: Built) -> View:
    return built.as_of("2024-05-31")


@pytest.fixture(scope="module")
def later(built: Built) -> View:
    return built.as_of("2024-10-01")


@pytest.fixture(scope="module")
def registered(built: Built) -> frozenset[str]:
    return frozenset(published.load(built.registry / "adopted" / "obsscaling-2024-05").models)


@pytest.fixture(scope="module")
def fitted(later: View, registered: frozenset[str]) -> Callable[..., tuple[PaperRows, PaperFit]]:
    def make(quantity_id: str, wanted: int = 3) -> tuple[PaperRows, PaperFit]:
        task = TASKS[quantity_id]
        rows = paper_fit.rows(later, task, registered)
        return rows, paper_fit.fit(rows.x[rows.trains], rows.y[rows.trains], task.optimiser, wanted)

    return make


def squared(miss: Any) -> float:
    return float((miss[~np.isnan(miss)] ** 2).mean())


def post_training(view: View) -> pl.DataFrame:
    """Return the 77 models of the post-training table; two stand there without a single score."""
    scores = ["gsm8k_naive", "gsm8k_cot", "bbh_naive"]
    unscored = pl.col("subject_id").is_in(["tiiuae/falcon-180b", "bigscience/bloom"])
    wide = view.wide([*METRICS, *scores, "training_flops"], ("obsscaling",))
    return wide.filter(pl.any_horizontal(pl.col(scores).is_not_null()) | unscored)


def test_a1_explained_variance(before: View) -> None:
    wide = post_training(before)
    values = wide.select(METRICS).to_numpy().astype(float)
    one = np.ones((1, len(values)))
    found = components(impute(values, one).values, one, 3).explained[0, :3].tolist()
    said("A1 explained variance", [0.8016, 0.1190, 0.0463], found)

    np.testing.assert_allclose(found, [0.8016, 0.1190, 0.0463], atol=1e-3)


@pytest.mark.parametrize("quantity_id", TEST_ERRORS)
def test_a2_test_errors(fitted: Callable[..., tuple[PaperRows, PaperFit]], quantity_id: str) -> None:
    rows, found = fitted(quantity_id)
    task, test = TASKS[quantity_id], ~rows.trains
    known, compute = np.isfinite(rows.flops) & rows.trains, np.isfinite(rows.flops) & test
    baseline = paper_fit.fit_compute(rows.flops[known], rows.y[known], task.optimiser)
    errors = (
        squared(found.predict(rows.x[test]) - rows.y[test]),
        squared(baseline.predict(np.log(rows.flops[compute] / 1e21)[:, None]) - rows.y[compute]),
    )
    said(f"A2 {quantity_id}, components and compute", TEST_ERRORS[quantity_id], errors)

    assert errors == pytest.approx(TEST_ERRORS[quantity_id], rel=0.02)


@pytest.mark.parametrize("quantity_id", FORMS)
def test_a3_registered_forms(fitted: Callable[..., tuple[PaperRows, PaperFit]], quantity_id: str) -> None:
    rows, found = fitted(quantity_id)
    height, axis, weights, intercept = FORMS[quantity_id]
    said(f"A3 {quantity_id}, weights", weights, found.weights.round(2).tolist())
    said(f"A3 {quantity_id}, intercept, height", (intercept, height), (found.intercept, 1.0 - found.floor))
    reference = np.array([family == ("Llama-2-Chat" if "agent" in quantity_id else "Llama-2") for family in rows.families])
    if reference.sum() > 1:  # the chat family stands under its own name
        line = equivalent_compute(np.zeros(1), found.score(rows.x[reference]), rows.flops[reference] / 1e21)[1]
        said(f"A3 {quantity_id}, equivalent compute", axis, (line.slope, line.intercept))
        assert (line.slope, line.intercept) == pytest.approx(axis, abs=LAST_DIGIT)

    np.testing.assert_allclose(found.weights, weights, atol=LAST_DIGIT)
    assert found.intercept == pytest.approx(intercept, abs=LAST_DIGIT)
    assert 1.0 - found.floor == pytest.approx(height, abs=LAST_DIGIT)


@pytest.mark.parametrize("quantity_id", AGENTS)
def test_a4_agents_by_number_of_components(fitted: Callable[..., tuple[PaperRows, PaperFit]], quantity_id: str) -> None:
    for wanted, expected in enumerate(AGENTS[quantity_id], start=1):
        rows, found = fitted(quantity_id, wanted)
        near, far = rows.trains, ~rows.trains
        errors = squared(found.predict(rows.x[near]) - rows.y[near]), squared(found.predict(rows.x[far]) - rows.y[far])
        said(f"A4 {quantity_id}, K = {wanted}, training and test", expected, errors)

        # Printed to two digits, so half a unit of the second is allowed beside the 2 %.
        assert errors == pytest.approx(expected, rel=0.035)


def test_a5_optimal_choices_of_families(before: View) -> None:
    wide = before.wide([*METRICS, "gsm8k_naive", "training_flops"], ["obsscaling"]).drop_nulls(METRICS)
    wide = wide.filter((pl.col("kind") == "model") & pl.col("gsm8k_naive").is_not_null() & (pl.col("training_flops") <= 84e21))
    values, one = wide.select(METRICS).to_numpy().astype(float), np.ones((1, wide.height))
    scores = components(values[None], one, 3).scores(values[None])[0]
    expected = [26.76, 8.84, 6.31, 5.27, 4.55]
    found = [choice.objective for choice in select(scores, list(wide["family"]), [4, 8, 12, 16, 20])]
    said("A5 objectives at budgets 4, 8, 12, 16, 20", expected, found)

    assert found == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("quantity_id", RELEASED)
def test_a6_errors_on_released_models(before: View, later: View, registered: frozenset[str], quantity_id: str) -> None:
    task = TASKS[quantity_id]
    known, after = paper_fit.rows(before, task), paper_fit.rows(later, replace_population(task), registered)
    frozen = paper_fit.fit(known.x[known.trains], known.y[known.trains], task.optimiser)
    compute = paper_fit.fit_compute(known.flops[known.trains], known.y[known.trains], task.optimiser)
    test = np.isin(np.array(after.subjects), sorted(registered))
    priced = test & np.isfinite(after.flops)
    made = []
    for miss in (
        frozen.predict(after.x[test]) - after.y[test],
        compute.predict(np.log(after.flops[priced] / 1e21)[:, None]) - after.y[priced],
    ):
        inside = miss[~np.isnan(miss)]
        made.append((len(inside), squared(miss), float(np.abs(inside).mean())))
    for label, expected, found in zip(("components", "compute"), RELEASED[quantity_id], made, strict=True):
        said(f"A6 {quantity_id}, {label}: n, MSE, MAE", expected, found)
        assert expected[0] == found[0]
        assert found[1] == pytest.approx(expected[1], rel=0.02)
        assert found[2] == pytest.approx(expected[2], abs=ROUNDED / 10 + 0.02 * expected[2])


def replace_population(task: paper_fit.Task) -> paper_fit.Task:
    """Score every released model, whatever is known of its family's compute."""
    return dataclasses.replace(task, with_compute_only=False)


def test_within_families_the_first_component_is_a_line_in_compute(before: View) -> None:
    wide = post_training(before)
    values, one = wide.select(METRICS).to_numpy().astype(float), np.ones((1, wide.height))
    filled = impute(values, one).values
    scores = components(filled, one, 3).scores(filled)[0]
    lines = within_families(scores, wide["training_flops"].to_numpy().astype(float), list(wide["family"]))
    found = {name: round(lines[name][0].r2, 3) for name in sorted(lines, key=lambda name: -lines[name][0].r2)}
    said("L1.5 R2 within families", R2, found)
    said("L1.5 mean R2 of components 2 and 3", (0.67, 0.76), tuple(np.mean([[one.r2 for one in v[1:]] for v in lines.values()], 0)))

    assert found == pytest.approx(R2, abs=1e-3)


def test_a7_arithmetic_on_the_printed_table_of_the_emergence_paper() -> None:
    # Band of MCMC, band of bootstrap (5 and 95 %), estimate, ground truth, printed error; nats.
    table = {
        "GSM8K": ((1.813, 2.003), (1.978, 2.036), 2.006, 1.984, 0.022),
        "MMLU": ((1.825, 1.869), (1.818, 1.871), 1.855, 1.814, 0.041),
        "CommonsenseQA": ((1.781, 1.843), (1.723, 1.863), 1.830, 1.827, 0.003),
        "CoLA": ((1.712, 1.804), (1.738, 1.798), 1.769, 1.833, 0.064),
        "MMLU, OpenLLaMA V1": ((2.207, 2.261), (2.183, 2.250), 2.254, 2.226, 0.028),
        "MMLU, OpenLLaMA V2": ((2.264, 2.320), (2.249, 2.311), 2.311, 2.318, 0.007),
    }
    errors = {name: round(abs(row[2] - row[3]), 3) for name, row in table.items()}
    inside = [
        sum(mcmc[0] <= truth <= mcmc[1] for mcmc, _, _, truth, _ in table.values()),
        sum(resampled[0] <= truth <= resampled[1] for _, resampled, _, truth, _ in table.values()),
    ]
    said("A7 errors", [row[4] for row in table.values()], list(errors.values()))
    said("A7 bands that hold the truth, MCMC and bootstrap, of 6", [4, 3], inside)

    assert errors == {name: row[4] for name, row in table.items()}
    assert inside == [4, 3]


def test_a8_the_jump_of_multiple_choice_mmlu(built: Built) -> None:
    wide = (
        built.as_of("2026-11-21")
        .wide(["olmo_mmlu_mc", "olmo_c4_loss"], ("olmo-ladder",))
        .drop_nulls(["olmo_mmlu_mc", "olmo_c4_loss"])
    )
    wide = wide.filter(pl.col("run") == "olmo-ladder/7b")
    loss, score = wide["olmo_c4_loss"].to_numpy(), wide["olmo_mmlu_mc"].to_numpy()
    found = float(score[loss >= 2.73].max()), float(score[np.abs(loss - 2.67) < 0.005].min())
    said("A8 largest score down to a loss of 2.73, least at 2.67", (0.28, 0.43), found)

    assert found[0] <= 0.28 + 0.02
    assert found[1] >= 0.43 - 0.02


@pytest.mark.parametrize(
    ("truth", "printed"),
    [((-5.0, 0.62, 1.3), (21.5, 22.0, 22.4, 22.6, 22.7)), ((-2.0, 0.16, 3.0), (6.8, 7.8, 8.7, 9.4, 9.9))],
)
def test_a9_profiles_of_the_bleu_exponent(truth: tuple[float, float, float], printed: tuple[float, ...]) -> None:
    x = np.log(np.geomspace(2e9, 1.28e11, 8))
    y = (truth[0] + truth[1] * x) ** truth[2]
    made = []
    for beta in (0.5, 1.0, 2.0, 4.0, 8.0):
        slope, level = np.polyfit(x[:4], y[:4] ** (1.0 / beta), 1)
        made.append(float((level + slope * x[7]) ** beta))
    said(f"A9 forecasts of the eighth point, truth {truth}", list(printed), made)

    np.testing.assert_allclose(made, printed, atol=0.05 + 0.005)


def upstream(vintage: str) -> Path:
    mirror = os.environ.get("FORESAID_MIRROR")
    if not mirror:
        pytest.skip("FORESAID_MIRROR is not set: the upstream tables are not in the repository")
    return Path(mirror) / vintage / "eval_results"


@pytest.mark.parametrize(
    ("column", "weights", "intercept"),
    [
        ("bbh_fewshot_overall_3_exact_match,flexible-extract,norm", [1.41, 1.05, 0.75, 0.36, 0.11, 0.61, 3.63], -5.47),
        ("bbh_cot_fewshot_overall_3_exact_match,flexible-extract,norm", [0.84, 1.30, 1.57, 0.42, -0.44, 1.96, 5.62], -6.61),
    ],
)
def test_a3_forms_of_bbh_from_the_rescaled_upstream_column(column: str, weights: list[float], intercept: float) -> None:
    folder = upstream("ryoungj+ObsScaling@2024-05-31")
    base, post = (pl.read_csv(folder / f"base_llm_{name}_eval.csv") for name in ("benchmark", "post_training"))
    table = base.join(post.select("Model", column), on="Model", how="inner").drop_nulls(column)
    table = table.filter(pl.col("FLOPs (1E21)") <= 84.0)
    x = table.select("MMLU", "ARC-C", "HellaSwag", "Winograd", "TruthfulQA", "XWinograd", "HumanEval").to_numpy().astype(float)
    found = paper_fit.fit(x, table[column].to_numpy().astype(float), "trf")
    said(f"A3 {column}", [*weights, intercept], [*found.weights.round(2).tolist(), found.intercept])

    np.testing.assert_allclose(found.weights, weights, atol=LAST_DIGIT)
    assert found.intercept == pytest.approx(intercept, abs=LAST_DIGIT)
    assert len(WITHOUT_GSM8K) == x.shape[1]
