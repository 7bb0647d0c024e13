"""The table of released models: rows in common, releases as draws, and what the default reaches against the printed form."""

from __future__ import annotations

import dataclasses
import shutil
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from tests.conftest import ROOT, Built

from foresaid import params
from foresaid.cli.main import main
from foresaid.evaluation import hindcast
from foresaid.evaluation.tables import score_rows
from foresaid.files import write_frame
from foresaid.params import Hindcast
from foresaid.pipeline.score import WANTED, adopted_rows
from foresaid.registry import database
from foresaid.report.sections.preregistration import markdown
from foresaid.studies import preregistration


def rows(law: str, points: list[float], value: float = 0.5, evidence: str = "hindcast") -> pl.DataFrame:
    n = len(points)
    return pl.DataFrame(
        {
            "evidence": [evidence] * n,
            "case": ["c"] * n,
            "law": [law] * n,
            "quantity_id": ["q"] * n,
            "subject_id": [f"m{i}" for i in range(n)],
            "release": [f"f{i // 2}" for i in range(n)],
            "observed": [value] * n,
            "point": points,
            "wis": [abs(point - value) for point in points],
            "covered_80": [None if evidence == "adopted" else True] * n,
        },
        schema_overrides={"covered_80": pl.Boolean},
    )


def case(split: str) -> Hindcast:
    return dataclasses.replace(params.load(ROOT / "params.yaml").hindcast["obsscaling-2024-05"], split=split)


def test_a_form_without_interval_has_its_absolute_error_for_a_score() -> None:
    both = pl.concat([rows(preregistration.DEFAULT, [0.4, 0.5]), rows("printed_forms", [0.3, 0.9], evidence="adopted")])
    compared = preregistration.compare(both, {"c": case("released")}, 1)
    found = {(one.task, one.forecaster): one for one in compared[0].beside_preset}

    assert found["q", preregistration.PRESET].wis == pytest.approx(0.3)
    assert found["q", preregistration.PRESET].mae == pytest.approx(0.3)
    assert np.isnan(found["all", preregistration.PRESET].coverage)
    assert found["all", preregistration.DEFAULT].mae == pytest.approx(0.05)
    assert found["all", preregistration.DEFAULT].coverage == 1.0
    assert compared[0].beside_all == []  # no baseline answered


def test_only_rows_that_all_answered_count() -> None:
    both = pl.concat([rows("a", [0.4, 0.5, 0.6]), rows("b", [0.5])])
    found = preregistration.table(both, ["a", "b"], np.random.default_rng(0))

    assert {one.rows for one in found} == {1}
    assert markdown(found)[0].startswith("| task | forecaster |")


def test_hindcasts_by_scale_and_without_the_default_are_not_compared() -> None:
    both = pl.concat([rows(preregistration.DEFAULT, [0.4]), rows("printed_forms", [0.3], evidence="adopted")])

    assert preregistration.compare(both, {"c": case("larger")}, 1) == []
    assert preregistration.compare(both.filter(pl.col("law") != preregistration.DEFAULT), {"c": case("released")}, 1) == []


def test_the_default_scores_below_the_printed_form_on_models_released_later(built: Built, tmp_path: Path) -> None:
    shipped = params.load(ROOT / "params.yaml")
    asked = dataclasses.replace(shipped.hindcast["obsscaling-2024-05"], laws=("observational",))
    connection = database.open_database(built.build / "database")
    few = dataclasses.replace(shipped, replicates=60)
    forecasts, _ = hindcast.run_case("obsscaling-2024-05", asked, few, connection, built.registry)
    day = date(2024, 10, 1)
    printed = adopted_rows(built.registry, database.as_of(connection, day), database.resolutions(connection, day))
    connection.close()
    past = forecasts.with_columns(evidence=pl.lit("hindcast")).select(WANTED)
    scored = score_rows(pl.concat([printed, past]).filter(pl.col("point").is_not_null()))
    compared = preregistration.compare(scored, {"obsscaling-2024-05": asked}, shipped.seed)
    found = compared[0]
    pooled = {one.forecaster: one for one in found.beside_preset if one.task == "all"}

    # Measured with 200 replicates: docs/results-seed.md.
    assert pooled["observational"].rows == 77
    assert pooled["observational"].wis < pooled[preregistration.PRESET].wis
    assert pooled["observational"].mae < pooled[preregistration.PRESET].mae
    assert 0.70 <= pooled["observational"].coverage <= 0.90

    # `foresaid released` prints what the stage `score` kept of it.
    shutil.copy(ROOT / "params.yaml", tmp_path)
    write_frame(tmp_path / "build" / "score_tables" / "preregistration.parquet", preregistration.as_frame(compared))
    said = CliRunner().invoke(main, ["--root", str(tmp_path), "released"])
    assert said.exit_code == 0, said.output
    assert all(line in said.output.splitlines() for line in markdown(found.beside_preset))
