"""What one stage writes is what the next reads: files that dvc.yaml names, columns of tables, keys of entries."""

from __future__ import annotations

import ast
import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest
import yaml
from tests.conftest import ROOT, Built

from foresaid import canonical_json
from foresaid.evaluation import claims, tables
from foresaid.evaluation.schema import KEY, SCHEMA, SCORED, UNITS
from foresaid.fitting.frozen_curve import CurveRecord
from foresaid.forecasting.floors import items_of
from foresaid.pipeline import fit, freeze, score
from foresaid.registry import database, schema
from foresaid.report import inputs as report_inputs
from foresaid.scoring.levels import LEVELS

PACKAGE = ROOT / "pipelines" / "foresaid"
STAGES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
READERS = {
    **{
        name: PACKAGE / "pipeline" / f"{name}.py"
        for name in ("database", "needs", "fit", "hindcast", "study", "capability", "freeze", "score")
    },
    "report": PACKAGE / "report" / "inputs.py",
}
UNLISTED = {"build/cache"}  # kept between runs beside the graph: a key of its own decides what is used again


def below_build(path: Path) -> set[str]:
    """The files and folders below build/ that a module names, as `build / "name"` or by a constant of its own."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = {
        node.targets[0].id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and isinstance(node.value, ast.Constant)
    }
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.left, ast.Name) and node.left.id in ("build", "build_folder"):
            name = node.right.value if isinstance(node.right, ast.Constant) else constants.get(getattr(node.right, "id", ""))
            found |= {f"build/{name}"} if isinstance(name, str) else set()
    return found


def place(item: object) -> str:
    """The file or folder that an entry of dvc.yaml stands for: that of all laws for one law's, a folder for the digests in it."""
    return str(item).replace("/${key}", "").removesuffix("/digests.json")


@pytest.mark.parametrize("stage", READERS)
def test_what_a_stage_names_below_build_stands_in_its_entry_of_dvc_yaml(stage: str) -> None:
    entry = STAGES[stage].get("do", STAGES[stage])
    listed = {place(item) for item in [*entry["deps"], *entry.get("outs", [])]}
    listed |= {"build/database"} if any(item.startswith("build/needs/") for item in entry["deps"]) else set()  # by its digests
    commands = {"build/rolling_full.parquet", "build/rolling_full.json"} if stage == "hindcast" else set()  # of `foresaid rolling`
    named = below_build(READERS[stage])

    assert named, stage
    assert named - UNLISTED - commands <= listed


def test_what_a_stage_reads_below_build_another_stage_writes() -> None:
    entries = [stage.get("do", stage) for stage in STAGES.values()]
    written = {place(item) for entry in entries for item in entry.get("outs", [])}
    read = {place(item) for entry in entries for item in entry["deps"] if str(item).startswith("build/")}

    assert {item for item in read if not item.startswith(("build/inputs/", "build/needs/"))} <= written


def test_ingest_and_database_write_the_columns_of_the_schema(built: Built) -> None:
    for name in built.params.sources:
        assert dict(pl.read_parquet_schema(built.build / "observations" / f"{name}.parquet")) == schema.SCHEMA
    wanted = {"model": schema.MODEL, "quantity": schema.QUANTITY, "subject": schema.SUBJECT}
    for name, columns in wanted.items():
        assert dict(pl.read_parquet_schema(built.build / "tables" / f"{name}.parquet")) == columns
        assert set(columns) <= set(pl.read_parquet_schema(built.build / "database" / f"{name}.parquet"))
    assert set(database.OBSERVED) <= set(pl.read_parquet_schema(built.build / "database" / database.HISTORY))


def test_the_digests_beside_the_tables_are_those_of_every_file_that_is_read(built: Built) -> None:
    folder = built.build / "database"
    digests = json.loads((folder / "digests.json").read_text())

    assert set(digests) == {path.name for path in folder.iterdir()} - {"digests.json", "load.sql"}
    assert digests == {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in digests}


@pytest.mark.parametrize("law", ["observational", "compute_sigmoid"])
def test_fit_writes_a_curve_a_draft_rows_and_a_drawing_for_each_target(built: Built, law: str) -> None:
    folder = built.build / "fits" / law
    curves, drafts, rows = (
        canonical_json.parse_lines((folder / f"{name}.jsonl").read_bytes()) for name in ("curves", "drafts", "training")
    )
    described = json.loads((folder / "metrics.json").read_text())
    drawing = pl.read_parquet(folder / "drawing.parquet")

    fields = {field.encode_name for field in msgspec.structs.fields(CurveRecord)}
    assert all(set(curve) <= fields for curve in curves)
    names = [curve["target_id"] for curve in curves]
    assert names
    counted = items_of(database.open_database(built.build / "database"))
    assert {curve["quantity_id"]: curve["items"] for curve in curves} == {
        curve["quantity_id"]: counted.get(curve["quantity_id"]) for curve in curves
    }
    assert any(curve["items"] for curve in curves)
    assert (
        names
        == [draft["target"]["id"] for draft in drafts]
        == [draft.target["id"] for draft in freeze.read_drafts(built.build, [law])]
    )
    assert [draft.prediction["curve"] for draft in freeze.read_drafts(built.build, [law])] == curves
    assert all("prediction" not in draft for draft in drafts)  # a curve is written once
    assert set(names) == {row["target_id"] for row in rows} == set(drawing["target_id"])
    assert drawing.columns == ["target_id", "kind", "subject_id", "cluster", "x", "observed", "point", *fit.BANDS]
    assert set(names) <= {target["target_id"] for target in described["targets"]}
    assert set(json.loads((folder / "profiles.json").read_text())) == {target["target_id"] for target in described["targets"]}


def test_score_reads_no_column_that_hindcast_does_not_write_and_writes_all_that_it_declares() -> None:
    assert set(score.WANTED) <= {*SCHEMA, "evidence"}
    assert {*KEY, *UNITS, "observed", "point", "status", "distance"} <= set(SCORED)
    blank = {
        "evidence": "hindcast",
        "split": "released",
        "law": "l",
        "role": "law",
        "case": "c",
        "target_id": "t",
        "quantity_id": "t",
    }
    row = {**blank, "series": "", "subject_id": "a/b", "cluster": "a", "released_on": date(2024, 7, 1), "as_of": date(2024, 5, 31)}
    frame = pl.DataFrame(
        [{**row, "observed": 0.4, "status": "converged", "distance": None, "point": 0.5, "quantiles": list(LEVELS)}]
    )
    scored = tables.score_rows(frame.with_columns(pl.col("distance").cast(pl.Float64)))

    assert scored.schema == SCORED
    assert scored.null_count().select(pl.exclude("distance")).row(0) == (0,) * (len(SCORED) - 1)
    measured = scored.with_columns(unit=pl.lit("fraction"))
    no_forecast = frame.filter(pl.col("point").is_null())
    assert dict(claims.claims(measured, no_forecast, 1).schema) == dict(claims.SCHEMA)


def test_report_asks_score_for_tables_that_it_writes() -> None:
    keys = set(json.loads((ROOT / "reports/metrics/score.json").read_text(encoding="utf-8")))

    assert {*report_inputs.MEANS, "claims", "accounting"} <= keys
