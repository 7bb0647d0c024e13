"""What is forecast, as rules that a program resolves: every fact that a score depends on stands in the target's own line.

Four kinds: a named model, the next release of a line, the record on a day, every model that a curve binds. A target also says on
which scale it is scored, whose published value counts, between which days a release counts, and when it is void. Files of the
record may change later; a target cannot. `evaluation/resolution.py` is the program that resolves it.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from hashlib import sha256
from itertools import pairwise
from typing import ClassVar, Literal, TypeAlias

from msgspec import UNSET, UnsetType

from foresaid.ledger.entries.fields import Count, Day, EntryFields, Hash, Id, Name, Number, RoundId, Text, check_day, check_text

Condition: TypeAlias = Literal["no_release", "board_closed", "benchmark_retired", "never_published", "already_released", "renamed"]
Effort: TypeAlias = Literal["highest_effort", "default", "each"]


class Named(EntryFields, tag_field="kind", tag="named", frozen=True):
    """A model that is announced and not yet measured."""

    model: Id
    display: Text | UnsetType = UNSET

    def __post_init__(self) -> None:
        if self.display is not UNSET:
            check_text("display", self.display)


class Line(EntryFields, frozen=True):
    """A maker's product line and tier, as models.csv names them: `openai`, `gpt`, `mini`."""

    maker: Id
    line: Id
    tier: Id


class NextRelease(EntryFields, tag_field="kind", tag="next_release", frozen=True):
    """The first (second, ...) launch that holds a model of one of the lines, after the target opens.

    One line is the next of a line and tier; several are the next of a frontier, or a line with the names under which it goes on
    after a renaming. Of two launches on one day the line named first comes first, then the lower id in the order of ASCII.
    """

    lines: list[Line]
    ordinal: Count

    def __post_init__(self) -> None:
        if self.ordinal < 1:
            raise ValueError(f"`ordinal` is {self.ordinal}, expected 1 (the first release) or more")
        if not self.lines or len(set(self.lines)) != len(self.lines):
            raise ValueError("`lines` must name one line or more, each once")


class RecordBy(EntryFields, tag_field="kind", tag="record_by", frozen=True):
    """The best value (top 1), or the mean of the three best models (top 3), among models released by a day.

    `record` is the same number at the freeze; no forecast may put mass beyond it on the worse side.
    """

    by: Day
    scope: Literal["any", "open_weights", "maker"]
    top: Literal[1, 3]
    record: Number | None
    maker: Id | UnsetType = UNSET

    def __post_init__(self) -> None:
        check_day(self.by)
        if (self.scope == "maker") != (self.maker is not UNSET):
            raise ValueError("expected `maker` with the scope maker, and with no other")


class Bound(EntryFields, tag_field="kind", tag="curve", frozen=True):
    """Every model, or every run of a series, released while the target is open.

    Of models it may be those alone of some kinds (base, instruct, ...), of some families, or with open weights, as models.csv says
    it; and `needs` are quantities of which a value must have been published by the day of the outcome, or the model does not bind.
    With each outcome the covariates that the frozen curves need are recorded, as they were first published by its day; where one
    is missing, there is no forecast of that model, which is counted.
    """

    binds: Literal["model", "run"]
    series: Text | UnsetType = UNSET
    kinds: list[Literal["base", "instruct", "reasoning", "code"]] | UnsetType = UNSET
    families: list[Text] | UnsetType = UNSET
    scope: Literal["open_weights"] | UnsetType = UNSET
    needs: list[Id] | UnsetType = UNSET

    def __post_init__(self) -> None:
        if (self.binds == "run") != (self.series is not UNSET):
            raise ValueError("expected `series` where runs are bound, and nowhere else")
        if self.binds == "run" and (self.kinds, self.families, self.scope) != (UNSET, UNSET, UNSET):
            raise ValueError("expected `kinds`, `families` and `scope` where models are bound, and nowhere else")
        for field in ("kinds", "families", "needs"):
            if isinstance(names := getattr(self, field), list):
                _sorted(field, names)
                if not names:
                    raise ValueError(f"`{field}` names none; leave it out")
        for family in self.families if isinstance(self.families, list) else ():
            check_text("families", family)


Rule: TypeAlias = Named | NextRelease | RecordBy | Bound


class VoidIf(EntryFields, frozen=True):
    """One condition under which the target is void for every author at once, and the day from which it holds (null: any day)."""

    condition: Condition
    on: Day | None

    def __post_init__(self) -> None:
        if self.on is not None:
            check_day(self.on)


class TargetEntry(EntryFields, tag_field="type", tag="target/v1", frozen=True):
    """What is forecast, and all that decides its score.

    `min`, `max`, `chance`, `ceiling` and `resolution` (half an item, or half a printed digit) are in `unit`. A release counts if
    its first public availability lies in (opens, closes]; the value counts that the resolver, or else the first of the fallbacks,
    publishes first within `publish_within` days. `nearest_effort` says whether another measured effort may stand in.
    `known` is the digest of the models known at the freeze (`known_digest`); none of them can bind. `levels` are the quantile
    levels that every forecast states. `same_items` are quantities measured on the same questions: no forecast may take one as a
    covariate, unless the target has `stated` it. `crossings` are numbers, rising, of which it is asked as well whether they are
    reached: the probability is read off each forecast and has a Brier score, apart from all else.
    """

    COUNTED: ClassVar[str] = "targets"

    id: Id
    round: RoundId
    rule: Rule
    benchmark: Id
    protocol: Text
    unit: Name
    direction: Literal["higher", "lower"]
    min: Number
    max: Number
    chance: Number | None
    ceiling: Number | None
    resolution: Number | None
    resolver: Name
    fallbacks: list[Name]
    system: Effort | list[Text]
    nearest_effort: bool
    opens: Day
    closes: Day
    publish_within: Count
    void_if: list[VoidIf]
    known: Hash
    levels: list[Number]
    same_items: list[Id]
    stated: list[Id]
    crossings: list[Number] | UnsetType = UNSET

    @property
    def model(self) -> str | None:
        """The one model the target is about, where a named model is."""
        return self.rule.model if isinstance(self.rule, Named) else None

    @property
    def display(self) -> str | None:
        """The name of that model as its maker writes it."""
        return self.rule.display if isinstance(self.rule, Named) and self.rule.display is not UNSET else None

    def __post_init__(self) -> None:
        check_text("protocol", self.protocol)
        check_day(self.opens)
        check_day(self.closes)
        if self.opens >= self.closes:
            raise ValueError(f"`opens` {self.opens} is not before `closes` {self.closes}")
        if isinstance(self.rule, RecordBy) and not self.opens < self.rule.by <= self.closes:
            raise ValueError(f"`by` {self.rule.by} is not after `opens` {self.opens} and by `closes` {self.closes}")
        low, high = Decimal(self.min), Decimal(self.max)
        if low >= high:
            raise ValueError(f"`min` {self.min} is not below `max` {self.max}")
        for field in ("chance", "ceiling"):
            value = getattr(self, field)
            if value is not None and not low <= Decimal(value) <= high:
                raise ValueError(f"`{field}` {value} is outside {self.min} to {self.max}")
        if self.resolution is not None and not 0 < Decimal(self.resolution) < high - low:
            raise ValueError(f"`resolution` {self.resolution} is not between 0 and the width of the scale")
        if self.resolver in self.fallbacks or len(set(self.fallbacks)) != len(self.fallbacks):
            raise ValueError("`fallbacks` names a resolver twice")
        if isinstance(self.system, list) and not self.system:
            raise ValueError("`system` names no setting")
        if len({item.condition for item in self.void_if}) != len(self.void_if):
            raise ValueError("`void_if` has a condition twice")
        _sorted("same_items", self.same_items)
        _sorted("stated", self.stated)
        if isinstance(self.rule, Bound) and isinstance(self.rule.needs, list) and self.benchmark in self.rule.needs:
            raise ValueError(f"`needs` holds {self.benchmark}, which is what is asked")
        if self.benchmark in self.same_items or not set(self.stated) <= set(self.same_items):
            raise ValueError(f"`same_items` holds {self.benchmark} itself, or lacks one that is stated")
        asked = [Decimal(one) for one in self.crossings] if isinstance(self.crossings, list) else [high]
        if (
            not asked
            or (self.crossings is not UNSET and not low < asked[0] <= asked[-1] < high)
            or any(a >= b for a, b in pairwise(asked))
        ):
            raise ValueError(f"`crossings` must rise between {self.min} and {self.max}, or be left out")
        levels = [Decimal(level) for level in self.levels]
        if not levels or levels[0] <= 0 or levels[-1] >= 1 or any(a >= b for a, b in pairwise(levels)):
            raise ValueError("`levels` must ascend between 0 and 1")


def known_digest(models: Iterable[str]) -> str:
    """The digest of a list of models: SHA-256 over their sorted ids, each followed by a newline.

    >>> known_digest(["b", "a", "b"]) == known_digest(["a", "b"])
    True
    """
    return sha256("".join(f"{name}\n" for name in sorted(set(models))).encode()).hexdigest()


def _sorted(field: str, names: list[str]) -> None:
    if names != sorted(set(names)):
        raise ValueError(f"`{field}` must be sorted and without duplicates")
