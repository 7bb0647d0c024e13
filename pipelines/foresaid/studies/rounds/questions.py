"""The lines round/v1 and target/v1 of a round, from its file and the boards that are asked: every field, nothing by hand.

Which targets there are follows from rules of the round file alone, so that nobody chose a board or a line for what it would show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import polars as pl

from foresaid.canonical_json import decimal
from foresaid.ledger.entries import schema as entries
from foresaid.ledger.entries.schema import RoundEntry, TargetEntry
from foresaid.ledger.entries.targets import Line, NextRelease, RecordBy, Rule, VoidIf
from foresaid.scoring.levels import LEVELS
from foresaid.studies.rounds.boards import Board
from foresaid.studies.rounds.round_file import LineAsked, RoundFile

SameItems = Mapping[str, frozenset[str]]
RecordAt = Callable[[TargetEntry], Decimal | None]


@dataclass(frozen=True)
class Asked:
    """A target with the board it is about."""

    target: TargetEntry
    board: Board


def opened(file: RoundFile) -> RoundEntry:
    """The round/v1 line of a round file."""
    return RoundEntry(
        id=file.id, deadline=file.deadline, reveal_by=file.reveal_by, revision="last-before-deadline", score="wis", reports="all",
        unit_of_count="target", universe=f"every target/v1 line of round {file.id}",
    )  # fmt: skip


def targets(
    file: RoundFile,
    asked: Sequence[Board],
    launches: pl.DataFrame,
    known: str,
    same: SameItems,
    as_of: date,
    record_at: RecordAt,
) -> list[Asked]:
    """All targets of a round by kind and id: next releases, launches of the frontier, records by days.

    `launches` (model_id, maker, line, tier, released_on) are the models known. `record_at` says the record that a record target's
    own rule finds on the day before; a board on which it finds none is not asked for records.
    """
    boards = sorted(asked, key=lambda one: one.benchmark)
    about = {"opens": as_of.isoformat(), "closes": file.closes, "known": known}
    made = [*_next_releases(file, boards, launches, about, same, as_of), *_frontier(file, boards, about, same)]
    made += _records(file, boards, about, same, record_at)
    return made


def lives(line: LineAsked, launches: pl.DataFrame, as_of: date, days: int) -> bool:
    """Whether a line and tier launched a model within so many days before the freeze."""
    last = launches.filter(_mine(line))["released_on"].max()
    return isinstance(last, date) and as_of - last <= timedelta(days=days)


def _mine(line: LineAsked) -> pl.Expr:
    return (pl.col("maker") == line.maker) & (pl.col("line") == line.line) & (pl.col("tier") == line.tier)


def _next_releases(
    file: RoundFile, boards: Sequence[Board], launches: pl.DataFrame, about: Mapping[str, str], same: SameItems, as_of: date
) -> Iterator[Asked]:
    rules = file.next_release
    for name, line in rules.lines.items():
        if not lives(line, launches, as_of, rules.launched_within):
            continue
        for board in boards:
            since = board.read_on - timedelta(days=rules.measured_within)
            measured = board.models.filter(_mine(line) & (pl.col("released_on") > since))
            if board.kind == "share" and measured.height:
                rule = NextRelease(lines=[_line(line)], ordinal=1)
                yield Asked(_target(f"next-{name}-{board.benchmark}", file, board, rule, about, same, rules.publish_within), board)


def _frontier(file: RoundFile, boards: Sequence[Board], about: Mapping[str, str], same: SameItems) -> Iterator[Asked]:
    lines = [_line(file.next_release.lines[name]) for name in file.frontier.lines]
    for board in (one for one in boards if one.benchmark in file.frontier.boards):
        for number in file.frontier.ordinals:
            name = f"frontier-launch-{number}-{board.benchmark}"
            rule = NextRelease(lines=lines, ordinal=number)
            yield Asked(_target(name, file, board, rule, about, same, file.next_release.publish_within), board)


def _records(
    file: RoundFile, boards: Sequence[Board], about: Mapping[str, str], same: SameItems, record_at: RecordAt
) -> Iterator[Asked]:
    for board in boards:
        for day in file.record_by.days:
            rule = RecordBy(by=day, scope="any", top=file.record_by.top, record=None)
            made = _target(f"record-{day}-{board.benchmark}", file, board, rule, about, same, file.record_by.publish_within)
            record = record_at(made)
            if record is not None:
                whole = msgspec.structs.replace(rule, record=format(record.normalize(), "f"))
                yield Asked(msgspec.structs.replace(made, rule=whole), board)


def _line(line: LineAsked) -> Line:
    return Line(maker=line.maker, line=line.line, tier=line.tier)


def _target(
    name: str, file: RoundFile, board: Board, rule: Rule, about: Mapping[str, str], same: SameItems, publish_within: int
) -> TargetEntry:
    release = isinstance(rule, NextRelease)
    conditions = ["board_closed", "benchmark_retired", "never_published", *(["renamed"] if release else [])]
    fields: dict[str, Any] = {
        "id": name,
        "round": file.id,
        "rule": rule,
        "benchmark": board.benchmark,
        "protocol": board.protocol,
        "unit": board.unit,
        "direction": board.direction,
        "min": decimal(board.low),
        "max": decimal(board.high),
        "chance": None if board.chance is None else decimal(board.chance),
        "ceiling": None if board.ceiling is None else decimal(board.ceiling),
        "resolution": decimal(round(board.step / 2, 12)) if board.step else None,
        "resolver": board.resolver,
        "fallbacks": [],
        "system": "highest_effort" if release else "each",
        "nearest_effort": release,
        "publish_within": publish_within,
        "void_if": [VoidIf(condition=one, on=None) for one in conditions],  # type: ignore[arg-type]  # a subset of Condition
        "levels": [decimal(level) for level in LEVELS],
        "same_items": sorted(same.get(board.benchmark, frozenset())),
        "stated": [],
        **about,
    }
    made = entries.parse(msgspec.to_builtins(TargetEntry(**fields)))  # parsed, so that every pattern of the ledger is checked
    assert isinstance(made, TargetEntry)
    return made
