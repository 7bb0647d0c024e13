"""One rule for what every command says: lines or one JSON document, quiet, verbose, progress, and errors of one line."""

from __future__ import annotations

import io
import json
import threading
from typing import TypedDict

import click
import jsonschema
import pytest
from click.testing import CliRunner
from tests.cli.typed import COMMANDS

from foresaid import parallel
from foresaid.cli import progress
from foresaid.cli.group import Sections, add
from foresaid.cli.output import Lines, as_json, check, leave_with, result_type, schema, table


class Answer(TypedDict):
    """A result of the commands below."""

    wis: float | None
    count: int


@click.group(cls=Sections)
def small() -> None:
    """Commands as somebody would write them."""


@click.command()
def answer() -> Answer:
    """Print a result and leave with 4."""
    click.echo("wis 0.1")
    click.echo("a note", err=True)
    leave_with(4)
    return {"wis": float("nan"), "count": 3}


@click.command()
def said() -> None:
    """Print lines alone."""
    click.echo("one\ntwo")


small.sections = {"All": add(small, (answer, said))}


def test_lines_and_json_come_from_one_command_and_its_exit_code_stays() -> None:
    lines, document = (CliRunner().invoke(small, ["answer", *words]) for words in ([], ["--json"]))

    assert (lines.exit_code, lines.stdout, lines.stderr) == (4, "wis 0.1\n", "a note\n")
    assert (document.exit_code, json.loads(document.stdout)) == (4, {"wis": None, "count": 3})
    assert document.stderr == "a note\n"


def test_a_command_without_a_result_of_its_own_has_its_lines() -> None:
    assert json.loads(CliRunner().invoke(small, ["said", "--json"]).stdout) == {"lines": ["one", "two"]}


def test_quiet_prints_nothing_but_json_that_was_asked_for() -> None:
    assert CliRunner().invoke(small, ["said", "-q"]).output == ""
    assert json.loads(CliRunner().invoke(small, ["said", "-q", "--json"]).output) == {"lines": ["one", "two"]}


def test_verbose_says_how_long_it_took_on_stderr() -> None:
    done = CliRunner().invoke(small, ["said", "-v"])

    assert done.stdout == "one\ntwo\n"
    assert "s of processor time" in done.stderr


@pytest.mark.parametrize("words", [["nosuch"], ["said", "--nosuch"], ["said", "x"]])
def test_what_is_typed_wrongly_is_one_line_that_names_the_help(words: list[str]) -> None:
    done = CliRunner().invoke(small, words)

    assert done.exit_code == 2
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.rstrip().endswith("--help")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_the_three_options_and_a_schema(name: str) -> None:
    options = {word for one in COMMANDS[name].params for word in one.opts}

    assert {"--json", "-q", "--quiet", "-v", "--verbose"} <= options
    jsonschema.Draft202012Validator.check_schema(schema(COMMANDS[name], name))


MARKDOWN = {"models weights", "protocol table", "returns"}  # their tables are made as lines; the list can only become shorter


def test_every_other_command_gives_fields_and_not_lines() -> None:
    assert {name for name, command in COMMANDS.items() if result_type(command.callback) is Lines} == MARKDOWN


def test_a_result_that_is_not_of_its_type_is_a_defect_that_tests_see() -> None:
    wanted = result_type(answer.callback)
    check({"wis": 0.1, "count": 3}, wanted, "answer")

    with pytest.raises(TypeError, match=r"answer: .*\$\.count"):
        check({"wis": 0.1, "count": "three"}, wanted, "answer")


def test_a_table_is_printed_and_returned_with_raw_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    rows = table(["law", "WIS"], [["kaplan", 0.0512345], ["growth", None]])

    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["law", "WIS"],
        ["kaplan", "0.0512"],
        ["growth", "–"],
    ]
    assert json.loads(as_json(rows)) == [{"law": "kaplan", "WIS": 0.0512345}, {"law": "growth", "WIS": None}]


class Waits(threading.Event):
    """An event that says `go on` so many times, and then that all is over, without waiting."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.asked: list[float | None] = []
        self.times = times

    def wait(self, timeout: float | None = None) -> bool:
        self.asked.append(timeout)
        return len(self.asked) > self.times


def test_a_log_gets_one_line_a_minute() -> None:
    ticks, written = iter([0.0, 60.0, 120.0]), io.StringIO()
    told, waits = progress.Told("hindcast", lambda: next(ticks)), Waits(2)
    told("origins", 3, 28)
    progress.in_log(told, waits, written.write)

    assert written.getvalue() == "hindcast: 60 s, origins 3 of 28\nhindcast: 120 s, origins 3 of 28\n"
    assert waits.asked == [60.0, 60.0, 60.0]


def test_a_command_of_under_two_seconds_shows_nothing_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    waits = Waits(0)
    progress.on_terminal(progress.Told("fit", lambda: 0.0), waits)

    assert capsys.readouterr() == ("", "")
    assert waits.asked == [2.0]


def test_a_longer_one_shows_a_bar_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    told = progress.Told("fit", lambda: 0.0)
    told("fits", 12, 40)
    progress.on_terminal(told, Waits(3))
    out, err = capsys.readouterr()

    assert out == ""
    assert "fits 12 of 40" in err


@pytest.mark.parametrize("shown", [True, False])
def test_a_line_that_is_printed_meanwhile_takes_the_place_of_the_bar(capsys: pytest.CaptureFixture[str], shown: bool) -> None:
    told, terminal = progress.Told("fit", lambda: 0.0), io.StringIO()
    told.shown = shown
    print("fit: 3 converged", file=progress.Above(told, terminal), end="\n", flush=True)

    assert terminal.getvalue() == "fit: 3 converged\n"
    assert capsys.readouterr().err.startswith(progress.WIPE) == shown


@pytest.mark.parametrize("backend", ["threads", "processes"])
def test_jobs_are_counted_as_they_end_and_results_stay_in_order(backend: str) -> None:
    seen: list[tuple[str, int, int]] = []
    with parallel.using(2, backend), parallel.watched(lambda *told: seen.append(told)):
        found = parallel.each(abs, [-3, 1, -2, 4], what="numbers")

    assert found == [3, 1, 2, 4]
    assert seen == [("numbers", done, 4) for done in range(5)]


def test_who_does_not_watch_is_told_nothing_and_gets_the_same() -> None:
    with parallel.using(2):
        assert parallel.each(abs, [-3, 1], what="numbers") == parallel.each(abs, [-3, 1]) == [3, 1]
