"""Who is who between a hub and the ledger: authors and methods are `team-model` there, rounds are named by a day.

A hub's abbreviations are letters, digits and underscores with one hyphen between team and model; the ledger's ids are lower case
with dots, slashes and hyphens. What two names would share is refused, so that no forecast gets another's name on the way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from foresaid.errors import LedgerError
from foresaid.ledger.entries.fields import ID, NAME
from foresaid.ledger.entries.schema import RoundEntry

ABBREVIATION = r"[A-Za-z0-9_+]+"
FILE = re.compile(rf"(?P<round>\d{{4}}-\d{{2}}-\d{{2}}|[A-Za-z0-9_]+)-(?P<model>{ABBREVIATION}-{ABBREVIATION})\.(?P<ending>[a-z]+)")


@dataclass(frozen=True)
class FileName:
    """What the name of a file of forecasts says: `<round>-<team>-<model>.<ending>`."""

    round_id: str
    model_id: str
    ending: str


def parse_file_name(name: str) -> FileName | None:
    """The parts of a file name, or None where it is not of the form.

    >>> parse_file_name("2026-12-08-acme-line.csv")
    FileName(round_id='2026-12-08', model_id='acme-line', ending='csv')
    """
    found = FILE.fullmatch(name)
    return FileName(found["round"], found["model"], found["ending"]) if found else None


def abbreviation(name: str) -> str:
    """A name of the ledger as an abbreviation of a hub.

    >>> abbreviation("acme.org/lab-2")
    'acme_org_lab_2'
    """
    return re.sub(r"[^a-z0-9_]", "_", name)


def model_ids(keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """The model id of each author and method; raises LedgerError where two would have the same."""
    made: dict[str, tuple[str, str]] = {}
    for author, method in sorted(set(keys)):
        name = f"{abbreviation(author)}-{abbreviation(method)}"
        if name in made:
            raise LedgerError(
                f"model {name}: found {'/'.join(made[name])} and {author}/{method}, expected names that differ in a hub as well"
            )
        made[name] = (author, method)
    return {key: name for name, key in made.items()}


def author_and_method(model_id: str) -> tuple[str, str] | None:
    """The author and method under which a model of a hub stands in the ledger; None where they make no id.

    >>> author_and_method("UMass-ens_3"), author_and_method("-x")
    (('umass', 'ens_3'), None)
    """
    team, _, model = model_id.lower().replace("+", "_").partition("-")
    return (team, model) if re.fullmatch(ID, team) and re.fullmatch(NAME, model) else None


def round_day(opened: RoundEntry) -> date:
    """The day that names a round in a hub: that of its deadline."""
    return datetime.fromisoformat(opened.deadline).date()


def last_day(opened: RoundEntry) -> date:
    """The last whole day on which forecasts count: a hub's windows are in days and include both ends."""
    return (datetime.fromisoformat(opened.deadline) - timedelta(days=1)).date()
