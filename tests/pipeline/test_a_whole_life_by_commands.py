"""The same life as `test_a_whole_life`, played by the commands alone in a scratch clone, and judged by a third person's git clone.

Two authors with keys, a log key, one witness, two time-stamping authorities on this machine; every checkpoint is cosigned and
stamped by both. The clock of the commands is set from step to step, and the authorities answer at that time
(`Authority.reply_at`). Only the record is made up: what boards had published by a day.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from click.testing import CliRunner
from tests.conftest import ROOT
from tests.pipeline.test_a_whole_life import (
    ALICE,
    BOB,
    JOINT,
    ORIGIN,
    ROWS,
    TEXTS,
    asked,
    next_of,
    opened,
    quantiles,
    said,
    world,
)
from tests.worlds.authority import Authority

from foresaid.canonical_json import dump_line
from foresaid.cli import _ledger_context, ledger_entries, ledger_log, ledger_verify, main
from foresaid.ledger import store
from foresaid.ledger.entries import schema as entries
from foresaid.ledger.entries.schema import Entry
from foresaid.ledger.state.accounting import accounts, universe
from foresaid.ledger.state.index import Clock
from foresaid.ledger.verify import page
from foresaid.ledger.verify.verify import verify
from foresaid.pipeline import outcomes, score
from foresaid.pipeline.outcomes import keep_known
from foresaid.text import number

END = datetime(2027, 8, 1, tzinfo=UTC)


class Hand(datetime):
    """A clock whose hand the test moves."""

    at = END

    @classmethod
    def now(cls, tz: Any = None) -> Hand:
        """The time to which it was moved."""
        return cls.fromtimestamp(cls.at.timestamp(), tz or UTC)


@dataclass
class Office:
    """A clone of the project with a ledger, and outside of it the keys and authorities of those who work on it."""

    clone: Path
    outside: Path
    authorities: list[Authority] = field(default_factory=list)
    known: list[Path] = field(default_factory=list)

    @property
    def policy(self) -> tuple[str, str]:
        """The reader's own policy, as an option."""
        return "--policy", str(self.outside / "policy.txt")

    def run(self, *words: str, code: int = 0) -> str:
        """One command, in the folder in which it is called."""
        done = CliRunner().invoke(main.main, words)
        assert done.exit_code == code, f"{words}: {done.exit_code}: {done.output} {done.exception}"
        return done.output

    def file(self, name: str, lines: Sequence[Entry]) -> str:
        """A file of lines, outside the clone."""
        path = self.outside / name
        path.write_bytes(b"".join(map(entries.encode, lines)))
        return str(path)

    def as_(self, author: str, at: str, *words: str) -> str:
        """A command of one author at one time, that adds a batch: signed by the author, put into the log, cosigned and stamped."""
        Hand.at = datetime.fromisoformat(at).replace(tzinfo=UTC)
        text = (ROOT / "params.yaml").read_text(encoding="utf-8").replace("origin: foresaid/registry ", f"origin: {ORIGIN} ")
        (self.clone / "params.yaml").write_text(text.replace("author: foresaid\n", f"author: {author}\n"), encoding="utf-8")
        told = self.run(*words)
        batch = told.rpartition("batch ")[2][:64]
        self.run("ledger", "sign", batch, "--key", str(self.outside / f"{author.rpartition('/')[2]}.key"))
        self.run("ledger", "checkpoint", "--key", str(self.outside / "log.key"))
        Hand.at += timedelta(minutes=1)
        keys = ("--key", str(self.outside / "witness.key"), "--state", str(self.outside / "witness.json"))
        self.run("ledger", "witness", *keys, *self.policy, "--write")
        for one in self.authorities:
            query, reply = self.outside / "q.tsq", self.outside / "r.tsr"
            self.run("ledger", "stamp", "--request", str(query))
            reply.write_bytes(one.reply_at(query.read_bytes(), Hand.at))
            files = ("--response", str(reply), "--sent", str(query), "--authority", one.name)
            assert "existed by" in self.run("ledger", "stamp", *files, *self.policy)
        self.known.append(self.outside / f"checkpoint-{len(self.known)}")
        shutil.copyfile(self.clone / "registry/ledger/log/checkpoint", self.known[-1])
        git(self.clone, "add", "-A")
        git(self.clone, "commit", "-qm", words[1])
        return batch


def git(folder: Path, *words: str) -> None:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *words]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """The whole life. The clock and the folder are set back afterwards."""
    top = tmp_path_factory.mktemp("office")
    here = Office(top / "clone", top / "outside")
    here.outside.mkdir()
    registry = here.clone / "registry"
    store.create(registry / "ledger", ORIGIN)
    (here.clone / ".gitattributes").write_text("registry/ledger/** -text -diff -merge\n", encoding="ascii")
    git(here.clone, "init", "-q", "-b", "main")
    before = os.getcwd()
    patch = pytest.MonkeyPatch()
    for module in (_ledger_context, ledger_entries, ledger_log, ledger_verify):
        patch.setattr(module, "datetime", Hand)
    patch.setattr(outcomes, "read_record", lambda registry, build: world(registry, Hand.at.date()))
    os.chdir(here.clone)
    try:
        _live(here)
        yield here
    finally:
        os.chdir(before)
        patch.undo()


def _live(here: Office) -> None:
    registry, outside = here.clone / "registry", here.outside
    shutil.copyfile(ROOT / "params.yaml", here.clone / "params.yaml")
    lines = [here.run("ledger", "key", "new", ORIGIN, "--to", str(outside / "log.key")).strip()]
    for name, kind, to in (("witness.example/w", "witness", "witness"), (ALICE, "author", "alice"), (BOB, "author", "bob")):
        lines.append(here.run("ledger", "key", "new", name, "--kind", kind, "--to", str(outside / f"{to}.key")).strip())
    (outside / "tsa").mkdir()
    for name in ("tsa1", "tsa2"):
        one = Authority(outside / "authorities" / name, name)
        (outside / f"tsa/{name}.pem").write_bytes(one.root)
        here.authorities.append(one)
    tsa = "".join(one.policy_line for one in here.authorities)
    names = [f"witness w {lines[1].split()[-1]}" if line.startswith("witness ") else line for line in lines]
    (outside / "policy.txt").write_text("\n".join(names) + f"\nquorum w\n{tsa}stamps 2\nfresh 30\n", encoding="ascii")
    here.run("ledger", "policy", str(outside / "policy.txt"))

    known = keep_known(registry, ["acme/old"])
    (outside / "rows.jsonl").write_bytes(ROWS)
    record = {"kind": "record_by", "by": "2027-03-31", "scope": "any", "top": 1, "record": "0.7"}
    dying = {"resolver": "dying", "void_if": [{"condition": "board_closed", "on": None}]}
    questions = here.file(
        "questions",
        [
            opened("2026-12", "2026-12-08T00:00:00Z", "2026-12-22T00:00:00Z"),
            asked("2026-12", "next", known, "2026-12-01", next_of("acme")),
            asked("2026-12", "best", known, "2026-12-01", record),
            asked("2026-12", "dead", known, "2026-12-01", next_of("zeta"), **dying),
        ],
    )
    here.as_(ALICE, "2026-12-01T00:00:00", "ledger", "ask", questions)
    first = [
        said("2026-12", "next", "a", quantiles(0.6), primary=True),
        said("2026-12", "next", "joint", JOINT),
        said("2026-12", "best", "a", quantiles(0.8), primary=True),
        said("2026-12", "dead", "a", quantiles(0.5), primary=True),
    ]
    here.as_(ALICE, "2026-12-02T00:00:00", "ledger", "forecast", here.file("first", first), "--rows", str(outside / "rows.jsonl"))
    hidden = here.file("hidden", [said("2026-12", "next", "b", quantiles(0.77), primary=True)])
    limit = ("--reveal-by", "2026-12-22T00:00:00Z")
    here.as_(BOB, "2026-12-03T00:00:00", "ledger", "seal", hidden, "--secrets", str(outside / "seals"), *limit)
    lost = here.file("lost", [said("2026-12", "best", "b", quantiles(0.9), primary=True)])
    here.as_(BOB, "2026-12-03T01:00:00", "ledger", "seal", lost, "--secrets", str(outside / "forgotten"), *limit)
    (outside / "new").write_bytes(dump_line(msgspec.to_builtins(quantiles(0.75))))
    change = ("2026-12/next/a", "--prediction", str(outside / "new"), "--reason", "a unit")
    here.as_(ALICE, "2026-12-05T00:00:00", "ledger", "amend", *change)
    late = here.file("late", [said("2026-12", "next", "late", quantiles(0.8))])
    here.as_(BOB, "2026-12-10T00:00:00", "ledger", "forecast", late)
    here.as_(BOB, "2026-12-20T00:00:00", "ledger", "reveal", *map(str, (outside / "seals").iterdir()))
    second = [
        opened("2027-01", "2027-01-10T00:00:00Z", "2027-01-24T00:00:00Z"),
        asked("2027-01", "next", known, "2027-01-05", next_of("acme")),
    ]
    here.as_(ALICE, "2027-01-05T00:00:00", "ledger", "ask", here.file("second", second))
    here.as_(
        ALICE,
        "2027-01-05T01:00:00",
        "ledger",
        "forecast",
        here.file("again", [said("2027-01", "next", "a", quantiles(0.79), primary=True)]),
    )
    for day in (date(2027, 3, 1), date(2027, 5, 2), date(2027, 7, 20)):
        here.as_(BOB, f"{day}T12:00:00", "ledger", "outcomes")


STATES = {
    ("alice", "2026-12/next/a"): "scored",
    ("alice", "2026-12/next/joint"): "scored",
    ("alice", "2026-12/best/a"): "scored",
    ("alice", "2026-12/dead/a"): "void",
    ("bob", "2026-12/next/b"): "scored",
    ("bob", "2026-12/best/b"): "unopened",
    ("bob", "2026-12/next/late"): "late",
    ("alice", "2027-01/next/a"): "scored",
}


def shown(office: Office) -> dict[tuple[str, str], dict[str, Any]]:
    """What `show --json` says of every forecast, in the folder in which it is called."""
    found = {}
    for author, name in STATES:
        (told,) = json.loads(office.run("ledger", "show", name, *office.policy, "--json"))["forecasts"]
        found[author, name] = told
    return found


@pytest.fixture(scope="module")
def stranger(office: Office, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A third person's `git clone`."""
    folder = tmp_path_factory.mktemp("stranger")
    git(folder, "clone", "-q", str(office.clone), "clone")
    return folder / "clone"


def test_a_third_persons_git_clone_verifies_to_the_end_with_a_policy_and_checkpoints_of_their_own(
    office: Office, stranger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(stranger)
    Hand.at = END
    memory = [word for path in office.known for word in ("--known", str(path))]

    said_ = office.run("verify", *office.policy, *memory, "--git", "--strict")

    assert "verify: all checks passed" in said_
    assert "12 of 12 batches in the log are stamped by 2 authorities of the reader's policy" in said_
    assert "newest cosignature: 11 days ago" in said_


def test_the_clone_reproduces_every_score_and_state(office: Office, stranger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Hand.at = END
    monkeypatch.chdir(office.clone)
    ours = shown(office)
    monkeypatch.chdir(stranger)
    theirs = shown(office)

    assert theirs == ours
    assert {name: told["state"] for name, told in theirs.items()} == STATES
    numbers = {
        (name, row["told"]): row["wis"] for name, told in theirs.items() for row in told["scores"] if row["standing"] == "scored"
    }
    assert {told for (name, told) in numbers if name[1].endswith("joint")} == {"nothing", "other benchmarks", "siblings too"}
    assert len(numbers) == 7
    assert all(wis is not None and wis >= 0 for wis in numbers.values())
    (penalty,) = [row["wis"] for row in theirs["bob", "2026-12/best/b"]["scores"]]
    assert penalty == pytest.approx(0.8)  # never opened: all at 0 where the record is 0.8


def test_show_carries_everything_a_reader_needs(office: Office, stranger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Hand.at = END
    monkeypatch.chdir(stranger)
    told = shown(office)["alice", "2026-12/next/a"]

    assert told["target"]["rule"]["kind"] == "next_release"
    assert (told["target"]["unit"], told["target"]["levels"], told["round"]["deadline"]) == (
        "fraction",
        TEXTS,
        "2026-12-08T00:00:00Z",
    )
    assert [version["counts"] for version in told["versions"]] == [False, True]  # amended in time
    assert [one["value"] for one in told["outcomes"]] == ["0.8", "0.78"]  # the revision stands beside the first
    proven = " ".join(told["proven"])
    assert all(words in proven for words in ("tsa1 stamped it by", "tsa2 stamped it by", "Witnesses that saw", "signed the batch"))
    assert "commit" not in proven  # anybody can write any commit


def drawn(office: Office, registry: Path, change: Callable[[str], str] = str) -> bytes:
    """The ledger page of a registry, as the site marks it up."""
    result = verify(registry / "ledger")
    told = page.embedded(
        result.listed, result.checkpoint, accounts(result.batches, Clock(END, True, result.proved)), "2027-08-01T00:00:00Z",
        universe(result.batches, result.accounts), score.figures(registry, Clock(END, True, result.proved)),
    )  # fmt: skip
    rows = [f'<tr data-forecast="{author} {name}" data-state="{state}"></tr>' for author, name, _, state in told["forecasts"]]
    for name, found in told["figures"].items():
        cells = "".join(f"<td data-figure>{change(number(None if x is None else float(x)))}</td>" for x in found)
        rows.append(f'<tr data-figures="{name}">{cells}</tr>')
    rows += [f'<tr data-no-show="{page.no_show(a, r, t)}"></tr>' for r, a, _, missing in told["universe"] for t in missing]
    return f'<table>{"".join(rows)}</table><pre id="{page.ELEMENT}">{json.dumps(told)}</pre>'.encode()


def test_verify_report_computes_the_scores_of_the_page_anew(
    office: Office, stranger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Hand.at = END
    monkeypatch.chdir(stranger)
    path = office.outside / "ledger.html"
    path.write_bytes(drawn(office, stranger / "registry"))
    assert "all checks passed" in office.run("ledger", "verify-report", str(path), *office.policy)

    path.write_bytes(drawn(office, stranger / "registry", lambda text: text.replace("0.", "0.0")))
    office.run("ledger", "verify-report", str(path), *office.policy, code=7)


def test_every_line_of_this_life_is_what_the_published_schema_says(office: Office) -> None:
    validator = jsonschema.Draft202012Validator(
        json.loads((ROOT / "docs" / "schemas" / "ledger-line.json").read_text(encoding="utf-8"))
    )
    kinds = set()
    for path in (office.clone / "registry/ledger/batches").rglob("*.jsonl"):
        for line in path.read_bytes().splitlines():
            value = json.loads(line)
            assert validator.is_valid(value), line[:200]
            kinds.add(value["type"])

    assert kinds == {
        f"{name}/v1" for name in ("batch", "round", "target", "forecast", "sealed", "reveal", "amendment", "resolution", "void")
    }


def test_an_older_cosigned_state_put_back_without_any_key_is_told(
    office: Office, stranger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B8: manifest, batches and anchors cut to an earlier size, its own checkpoint put in place of the newest."""
    shutil.copytree(stranger, tmp_path / "clone", ignore=shutil.ignore_patterns(".git"))
    place = tmp_path / "clone/registry/ledger"
    monkeypatch.chdir(tmp_path / "clone")
    Hand.at = END
    names = (place / "log/MANIFEST").read_bytes().splitlines(keepends=True)
    for line in names[5:]:
        name = line.split()[0].decode()
        (place / f"batches/{name[:2]}/{name}.jsonl").unlink()
        (place / f"signatures/{name}.note").unlink()
    (place / "log/MANIFEST").write_bytes(b"".join(names[:5]))
    shutil.copyfile(office.known[4], place / "log/checkpoint")
    for folder in sorted((place / "log/anchors").iterdir())[5:]:
        shutil.rmtree(folder)
    (place / "log/ANCHORS.sha256").unlink()
    store.write_files(place, {})

    assert "the newest cosignature is too old" in office.run("verify", *office.policy, code=5)
    assert "rolled back" in office.run("verify", *office.policy, "--known", str(office.known[-1]), code=3)
