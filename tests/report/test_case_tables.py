"""Tables of pages hold what the stage `score` left, cell by cell, and sentences about them name the same numbers."""

from __future__ import annotations

import ast
import dataclasses
import re
from pathlib import Path

import polars as pl
import pytest
from tests.conftest import ROOT
from tests.report import test_site as world

from foresaid.report import case_tables, index_page, inputs
from foresaid.report.inputs import Material
from foresaid.text import number, percent, signed

REPORT = ROOT / "pipelines" / "foresaid" / "report"
COMPUTING = {
    "foresaid.evaluation.tables", "foresaid.evaluation.score_tables", "foresaid.evaluation.revised_outcomes",
    "foresaid.evaluation.released_scores",
    "foresaid.evaluation.hindcast", "foresaid.evaluation.replay", "foresaid.forecasting.recalibration",
    "foresaid.fitting.least_squares", "foresaid.pipeline.score",
}  # fmt: skip
NAMES = {"fit", "compare", "summarise", "skill", "by_target", "recalibrated_fits", "predict"}
SUMMING = {"mean", "median", "std", "var", "quantile", "cum_max", "cum_min", "cum_sum", "rolling_mean"}  # of a frame's column


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("cases")
    world.site(made)
    return made


@pytest.fixture(scope="module")
def material(folder: Path) -> Material:
    return inputs.read(world.parameters("plain"), folder / "build", folder / "registry", folder / "metrics", folder / "templates")


def test_no_page_imports_what_fits_forecasts_or_averages() -> None:
    found = []
    for path in sorted(REPORT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                said = {f"{node.module}.{one.name}" for one in node.names} | {node.module}
                taken = (
                    {one.name for one in node.names} if node.module.startswith(("foresaid.fitting", "foresaid.studies")) else set()
                )
                found += [f"{path.name}: {name}" for name in sorted((said & COMPUTING) | (taken & NAMES))]

    assert found == []


def test_no_page_averages_or_accumulates_a_column() -> None:
    found = [
        f"{path.name}, line {node.lineno}: {node.func.attr}"
        for path in sorted(REPORT.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SUMMING
    ]

    assert found == []


def test_each_cell_of_a_case_is_the_mean_of_its_rows(material: Material) -> None:
    checked = 0
    for evidence in ("hindcast", "adopted"):
        for case in case_tables.cases(material, evidence):
            shown = case_tables.block(material, case)
            for table, unit in zip(shown["tables"], case.rows["unit"].unique().sort(), strict=True):
                rows = {one["title"]: one for one in table["rows"]}
                for (law,), part in case.rows.filter(pl.col("unit") == unit).group_by("law"):
                    row = rows[case_tables.method_title(material, str(law))]
                    error = (part["median"] - part["observed"]).mean()
                    assert row["n"] == f"{part.height:,}"
                    assert row["scores"][1] == number((part["median"] - part["observed"]).abs().mean())  # type: ignore[arg-type]
                    assert row["bias"] == signed(error)  # type: ignore[arg-type]
                    assert row["releases"] == f"{part['release'].n_unique():,}"
                    if part["covered_80"].null_count() == 0:
                        assert row["scores"][0] == number(part["wis"].mean())  # type: ignore[arg-type]
                        assert row["coverage"][1] == percent(part["covered_80"].mean())  # type: ignore[arg-type]
                    checked += 1

    assert checked >= 5


def test_rows_without_a_forecast_are_counted_by_method_and_status(material: Material) -> None:
    (case,) = (one for one in case_tables.cases(material, "hindcast") if one.name == "case-1")
    shown = case_tables.block(material, case)

    assert [one["n"] for one in shown["no_forecast"]] == ["1 forecast"]
    assert {one["title"]: one["no_forecast"] for one in shown["tables"][0]["rows"]}[shown["no_forecast"][0]["method"]] == "1"


def test_nobody_leads_a_table_by_leaving_out_what_is_hard(material: Material) -> None:
    (case,) = (one for one in case_tables.cases(material, "hindcast") if one.name == "case-1")
    summary = material.means["summary"]
    mine = summary.filter((pl.col("case") == "case-1") & (pl.col("law") == "size_sigmoid"))
    idle = mine.with_columns(law=pl.lit("idle"), wis=mine["wis"] / 2, n=pl.lit(1, pl.Int64))
    claim = material.claims.filter((pl.col("case") == "case-1") & (pl.col("law") == "size_sigmoid"))
    # It forecast one easy row and declined the rest, which the reference answers.
    declined = claim.with_columns(
        law=pl.lit("idle"), wis=mine["wis"].to_list()[0] * 1.5 + pl.lit(0.0), n_no_forecast=pl.lit(2, pl.Int64)
    )
    changed = dataclasses.replace(
        material, means={**material.means, "summary": pl.concat([idle, summary])}, claims=pl.concat([material.claims, declined])
    )

    assert case_tables.law_means(changed, case)["law"].to_list() == ["size_sigmoid", "idle"]
    assert case_tables.best_law(changed, case) == "size_sigmoid"


def test_the_figures_of_the_first_page_stand_in_its_tables(material: Material) -> None:
    past = case_tables.cases(material, "hindcast")
    first = case_tables.headline(past)
    assert first is not None
    taken = case_tables.cases(material, "adopted")
    answers = {one["kind"]: one for one in index_page.answers(material, [], taken, first)}
    for kind, case in (("hindcast", first), ("adopted", taken[0])):
        table = case_tables.block(material, case)["tables"][0]
        law = next(row for row in table["rows"] if row["role"] == "law")

        assert answers[kind]["figure"] == f"{100 * float(law['scores'][1]):.1f} points"  # of shares
        said = re.search(r"on ([\d,]+) scores? of ([\d,]+) releases? of ([\d,]+) makers?", answers[kind]["said"])
        assert said is not None
        assert said.groups() == (law["n"], law["releases"], law["makers"])
        if law["coverage"][1] != "–":
            assert f"Coverage of its 80 % intervals: {law['coverage'][1]}." in answers[kind]["said"]


def test_the_errors_of_a_law_page_are_those_of_its_rows(material: Material) -> None:
    for case in case_tables.cases(material, "hindcast"):
        for row in case_tables.by_quantity(material, case, "size_sigmoid"):
            part = case.rows.filter(pl.col("law") == "size_sigmoid")
            part = part.filter(
                pl.col("quantity_id").is_in([q for q in part["quantity_id"] if material.quantity(q) == row["quantity"]])
            )

            assert row["n"] == f"{part.height:,}"
            assert row["scores"][1] == number((part["median"] - part["observed"]).abs().mean())  # type: ignore[arg-type]


def test_a_case_without_rows_in_a_table_gives_none(material: Material) -> None:
    case = case_tables.cases(material, "adopted")[0]

    assert case_tables.of_case(material.tables["no_forecast"], case).height == 0
    assert case_tables.of_case(pl.DataFrame(), case).height == 0
