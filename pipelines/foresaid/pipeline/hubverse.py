"""The registry as a Hubverse hub: the ledger's forecasts and outcomes, and the record's scores of the benchmarks they ask about.

Where the ledger's side (`ledger/hubverse`) meets what it may not import: the law that reads a joint forecast, and the database.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import polars as pl

from foresaid.errors import ParameterError
from foresaid.evaluation.joint_forecasts import to_frozen
from foresaid.ledger import store
from foresaid.ledger.entries.resolutions import Resolution
from foresaid.ledger.entries.schema import JointPrediction, TargetEntry
from foresaid.ledger.hubverse.configuration import Contact, Repository
from foresaid.ledger.hubverse.export import hub_of
from foresaid.ledger.hubverse.files import Observation, write_hub
from foresaid.ledger.hubverse.submission import Read, read_hub
from foresaid.ledger.state.index import Clock, gather
from foresaid.pipeline.outcomes import proposed, read_record
from foresaid.registry import database

DIGITS = 12  # after the point, of a quantile read off a joint: more says nothing on the scale of a score
BEST_AS_KNOWN = """
with day_of_change as (
    select distinct quantity_id, source_id, subject_id, known_on as day
    from history
)
select
    day_of_change.*,
    any_value(history.released_on) as released_on,
    max(history.value) as highest,
    min(history.value) as lowest
from day_of_change
inner join history
    using (quantity_id, source_id, subject_id)
where
    history.kind = 'model'
    and history.released_on is not null
    and history.value is not null
    and history.counts
    and history.known_on <= day
    and (history.superseded_on is null or history.superseded_on > day)
group by all
order by all
"""


@dataclass(frozen=True)
class Exported:
    """What was written: rows by table, and forecasts left out by reason."""

    rows: dict[str, int]
    left_out: Counter[str]


def run(
    ledger: Path,
    build: Path,
    folder: Path,
    now: datetime,
    contact: Contact,
    repository: Repository,
    ending: str = "parquet",
    only: str | None = None,
) -> Exported:
    """Write the ledger's rounds, or the one named `only`, as a hub into a folder."""
    batches = store.read(ledger)
    facts = gather(batches)
    if only is not None and only not in facts.rounds:
        raise ParameterError(
            f"export hubverse: found no round {only}, expected one of {', '.join(facts.rounds) or 'none: the ledger has no round'}"
        )
    if not facts.rounds:
        raise ParameterError("export hubverse: found no round in the ledger, expected one; `foresaid ledger ask` opens it")
    hub = hub_of(batches, Clock(now), quantiles_of, contact, repository, ending, only)
    wanted = {
        (target.benchmark, target.resolver, target.direction) for (name, _), target in facts.targets.items() if only in (None, name)
    }
    return Exported(write_hub(hub, history(build, sorted(wanted)), folder, ending), hub.left_out)


def read(hub: Path, ledger: Path, registry: Path, build: Path, now: datetime, models: Collection[str] = ()) -> Read:
    """Check a hub's files against its own configuration, the ledger and the record, and make its forecasts; nothing is written.

    The leak guard: a target is closed from the moment the ledger or the record knows its outcome, whatever the deadline.
    """
    batches = store.read(ledger)
    facts = gather(batches)
    answered: dict[tuple[str, str], str] = {}
    if facts.targets:
        entered, _ = proposed(batches, read_record(registry, build), now.date())
        answered = {(one.round, one.target): one.known_at for one in entered if isinstance(one, Resolution)}
    return read_hub(hub, facts, now, models, answered)


def quantiles_of(made: JointPrediction, target: TargetEntry, days: Sequence[date]) -> list[list[float]]:
    """The quantiles of a joint forecast at its target's levels, on each day, inside the target's bounds."""
    frozen, place = to_frozen(made), made.benchmarks.index(target.benchmark)
    levels, low, high = [float(one) for one in target.levels], float(target.min), float(target.max)
    return [
        [round(min(max(float(one), low), high), DIGITS) for one in frozen.quantiles(day, levels, {}, {})[place]] for day in days
    ]


def history(build: Path, wanted: Sequence[tuple[str, str, str]]) -> list[Observation]:
    """Every model's best score of each benchmark as it was known: a row for each day on which it changed, by the resolver alone."""
    connection = database.open_database(build / "database")
    try:
        rows = database.frame(connection, BEST_AS_KNOWN)
    finally:
        connection.close()
    made: list[Observation] = []
    for benchmark, resolver, direction in wanted:
        best = pl.col("highest" if direction == "higher" else "lowest").alias("best")
        mine = rows.filter((pl.col("quantity_id") == benchmark) & (pl.col("source_id") == resolver)).sort("subject_id", "day")
        mine = mine.select("released_on", "subject_id", "day", best)
        changed = mine.filter((pl.col("best") != pl.col("best").shift(1).over("subject_id")).fill_null(True))
        made += [(on, benchmark, subject, day, value) for on, subject, day, value in changed.iter_rows()]
    return made
