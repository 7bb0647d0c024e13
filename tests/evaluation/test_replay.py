"""A replay is the hindcast of its two days: same numbers, nothing written, nothing dropped."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shlex
import shutil
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from click.testing import CliRunner, Result
from tests.conftest import ROOT, Built

from foresaid import params
from foresaid.cli.main import main
from foresaid.confusables import model_of
from foresaid.errors import ParameterError
from foresaid.evaluation import capability_case, hindcast, units
from foresaid.evaluation.replay import asked, reading, replay, replay_case, replay_model, replayed
from foresaid.evaluation.schema import KEY
from foresaid.evaluation.tables import score_rows, summarise
from foresaid.laws._capability_record import every_cell, read_choices
from foresaid.registry import database
from foresaid.registry.systems import models_of
from foresaid.report.replay_table import account, table

AS_OF, UNTIL = date(2024, 5, 31), date(2024, 10, 1)


@pytest.fixture(scope="module")
def rows(built: Built) -> list[dict[str, Any]]:
    before = _files(built.build)
    connection = database.open_database(built.build / "database")
    found = replay(built.params, connection, built.registry, AS_OF, UNTIL)
    connection.close()
    assert _files(built.build) == before
    return found


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_it_gives_the_numbers_of_the_hindcast_stage(built: Built, rows: list[dict[str, Any]]) -> None:
    connection = database.open_database(built.build / "database")
    case = asked(built.params, AS_OF, UNTIL, tuple(built.params.laws))
    made, _ = hindcast.run_case("replay", case, built.params, connection, built.registry)
    known = units.of(connection)
    connection.close()
    forecast = made.with_columns(evidence=pl.lit("hindcast")).filter(pl.col("point").is_not_null())
    scored = score_rows(units.attach(forecast.select(*KEY, "observed", "status", "distance", "point", "quantiles"), known))
    means = summarise(scored, ["quantity_id"]).iter_rows(named=True)
    expected = {(r["law"], r["quantity_id"]): (r["n"], r["wis"], r["coverage_80"]) for r in means}

    theirs = (r for r in rows if r["n"] and r["law"] not in capability_case.METHODS)  # no stage asks that law by cases
    assert {(r["law"], r["quantity"]): (r["n"], r["wis"], r["coverage_80"]) for r in theirs} == expected


def test_every_row_has_the_promised_keys_and_is_json(rows: list[dict[str, Any]]) -> None:
    promised = {
        "law",
        "quantity",
        "n",
        "n_releases",
        "wis",
        "mae",
        "bias",
        "coverage_50",
        "coverage_80",
        "coverage_95",
        "baseline",
        "skill",
    }

    assert all(promised <= row.keys() for row in json.loads(json.dumps(rows)))


def test_a_law_beats_the_baseline_it_is_set_against_when_its_skill_is_above_zero(rows: list[dict[str, Any]]) -> None:
    by_name = {(row["law"], row["quantity"]): row for row in rows if row["n"]}
    for row in by_name.values():
        against = by_name[(row["baseline"], row["quantity"])]
        if against["n"] == row["n"]:
            assert (row["skill"] > 0) == (row["wis"] < against["wis"])


def test_two_days_without_a_release_say_so(built: Built) -> None:
    connection = database.open_database(built.build / "database")
    rows = replay(built.params, connection, built.registry, date(2026, 11, 1), date(2026, 11, 2))
    connection.close()

    assert {row["law"] for row in rows} == {*built.params.laws, "capability"}
    assert all(row["n"] == 0 and row["reason"] for row in rows)
    assert table(rows)[0] == "replay: nothing was released and scored between the two days"


def test_where_nothing_was_public_on_the_day_a_law_is_asked_by_release_dates_and_says_so(built: Built) -> None:
    connection = database.open_database(built.build / "database")
    found = replay(built.params, connection, built.registry, date(2023, 6, 30), date(2023, 9, 30), ("compute_sigmoid",))
    connection.close()
    scored = [row for row in found if row["n"]]

    assert scored
    assert {row["mode"] for row in found} == {"released"}
    assert table(found)[0].startswith("released: by release date only")


def test_the_two_ways_of_asking_never_share_a_row(built: Built, rows: list[dict[str, Any]]) -> None:
    connection = database.open_database(built.build / "database")
    hindsight = replay(built.params, connection, built.registry, AS_OF, UNTIL, ("compute_sigmoid",), by_release=True)
    connection.close()
    counted = {mode: {r["quantity"]: r["n"] for r in found if r["law"] == "compute_sigmoid" and r["n"]} for mode, found in (
        ("known", rows), ("released", hindsight))}  # fmt: skip

    assert {row["mode"] for row in rows if row["n"]} == {"known"}
    assert {row["mode"] for row in hindsight} == {"released"}
    # The record of today has every model that was on the boards then.
    assert all(counted["released"][name] >= n for name, n in counted["known"].items())


def test_days_in_the_wrong_order_are_refused(built: Built) -> None:
    with pytest.raises(ParameterError, match="not after --known-on"):
        asked(built.params, UNTIL, AS_OF, ())


def test_an_unknown_law_is_refused_by_name(built: Built) -> None:
    with pytest.raises(ParameterError, match=r"found the law observed, expected one of params.yaml: observational"):
        asked(built.params, AS_OF, UNTIL, ("observed",))


def test_an_unknown_quantity_is_refused_with_the_known_ones(built: Built) -> None:
    connection = database.open_database(built.build / "database")
    with pytest.raises(ParameterError, match=r"found the quantity gsm9k, expected one of the record"):
        replay(built.params, connection, built.registry, AS_OF, UNTIL, quantities=("gsm9k",))
    connection.close()


def test_a_quantity_without_an_outcome_is_an_answer(built: Built) -> None:
    connection = database.open_database(built.build / "database")
    rows = replay(built.params, connection, built.registry, AS_OF, UNTIL, ("compute_sigmoid",), ("epoch_gpqa_diamond",))
    connection.close()

    assert [(row["quantity"], row["n"]) for row in rows if row["quantity"]] == [("epoch_gpqa_diamond", 0)]
    assert all(row["reason"] for row in rows)


def test_one_case_alone_gives_the_rows_of_its_two_days(built: Built) -> None:
    connection = database.open_database(built.build / "database")
    alone = replay_case("obsscaling-2024-05", built.params, connection, built.registry, ("compute_sigmoid",))
    days = replay(built.params, connection, built.registry, AS_OF, UNTIL, ("compute_sigmoid",))
    connection.close()

    assert [row for row in alone if row["n"]] == [row for row in days if row["n"]]


def test_the_forecasts_of_one_model_are_those_of_its_case_and_a_misspelt_model_is_refused(built: Built) -> None:
    connection = database.open_database(built.build / "database")
    case, laws = "obsscaling-2024-05", ("compute_sigmoid",)
    whole = replay_case(case, built.params, connection, built.registry, laws, ("bigbench_word_unscrambling",))
    made = hindcast.run_case(
        case, dataclasses.replace(built.params.hindcast[case], laws=laws), built.params, connection, built.registry
    )[0]
    mine = made.filter((pl.col("quantity_id") == "bigbench_word_unscrambling") & (pl.col("law") == "compute_sigmoid"))
    models = mine.filter(pl.col("point").is_not_null())["subject_id"].to_list()
    rows = [
        row
        for model in models
        for row in replay_model(case, model, built.params, connection, built.registry, laws, ("bigbench_word_unscrambling",))
        if row["law"] == "compute_sigmoid"
    ]
    with pytest.raises(ParameterError, match=rf"found the model {models[0][:-1]}, expected .* did you mean {models[0]}"):
        replay_model(case, models[0][:-1], built.params, connection, built.registry, laws)
    connection.close()
    law = next(row for row in whole if row["law"] == "compute_sigmoid")

    assert len(rows) == law["n"] >= 1
    assert sum(row["wis"] for row in rows) / len(rows) == pytest.approx(law["wis"], rel=1e-12)
    assert all(row["absolute_error"] == abs(row["median"] - row["observed"]) for row in rows)


def test_a_case_and_a_source_nobody_knows_are_refused(built: Built) -> None:
    connection = database.open_database(built.build / "database")
    with pytest.raises(ParameterError, match=r"found the case last-year, expected one of params\.yaml: obsscaling"):
        replay_case("last-year", built.params, connection, built.registry)
    with pytest.raises(ParameterError, match="found the source hub, expected one of the database"):
        reading(built.params, ("hub",), connection)
    connection.close()


def test_forecasts_of_later_releases_see_systems_and_never_an_outcome_known_on_the_day(built: Built) -> None:
    shipped = params.load(ROOT / "params.yaml")
    connection = database.open_database(built.build / "database")
    known_on, since, until = date(2026, 3, 12), date(2026, 2, 19), date(2026, 5, 14)
    case = asked(shipped, known_on, until, ("growth",), since)
    few = dataclasses.replace(shipped, replicates=10)
    made, _ = hindcast.run_case("replay", case, few, connection, built.registry, released_after_day=since)
    known = database.as_of(connection, known_on).of("each").observations
    connection.close()
    rows = made.filter((pl.col("law") == "growth") & pl.col("point").is_not_null())
    told = rows.join(known, on=["subject_id", "quantity_id"], how="inner")
    print(f"{rows.height} rows of {rows.select(models_of('subject_id')).n_unique()} models forecast from the shipped record")

    assert rows["released_on"].min() > since  # type: ignore[operator]  # a date, as the schema says
    assert told.height == 0
    assert rows.height >= 70
    assert rows.select(models_of("subject_id")).n_unique() >= 9
    assert any(model_of(name) != name for name in rows["subject_id"])


SPRING = date(2026, 3, 12), date(2026, 5, 14), date(2026, 2, 19)


def test_the_capability_law_forecasts_every_share_nobody_knew_and_learns_from_no_asked_model(built: Built) -> None:
    shipped = params.load(ROOT / "params.yaml")
    known_on, until, since = SPRING
    choices = read_choices(shipped.capability)
    connection = database.open_database(built.build / "database")
    made = capability_case.run("replay", asked(shipped, known_on, until, ("capability",), since), choices, connection, since)
    known = every_cell(database.systems_as_of(connection, known_on), choices)
    connection.close()
    rows = made.filter(pl.col("law") == "capability")
    told = rows.join(known, left_on=["subject_id", "quantity_id"], right_on=["system_id", "benchmark"], how="inner")
    point = made.filter(pl.col("law") == "capability_unconditional").join(rows, on=["subject_id", "quantity_id"], suffix="_told")

    assert rows.height >= 50
    assert told.is_empty()
    assert rows["released_on"].min() > since  # type: ignore[operator]  # a date, as the schema says
    assert rows["quantiles"].list.eval(pl.element().diff().drop_nulls() >= 0).list.all().all()
    assert set(made.filter(pl.col("role") == "baseline").group_by("law").len()["len"]) == {rows.height}
    # Its other scores tell something of a release.
    assert (point["point"] - point["point_told"]).abs().max() > 0.01  # type: ignore[operator]


def test_every_value_between_the_days_is_forecast_or_has_its_reason(built: Built) -> None:
    shipped = dataclasses.replace(params.load(ROOT / "params.yaml"), laws={})
    known_on, until, since = SPRING
    connection = database.open_database(built.build / "database")
    rows, counted = replayed(shipped, connection, built.registry, known_on, until, ("capability",), (), False, since)
    connection.close()

    assert counted.values == counted.forecast + sum(n for why, n in counted.reasons.items() if not why.startswith("beside"))
    assert counted.forecast == sum(row["n"] for row in rows if row["law"] == "capability")
    assert account(counted)[0].startswith(f"{counted.values} values of {counted.models} models in {counted.releases} releases")


READ_ON_DEMAND = "epoch-hub-external, epoch-eci-external, weirdml-board"


def test_with_the_upstream_files_a_spring_of_releases_is_forecast_as_the_page_says(mirror: Path, tmp_path: Path) -> None:
    """The commands of docs/results-evaluation.md as they stand, with laws and draws as shipped, in a copy of the record."""
    page = (ROOT / "docs/results-evaluation.md").read_text(encoding="utf-8")
    block = page.split("<!-- spring replay -->\n```sh\n")[1].split("\n```")[0].splitlines()
    edit, commands = block[0], [shlex.split(line, comments=True) for line in block[1:]]
    shipped = (ROOT / "params.yaml").read_text(encoding="utf-8")
    shutil.copytree(ROOT / "registry", tmp_path / "registry")
    done = subprocess.run(
        ["sh", "-c", edit], cwd=_with(tmp_path / "params.yaml", shipped), capture_output=True, text=True, check=True
    )
    added = params.load(tmp_path / "params.yaml").sources[-3:]
    said = ""
    for words in commands:
        if words[0] == "export":
            continue
        assert words[0] == "foresaid"
        answer = CliRunner().invoke(main, ["--root", str(tmp_path), *words[1:]], env={"FORESAID_MIRROR": str(mirror)})
        assert answer.exit_code == 0, answer.output
        said = answer.output
    found = re.search(r"(\d+) values of \d+ models in \d+ releases .*; (\d+) of (\d+) releases were forecast by a law", said)
    told = [line.split() for line in said.splitlines() if line.startswith("capability ")]
    print(found and found[0])

    assert done.stderr == ""
    assert ", ".join(added) == READ_ON_DEMAND
    assert params.load(tmp_path / "params.yaml").laws == params.load(ROOT / "params.yaml").laws
    assert found is not None
    assert int(found[2]) >= 100
    assert int(found[3]) >= 10
    assert sum(int(words[2]) for words in told) >= 100


def _with(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path.parent


@pytest.fixture
def project(built: Built, tmp_path: Path) -> Path:
    """A project with the real record, its database, and two laws."""
    document = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    document["laws"] = {name: document["laws"][name] for name in ("compute_sigmoid", "bleu_log")}
    document["hindcast"] = {
        name: {**case, "laws": [law for law in case["laws"] if law in document["laws"]]}
        for name, case in document["hindcast"].items()
        if set(case["laws"]) & set(document["laws"])
    }
    document["rolling"] = None
    document["replicates"] = 10
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    (tmp_path / "build").mkdir()
    shutil.copytree(built.build / "database", tmp_path / "build" / "database")
    (tmp_path / "registry").symlink_to(built.registry)
    return tmp_path


def invoke(project: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["--root", str(project), "replay", *words])


def test_nothing_to_score_is_an_answer_and_an_old_database_is_told(project: Path) -> None:
    os.utime(project / "build" / "database" / "history.parquet", (0, 0))
    done = invoke(project, "--known-on", "2026-11-01", "--until", "2026-11-02", "--law", "compute_sigmoid")

    assert done.exit_code == 0, done.output
    assert "replay: nothing was released and scored between the two days" in done.output
    assert "the database is older than" in done.output
    assert "`dvc repro database` brings it in" in done.output


def test_one_case_is_run_alone_and_from_another_folder(project: Path, built: Built) -> None:
    shutil.rmtree(project / "build" / "database")
    done = invoke(project, "--case", "koehn-knowles-four", "--from", str(built.build / "database"))

    assert done.exit_code == 0, done.output
    assert "bleu_log" in done.output
    assert "older than" not in done.output
