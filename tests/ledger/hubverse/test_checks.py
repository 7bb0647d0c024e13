"""Files of real hubs pass the checks that their hubs make, and each way to damage one is found by the check of that name."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import msgspec
import pytest
from tests.conftest import ROOT

from foresaid.errors import UnreadableError
from foresaid.ledger.hubverse import checks, submission
from foresaid.ledger.hubverse.configuration import Admin, TargetData, Tasks, load
from foresaid.ledger.hubverse.report import SubmissionReport
from foresaid.ledger.hubverse.submission import read_hub
from foresaid.ledger.state.index import Facts

HUBS = ROOT / "tests" / "data" / "hubs"
METROCAST = HUBS / "flu-metrocast"
ENSEMBLE = "epiENGAGE-ensemble_mean"
FILE = f"{ENSEMBLE}/2025-05-24-{ENSEMBLE}.csv"
IN_TIME = datetime(2025, 5, 21, 12, tzinfo=UTC)


def judged(hub: Path, now: datetime = IN_TIME) -> dict[str, str]:
    """The status of every check, the ledger's own left out: none of these hubs asks about language models."""
    found = read_hub(hub, Facts(), now).report
    return {one.check: one.status for one in found.checks if not one.check.startswith("ledger_")}


@pytest.mark.parametrize("path", sorted(HUBS.glob("*/hub-config/*.json")), ids=lambda path: f"{path.parts[-3]}/{path.name}")
def test_the_configuration_of_a_real_hub_is_understood(path: Path) -> None:
    kinds: dict[str, type[Tasks] | type[Admin] | type[TargetData]] = {
        "tasks.json": Tasks, "admin.json": Admin, "target-data.json": TargetData,
    }  # fmt: skip
    if path.name in kinds:
        made: Tasks | Admin | TargetData = load(path, kinds[path.name])
        jsonschema.validate(json.loads(msgspec.json.encode(made)), msgspec.json.schema(kinds[path.name]))
    else:
        jsonschema.Draft202012Validator.check_schema(json.loads(path.read_text(encoding="utf-8")))


def test_a_file_of_a_live_hub_passes_every_check_of_its_hub() -> None:
    assert judged(METROCAST) == dict.fromkeys(checks.NAMES, "success")


def test_a_file_of_the_example_hub_lacks_the_samples_that_its_hub_requires() -> None:
    found = read_hub(HUBS / "example-complex", Facts(), datetime(2022, 11, 15, 12, tzinfo=UTC)).report
    bad = [one for one in found.checks if one.is_bad and not one.check.startswith("ledger_")]

    assert [(one.check, one.n_rows, one.rows[0]["output_type"]) for one in bad] == [("req_vals", 3, "sample")]


def test_a_hub_about_something_else_makes_no_forecast() -> None:
    read = read_hub(METROCAST, Facts(), IN_TIME)

    assert (read.report.valid, read.by_author) == (False, {})
    assert [one.check for one in read.report.checks if one.is_bad] == ["ledger_round"]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(METROCAST, tmp_path / "hub"))


def edited(old: str, new: str, count: int = 1) -> Callable[[Path], None]:
    def edit(hub: Path) -> None:
        path = hub / "model-output" / FILE
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, count), encoding="utf-8")

    return edit


def renamed(new: str) -> Callable[[Path], None]:
    def edit(hub: Path) -> None:
        path = hub / "model-output" / new
        path.parent.mkdir(exist_ok=True)
        (hub / "model-output" / FILE).rename(path)

    return edit


def doubled(hub: Path) -> None:
    path = hub / "model-output" / FILE
    with path.open("a", encoding="utf-8") as file:
        file.write(path.read_text(encoding="utf-8").splitlines()[1] + "\n")


def shortened(hub: Path) -> None:
    path = hub / "model-output" / FILE
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([lines[0], *lines[2:]]) + "\n", encoding="utf-8")


def fallen(hub: Path) -> None:
    """The first value of a task becomes a little larger than the one behind it."""
    path = hub / "model-output" / FILE
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[1] = ",".join([*lines[1].split(",")[:-1], str(float(lines[2].split(",")[-1]) + 0.001)])
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def without_metadata(hub: Path) -> None:
    (hub / "model-metadata" / f"{ENSEMBLE}.yml").unlink()


def wrong_metadata(hub: Path) -> None:
    path = hub / "model-metadata" / f"{ENSEMBLE}.yml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("designated_model: true", "designated_model: perhaps"), encoding="utf-8"
    )


def no_text(hub: Path) -> None:
    (hub / "model-output" / FILE).write_bytes(b"\xff\xfe\x00")


DAMAGED: dict[str, tuple[Callable[[Path], None], str]] = {
    "a name without a model": (renamed(f"{ENSEMBLE}/forecasts.csv"), "file_name"),
    "the folder of another model": (renamed(f"epiENGAGE-other/2025-05-24-{ENSEMBLE}.csv"), "file_location"),
    "a format the hub does not take": (renamed(f"{ENSEMBLE}/2025-05-24-{ENSEMBLE}.parquet"), "file_format"),
    "no text": (no_text, "file_read"),
    "no metadata": (without_metadata, "metadata_exists"),
    "metadata of another form": (wrong_metadata, "metadata_matches_schema"),
    "a round nobody opened": (renamed(f"{ENSEMBLE}/2024-05-24-{ENSEMBLE}.csv"), "round_id_valid"),
    "another column": (edited("horizon", "weeks"), "colnames"),
    "a row of another round": (edited("2025-05-24", "2025-05-17"), "match_round_id"),
    "a level that is not asked": (edited("0.025", "0.03"), "valid_vals"),
    "a place that is not asked": (edited("Bronx", "Utrecht"), "valid_vals"),
    "a row twice": (doubled, "rows_unique"),
    "a row too few": (shortened, "req_vals"),
    "a quantile above the next": (fallen, "value_col_non_desc"),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_each_damage_is_found_by_the_check_of_that_name(copy: Path, damage: str) -> None:
    edit, check = DAMAGED[damage]
    edit(copy)
    found = judged(copy)

    assert found[check] in ("error", "failure"), found
    assert [one for one, status in found.items() if status in ("error", "failure")] == [check]


@pytest.mark.parametrize("value", ["-1", "nan", "inf", "many", ""])
def test_a_value_that_is_no_number_in_bounds_is_refused_with_its_row(copy: Path, value: str) -> None:
    path = copy / "model-output" / FILE
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[3] = ",".join([*lines[3].split(",")[:-1], value])
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    (bad,) = [one for one in read_hub(copy, Facts(), IN_TIME).report.checks if one.is_bad]

    assert (bad.check, bad.n_rows, bad.rows[0]["row"], bad.rows[0]["value"]) == ("value_col_valid", 1, 3, value)


@pytest.mark.parametrize("day", [datetime(2025, 5, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)])
def test_a_file_outside_its_window_is_named(day: datetime) -> None:
    assert judged(METROCAST, day)["submission_time"] == "failure"


def test_every_check_has_a_damage_that_shows_it() -> None:
    shown = {check for _, check in DAMAGED.values()} | {"value_col_valid", "submission_time"}

    assert set(checks.NAMES) - shown == {"valid_config", "value_col_sum1"}  # tested below


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"schema_version": 6}', b"\xff"])
@pytest.mark.parametrize("name", ["tasks.json", "admin.json"])
def test_a_damaged_configuration_is_one_line_with_its_name(copy: Path, name: str, content: bytes) -> None:
    (copy / "hub-config" / name).write_bytes(content)

    with pytest.raises(UnreadableError, match=name) as error:
        read_hub(copy, Facts(), IN_TIME)
    assert "\n" not in str(error.value)


def test_metadata_that_unfold_to_no_end_are_none(copy: Path) -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 20)}]\n" for i in range(1, 9))
    (copy / "model-metadata" / f"{ENSEMBLE}.yml").write_text(bomb, encoding="utf-8")

    assert judged(copy)["metadata_exists"] == "failure"


def test_forecasts_outside_the_folder_of_a_hub_are_not_read(copy: Path) -> None:
    path = copy / "hub-config" / "admin.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | {"model_output_dir": "../.."}), encoding="utf-8")

    with pytest.raises(UnreadableError, match="expected a folder of the hub"):
        read_hub(copy, Facts(), IN_TIME)


def test_probabilities_that_do_not_add_up_are_found(tmp_path: Path) -> None:
    hub = Path(shutil.copytree(HUBS / "example-complex", tmp_path / "hub"))
    path = next((hub / "model-output").rglob("*.csv"))
    lines = path.read_text(encoding="utf-8").splitlines()
    at = next(i for i, line in enumerate(lines) if '"pmf"' in line)
    lines[at] = ",".join([*lines[at].split(",")[:-1], "0.999"])
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    assert judged(hub, datetime(2022, 11, 15, 12, tzinfo=UTC))["value_col_sum1"] == "failure"


def test_the_report_is_one_json_document_that_its_schema_describes() -> None:
    report = read_hub(METROCAST, Facts(), IN_TIME).report
    plain = json.loads(report.to_json())

    jsonschema.validate(plain, msgspec.json.schema(SubmissionReport))
    assert {one["check"] for one in plain["checks"]} == {*checks.NAMES, "ledger_round"}
    assert set(submission.LEDGER_NAMES).isdisjoint(checks.NAMES)
