"""What is typed wrongly is refused where it is wrong: an empty word, an option without its value or its partner, a path, a file.

Each of these was met by somebody new to the program: it was taken quietly, or its message named another command.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.cli.typed import COMMANDS

from foresaid.cli.main import main
from foresaid.pipeline import new_project
from foresaid.project import OWN_CODE


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new registry in which one stands, with a few files that no command can read."""
    for variable in OWN_CODE.values():
        monkeypatch.delenv(variable, raising=False)
    new_project.create(tmp_path / "acme", "acme/registry", "acme", date(2026, 11, 20), under_git=False)
    monkeypatch.chdir(tmp_path / "acme")
    for name, content in {"latin.csv": b"tokens,bleu\n1,\xe9\n", "scores.csv": b"model,score\na,1\n", "cut.jsonl": b"{\n"}.items():
        Path(name).write_bytes(content)
    return tmp_path / "acme"


def refused(*words: str) -> str:
    """The one line that is said of these words."""
    done = CliRunner().invoke(main, words, prog_name="foresaid")
    assert done.exit_code in (1, 2), done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)
    [line] = done.stderr.splitlines()
    return line


@pytest.mark.parametrize(
    "words",
    [
        ("--root", "", "target", "list"),
        ("init", ""),
        ("replay", "--case", "x", "--model", ""),
        ("forecast", "a/b", "--normal", "1", "1", "--amend="),
        ("ledger", "withdraw", "a/b/c", "--reason", " "),
        ("alias", "", "openai/gpt-4o"),
    ],
)
def test_an_empty_word_is_refused_before_anything_is_done(home: Path, words: tuple[str, ...]) -> None:
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}

    assert "expected a value; is a variable of the shell unset?" in refused(*words)
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("target", "list", "--round"), "foresaid target list"),
        (("forecast", "x", "--normal", "1"), "foresaid forecast"),
        (("report", "--serve=1"), "foresaid report"),
        (("import", "hubverse"), "foresaid import hubverse"),
        (("ledger", "key", "new", "x", "--to"), "foresaid ledger key new"),
    ],
)
def test_an_error_in_the_words_names_its_command_and_its_help(home: Path, words: tuple[str, ...], name: str) -> None:
    line = refused(*words)

    assert line.startswith(f"{name}: ")
    assert line.endswith(f"; see {name} --help")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_usage_of_every_command_begins_with_its_words(name: str) -> None:
    assert (
        CliRunner()
        .invoke(main, [*name.split(), "--help"], prog_name="foresaid")
        .output.startswith(f"Usage: foresaid {name} [OPTIONS]")
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("report", "--port", "8080"), "found --port 8080 without --serve"),
        (
            ("diagnose", "latin.csv"),
            "latin.csv: found byte 0xe9 at 14, expected a CSV file with the columns tokens and one metric; save",
        ),
        (("time-horizon", "latin.csv"), "latin.csv: found byte 0xe9 at 14"),
        (
            ("import", "scores.csv", "--source", "my-runs", "--known-on", "2026-11-01"),
            "found scores.csv, a table, expected --mapping",
        ),
        (("ledger", "forecast", "cut.jsonl"), "cut.jsonl, line 1: "),
        (("ledger", "ask", "cut.jsonl"), "cut.jsonl, line 1: "),
    ],
)
def test_a_file_or_an_option_that_does_not_fit_is_named(home: Path, words: tuple[str, ...], said: str) -> None:
    assert said in refused(*words)


def test_what_init_says_to_type_next_can_be_typed_where_a_name_has_a_space(tmp_path: Path) -> None:
    said = CliRunner().invoke(main, ["init", str(tmp_path / "my registry"), "--no-git"]).output

    assert f"cd '{tmp_path / 'my registry'}' && " in said
