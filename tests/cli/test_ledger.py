"""The ledger's commands in a small repository of its own, from the key to the verified page."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
import msgspec
import pytest
from click.testing import CliRunner
from tests.attacks.build import ORIGIN
from tests.conftest import ROOT
from tests.ledger.test_store import OPENING, forecast, write
from tests.worlds.authority import Authority

from foresaid.canonical_json import dump_line
from foresaid.cli import ledger, main
from foresaid.ledger import store
from foresaid.ledger.entries import schema as entries

FORECAST = "2026q4/mmlu-pro/model-x/a"
LONG = "2027-06-02T00:00:00Z"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with params.yaml and a ledger of one round."""
    folder = tmp_path / "clone"
    place = folder / "registry/ledger"
    store.create(place, ORIGIN)
    write(place, [*OPENING, forecast("a")])
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    text = text.replace("origin: foresaid/registry ", f"origin: {ORIGIN} ").replace(
        "author: foresaid\n", "author: example.org/alice\n"
    )
    (folder / "params.yaml").write_text(text, encoding="utf-8")
    return folder


def run(folder: Path, *words: str, code: int = 0) -> str:
    done = subprocess.run([sys.executable, "-m", "foresaid", *words], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def test_from_the_key_to_the_proof(clone: Path, tmp_path: Path) -> None:
    place = clone / "registry/ledger"
    log_key = run(clone, "ledger", "key", "new", ORIGIN, "--to", str(tmp_path / "log.key")).strip()
    seen_by = run(clone, "ledger", "key", "new", "witness.example/a", "--kind", "witness", "--to", str(tmp_path / "w.key")).split()[
        -1
    ]
    authorities = [Authority(tmp_path / name, name) for name in ("tsa1", "tsa2")]
    (tmp_path / "mine/tsa").mkdir(parents=True)
    policy = tmp_path / "mine/policy.txt"
    lines = "".join(one.policy_line for one in authorities)
    policy.write_text(f"{log_key}\nwitness a {seen_by}\nquorum a\n{lines}stamps 2\n", encoding="ascii")
    for one in authorities:
        (tmp_path / f"mine/tsa/{one.name}.pem").write_bytes(one.root)
    with_policy = ("--policy", str(policy))

    assert "signed" in run(clone, "ledger", "checkpoint", "--key", str(tmp_path / "log.key"))
    old = tmp_path / "old-checkpoint"
    shutil.copy(place / "log/checkpoint", old)
    witness = ("ledger", "witness", "--key", str(tmp_path / "w.key"), "--state", str(tmp_path / "w.json"), *with_policy, "--write")
    assert "witness.example/a" in run(clone, *witness)
    for one in authorities:
        run(clone, "ledger", "stamp", "--request", str(tmp_path / "s.tsq"))
        (tmp_path / "s.tsr").write_bytes(one.reply((tmp_path / "s.tsq").read_bytes()))
        files = ("--response", str(tmp_path / "s.tsr"), "--sent", str(tmp_path / "s.tsq"))
        run(clone, "ledger", "stamp", *files, "--authority", one.name, *with_policy)

    run(clone, "ledger", "policy", str(policy))
    assert "the policy in the ledger itself" in run(clone, "verify", code=5)
    said = run(clone, "verify", *with_policy, "--known", str(old), code=5)  # the snapshot is not here
    assert "snapshot not checked" in said
    assert "1 of 1 batches in the log are stamped by 2 authorities" in said
    shown = run(clone, "ledger", "show", FORECAST, *with_policy)
    assert all(words in shown for words in ("tsa1 stamped it by", "Enough authorities agree", "Witnesses that saw", "not proven:"))
    name = next(place.glob("batches/*/*.jsonl")).stem
    run(clone, "ledger", "prove", name, "--to", str(tmp_path / "p.tlog-proof"))
    assert "size 1" in run(clone, "ledger", "prove", name, "--check", str(tmp_path / "p.tlog-proof"), *with_policy)

    run(clone, "ledger", "withdraw", FORECAST, "--reason", "a test")
    run(clone, "ledger", "checkpoint", code=1)  # signed before, so the key is needed
    run(clone, "ledger", "checkpoint", "--key", str(tmp_path / "log.key"))
    newest = tmp_path / "newest"
    shutil.copy(place / "log/checkpoint", newest)
    shutil.copy(old, place / "log/checkpoint")
    (place / "log/MANIFEST").write_bytes((place / "log/MANIFEST").read_bytes().splitlines(keepends=True)[0])
    assert "rolled back" in run(clone, "verify", *with_policy, "--known", str(newest), code=3)


def test_after_a_hand_over_witness_and_proof_need_only_the_first_key(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(clone)
    files = {name: str(tmp_path / name) for name in ("first", "second", "w.key", "w.json", "policy.txt", "proof")}

    def said(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(main.main, words)
        assert done.exit_code == code, done.output
        return done.output

    first, second = (said("ledger", "key", "new", ORIGIN, "--to", files[name]).split()[-1] for name in ("first", "second"))
    seen_by = said("ledger", "key", "new", "witness.example/a", "--kind", "witness", "--to", files["w.key"]).split()[-1]
    Path(files["policy.txt"]).write_text(f"log {first}\nwitness a {seen_by}\nquorum a\n", encoding="ascii")
    said("ledger", "checkpoint", "--key", files["first"])
    said("ledger", "key", "add", second, "--reason", "a new machine")
    said("ledger", "key", "revoke", first, "--reason", "an old machine")
    said("ledger", "checkpoint", "--key", files["first"], "--hand-over")
    said("ledger", "withdraw", FORECAST, "--reason", "a test")
    said("ledger", "checkpoint", "--key", files["second"])
    mine = ("--policy", files["policy.txt"])
    assert "witness.example/a" in said("ledger", "witness", "--key", files["w.key"], "--state", files["w.json"], *mine, "--write")
    name = store.heads(Path("registry/ledger"))[0]
    said("ledger", "prove", name, "--to", files["proof"])
    check = ("ledger", "prove", name, "--check", files["proof"], *mine)

    assert "size 4" in said(*check, "--ledger", "registry/ledger")
    assert "not signed by the log's key" in said(*check, code=1)
    shown = said("ledger", "show", FORECAST, *mine)
    assert f"The signature of {second} under the checkpoint, to which {first} of the policy handed over." in shown
    assert "Witnesses that saw the log only grow: a (" in shown


def test_every_verb_adds_its_entry_and_the_accounting_adds_up(clone: Path, tmp_path: Path) -> None:
    (tmp_path / "page").write_text("a page", encoding="ascii")
    made = forecast("s", benchmark="gpqa")
    three = entries.Quantiles(levels=["0.05", "0.5", "0.95"], values=["0.4", "0.5", "0.6"])
    (tmp_path / "drafts").write_bytes(entries.encode(msgspec.structs.replace(made, prediction=three)))
    (tmp_path / "open").write_bytes(entries.encode(forecast("o")))
    new = {"kind": "quantiles", "levels": ["0.05", "0.25", "0.5", "0.75", "0.95"], "values": ["0.6"] * 5}
    (tmp_path / "new").write_bytes(dump_line(new))
    page = ("--evidence", str(tmp_path / "page"))
    target = ("2026q4", "mmlu-pro/model-x")
    limit = ("--reveal-by", "2027-01-01T00:00:00Z")
    late = run(clone, "ledger", "seal", str(tmp_path / "drafts"), "--secrets", str(tmp_path / "x"), "--reveal-by", LONG, code=1)
    assert "expected at most 2027-06-01T00:00:00Z, the reveal_by of round 2026q4" in late
    run(clone, "ledger", "seal", str(tmp_path / "drafts"), "--secrets", str(tmp_path / "seals"), *limit)
    run(clone, "ledger", "reveal", *map(str, (tmp_path / "seals").iterdir()))
    run(clone, "ledger", "forecast", str(tmp_path / "open"))
    run(clone, "ledger", "amend", FORECAST, "--prediction", str(tmp_path / "new"), "--reason", "why")
    entered = ("ledger", "resolve", *target, "--value", "0.5", *page, "--source", "s", "--known-at")
    assert "still to come" in run(clone, *entered, "2999-01-05", "--released-on", "2026-11-24", code=1)
    run(clone, *entered, "2026-11-25", "--released-on", "2026-11-24", "--covariate", "mmlu", "0.7")
    run(clone, "ledger", "challenge", *target, "--known-at", "2026-11-24", *page, "--reason", "an older page")
    run(clone, "ledger", "withdraw", FORECAST, "--reason", "why")
    met = ("--condition", "already_released", "--on", "2026-11-20")
    run(clone, "ledger", "void", "2026q4", "gpqa/model-x", *met, *page, "--reason", "why")
    assert "9 batches, 9 wait" in run(clone, "ledger", "heads")
    run(clone, "ledger", "checkpoint")
    said = run(clone, "verify", code=5)
    assert "3 forecasts = 0 scored + 1 claimed + 0 pending + 0 unanswered + 1 void + 0 withdrawn + 0 unopened + 1 late" in said
    questions, seal, *_ = (batch.sha256 for batch in store.read(clone / "registry/ledger"))
    assert "redaction of a batch that holds round/v1" in run(
        clone, "ledger", "redact", questions, "--reason", "court order", code=1
    )
    run(clone, "ledger", "redact", seal, "--reason", "court order")
    assert "1 redacted" in run(clone, "verify", code=5)
    run(clone, "ledger", "checkpoint")
    assert "redacted (court order)" in run(clone, "ledger", "show", seal)


@pytest.mark.parametrize(
    "words",
    [
        ["stamp"],
        ["prove", "0" * 64],
        ["show", "nothing"],
        ["withdraw", "r/t/m", "--reason", "x"],
        ["void", "r", "t", "--condition", "renamed", "--on", "2026-11-21", "--evidence", "params.yaml", "--reason", "x"],
        ["redact", "0" * 64, "--reason", "x"],
        ["verify", "--policy", "params.yaml"],
        ["verify", "--known", "params.yaml"],
        ["verify-report", "params.yaml"],
        ["witness", "--key", "params.yaml", "--state", "s"],
        ["checkpoint", "--key", "params.yaml"],
        ["reveal", "params.yaml"],
        ["key", "new", "two words", "--to", "key"],
        ["key", "add", "no key", "--reason", "x"],
        ["policy", "params.yaml"],
        ["amend", "r/t/m", "--prediction", "params.yaml", "--reason", "x"],
        ["seal", "params.yaml", "--secrets", "seals", "--reveal-by", "soon"],
        ["resolve", "r", "t", "--value", "1e3", "--known-at", "2027-01-05", "--evidence", "params.yaml", "--source", "s"],
        ["challenge", "r", "t", "--known-at", "2026-13-05", "--evidence", "params.yaml", "--reason", "x"],
    ],
)
def test_a_request_that_cannot_be_met_is_said_in_plain_words(clone: Path, words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "foresaid", "ledger", *words], cwd=clone, capture_output=True, text=True, check=False
    )

    assert done.returncode in (1, 2, 3, 7)
    assert done.stderr
    if done.returncode in (1, 2):  # one line; a refused batch says each reason on a line of its own; findings have theirs
        assert len(done.stderr.splitlines()) <= 3
    assert "Traceback" not in done.stderr


def leaves(commands: Iterable[click.Command], prefix: str = "") -> Iterator[tuple[str, click.Command]]:
    for command in commands:
        if isinstance(command, click.Group):
            yield from leaves(command.commands.values(), f"{prefix}{command.name} ")
        else:
            yield f"{prefix}{command.name}", command


@pytest.mark.parametrize(("name", "command"), [pytest.param(*item, id=item[0]) for item in leaves(ledger.COMMANDS)])
def test_every_command_has_an_example_and_a_line_in_the_ledgers_page(name: str, command: click.Command) -> None:
    page = (ROOT / "registry/ledger/README.md").read_text(encoding="utf-8")
    table = page[page.index("## Commands") : page.index("Exit codes")]

    name = "verify" if name == "ledger verify" else name  # which stands at the top as well
    assert f"Example: foresaid {name}" in (command.help or "")
    assert re.search(rf"`(foresaid )?(ledger )?{name.removeprefix('ledger ')}\b", table)


def test_what_runs_on_a_change_holds_no_key_and_signs_nothing() -> None:
    """The repository ships no hosted workflow yet; what one would run is here, and one that is added is looked at too."""
    hosted = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob(".github/workflows/*"))
    for path in (".ci/run", "dvc.yaml", "Makefile", *hosted):
        text = (ROOT / path).read_text(encoding="utf-8")
        assert not re.search(r"foresaid (checkpoint|witness|key)|--key|secrets?\.", text), path


def test_b18_bytes_of_others_are_printed_as_escapes_and_nothing_waits_or_is_followed(clone: Path, tmp_path: Path) -> None:
    place = clone / "registry/ledger"
    run(clone, "ledger", "checkpoint")
    known = tmp_path / "known"
    shutil.copyfile(place / "log/checkpoint", known)
    (place / "log/checkpoint").write_bytes(b"\x1b]0;owned\x07\xe2\x80\xae\n")

    said = run(clone, "verify", "--known", str(known), code=1)

    assert "the checkpoint here:\n\\x1b]0;owned\\x07\\xe2\\x80\\xae" in said
    assert all(sign == "\n" or " " <= sign <= "~" for sign in said)

    (place / "log/checkpoint").unlink()
    (place / "log/checkpoint").symlink_to("/etc/passwd")
    assert "root:" not in run(clone, "verify", "--known", str(known), code=1)

    (place / "log/checkpoint").unlink()
    os.mkfifo(place / "log/checkpoint")
    run(clone, "verify", "--known", str(known), code=1)


def test_show_says_what_was_asked_and_said_beside_what_is_proven(clone: Path) -> None:
    run(clone, "ledger", "checkpoint")

    said = run(clone, "ledger", "show", FORECAST)
    (told,) = json.loads(run(clone, "ledger", "show", FORECAST, "--json"))["forecasts"]

    for words in (
        "target unit: fraction",
        "round deadline: 2026-12-01",
        "quantiles 0.05: 0.412",
        "outcome: none in the ledger yet",
    ):
        assert words in said
    assert told["versions"][0]["prediction"]["values"][0] == "0.412"
    assert told["versions"][0]["counts"] is True
    assert (told["target"]["unit"], told["round"]["deadline"], told["state"]) == ("fraction", "2026-12-01T00:00:00Z", "pending")
    assert (told["target"]["rule"]["kind"], told["scores"], told["outcomes"]) == ("named", [], [])
    assert not any("commit" in line for line in told["proven"])  # anybody can write any commit


def test_b25_verify_says_who_signed_and_a_reader_that_stops_early_is_no_error(clone: Path, tmp_path: Path) -> None:
    line = run(clone, "ledger", "key", "new", ORIGIN, "--to", str(tmp_path / "log.key")).strip()
    run(clone, "ledger", "checkpoint", "--key", str(tmp_path / "log.key"))
    assert "checkpoint: signed by no key of the policy" in run(clone, "verify", code=4)
    (tmp_path / "policy.txt").write_text(f"{line}\nquorum none\n", encoding="ascii")
    assert f"checkpoint: signed by {line.split()[-1]}" in run(clone, "verify", "--policy", str(tmp_path / "policy.txt"), code=5)

    words = f"{sys.executable} -m foresaid ledger show {FORECAST} | head -1"
    done = subprocess.run(["sh", "-c", words], cwd=clone, capture_output=True, text=True, check=False)
    assert done.stdout.startswith(FORECAST)
    assert done.stderr == ""


def test_an_author_with_a_key_signs_with_a_command(clone: Path, tmp_path: Path) -> None:
    line = run(clone, "ledger", "key", "new", "example.org/alice", "--kind", "author", "--to", str(tmp_path / "alice.key")).strip()
    (tmp_path / "policy.txt").write_text(f"{line}\n", encoding="ascii")
    run(clone, "ledger", "policy", str(tmp_path / "policy.txt"))
    (batch,) = [path.stem for path in (clone / "registry/ledger/batches").rglob("*.jsonl")]
    assert "did not sign it" in run(clone, "verify", code=5)

    run(clone, "ledger", "sign", batch, "--key", str(tmp_path / "alice.key"))
    run(clone, "ledger", "checkpoint")

    said = run(clone, "verify", code=5)  # the made-up training rows of this ledger are nowhere
    assert "did not sign it" not in said
    assert "1 batches, 1 sequenced, 0 pending" in said
