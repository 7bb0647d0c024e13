"""The file of a round: lines, boards, days and the rule of the primary, as strict records; a wrong key is named with its place.

A round is a file under registry/rounds and not a section of params.yaml, since it is a question and no setting: it is written once,
before its forecasts, and kept when the next round opens.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec
import yaml

from foresaid.errors import ParameterError, UnreadableError
from foresaid.ledger.entries.fields import Id, Name, RoundId, Time

Boards: TypeAlias = Literal["all"] | list[str]


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of the records below: fields by name, unknown ones refused."""


class Alive(_Strict, frozen=True):
    """When a board can still say something: models on it, days, and the share of the way to its ceiling that is too near."""

    fewest: int
    measured_within: int
    read_within: int
    saturated: float


class LineAsked(_Strict, frozen=True):
    """A maker's line and tier, as targets spell them."""

    maker: Id
    line: Id
    tier: Id


class NextReleases(_Strict, frozen=True):
    """Which next releases are asked, and how many days after one its value may come."""

    measured_within: int
    launched_within: int
    publish_within: int
    lines: dict[Name, LineAsked]


class Frontier(_Strict, frozen=True):
    """The first, second, ... launch of any of several lines, on the boards named."""

    ordinals: list[int]
    boards: list[str]
    lines: list[Name]


class Records(_Strict, frozen=True):
    """By which days records are asked, how many days later their values may come, and of the best or the three best models."""

    days: list[str]
    publish_within: int
    top: Literal[1, 3]


class Hindcast(_Strict, frozen=True):
    """At which earlier origins the same questions are asked, and the last day whose releases the record holds."""

    origins: list[str]
    until: str


class Primary(_Strict, frozen=True):
    """By kind of target the methods in order: the first that forecasts a target is its primary."""

    next_release: list[Name]
    record_by: list[Name]
    rating: list[Name]


class RoundFile(_Strict, frozen=True):
    """Everything a round file says. `accepted` gives the reason for what a plausibility check finds of a target."""

    id: RoundId
    deadline: Time
    reveal_by: Time
    closes: str
    alive: Alive
    boards: dict[Name, Boards]
    ratings: dict[Name, list[str]]
    next_release: NextReleases
    frontier: Frontier
    record_by: Records
    primary: Primary
    hindcast: Hindcast
    accepted: dict[str, str] = {}

    @property
    def closes_on(self) -> date:
        """The last day on which a release counts."""
        return date.fromisoformat(self.closes)


def read(path: Path) -> RoundFile:
    """Read a round file; ParameterError for what is no YAML or no round, UnreadableError for a file that is absent."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableError(f"{path}: cannot be read ({error}), expected a round file; see registry/rounds") from None
    return parse(text, str(path))


def parse(text: str, where: str) -> RoundFile:
    """Make a round of the text of its file; `where` stands in the errors."""
    try:
        made = msgspec.convert(yaml.safe_load(text), RoundFile)
    except yaml.YAMLError as error:
        raise ParameterError(f"{where}: not YAML: {str(error).splitlines()[0]}") from None
    except msgspec.ValidationError as error:
        raise ParameterError(f"{where}: {error}; correct the round file, docs/running.md says what it holds") from None
    for day in (made.closes, *made.record_by.days, *made.hindcast.origins, made.hindcast.until):
        try:
            found = date.fromisoformat(day)
        except ValueError:
            raise ParameterError(f'{where}: found the day {day!r}, expected a quoted date such as "2027-03-31"') from None
        if found > made.closes_on:
            raise ParameterError(f"{where}, record_by: found {day}, expected at most {made.closes}, when the round closes")
    strange = sorted(set(made.frontier.lines) - set(made.next_release.lines))
    if strange:
        raise ParameterError(f"{where}, frontier: found the line {strange[0]}, expected one of next_release, lines")
    return made
