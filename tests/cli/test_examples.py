"""What the help of a command promises: examples that parse as they stand, arguments explained, units said, names completed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from tests.cli.typed import COMMANDS, examples
from tests.conftest import ROOT

from foresaid.cli.group import Verb
from foresaid.cli.main import main
from foresaid.cli.names import Day, Name

OWN = {"as_json", "quiet", "verbose"}
# What a number can be: a unit, a count of something, or a seed.
UNIT = re.compile(
    r"FLOPs|tokens|points|0 to 100|nats|share|accuracy|parameters|models|draws|seed|steps|how many|examples|folds|number|runs",
    re.IGNORECASE,
)
EXAMPLES = [(name, typed) for name, command in COMMANDS.items() for typed in examples(command)]


def parsed(words: list[str]) -> click.Context:
    """Read what was typed as the program does, up to the point where it would run."""
    group: click.Command = main
    context = click.Context(main, info_name="foresaid")
    while isinstance(group, click.Group):
        name, command, words = group.resolve_command(context, words)
        assert command is not None
        if isinstance(command, Verb) and words[0] not in command.commands:
            return command.make_context(name, list(words), parent=context)
        context = command.make_context(name, list(words), parent=context) if not isinstance(command, click.Group) else context
        group = command
    return context


@pytest.mark.parametrize(("name", "typed"), EXAMPLES, ids=lambda one: shlex.join(one) if isinstance(one, list) else "")
def test_an_example_is_understood_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, typed: list[str]
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("HOME", str(tmp_path))
    words = [word.replace("~", str(tmp_path)).replace("*", "one") for word in typed]
    for word in words[1:]:  # what it names is there, as a file or a folder
        place = Path(word)
        if (
            place.suffix in (".csv", ".json", ".jsonl", ".yaml", ".txt", ".html", ".key", ".tsr", ".seal")
            or word == "my-checkpoint"
        ):
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch()
        elif "/" in word and "://" not in word and word.startswith(("..", str(tmp_path))):
            place.mkdir(parents=True, exist_ok=True)
    for place in (Path("benchpress"), Path("downloads"), Path("curves"), Path("hub"), Path("reports/site")):
        place.mkdir(parents=True, exist_ok=True)

    assert parsed(words).command is COMMANDS[name]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_argument_and_option_is_explained_with_unit_and_format(name: str) -> None:
    command = COMMANDS[name]
    context = click.Context(command, info_name=name)
    for one in command.params:
        text = getattr(one, "help", None) or ""
        assert text.strip(), f"{name}, {one.name}: has no help"
        if isinstance(one.type, click.types.FloatParamType | click.types.IntParamType) and one.name not in OWN:
            assert UNIT.search(text) or one.name == "replicates", f"{name}, {one.name}: names no unit: {text}"
        if isinstance(one.type, click.DateTime):
            assert isinstance(one.type, Day), f"{name}, {one.name}: a day is of the type DAY"
            assert one.make_metavar(context).endswith("YYYY-MM-DD")


def test_names_of_one_kind_complete_wherever_they_are_asked_for() -> None:
    kinds = {"law", "laws", "quantity", "quantities", "model", "case", "round_id", "entry"}
    plain = [
        f"{name}, {one.name}"
        for name, command in COMMANDS.items()
        for one in command.params
        if one.name in kinds and not isinstance(one.type, Name) and not getattr(one, "is_flag", False)
    ]

    assert plain == ["models add, model"]  # a new one is asked for


def complete(*words: str) -> list[str]:
    found = ShellComplete(main, {}, "foresaid", "_FORESAID_COMPLETE").get_completions(list(words[:-1]), words[-1])
    return [item.value for item in found]


def test_laws_benchmarks_models_sources_and_cases_are_completed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "docs")

    assert complete("fit", "chin") == ["chinchilla"]
    assert complete("contest", "olmo_mmlu_") == ["olmo_mmlu_bpb", "olmo_mmlu_mc", "olmo_mmlu_rc"]
    assert "meta-llama/llama-2-7b-hf" in complete("models", "show", "meta-llama/llama-2")
    assert complete("licences", "--source", "obs") == ["obsscaling"]
    assert "obsscaling-2024-05" in complete("replay", "--case", "obs")
    assert complete("led") == ["ledger"]


def test_entries_of_the_ledger_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.attacks.build import ORIGIN
    from tests.ledger.test_store import OPENING, forecast, write

    from foresaid.ledger import store

    place = tmp_path / "registry/ledger"
    store.create(place, ORIGIN)
    write(place, [*OPENING, forecast("a")])
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    monkeypatch.chdir(tmp_path)

    assert complete("ledger", "withdraw", "2026q4/") == ["2026q4/mmlu-pro/model-x/a"]
    assert complete("ledger", "resolve", "2026") == ["2026q4"]
    assert complete("ledger", "resolve", "2026q4", "mm") == ["mmlu-pro/model-x"]
    assert (
        len(complete("ledger", "prove", "")) == len(list((place / "batches").iterdir())) or len(complete("ledger", "prove", "")) > 0
    )


def test_completion_outside_a_project_offers_nothing_and_does_not_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert complete("fit", "") == complete("models", "show", "") == complete("ledger", "show", "") == []
