"""A small round of the shipped record goes out as a hub, is read by the Hubverse's own reader, and comes back as forecasts.

In a scratch copy of the registry, by commands. The outcome of the last tests is made up; what is tested is the way, not the number.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import hubdata
import jsonschema
import msgspec
import polars as pl
import pytest
import yaml
from click.testing import CliRunner
from hubdata.create_target_data_schema import TargetType
from tests.conftest import ROOT, Built
from tests.pipeline.test_a_whole_life_by_commands import Hand

from foresaid.cli import _ledger_context, group, hubverse, ledger_entries, ledger_log, ledger_verify, main
from foresaid.evaluation.joint_forecasts import joint_quantiles
from foresaid.ledger import store
from foresaid.ledger.entries.schema import ForecastEntry, JointPrediction, Quantiles, TargetEntry
from foresaid.ledger.hubverse import configuration

ROUND = "2026-12-08"  # the day of the deadline names the round
COLUMNS = ("origin_date", "target", "subject", "target_date", "output_type", "output_type_id", "value")


def typed(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(main.main, words)
    assert done.exit_code == code, f"{words}: {done.exit_code}: {done.output} {done.exception}"
    return done.output


@pytest.fixture(scope="module")
def scratch(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A scratch copy of the project with the round asked and forecast, and a second ledger, `asked`, where it is only asked."""
    folder = tmp_path_factory.mktemp("hubverse") / "clone"
    folder.mkdir()
    for name in ("params.yaml", "requirements.lock"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(built.registry, folder / "registry")
    shutil.copytree(built.build / "database", folder / "build/database")
    file = folder / "registry/rounds/2026-12.yaml"
    plain = yaml.safe_load(file.read_text(encoding="utf-8"))
    plain["next_release"]["lines"] = {"claude-opus": plain["next_release"]["lines"]["claude-opus"]}
    plain["frontier"]["lines"], plain["accepted"] = ["claude-opus"], {}
    file.write_text(yaml.safe_dump(plain), encoding="utf-8")
    before = os.getcwd()
    patch = pytest.MonkeyPatch()
    for module in (_ledger_context, group, hubverse, ledger_entries, ledger_log, ledger_verify):
        patch.setattr(module, "datetime", Hand)
    os.chdir(folder)
    Hand.at = datetime(2026, 12, 1, 12, tzinfo=UTC)
    try:
        typed("ledger", "draft", "registry/rounds/2026-12.yaml", "--as-of", "2026-11-28", "--out", "draft")
        typed("ledger", "ask", "draft/questions.jsonl", "--known", "draft/known.txt")
        shutil.copytree(folder, folder.parent / "asked")
        typed("ledger", "forecast", "draft/forecasts.jsonl", "--rows", "draft/rows.jsonl")
        typed("ledger", "checkpoint")
        yield folder
    finally:
        os.chdir(before)
        patch.undo()


def frozen(folder: Path) -> list[tuple[str, ForecastEntry]]:
    batches = store.read(folder / "registry/ledger")
    return [(one.header.author, entry) for one in batches for entry in one.entries if isinstance(entry, ForecastEntry)]


def targets(folder: Path) -> dict[str, TargetEntry]:
    return {
        entry.id: entry for one in store.read(folder / "registry/ledger") for entry in one.entries if isinstance(entry, TargetEntry)
    }


@pytest.fixture(scope="module", params=["parquet", "csv"])
def hub(request: pytest.FixtureRequest, scratch: Path) -> Path:
    folder = scratch / f"hub-{request.param}"
    told = typed(
        "export", "hubverse", str(folder), "--format", request.param,
        "--contact", "Ada Example <ada@example.org>", "--repository", "github:example/hub",
    )  # fmt: skip
    methods = {(author, one.method) for author, one in frozen(scratch)}
    assert f"rows of {len(methods)} files of forecasts" in told
    assert "left out" not in told
    return folder


def test_the_hubs_own_reader_gets_every_forecast_back_row_for_row(scratch: Path, hub: Path) -> None:
    made = targets(scratch)
    expected: dict[tuple[str, str, date], list[tuple[float, float]]] = {}
    table = hubdata.connect_hub(hub).to_table().to_pylist()
    days: dict[str, set[date]] = {}
    for row in table:
        days.setdefault(row["subject"], set()).add(row["target_date"])
    for author, entry in frozen(scratch):
        for day in days[entry.target]:
            levels = [float(one) for one in made[entry.target].levels]
            if isinstance(entry.prediction, JointPrediction):
                _, values = joint_quantiles(entry.prediction, made[entry.target], day, {}, levels=levels)
            else:
                assert isinstance(entry.prediction, Quantiles)
                values = [float(one) for one in entry.prediction.values]
            expected[f"{author}-{entry.method}", entry.target, day] = list(zip(levels, values, strict=True))
    found: dict[tuple[str, str, date], list[tuple[float, float]]] = {}
    for row in table:
        assert (row["origin_date"], row["target"], row["output_type"]) == (
            date.fromisoformat(ROUND), made[row["subject"]].benchmark, "quantile",
        )  # fmt: skip
        found.setdefault((row["model_id"], row["subject"], row["target_date"]), []).append((row["output_type_id"], row["value"]))

    assert found.keys() == expected.keys()
    for key, pairs in found.items():
        if key[0] == "foresaid-capability":
            assert [value for _, value in sorted(pairs)] == pytest.approx([value for _, value in expected[key]], abs=1e-12), key
        else:
            assert sorted(pairs) == expected[key], key
    assert sum(map(len, found.values())) == len(table)


def test_a_release_is_forecast_for_days_on_which_it_may_count_and_a_record_for_its_own(scratch: Path, hub: Path) -> None:
    made = targets(scratch)
    seen = {(row["subject"], row["target_date"]) for row in hubdata.connect_hub(hub).to_table().to_pylist()}

    for subject, day in seen:
        rule = made[subject].rule
        assert made[subject].opens < day.isoformat() <= made[subject].closes
        assert getattr(rule, "by", day.isoformat()) == day.isoformat()
    assert len({day for subject, day in seen if subject == "next-claude-opus-epoch_chess_puzzles"}) > 10


def test_the_configuration_is_of_the_documented_form_and_asks_what_the_ledger_asks(scratch: Path, hub: Path) -> None:
    for name, kind in (("tasks", configuration.Tasks), ("admin", configuration.Admin), ("target-data", configuration.TargetData)):
        plain = json.loads((hub / f"hub-config/{name}.json").read_text(encoding="utf-8"))
        jsonschema.validate(plain, msgspec.json.schema(kind))
        assert plain["schema_version"].endswith(f"/v6.0.0/{name}-schema.json")
    tasks = configuration.load(hub / "hub-config/tasks.json", configuration.Tasks)
    asked = {value for task in tasks.rounds[0].model_tasks for value in task.task_ids["subject"].spelled()}
    assert asked == set(targets(scratch))
    assert (tasks.rounds[0].submissions_due.end, tasks.rounds[0].round_name) == ("2026-12-07", "2026-12")
    schema = json.loads((hub / "hub-config/model-metadata-schema.json").read_text(encoding="utf-8"))
    for path in (hub / "model-metadata").iterdir():
        jsonschema.validate(yaml.safe_load(path.read_text(encoding="utf-8")), schema)


def test_target_data_are_the_scores_of_the_record_by_the_day_they_were_known(scratch: Path, hub: Path, built: Built) -> None:
    series = hubdata.connect_target_data(hub, TargetType.TIME_SERIES).to_table().to_pylist()
    oracle = hubdata.connect_target_data(hub, TargetType.ORACLE_OUTPUT).to_table()

    assert oracle.num_rows == 0
    assert set(oracle.column_names) == {"target", "subject", "target_date", "as_of", "oracle_value"}
    keys = [(row["target"], row["subject"], row["target_date"], row["as_of"]) for row in series]
    assert len(keys) == len(set(keys)) > 100
    resolvers = {one.benchmark: one.resolver for one in targets(scratch).values()}
    for as_of in (date(2026, 4, 1), date(2026, 11, 21)):
        rows = built.as_of(as_of.isoformat()).observations
        for benchmark in ("epoch_chess_puzzles", "weirdml_accuracy"):
            mine = rows.filter(
                (pl.col("quantity_id") == benchmark)
                & (pl.col("source_id") == resolvers[benchmark])
                & pl.col("released_on").is_not_null()
            )
            wanted = dict(mine.group_by("subject_id").agg(pl.col("value").max()).iter_rows())
            last = {}
            for row in sorted(series, key=lambda row: row["as_of"]):
                if row["target"] == benchmark and row["as_of"] <= as_of:
                    last[row["subject"]] = row["observation"]
            assert last == wanted


def test_the_same_ledger_gives_the_same_bytes(scratch: Path, hub: Path) -> None:
    ending = hub.name.removeprefix("hub-")
    again = scratch / f"again-{ending}"
    typed(
        "export", "hubverse", str(again), "--format", ending, "--round", "2026-12",
        "--contact", "Ada Example <ada@example.org>", "--repository", "github:example/hub",
    )  # fmt: skip
    files = sorted(path.relative_to(hub) for path in hub.rglob("*") if path.is_file())

    assert [path.relative_to(again) for path in sorted(again.rglob("*")) if path.is_file()] == files
    for path in files:
        assert (again / path).read_bytes() == (hub / path).read_bytes(), path


def test_forecasts_come_back_as_they_were_and_a_second_time_nothing_happens(scratch: Path, hub: Path) -> None:
    other = Path(shutil.copytree(scratch.parent / "asked", scratch.parent / f"back-{hub.name}"))
    models = ["mean_of_three", "last_of_maker", "no_change"]
    words = ["--root", str(other), "import", "hubverse", str(hub), *(w for one in models for w in ("--model", f"foresaid-{one}"))]
    told = typed(*words, "--dry-run")
    assert "0 failed" in told
    assert frozen(other) == []

    typed(*words, "--report", str(other / "checks.json"))
    wanted = {(author, one.id): one.prediction for author, one in frozen(scratch) if one.method in models}
    assert {(author, one.id): one.prediction for author, one in frozen(other)} == wanted
    assert json.loads((other / "checks.json").read_text(encoding="utf-8"))["valid"] is True
    primary = [(one.target, one.primary) for _, one in frozen(other) if one.primary]
    assert len(primary) == len(set(primary)) == len({one.target for _, one in frozen(other)})
    assert f"{len(wanted)} forecasts were frozen before" in typed(*words)
    assert len(frozen(other)) == len(wanted)


def test_a_joint_has_no_place_in_a_file_of_quantiles_and_nothing_of_its_hub_is_frozen(scratch: Path, hub: Path) -> None:
    other = Path(shutil.copytree(scratch.parent / "asked", scratch.parent / f"joint-{hub.name}"))
    told = typed("--root", str(other), "import", "hubverse", str(hub), code=1)

    assert "failure ledger_one_distribution: foresaid-capability/" in told
    assert frozen(other) == []


@pytest.fixture
def submitted(scratch: Path, tmp_path: Path) -> Path:
    """A hub with one file by another team: a forecast of the record of one board, made from ours."""
    folder = tmp_path / "theirs"
    typed("export", "hubverse", str(folder), "--format", "csv")
    rows = pl.read_csv(folder / f"model-output/foresaid-mean_of_three/{ROUND}-foresaid-mean_of_three.csv", infer_schema=False)
    shutil.rmtree(folder / "model-output")
    (folder / "model-output/Acme-line_1").mkdir(parents=True)
    rows.filter(pl.col("subject").str.starts_with("record-2027-03-31")).select(COLUMNS[::-1]).write_csv(
        folder / f"model-output/Acme-line_1/{ROUND}-Acme-line_1.csv"
    )
    about = {"team_name": "Acme", "team_abbr": "Acme", "model_name": "line", "model_abbr": "line_1", "designated_model": True}
    (folder / "model-metadata/Acme-line_1.yml").write_text(yaml.safe_dump(about), encoding="utf-8")
    return folder


def theirs(hub: Path) -> Path:
    return hub / f"model-output/Acme-line_1/{ROUND}-Acme-line_1.csv"


def test_another_team_is_the_author_of_its_own_batch(scratch: Path, submitted: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(scratch.parent / "asked", tmp_path / "own"))
    said = json.loads(typed("--root", str(other), "import", "hubverse", str(submitted), "--json"))

    found = frozen(other)
    assert {(author, one.method, one.primary) for author, one in found} == {("acme", "line_1", True)}
    assert said["forecasts"] == [f"acme: {one.id}" for _, one in found]
    assert typed("--root", str(other), "verify", code=0 if CliRunner().invoke(main.main, ["verify"]).exit_code == 0 else 5)


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ("level", "valid_vals"),
        ("below the record", "ledger_rules"),
        ("late", "submission_time"),
        ("known", "ledger_open"),
        ("void", "ledger_open"),
        ("changed", "ledger_frozen_once"),
        ("point", "valid_vals"),
        ("subject", "valid_vals"),
    ],
)
def test_what_may_not_enter_the_ledger_is_refused_by_name(
    scratch: Path, submitted: Path, tmp_path: Path, change: str, check: str
) -> None:
    other = Path(shutil.copytree(scratch.parent / "asked", tmp_path / "own"))
    path = theirs(submitted)
    text = path.read_text(encoding="utf-8")
    target = "record-2027-03-31-epoch_chess_puzzles"
    at = Hand.at
    try:
        if change == "level":
            path.write_text(text.replace(",0.025,", ",0.02,"), encoding="utf-8")
        elif change == "below the record":
            path.write_text(
                "\n".join("0.01" + line[line.index(",") :] if target in line else line for line in text.splitlines()) + "\n"
            )
        elif change == "late":
            Hand.at = datetime(2026, 12, 8, 1, tzinfo=UTC)
        elif change == "known":
            page = tmp_path / "page.html"
            page.write_text("it is 0.7")
            Hand.at = datetime(2026, 12, 2, 12, tzinfo=UTC)
            typed("--root", str(other), "ledger", "challenge", "2026-12", target, "--known-at", "2026-12-01T13:00:00Z",
                  "--evidence", str(page), "--reason", "archived")  # fmt: skip
        elif change == "void":
            page = tmp_path / "page.html"
            page.write_text("the board is closed")
            typed("--root", str(other), "ledger", "void", "2026-12", target, "--condition", "board_closed", "--on", "2026-12-01",
                  "--evidence", str(page), "--reason", "closed")  # fmt: skip
        elif change == "changed":
            typed("--root", str(other), "import", "hubverse", str(submitted))
            path.write_text(
                "\n".join("1" + line[line.index(",") :] if target in line else line for line in text.splitlines()) + "\n"
            )
        elif change == "point":
            path.write_text(text.replace(",quantile,", ",median,", 1), encoding="utf-8")
        else:
            path.write_text(text.replace(target, "record-of-nothing"), encoding="utf-8")
        before = len(frozen(other))
        told = typed("--root", str(other), "import", "hubverse", str(submitted), code=1)
    finally:
        Hand.at = at

    assert f" {check}: Acme-line_1/" in told
    assert len(frozen(other)) == before


def test_an_outcome_is_the_oracle_of_its_target_on_the_last_day_that_is_not_after_it(scratch: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(scratch, tmp_path / "later"))
    page = tmp_path / "page.html"
    page.write_text("0.7")
    at = Hand.at
    Hand.at = datetime(2027, 2, 20, 12, tzinfo=UTC)
    try:
        for value, target, more in (
            (
                "0.7",
                "next-claude-opus-epoch_chess_puzzles",
                ("--subject", "anthropic/claude-made-up", "--released-on", "2027-02-10"),
            ),
            ("1.2", "record-2027-03-31-epoch_chess_puzzles", ()),
        ):
            typed("--root", str(other), "ledger", "resolve", "2026-12", target, "--value", value, "--known-at", "2027-02-15",
                  "--evidence", str(page), "--source", "https://example.org", *more)  # fmt: skip
        typed("--root", str(other), "export", "hubverse", str(tmp_path / "hub"))
    finally:
        Hand.at = at

    found = hubdata.connect_target_data(tmp_path / "hub", TargetType.ORACLE_OUTPUT).to_table().to_pylist()
    chess = {"target": "epoch_chess_puzzles", "as_of": date(2027, 2, 15)}
    assert sorted(found, key=lambda row: row["oracle_value"]) == [
        {**chess, "subject": "next-claude-opus-epoch_chess_puzzles", "target_date": date(2027, 2, 1), "oracle_value": 0.7},
        {**chess, "subject": "record-2027-03-31-epoch_chess_puzzles", "target_date": date(2027, 3, 31), "oracle_value": 1.0},
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("export", "hubverse", "draft"), "found a folder that is no hub"),
        (("export", "hubverse", "x", "--round", "2026-1"), "found no round 2026-1"),
        (("export", "hubverse", "x", "--contact", "Ada"), "expected 'NAME <MAIL>'"),
        (("export", "hubverse", "x", "--repository", "example/hub"), "expected HOST:OWNER/NAME"),
        (("import", "hubverse", "draft"), "expected a hub's configuration file"),
        (("import", "hubverse", "nowhere"), "does not exist"),
    ],
)
def test_a_request_that_cannot_be_met_is_said_in_words(scratch: Path, words: tuple[str, ...], message: str) -> None:
    assert message in typed(*words, code=2)
    assert not (scratch / "x").exists()


def test_the_plain_commands_are_as_before(scratch: Path) -> None:
    assert "values known by 2024-05-31" in typed("export", "--as-of", "2024-05-31", "--source", "obsscaling", "--to", "scores.csv")
    assert "--mapping" in typed("import", "--help")
    assert "hubverse" in typed("export", "--help")
