"""Every target of the ledger with its forecasts, read once for all the pages that show them.

A page needs the same of a target wherever it stands: what was asked, every forecast with its state and its quantiles in the
target's unit, and the past of the board that the forecasts were fitted on. That past is read from the training rows which the
batch names by their SHA-256, and not from the record of today, so that it is what the forecasts knew. A joint forecast answers for
every day of release; it is read for the day of the release once that is observed, and for the expected day before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path

import polars as pl

from foresaid import canonical_json
from foresaid.errors import RecordError, UnreadableError
from foresaid.evaluation.joint_forecasts import to_frozen
from foresaid.ledger import training_snapshots
from foresaid.ledger.entries.batch import Batch
from foresaid.ledger.entries.fields import aim_of
from foresaid.ledger.entries.resolutions import Resolution
from foresaid.ledger.entries.schema import JointPrediction, Prediction, Quantiles, RoundEntry, TargetEntry
from foresaid.ledger.entries.targets import Line, NextRelease, RecordBy
from foresaid.ledger.state import versions
from foresaid.ledger.state.accounting import Account, states
from foresaid.ledger.state.index import Aim, Clock, Facts, gather
from foresaid.registry.lineage import maker
from foresaid.report.texts import page_name, slug
from foresaid.scoring.levels import LEVELS
from foresaid.studies.rounds import boards, training
from foresaid.studies.rounds.releases import expected_day

Parts = Mapping[str, pl.DataFrame]  # the frames of one file of training rows, by the name of their part
PAST = {name: kind for name, kind in training.COLUMNS[training.RATINGS].items() if name in boards.MODELS}


@dataclass(frozen=True)
class Forecast:
    """One forecast of a target: its account, its method, every version, and the quantiles of the one that counts.

    `values` are in the target's unit at `levels`; both are empty for a curve, which answers for many models, and for what nobody
    can read (sealed, or redacted). `by_day` holds the quantiles at LEVELS of a joint for several days of release.
    """

    account: Account
    method: str
    batch: Batch | None
    prediction: Prediction | None
    versions: int
    levels: tuple[float, ...]
    values: tuple[float, ...]
    by_day: tuple[tuple[date, tuple[float, ...]], ...] = ()

    @property
    def anchor(self) -> str:
        """Where the forecast stands on the page of its target."""
        return slug(f"{self.account.author}/{self.method or self.account.id.rsplit('/', 1)[-1]}")

    def at(self, level: float) -> float | None:
        """The quantile at a level; None where the forecast does not state it."""
        return self._by_level.get(level)

    @cached_property
    def _by_level(self) -> dict[float, float]:
        return dict(zip(self.levels, self.values, strict=True))


@dataclass(frozen=True)
class Target:
    """A target: what the ledger says of it, its forecasts, its outcomes and the past of its board.

    The primary forecasts stand first, else they stand in the order of the log.

    `entry` is None where the batch that asked it is gone. `day` is the release for which joints are read, `observed` whether that
    release has come. `past` has the columns of PAST: of each model the best value on the board, as the forecasts were fitted on.
    """

    round: str
    id: str
    opened: RoundEntry | None
    entry: TargetEntry | None
    forecasts: Sequence[Forecast]
    outcomes: Mapping[str, Sequence[Resolution]]
    void: bool
    day: date | None
    observed: bool
    past: pl.DataFrame

    @property
    def address(self) -> str:
        """Where its page stands below the site; the forecasts are places on it."""
        return address_of(self.round, self.id)

    @property
    def primary(self) -> Forecast | None:
        """The first primary forecast that can be read."""
        return next((one for one in self.forecasts if one.account.primary), None)

    @property
    def open(self) -> bool:
        """Whether a forecast of it still waits for its outcome."""
        return any(one.account.state == "pending" for one in self.forecasts)

    @property
    def frozen(self) -> date | None:
        """The day on which the first of its forecasts was frozen."""
        return min((one.account.frozen.date() for one in self.forecasts if one.account.frozen), default=None)

    @property
    def lines(self) -> Sequence[Line]:
        """The product lines whose next release is asked; none for other targets."""
        return self.entry.rule.lines if self.entry is not None and isinstance(self.entry.rule, NextRelease) else []

    @property
    def last_day(self) -> date | None:
        """The day by which it is settled at the latest: the last day that counts, and the days a value may take."""
        if self.entry is None:
            return None
        rule = self.entry.rule
        end = date.fromisoformat(rule.by if isinstance(rule, RecordBy) else self.entry.closes)
        return end + timedelta(days=self.entry.publish_within + 1)

    @property
    def expected_by(self) -> date | None:
        """The day by which it is settled if the release comes on the day it is read for; of a record the last day."""
        if self.entry is None or self.day is None:
            return self.last_day
        return self.day + timedelta(days=self.entry.publish_within + 1)

    @property
    def own(self) -> pl.Expr:
        """Whether a row of `past` is a model of the lines asked."""
        named = ((pl.col("maker") == one.maker) & (pl.col("line") == one.line) & (pl.col("tier") == one.tier) for one in self.lines)
        return pl.any_horizontal(pl.lit(value=False), *named)

    @cached_property
    def last(self) -> dict[str, object] | None:
        """The newest model of the lines asked that stands on the board, with its value."""
        wanted = [
            (pl.col("maker") == one.maker) & (pl.col("line") == one.line) & (pl.col("tier") == one.tier) for one in self.lines
        ]
        rows = self.past.filter(pl.any_horizontal(wanted)).sort("released_on", "value") if wanted else self.past.clear()
        return rows.row(-1, named=True) if rows.height else None

    @cached_property
    def best(self) -> dict[str, object] | None:
        """The best model of the board by what the forecasts were fitted on; of equal ones the first."""
        lower = self.entry is not None and self.entry.direction == "lower"
        rows = self.past.sort("value", "released_on", "model_id", descending=[not lower, False, False])
        return rows.row(0, named=True) if rows.height else None


def address_of(round_id: str, target: str) -> str:
    """Where the page of a target stands below the site.

    >>> address_of("2026-12", "next-gpt-gsm8k")
    'forecasts/2026-12~~next-gpt-gsm8k.html'
    """
    return f"forecasts/{page_name(round_id, target)}.html"


def accounts(batches: Sequence[Batch], clock: Clock, scored: Iterable[tuple[str, str]]) -> list[Account]:
    """The account of every forecast, from the ledger's own entries and the outcomes that `score` found."""
    return states(gather(batches), clock, frozenset(scored))


def snapshots(batches: Sequence[Batch], folder: Path) -> dict[str, dict[str, pl.DataFrame]]:
    """The training rows of rounds that batches name and a folder holds, by SHA-256 and part.

    Rows of another kind (those of single curves) are left out: no page shows them as the past of a board.
    """
    found = {}
    for batch in batches:
        for item in batch.header.data:
            path = training_snapshots.find(folder, item.sha256)
            if path is None or item.sha256 in found:
                continue
            try:
                content = b"".join(training_snapshots.lines(path, item.bytes))
                first = next(iter(canonical_json.parse_lines(content[: content.index(b"\n") + 1])), {}) if content else {}
                if first.get("target_id") not in training.COLUMNS:
                    continue
                rows = training.from_bytes(content, date.fromisoformat(batch.header.as_of))
            except (RecordError, UnreadableError):
                continue  # `foresaid verify` names what is wrong with it (V16)
            found[item.sha256] = {name: rows.part(name) for name in training.COLUMNS}
    return found


def read(batches: Sequence[Batch], clock: Clock, found: Sequence[Account], snapshots: Mapping[str, Parts]) -> list[Target]:
    """Every target that was asked or forecast, in the order of the log."""
    facts = gather(batches)
    made = versions.versions(batches, clock)
    by_target: dict[Aim, list[Account]] = {aim: [] for aim in facts.targets}
    for one in found:
        by_target.setdefault(aim_of(one.id), []).append(one)
    names = {batch.sha256: batch for batch in batches}
    return [_target(aim, mine, facts, made, names, snapshots) for aim, mine in by_target.items()]


def _target(
    aim: Aim,
    found: Sequence[Account],
    facts: Facts,
    made: Mapping[tuple[str, str], Sequence[tuple[str, Prediction, bool]]],
    names: Mapping[str, Batch],
    snapshots: Mapping[str, Parts],
) -> Target:
    entry, outcomes = facts.targets.get(aim), facts.outcomes(aim)
    ordered = sorted(found, key=lambda one: not one.primary)  # else in the order of the log: who froze first stands first
    parts = _parts(ordered, names, snapshots)
    day, observed = _day(entry, outcomes, parts)
    forecasts = []
    for one in ordered:
        versions = made.get((one.author, one.id), [])
        said = next((prediction for _, prediction, counts in versions if counts), None)
        levels, values, by_day = _quantiles(said, entry, day)
        method = one.id.rsplit("/", 1)[-1]
        forecasts.append(Forecast(one, method, names.get(one.batch), said, len(versions), levels, values, by_day))
    past = _past(entry, parts)
    return Target(*aim, facts.rounds.get(aim[0]), entry, forecasts, outcomes, aim in facts.voids, day, observed, past)


def _parts(found: Sequence[Account], names: Mapping[str, Batch], snapshots: Mapping[str, Parts]) -> Parts:
    """The training rows that the first of the forecasts with any names."""
    for one in found:
        for item in names[one.batch].header.data if one.batch in names else ():
            if item.sha256 in snapshots:
                return snapshots[item.sha256]
    return {}


def _day(entry: TargetEntry | None, outcomes: Mapping[str, Sequence[Resolution]], parts: Parts) -> tuple[date | None, bool]:
    """The day of the release asked for, and whether it is observed; None for a target that is about no one release."""
    if entry is None or not isinstance(entry.rule, NextRelease):
        return None, False
    days = [found[0].released_on for found in outcomes.values() if found[0].released_on is not None]
    if days:
        return date.fromisoformat(str(days[0])), True
    launches = parts.get(training.LAUNCHES)
    return (expected_day(entry, launches), False) if launches is not None else (date.fromisoformat(entry.opens), False)


def _quantiles(
    said: Prediction | None, entry: TargetEntry | None, day: date | None
) -> tuple[tuple[float, ...], tuple[float, ...], tuple[tuple[date, tuple[float, ...]], ...]]:
    if isinstance(said, Quantiles):
        return tuple(float(one) for one in said.levels), tuple(float(one) for one in said.values), ()
    if not isinstance(said, JointPrediction) or entry is None or day is None or entry.benchmark not in said.benchmarks:
        return (), (), ()
    frozen, place = to_frozen(said), said.benchmarks.index(entry.benchmark)
    days = [date.fromisoformat(one) for one in said.days]
    # A release counts after the target opens and by its close, and the joint answers no further.
    ends = [max(days[0], date.fromisoformat(entry.opens)), min(days[-1], date.fromisoformat(entry.closes))]
    months = sorted({*ends, *(one for one in days if ends[0] < one < ends[1])})
    read = {one: tuple(float(x) for x in frozen.quantiles(one, LEVELS)[place]) for one in months}
    inside = days[0] <= day <= days[-1]
    values = tuple(float(x) for x in frozen.quantiles(day, LEVELS)[place]) if inside else ()
    return (tuple(LEVELS) if values else ()), values, tuple(read.items())


def _past(entry: TargetEntry | None, parts: Parts) -> pl.DataFrame:
    """Of each model the best value on the target's board, by day of release, as it stands in the training rows."""
    nothing = pl.DataFrame(schema=PAST)
    if entry is None:
        return nothing
    for name in (training.CELLS, training.RATINGS):
        rows = parts[name].filter(pl.col("benchmark") == entry.benchmark) if name in parts else nothing
        if rows.height:
            lower = entry.direction == "lower"
            best = rows.sort("value", "model_id", descending=[not lower, False]).unique("model_id", keep="first")
            spelt = {one: maker(one) for one in best["maker"].unique().to_list()}
            return best.with_columns(pl.col("maker").replace(spelt)).select(list(PAST)).sort("released_on", "model_id")
    return nothing


def count_states(found: Iterable[Account]) -> str:
    """How many forecasts are in which state, the most frequent first.

    >>> count_states([])
    'no forecast'
    """
    counts = Counter(one.state for one in found)
    return ", ".join(f"{n:,} {state}" for state, n in sorted(counts.items(), key=lambda item: (-item[1], item[0]))) or "no forecast"
