"""Kinds of names a user types: laws, quantities, models, sources, entries of the ledger. Each says what it is and completes itself.

Completion reads the project's own small files and loads no numerical library. It never fails: where nothing can be read it offers
nothing. What a name has to be is checked by the command that takes it, which names the nearest right one.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import click
from click.shell_completion import CompletionItem

from foresaid.errors import ForesaidError
from foresaid.project import Layout, find


class Name(click.ParamType[str]):
    """A name of one kind; `words` says in help what it is, `known` lists those of a project."""

    def __init__(self, name: str, words: str, known: Callable[[Layout], Iterable[str]]) -> None:
        self.name, self.words, self.known = name, words, known

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Offer the known names that begin as typed."""
        from pathlib import Path

        root = ctx.find_root().params.get("root")
        try:
            here = Layout(root) if root else find(Path()) or Layout()
            return [CompletionItem(name) for name in sorted(set(self.known(here))) if name.startswith(incomplete)]
        except (OSError, ValueError, LookupError, ForesaidError):
            return []


class Day(click.DateTime):
    """A day, YYYY-MM-DD."""

    def __init__(self) -> None:
        super().__init__(["%Y-%m-%d"])

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        """How help shows it."""
        return "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read it, or say how a day is written.

        >>> Day().convert("2026-11-21", None, None).day
        21
        """
        try:
            return value if isinstance(value, datetime) else datetime.strptime(value, "%Y-%m-%d")
        except ValueError:
            self.fail(f"found {value}, expected a day such as 2026-11-21", param, ctx)


def _column(file: str, column: str) -> Callable[[Layout], list[str]]:
    def read(here: Layout) -> list[str]:
        with (here.registry / file).open(encoding="utf-8", newline="") as stream:
            return [row[column] for row in csv.DictReader(stream)]

    return read


def _laws(here: Layout) -> Iterable[str]:
    from foresaid import params

    return params.load(here.params).laws


def _cases(here: Layout) -> Iterable[str]:
    from foresaid import params

    return params.load(here.params).hindcast


def _targets_of_law(here: Layout) -> Iterable[str]:
    """The targets with a curve, of every law that is fitted."""
    import json

    for path in here.build.glob("fits/*/profiles.json"):
        yield from json.loads(path.read_text(encoding="utf-8"))


def _entries(field: Callable[[Any], str | None]) -> Callable[[Layout], list[str]]:
    def read(here: Layout) -> list[str]:
        from foresaid.ledger import store

        found = (field(entry) for batch in store.read(here.ledger) for entry in batch.entries)
        return [name for name in found if name]

    return read


def _of(*kinds: str) -> Callable[[Any], str | None]:
    """The name of an entry of one of these kinds; a target is named by its round too."""

    def field(entry: Any) -> str | None:
        return str(entry.id) if type(entry).__name__ in kinds else None

    return field


def _batches(here: Layout) -> list[str]:
    from foresaid.ledger import store

    return [batch.sha256 for batch in store.read(here.ledger)]


DAY = Day()
LAW = Name("law", "a key under laws in params.yaml, such as chinchilla", _laws)
CASE = Name("case", "a key under hindcast in params.yaml", _cases)
QUANTITY = Name(
    "quantity", "a benchmark or other quantity: a quantity_id of registry/quantities.csv", _column("quantities.csv", "quantity_id")
)
MODEL = Name("model", "a model_id of registry/models.csv, such as meta-llama/llama-2-7b-hf", _column("models.csv", "model_id"))
SOURCE = Name(
    "source",
    "a folder of registry/sources",
    lambda here: [path.parent.name for path in here.registry.glob("sources/*/source.toml")],
)
CURVE = Name("target", "a target of the law that has a curve: `foresaid fit LAW` made it", _targets_of_law)
TARGET = Name("target", "the id of a target in the ledger", _entries(_of("TargetEntry")))
ENTRY = Name(
    "entry",
    "the id of a forecast, ROUND/TARGET/METHOD, of a target, ROUND/TARGET, or the name of a batch",
    _entries(
        lambda entry: (
            f"{entry.round}/{entry.id}" if type(entry).__name__ == "TargetEntry" else _of("ForecastEntry", "Sealed")(entry)
        )
    ),
)
ROUND = Name("round", "the id of a round in the ledger, such as 2026-12", _entries(_of("RoundEntry")))
FORECAST = Name("forecast", "the id of a forecast in the ledger: ROUND/TARGET/METHOD", _entries(_of("ForecastEntry", "Sealed")))
BATCH = Name("batch", "the name of a batch in the ledger: 64 hexadecimal digits", _batches)
QUESTION = Name(
    "target",
    "the name of a target, ROUND/TARGET, or a file of forecasts (.yaml, .json, .csv)",
    _entries(lambda entry: f"{entry.round}/{entry.id}" if type(entry).__name__ == "TargetEntry" else None),
)
