"""An outside forecaster from the list of targets to a pull request that is judged, and every way to get it wrong."""

from __future__ import annotations

import json
import os
import re
import subprocess
import textwrap
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.conftest import ROOT
from tests.pipeline.test_a_whole_life import JOINT, ROWS, asked, next_of, opened, quantiles, said
from tests.pipeline.test_a_whole_life_by_commands import Hand

from foresaid import project
from foresaid.cli import _ledger_context, ledger_entries, ledger_verify, submission
from foresaid.cli.main import main
from foresaid.ledger import store
from foresaid.ledger.entries import schema as entries
from foresaid.ledger.entries.schema import Code, Data, Entry
from foresaid.ledger.submission import objections
from foresaid.pipeline import new_project
from foresaid.pipeline.outcomes import keep_known

KEEPER, JANE = "acme", "jane"
DEADLINE = "2026-12-08T00:00:00Z"
RECORD = {"kind": "record_by", "by": "2027-03-31", "scope": "any", "top": 1, "record": "0.7"}


def freeze(folder: Path, author: str, at: str, lines: list[Entry], data: list[Data] | None = None) -> str:
    """One batch of somebody at a time; the ledger's own origin."""
    when = datetime.fromisoformat(at).replace(tzinfo=UTC)
    path = store.write_batch(
        folder / "registry/ledger", lines, origin="acme/registry", author=author, as_of=when.date(), frozen_at=when,
        data=data or [], code=Code(git=None, dirty=False, version="1"),
    )  # fmt: skip
    return path.stem


def git(folder: Path, *words: str) -> str:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *words]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A new registry under git with an open round of three targets and the keeper's forecasts, on 2 December 2026."""
    folder = tmp_path / "acme"
    new_project.create(folder, "acme/registry", KEEPER, date(2026, 12, 1))
    known = keep_known(folder / "registry", ["acme/old"])
    slow = asked("2026-12", "next", known, "2026-12-01", next_of("acme"))
    best = asked("2026-12", "best", known, "2026-12-01", RECORD)
    rated = {"unit": "points", "min": "0", "max": "3000", "chance": None, "resolution": None, "benchmark": "rating"}
    rating = asked("2026-12", "rating", known, "2026-12-01", next_of("acme"), **rated)
    freeze(folder, KEEPER, "2026-12-01T00:00:00", [opened("2026-12", DEADLINE, "2026-12-22T00:00:00Z"), slow, best, rating])
    freeze(folder, KEEPER, "2026-12-01T01:00:00", [said("2026-12", "next", "a", quantiles(0.6), primary=True)])
    store.sequence(folder / "registry/ledger", "acme/registry")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "a round")
    for module in (_ledger_context, ledger_entries, ledger_verify, submission):
        monkeypatch.setattr(module, "datetime", Hand)
    monkeypatch.setattr(Hand, "at", datetime(2026, 12, 2, 12, tzinfo=UTC))
    monkeypatch.delenv("FORESAID_AUTHOR", raising=False)
    monkeypatch.chdir(folder)
    yield folder
    for variable in project.OWN_CODE.values():
        os.environ.pop(variable, None)


def run(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(main, words)
    assert done.exit_code == code, f"{words}: {done.exit_code}: {done.output} {done.exception!r}"
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done.output


def held(folder: Path) -> dict[str, bytes]:
    ledger = folder / "registry/ledger"
    return {path.relative_to(ledger).as_posix(): path.read_bytes() for path in sorted(ledger.rglob("*")) if path.is_file()}


def made_by(author: str) -> list[Any]:
    """The entries of an author in the ledger of the folder one stands in."""
    return [entry for batch in store.read(Path("registry/ledger")) if batch.header.author == author for entry in batch.entries]


def test_the_list_says_what_is_asked_in_which_unit_and_until_when(home: Path) -> None:
    told = run("target", "list", "--open").splitlines()

    assert [line.split()[0] for line in told[1:]] == ["2026-12/best", "2026-12/next", "2026-12/rating"]
    assert "best value on gpqa by 2027-03-31" in told[1]
    assert "gpqa of launch 1 of acme next pro after 2026-12-01" in told[2]
    assert "points" in told[3]
    assert "2026-12-08 00:00" in told[1]
    rows = json.loads(run("target", "list", "--json"))
    assert [(row["name"], row["open"], row["record"], row["forecasts"]) for row in rows] == [
        ("2026-12/best", True, "0.7", 0),
        ("2026-12/next", True, None, 1),
        ("2026-12/rating", True, None, 0),
    ]
    assert len(rows[0]["levels"]) == 23
    assert "what: " in run("ledger", "show", "2026-12/next")


def test_a_closed_round_is_not_open(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Hand, "at", datetime(2026, 12, 8, 0, 0, 1, tzinfo=UTC))

    assert run("target", "list", "--open") == "no targets are open\n"
    assert run("target", "list").count("closed: the deadline was 2026-12-08T00:00:00Z") == 3
    assert run("target", "list", "--round", "2027-01") == "no targets have been set\n"


def test_a_forecast_by_hand_is_printed_frozen_scored_like_any_other_and_pending(home: Path) -> None:
    before = held(home)
    words = ("forecast", "2026-12/next", "--author", JANE, "--quantiles", "0.1=0.52,0.5=0.61,0.9=0.70")
    told = run(*words, "--dry-run")

    assert "2026-12/next/judgement by jane, primary: 0.05: 0.494" in told
    assert held(home) == before
    batch = run(*words).rpartition("batch ")[2][:64]
    assert set(held(home)) - set(before) == {f"batches/{batch[:2]}/{batch}.jsonl"}
    (entry,) = made_by(JANE)
    assert (entry.id, entry.primary) == ("2026-12/next/judgement", True)
    assert dict(zip(entry.prediction.levels, entry.prediction.values, strict=True))["0.5"] == "0.61"
    assert "0.61" in run("ledger", "show", "2026-12/next/judgement")
    assert CliRunner().invoke(main, ["verify"]).exit_code == 0


def test_the_target_may_be_named_without_its_round_and_the_author_by_the_environment(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORESAID_AUTHOR", JANE)
    run("forecast", "best", "--normal", "80", "4", "--unit", "percent", "--method", "gut")

    (entry,) = made_by(JANE)
    assert entry.id == "2026-12/best/gut"
    assert float(entry.prediction.values[0]) >= 0.7


def test_a_second_method_is_not_primary_and_a_change_is_an_amendment_with_its_reason(home: Path) -> None:
    run("forecast", "next", "--author", JANE, "--normal", "0.6", "0.1")
    run("forecast", "next", "--author", JANE, "--normal", "0.7", "0.1", "--method", "second")
    said_no = run("forecast", "next", "--author", JANE, "--normal", "0.65", "0.1", code=1)
    assert "forecast_exists" in said_no
    assert "--amend REASON" in said_no
    run("forecast", "next", "--author", JANE, "--normal", "0.65", "0.1", "--amend", "read the model card")
    run("ledger", "withdraw", "2026-12/next/second", "--reason", "no better", "--author", JANE)

    first, second, changed, gone = made_by(JANE)
    assert (first.primary, second.primary) == (True, False)
    assert (changed.amends, changed.reason) == ("2026-12/next/judgement", "read the model card")
    assert gone.withdraws == "2026-12/next/second"
    assert "no 2026-12/best/judgement" in run(
        "forecast", "best", "--author", JANE, "--normal", "0.8", "0.1", "--amend", "x", code=1
    )


FORM = """\
author: jane
method: judgement
forecasts:
  - target: 2026-12/next
    quantiles: {0.1: 0.52, 0.5: 0.61, 0.9: 0.70}
  - target: 2026-12/best
    normal: {mean: 80%, sd: 4%}
    method: trend
  - target: rating
    normal: {mean: 1500, sd: 40}
"""
AS_CSV = """\
target,level,value,method,author
2026-12/next,0.1,0.52,judgement,jane
2026-12/next,0.5,0.61,judgement,jane
2026-12/next,0.9,0.70,judgement,jane
2026-12/rating,0.25,1473,judgement,jane
2026-12/rating,0.75,1527,judgement,jane
"""
AS_JSON = json.dumps(
    {"author": "jane", "forecasts": [{"target": "2026-12/next", "quantiles": {"0.1": 0.52, "0.5": 0.61, "0.9": 0.7}}]}
)


@pytest.mark.parametrize(("name", "text", "count"), [("f.yaml", FORM, 3), ("f.csv", AS_CSV, 2), ("f.json", AS_JSON, 1)])
def test_a_file_holds_many_forecasts_and_says_whose_they_are(home: Path, name: str, text: str, count: int) -> None:
    (home / name).write_text(text, encoding="utf-8")

    verdict = json.loads(run("check", name, "--json"))
    assert (verdict["verdict"], verdict["forecasts"], verdict["files"][0]["author"]) == ("accepted", count, "jane")
    run("forecast", name)
    found = {entry.id: entry for entry in made_by(JANE)}
    assert len(found) == count
    assert "0.61" in found["2026-12/next/judgement"].prediction.values
    again = json.loads(run("check", name, "--json", code=1))
    assert {one["code"] for one in again["files"][0]["objections"]} == {"forecast_exists"}


def test_written_lines_can_be_sealed_and_opened_by_their_author(home: Path, tmp_path: Path) -> None:
    lines, seals = str(tmp_path / "lines.jsonl"), str(tmp_path / "seals")
    before = held(home)
    run("forecast", "next", "--author", JANE, "--normal", "0.6", "0.1", "--out", lines)
    assert held(home) == before
    run("ledger", "seal", lines, "--secrets", seals, "--reveal-by", "2026-12-20T00:00:00Z", "--author", JANE)
    (secret,) = (tmp_path / "seals").iterdir()
    run("ledger", "reveal", str(secret), "--author", JANE)

    assert [type(entry).__name__ for entry in made_by(JANE)] == ["Sealed", "Reveal"]


WRONG: dict[str, tuple[tuple[str, ...], str, int]] = {
    "a number that is none": (("next", "--normal", "high", "0.1"), "number_invalid", 2),
    "not a number": (("next", "--normal", "nan", "0.1"), "number_invalid", 2),
    "no width": (("next", "--normal", "0.5", "0"), "number_invalid", 2),
    "an unknown target": (("nxt", "--normal", "0.5", "0.1"), "did you mean next?", 2),
    "an unknown round": (("2027-12/next", "--normal", "0.5", "0.1"), "did you mean 2026-12/next?", 2),
    "descending quantiles": (("next", "--quantiles", "0.1=0.7,0.9=0.5"), "values_descend", 2),
    "one-sided quantiles": (("next", "--quantiles", "0.6=0.7,0.9=0.8"), "levels_one_sided", 2),
    "a level of ten": (("next", "--quantiles", "10=0.5,90=0.7"), "level_invalid", 2),
    "a level twice": (("next", "--quantiles", "0.1=0.5,0.1=0.6,0.9=0.7"), "the level 0.1 twice", 2),
    "no equals sign": (("next", "--quantiles", "0.1:0.5"), "expected LEVEL=VALUE", 2),
    "outside the scale": (("next", "--normal", "1.2", "0.1"), "value_out_of_bounds", 2),
    "per cent not said": (("next", "--normal", "61", "7"), "--unit percent", 2),
    "worse than the record": (("best", "--normal", "0.6", "0.1"), "the record that stands is 0.7", 2),
    "an unknown unit": (("next", "--normal", "0.6", "0.1", "--unit", "points"), "unit_unknown", 2),
    "per cent of points": (("rating", "--normal", "50", "5", "--unit", "percent"), "expected points [unit_unknown]", 2),
    "an odd method": (("next", "--normal", "0.6", "0.1", "--method", "My Method"), "method_invalid", 2),
    "both kinds": (("next", "--normal", "0.6", "0.1", "--quantiles", "0.1=0.5,0.9=0.6"), "found --quantiles and --normal", 2),
    "neither kind": (("next",), "found neither --quantiles nor --normal", 2),
    "a folder": ((".",), "found a folder", 2),
    "an empty reason": (("next", "--normal", "0.6", "0.1", "--amend", ""), "found '' after --amend", 2),
    "a file that is not there": (("nowhere.yaml",), "file_missing", 2),
}


@pytest.mark.parametrize("fault", WRONG)
def test_a_bad_request_is_one_line_with_place_found_and_expected_and_freezes_nothing(home: Path, fault: str) -> None:
    before = held(home)
    words, message, code = WRONG[fault]
    said_no = run("forecast", *words, "--author", JANE, code=code)

    assert len(said_no.splitlines()) == 1
    assert message in said_no
    assert "found" in said_no
    assert "expected" in said_no
    assert held(home) == before


@pytest.mark.parametrize(("author", "code"), [("", "author_missing"), ("Jane Doe", "author_invalid"), ("acmе", "author_invalid")])
def test_nobody_forecasts_without_a_name(home: Path, author: str, code: str) -> None:
    words = ["--author", author] if author else []

    assert code in run("forecast", "next", "--normal", "0.6", "0.1", *words, code=2)


def test_a_name_that_looks_like_another_ones_is_refused(home: Path) -> None:
    run("forecast", "next", "--normal", "0.6", "0.1", "--author", "jane-10")

    assert "author looks like another one" in run("forecast", "next", "--normal", "0.6", "0.1", "--author", "jane-1o", code=1)


def test_after_the_deadline_nothing_is_frozen(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Hand, "at", datetime(2026, 12, 8, 0, 0, 1, tzinfo=UTC))

    assert "target_closed" in run("forecast", "2026-12/next", "--normal", "0.6", "0.1", "--author", JANE, code=1)


BAD_FILES: dict[str, tuple[str, bytes, str]] = {
    "not UTF-8": ("f.yaml", b"author: j\xe9r\xf4me\n", "file_unreadable"),
    "not YAML": ("f.yaml", b"author: [\n", "file_unreadable"),
    "a key twice": ("f.yaml", b"author: a\nauthor: b\n", "file_unreadable"),
    "aliases that unfold": (
        "f.yaml",
        b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(b"%c: &%c [%s]\n" % (c, c, b",".join([b"*%c" % (c - 1)] * 9)) for c in b"bcdefg"),
        "file_unreadable",
    ),
    "too deep": ("f.json", b"[" * 100_000, "file_unreadable"),
    "not JSON": ("f.json", b"{", "file_unreadable"),
    "too large": ("f.yaml", b"#" * ((1 << 20) + 1), "file_too_large"),
    "empty": ("f.yaml", b"", "field_missing"),
    "a list": ("f.yaml", b"- 1\n", "field_missing"),
    "no forecasts": ("f.yaml", b"author: jane\n", "field_missing"),
    "an unknown field": ("f.yaml", b"author: jane\nforecast: []\n", "field_unknown"),
    "no numbers": ("f.yaml", b"author: jane\nforecasts: [{target: next}]\n", "field_missing"),
    "a word": ("f.yaml", b"author: jane\nforecasts: [{target: next, normal: {mean: high, sd: 0.1}}]\n", "number_invalid"),
    "a truth": ("f.yaml", b"author: jane\nforecasts: [{target: next, normal: {mean: true, sd: 0.1}}]\n", "number_invalid"),
    "no author": ("f.yaml", b"forecasts: [{target: next, normal: {mean: 0.5, sd: 0.1}}]\n", "author_missing"),
    "an author that is a number": (
        "f.yaml",
        b"author: 7\nforecasts: [{target: next, normal: {mean: 0.5, sd: 0.1}}]\n",
        "field_missing",
    ),
    "twice": ("f.yaml", b"author: j\nforecasts: [&a {target: next, normal: {mean: 0.5, sd: 0.1}}, *a]\n", "forecast_twice"),
    "CSV without columns": ("f.csv", b"target,value\nnext,0.5\n", "field_missing"),
    "CSV with another column": ("f.csv", b"target,level,value,mood\nnext,0.5,0.5,good\n", "field_unknown"),
    "CSV with a short row": ("f.csv", b"author,target,level,value\nj,next,0.1,0.5\nj,next\n", "field_missing"),
    "CSV with a quote left open": ("f.csv", b'target,level,value\n"next,0.5,0.5\n', "file_unreadable"),
    "CSV of two authors": ("f.csv", b"author,target,level,value\na,next,0.1,0.5\nb,next,0.9,0.6\n", "author_invalid"),
    "a picture": ("f.png", b"\x89PNG", "file_unreadable"),
    "a batch of another name": (f"{'0' * 64}.jsonl", b"{}\n", "ledger_check"),
}


@pytest.mark.parametrize("fault", BAD_FILES)
def test_a_bad_file_has_a_code_and_the_ledger_stays_as_it_is(home: Path, fault: str) -> None:
    name, content, code = BAD_FILES[fault]
    (home / name).write_bytes(content)
    before = held(home)
    done = CliRunner().invoke(main, ["check", name, "--json"])

    assert done.exit_code in (1, 2), done.output
    verdict = json.loads(done.output)
    found = [one for place in (*verdict["files"], verdict) for one in place["objections"]]
    assert (verdict["verdict"], verdict["schema"]) == ("refused", "submission-verdict/v1")
    assert code in {one["code"] for one in found}
    assert all(one["where"] and one["found"] and one["expected"] for one in found)
    if name.endswith((".yaml", ".json", ".csv")):
        assert CliRunner().invoke(main, ["forecast", name]).exit_code in (1, 2)
    assert held(home) == before


def test_all_that_is_wrong_with_a_file_is_told_at_once(home: Path) -> None:
    (home / "f.yaml").write_text(FORM.replace("0.61", "0.41").replace("rating", "rated").replace("80%", "60%"), encoding="utf-8")
    found = json.loads(run("check", "f.yaml", "--json", code=1))["files"][0]["objections"]

    assert {one["code"] for one in found} == {"values_descend", "target_unknown", "value_out_of_bounds"}
    assert all(one["where"].startswith("f.yaml, forecast ") for one in found)


def test_every_code_is_described_and_used_somewhere() -> None:
    folder = Path(submission.__file__).parents[1] / "ledger/submission"
    text = "".join(path.read_text(encoding="utf-8") for path in (*folder.glob("*.py"), Path(submission.__file__)))

    assert [code for code in objections.CODES if text.count(f'"{code}"') < 2] == []


def clone(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The clone of somebody outside, in which one then stands."""
    git(tmp_path, "clone", "-q", str(home), "theirs")
    monkeypatch.chdir(tmp_path / "theirs")
    return tmp_path / "theirs"


def judged(home: Path, theirs: Path, code: int = 0) -> dict[str, Any]:
    """The verdict on the newest commit of a clone, by the settings and the ledger of the registry it is sent to."""
    base = git(home, "rev-parse", "HEAD")
    told: dict[str, Any] = json.loads(run("--root", str(home), "check", str(theirs), "--base", base, "--json", code=code))
    return told


def commit(folder: Path) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "a change")


def codes(verdict: dict[str, Any]) -> set[str]:
    return {one["code"] for place in (*verdict["files"], verdict) for one in place["objections"]}


def test_a_pull_request_with_a_forecast_is_accepted_merged_and_put_into_the_log(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = clone(home, tmp_path, monkeypatch)
    run("forecast", "next", "--author", JANE, "--normal", "0.6", "0.1")
    assert run("check", "registry/ledger/batches").endswith("check: accepted: 2 forecasts in 3 files, 0 objections\n")
    commit(theirs)
    before = held(home)
    verdict = judged(home, theirs)

    assert (verdict["verdict"], verdict["forecasts"], codes(verdict)) == ("accepted", 1, set())
    assert held(home) == before
    git(home, "pull", "-q", str(theirs), "main")
    monkeypatch.chdir(home)
    run("ledger", "checkpoint")
    assert CliRunner().invoke(main, ["verify", "--strict"]).exit_code == 0
    assert [entry.id for entry in made_by(JANE)] == ["2026-12/next/judgement"]


Change = Callable[[Path], None]


def edited(folder: Path) -> None:
    path = next((folder / "registry/ledger/batches").rglob("*.jsonl"))
    path.write_bytes(path.read_bytes().replace(b"2026", b"2027"))


def settings(folder: Path) -> None:
    run("forecast", "next", "--author", JANE, "--normal", "0.6", "0.1")
    (folder / "params.yaml").write_text("origin: mine\n", encoding="utf-8")


def renamed(folder: Path) -> None:
    run("forecast", "next", "--author", JANE, "--normal", "0.6", "0.1")
    path = max((folder / "registry/ledger/batches").rglob("*.jsonl"), key=lambda one: one.stat().st_mtime_ns)
    place = folder / "registry/ledger/batches/ab" / f"ab{'0' * 62}.jsonl"
    place.parent.mkdir(exist_ok=True)
    path.rename(place)


def a_link(folder: Path) -> None:
    place = folder / "registry/ledger/batches/ab" / f"ab{'0' * 62}.jsonl"
    place.parent.mkdir(exist_ok=True)
    place.symlink_to("/etc/hostname")


def an_outcome(folder: Path) -> None:
    value = {
        "round": "2026-12",
        "target": "best",
        "value": "0.9",
        "known_at": "2026-12-01",
        "released_on": None,
        "snapshot": "0" * 64,
    }
    made = entries.parse({"type": "resolution/v1", "source": "https://example.org", "covariates": [], **value})
    freeze(folder, JANE, "2026-12-02T00:00:00", [made])  # type: ignore[list-item]  # a resolution is an entry


def in_the_future(folder: Path) -> None:
    freeze(folder, JANE, "2026-12-07T00:00:00", [said("2026-12", "next", "a", quantiles(0.6), primary=True)])


def someone_elses_levels(folder: Path) -> None:
    short = entries.Quantiles(levels=["0.1", "0.9"], values=["0.2", "0.3"])
    header = entries.Header(
        origin="acme/registry", author=JANE, parents=store.heads(folder / "registry/ledger"), as_of="2026-12-02",
        frozen_at="2026-12-02T00:00:00Z", data=[], code=Code(git=None, dirty=False, version="1"), n=1,
    )  # fmt: skip
    content = entries.encode(header, 1) + entries.encode(said("2026-12", "next", "a", short, primary=True), 2)
    name = sha256(content).hexdigest()
    place = folder / f"registry/ledger/batches/{name[:2]}/{name}.jsonl"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)


def without_rows(folder: Path) -> None:
    data = [Data(name="joint", sha256=JOINT.training.sha256, bytes=len(ROWS), rows=1, max_observed_on="2026-11-20")]
    freeze(folder, JANE, "2026-12-02T00:00:00", [said("2026-12", "next", "joint", JOINT, primary=True)], data)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (edited, "path_not_allowed"),
        (settings, "path_not_allowed"),
        (renamed, "ledger_check"),
        (a_link, "path_not_allowed"),
        (an_outcome, "entry_not_allowed"),
        (in_the_future, "ledger_check"),
        (someone_elses_levels, "ledger_check"),
        (without_rows, "ledger_check"),
    ],
)
def test_what_a_pull_request_may_not_bring_is_refused_by_a_word(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Change, code: str
) -> None:
    theirs = clone(home, tmp_path, monkeypatch)
    change(theirs)
    commit(theirs)

    assert code in codes(judged(home, theirs, code=1))


def test_a_pull_request_that_comes_after_the_deadline_is_late_whatever_it_claims(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = clone(home, tmp_path, monkeypatch)
    run("forecast", "next", "--author", JANE, "--normal", "0.6", "0.1")
    commit(theirs)
    monkeypatch.setattr(Hand, "at", datetime(2026, 12, 9, tzinfo=UTC))

    assert codes(judged(home, theirs, code=1)) == {"target_closed"}


def test_a_name_that_is_known_is_a_warning_and_a_change_of_code_alone_is_none_of_its_business(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = clone(home, tmp_path, monkeypatch)
    (theirs / "README.md").write_text("better\n", encoding="utf-8")
    commit(theirs)
    assert judged(home, theirs) == {
        "schema": "submission-verdict/v1", "verdict": "accepted", "forecasts": 0, "files": [], "objections": [],
    }  # fmt: skip
    git(theirs, "reset", "-q", "--hard", "HEAD~1")
    run("forecast", "next", "--author", KEEPER, "--normal", "0.6", "0.1")
    commit(theirs)
    verdict = judged(home, theirs)

    assert (verdict["verdict"], codes(verdict)) == ("accepted", {"author_known"})


@pytest.mark.parametrize(
    "words", [("nowhere",), ("--base", "main", "a", "b"), (".", "--base", "no-such-branch"), (".", "--base", "-x")]
)
def test_a_check_of_nothing_is_a_question_that_cannot_be_understood(home: Path, words: tuple[str, ...]) -> None:
    done = CliRunner().invoke(main, ["check", *words])

    assert done.exit_code == 2
    assert "Traceback" not in done.output
    assert isinstance(done.exception, SystemExit)


def test_the_workflow_judges_with_the_settings_of_the_branch_and_holds_no_key(home: Path) -> None:
    import yaml

    made = yaml.safe_load((home / ".github/workflows/submission.yml").read_text(encoding="utf-8"))
    steps = made["jobs"]["check"]["steps"]
    typed = [step["run"] for step in steps if "foresaid" in step.get("run", "")]

    assert made["permissions"] == {"contents": "read"}
    assert list(made[True]) == ["pull_request"]  # YAML reads `on` as true
    assert "secrets" not in json.dumps(made["jobs"])
    assert all(line.startswith('foresaid --root registry check submission --base "$BASE"') for line in typed)
    assert [step["with"]["ref"].split(".")[-2] for step in steps if "ref" in step.get("with", {})] == ["base", "head"]


@pytest.mark.parametrize(
    "page", [ROOT / "CONTRIBUTING.md", new_project.STARTER / "CONTRIBUTING.md.tmpl"], ids=lambda page: page.name
)
def test_what_the_page_for_contributors_says_can_be_typed(home: Path, page: Path) -> None:
    text = page.read_text(encoding="utf-8").replace("ROUND/TARGET", "2026-12/next").replace("ROUND/ANOTHER", "2026-12/rating")
    (form,) = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
    form = textwrap.dedent(form).replace("40%", "1500").replace("10%", "40").replace("mean: 0.4, sd: 0.1", "mean: 1500, sd: 40")
    (home / "my-forecasts.yaml").write_text(form, encoding="utf-8")
    typed = [line.strip() for line in text.splitlines() if line.strip().startswith("foresaid ")]

    assert len(typed) == 3
    for line in typed:
        assert "can be frozen" in run(*line.removeprefix("foresaid ").split())
    assert "your-name" in run("forecast", "my-forecasts.yaml")
    assert "accepted" in run("check", "registry/ledger/batches")
