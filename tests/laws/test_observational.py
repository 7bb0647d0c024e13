"""The observational law against the numbers of its paper and of laws re-run on its public data.

Ruan, Maddison, Hashimoto, arXiv 2405.10938v3: explained variance of the components, and the errors of the pre-registered
forms on the models they were registered for.
"""

from __future__ import annotations

import dataclasses
from datetime import date

import numpy as np
import polars as pl
import pytest
from tests.conftest import ROOT, Built

from foresaid import params
from foresaid.evaluation import hindcast
from foresaid.fitting.components import components
from foresaid.fitting.imputation import impute
from foresaid.forecasting import published as adopted
from foresaid.forecasting import splits
from foresaid.laws._loader import load
from foresaid.pipeline.score import adopted_rows
from foresaid.registry import database as database_module

# Errors on the models of the paper's own list: printed coefficients, then the fit frozen in May 2024 (n, mean squared error).
PRINTED = {
    "bigbench_word_unscrambling": (18, 5.20e-3),
    "bigbench_parsinlu_qa": (15, 5.74e-3),
    "bigbench_arithmetic_3ds": (18, 2.08e-3),
    "bigbench_arithmetic_2dm": (18, 4.07e-3),
    "gsm8k_naive": (18, 4.19e-3),
    "gsm8k_cot": (17, 8.35e-3),
    "gsm8k_cot_self_consistency": (18, 8.02e-3),
}
FROZEN = {
    "bigbench_word_unscrambling": (19, 5.12e-3),
    "bigbench_arithmetic_3ds": (19, 1.97e-3),
    "bigbench_arithmetic_2dm": (19, 3.92e-3),
    "gsm8k_naive": (19, 5.25e-3),
    "gsm8k_cot": (18, 7.91e-3),
    "gsm8k_cot_self_consistency": (19, 7.63e-3),
}
FROZEN_COMPUTE = {
    "bigbench_word_unscrambling": (10, 1.31e-2),
    "bigbench_arithmetic_3ds": (10, 2.40e-2),
    "bigbench_arithmetic_2dm": (10, 1.75e-1),
    "gsm8k_naive": (10, 2.26e-2),
    "gsm8k_cot": (9, 6.86e-2),
    "gsm8k_cot_self_consistency": (10, 6.85e-2),
}


def test_explained_variance_of_the_77_models_is_the_papers(built: Built) -> None:
    view = built.as_of("2024-05-31")
    metrics = list(built.params.laws["observational"]["metrics"])
    scores = ["gsm8k_naive", "gsm8k_cot", "bbh_naive"]
    wide = view.wide([*metrics, *scores], ("obsscaling",))
    # The paper's 77 are the rows of its post-training table; these two stand there without a single score.
    unscored = pl.col("subject_id").is_in(["tiiuae/falcon-180b", "bigscience/bloom"])
    evaluated = wide.filter(pl.any_horizontal(pl.col(scores).is_not_null()) | unscored)
    values = evaluated.select(metrics).to_numpy().astype(float)
    one = np.ones((1, len(values)))

    found = components(impute(values, one).values, one, 3).explained[0, :3]

    assert len(values) == 77
    np.testing.assert_allclose(found, [0.8016, 0.1190, 0.0463], atol=1e-3)


def _span(quantity_id: str) -> float:
    # The paper scores Persian QA on the scale where guessing (0.25) is zero.
    return 0.75 if quantity_id == "bigbench_parsinlu_qa" else 1.0


@pytest.mark.parametrize("quantity_id", PRINTED)
def test_the_printed_coefficients_reproduce_their_errors(built: Built, quantity_id: str) -> None:
    connection = database_module.open_database(built.build / "database")
    published = database_module.resolutions(connection, date(2024, 10, 1))
    connection.close()
    rows = adopted_rows(built.registry, built.as_of("2024-10-01"), published)
    rows = rows.filter((pl.col("quantity_id") == quantity_id) & pl.col("point").is_not_null())

    found = (((rows["point"] - rows["observed"]) / _span(quantity_id)) ** 2).mean()

    assert rows.height == PRINTED[quantity_id][0]
    assert found == pytest.approx(PRINTED[quantity_id][1], rel=0.02)


@pytest.fixture(scope="module")
def listed(built: Built) -> pl.DataFrame:
    shipped = params.load(ROOT / "params.yaml")
    case = shipped.hindcast["obsscaling-2024-05-listed"]
    connection = database_module.open_database(built.build / "database")
    few = dataclasses.replace(shipped, replicates=2)
    return hindcast.run_case("listed", case, few, connection, built.registry)[0]


@pytest.mark.parametrize(("law", "expected"), [("observational", FROZEN), ("compute_sigmoid", FROZEN_COMPUTE)])
def test_the_frozen_fit_reproduces_its_errors(listed: pl.DataFrame, law: str, expected: dict[str, tuple[int, float]]) -> None:
    for quantity_id, (n, error) in expected.items():
        rows = listed.filter((pl.col("law") == law) & (pl.col("quantity_id") == quantity_id) & pl.col("point").is_not_null())

        found = ((rows["point"] - rows["observed"]) ** 2).mean()

        assert (quantity_id, rows.height) == (quantity_id, n)
        assert found == pytest.approx(error, rel=0.02), quantity_id


def test_no_model_of_the_list_trains_not_even_one_below_the_cut_off(built: Built) -> None:
    # google/gemma-2-2b has 24e21 FLOPs: a cut-off at 84e21 alone would take it in.
    record = adopted.load(built.registry / "adopted" / "obsscaling-2024-05")
    law = load("observational", {**built.params.laws["observational"], "apply_cutoffs": True})

    for table in law.tables(built.as_of("2024-05-31")):
        assert not set(table.subjects) & set(record.models)
    later = {name for table in law.tables(built.as_of("2024-10-01")) for name in table.subjects}
    assert "google/gemma-2-2b" in later


def test_only_models_with_a_release_date_after_the_day_are_targets(built: Built) -> None:
    wanted = splits.released_after(built.as_of("2024-10-01"), date(2024, 5, 31))

    assert {"google/gemma-2-2b", "meta-llama/meta-llama-3.1-8b", "qwen/qwen2-7b"} <= wanted
    assert not {"qwen/qwen1.5-110b", "mistralai/mixtral-8x22b-v0.1", "ai21labs/jamba-v0.1", "openai-community/gpt2-xl"} & wanted
