"""The same questions and the same rule of the primary put to earlier days: what a round's methods were worth on what came since.

Pseudo-forward: the rows of the round are cut by day of release, since one reading holds no history, and the publication lag is
left out for the same reason. Boards are alive or not by the same rule on that day, targets follow from the same round file,
forecasts are made by the same code. The laws' forms and settings were chosen earlier, in part on these years:
docs/results-capability.md and docs/results-frontier.md say on which rows. The lines of ratings were changed with these years seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
import polars as pl

from foresaid.arrays import Array
from foresaid.canonical_json import decimal
from foresaid.evaluation.target_story import BANDS
from foresaid.ledger.entries.schema import TargetEntry
from foresaid.ledger.entries.targets import NextRelease, RecordBy
from foresaid.scoring.levels import LEVELS
from foresaid.scoring.rules import weighted_interval_score
from foresaid.studies.rounds import cards, forecasts, kept_hindcast, questions
from foresaid.studies.rounds.boards import Board, parted
from foresaid.studies.rounds.round_file import RoundFile
from foresaid.studies.rounds.training import COLUMNS, LAG, Rows

SPANS = (91, 182, 365)  # days ahead of an origin at which records are asked
OPEN = timedelta(days=365)  # how long a next release may take
REPLICATES = 4000
HELD = ("held_50", "held_80", "held_95")
REFERENCE = {
    "next release": "quantile_mean_of_six", "record": "jumps", "rating, next launch": "best_so_far", "rating, record": "no_change",
}  # fmt: skip
SCHEMA = {
    **dict.fromkeys(("kind", "method", "target", "release"), pl.String),
    "origin": pl.Date,
    "primary": pl.Boolean,
    **dict.fromkeys(("value", "wis"), pl.Float64),
    **dict.fromkeys(("held_50", "held_80", "held_95"), pl.Boolean),
}


@dataclass(frozen=True)
class Outcome:
    """What came of a target: the value, the day of the release (None of a record), and what counts as one draw.

    That is a release, and of records a board: its records by several days from several origins rise together.
    """

    value: float
    on: date | None
    release: str


def cut(rows: Rows, origin: date) -> Rows:
    """The rows of models released by the origin, every board read on it, without a publication lag."""
    by = pl.col("released_on") <= origin
    return Rows(
        origin, rows.cells.filter(by).with_columns(known_on=pl.lit(origin)), rows.ratings.filter(by),
        rows.read.with_columns(known_on=pl.lit(origin)), rows.launches.filter(by), pl.DataFrame(schema=COLUMNS[LAG]),
    )  # fmt: skip


def asked_at(file: RoundFile, boards: Sequence[Board], launches: pl.DataFrame, origin: date, last: date) -> list[questions.Asked]:
    """The targets that the round file would have asked at an origin, records by days up to `last`; `boards` as they stood then."""
    alive, _ = parted(boards, file.alive, origin)
    days = [day.isoformat() for span in SPANS if (day := origin + timedelta(days=span)) <= last]
    records = msgspec.structs.replace(file.record_by, days=days)
    then = msgspec.structs.replace(file, closes=(origin + OPEN).isoformat(), record_by=records)
    best = {one.benchmark: Decimal(decimal(one.best)) for one in alive}
    return questions.targets(then, alive, launches, "0" * 64, {}, origin, lambda target: best[target.benchmark])


def outcome_of(target: TargetEntry, board: Board, cells: pl.DataFrame, launches: pl.DataFrame, last: date) -> Outcome | None:
    """What came of a target by `last`, by day of release; None where nothing came that was measured.

    Of a next release the value of its highest effort on a board of shares, the best value of its models on a rating. Nothing came
    of a record by a day after the board's last reading.
    """
    if isinstance(target.rule, RecordBy):
        by = date.fromisoformat(target.rule.by)
        if by > board.read_on:
            return None
        values = board.models.filter(pl.col("released_on") <= by)["value"]
        best = values.max() if target.direction == "higher" else values.min()
        return Outcome(float(best), None, target.benchmark)  # type: ignore[arg-type]  # a float
    assert isinstance(target.rule, NextRelease)
    wanted = {(one.maker, one.line, one.tier) for one in target.rule.lines}
    opens, closes = date.fromisoformat(target.opens), min(date.fromisoformat(target.closes), last)
    mine = launches.filter((pl.col("released_on") > opens) & (pl.col("released_on") <= closes)).sort("released_on", "model_id")
    days = sorted({day for *line, day in mine.select("maker", "line", "tier", "released_on").iter_rows() if tuple(line) in wanted})
    if len(days) < target.rule.ordinal:
        return None
    day = days[target.rule.ordinal - 1]
    models = [
        name
        for name, *line, on in mine.select("model_id", "maker", "line", "tier", "released_on").iter_rows()
        if on == day and tuple(line) in wanted
    ]
    if board.kind == "rating":
        values = board.models.filter(pl.col("model_id").is_in(models))["value"]
        best = values.max()
        return None if best is None else Outcome(float(best), day, f"{models[0]}")  # type: ignore[arg-type]  # a float
    rows = cells.filter(pl.col("model_id").is_in(models) & (pl.col("benchmark") == target.benchmark))
    if rows.is_empty():
        return None
    highest = rows.with_columns(pl.col("effort").fill_null(-1.0)).sort("effort", "system_id", descending=[True, False])
    return Outcome(float(highest["value"][0]), day, str(highest["release"][0]))


def run(
    file: RoundFile, boards: Sequence[Board], rows: Rows, origins: Sequence[date], last: date, factor: float, seed: int
) -> pl.DataFrame:
    """Score every method of the round at every origin: rows of SCHEMA, WIS in points of 100 of a share, in points of a rating."""
    found: list[tuple[object, ...]] = []
    for origin in origins:
        stood = [replace(one, models=one.models.filter(pl.col("released_on") <= origin), read_on=origin) for one in boards]
        then = cut(rows, origin)
        counts = dict(then.cells.group_by("benchmark").len().iter_rows())
        then = replace(
            then, cells=then.cells.filter(pl.col("benchmark").is_in([k for k, n in counts.items() if n >= file.alive.fewest]))
        )
        asked = asked_at(file, [one for one in stood if one.models.height], then.launches, origin, last)
        whole = {one.benchmark: one for one in boards}
        came = {
            one.target.id: outcome
            for one in asked
            if (outcome := outcome_of(one.target, whole[one.board.benchmark], rows.cells, rows.launches, last)) is not None
        }
        targets = {one.target.id: one for one in asked if one.target.id in came}
        for said in forecasts.make([one.target for one in targets.values()], then, file.primary, factor, seed):
            one, outcome = targets[said.target], came[said.target]
            values = cards.said_quantiles(said, one.target, outcome.on)
            found.append(
                (_kind(one), said.method, said.target, outcome.release, origin, said.primary, *_scored(values, outcome, one.board))
            )
    return pl.DataFrame(found, schema=SCHEMA, orient="row")


def _kind(one: questions.Asked) -> str:
    if one.board.kind == "rating":
        return "rating, next launch" if isinstance(one.target.rule, NextRelease) else "rating, record"
    return "next release" if isinstance(one.target.rule, NextRelease) else "record"


def _scored(values: Array, outcome: Outcome, board: Board) -> tuple[float, float, bool, bool, bool]:
    scale = 100.0 if board.kind == "share" else 1.0
    wis = scale * float(weighted_interval_score(values[None, :], LEVELS, np.array([outcome.value])).wis[0])
    held = (values[LEVELS.index(low)] - 1e-9 <= outcome.value <= values[LEVELS.index(high)] + 1e-9 for low, high, _ in BANDS)
    first, second, third = (bool(one) for one in held)
    return outcome.value, wis, first, second, third


def skill(scores: pl.DataFrame, reference: pl.DataFrame, rng: np.random.Generator) -> tuple[float, float, float]:
    """Skill 1 - WIS / reference WIS on the targets both forecast, with its 5 and 95 % bootstrap bounds over releases."""
    both = scores.join(reference.select("origin", "target", other="wis"), on=["origin", "target"]).sort("origin", "target")
    names, member = np.unique(both["release"].to_numpy().astype(str), return_inverse=True)
    first, second = (np.bincount(member, both[name].to_numpy(), len(names)) for name in ("wis", "other"))
    drawn = rng.multinomial(len(names), np.full(len(names), 1.0 / len(names)), size=REPLICATES)
    with np.errstate(invalid="ignore", divide="ignore"):
        low, high = np.nanquantile(1.0 - (drawn @ first) / (drawn @ second), [0.05, 0.95])
    return float(1.0 - first.sum() / second.sum()), float(low), float(high)


HEAD = """# {title}

Pseudo-forward, by day of release. WIS in points of 100 of a share, in points of a rating; coverage in per cent, by row and as the
mean over releases; skill with 5 and 95 % bootstrap bounds over releases. Of records a board is one draw. The primary is bold.
"""
TABLE = """
## {kind}

Reference: {reference}. Origins: {origins}.

| method | rows | draws | WIS | skill | 50 / 80 / 95 % | by draw |
| --- | --- | --- | --- | --- | --- | --- |
"""


def table(scores: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """One row a kind and method (columns kept_hindcast.SCHEMA), the lowest WIS of a kind first.

    Mean WIS, skill over the kind's reference with its bounds, coverage as a share of rows and as the mean over draws.
    """
    found = []
    for (kind,), part in scores.sort("kind").group_by(["kind"], maintain_order=True):
        reference = part.filter(pl.col("method") == REFERENCE[str(kind)])
        origins = " ".join(str(day) for day in sorted(set(part["origin"])))
        means = part.group_by("method").agg(pl.col("wis").mean(), rows=pl.len().cast(pl.Int64)).sort("wis", "method")
        for method, wis, rows in means.iter_rows():
            mine = part.filter(pl.col("method") == method)
            draws = mine.group_by("release").agg(*(pl.col(name).mean() for name in HELD))
            gain, low, high = skill(mine, reference, rng)
            found.append(
                {
                    "kind": kind, "method": method, "primary": mine["primary"].all(), "reference": REFERENCE[str(kind)],
                    "origins": origins, "rows": rows, "draws": draws.height, "wis": wis, "skill": gain, "skill_05": low,
                    "skill_95": high, **{f"coverage_{name[5:]}": mine[name].mean() for name in HELD},
                    **{f"coverage_{name[5:]}_by_draw": draws[name].mean() for name in HELD},
                }
            )  # fmt: skip
    return pl.DataFrame(found, schema=kept_hindcast.SCHEMA)


def page(means: pl.DataFrame, title: str) -> str:
    """The rows of `table` as text, a table a kind."""
    text = HEAD.format(title=title)
    for (kind,), part in means.group_by(["kind"], maintain_order=True):
        origins = part["origins"][0].replace(" ", ", ")
        text += TABLE.format(kind=kind, reference=part["reference"][0], origins=origins)
        text += "".join(f"{line(row)}\n" for row in part.iter_rows(named=True))
    return text


def line(row: Mapping[str, Any]) -> str:
    """One row of `table` as a row of a Markdown table, without its kind."""
    by_row, by_draw = (" / ".join(f"{100 * row[f'coverage_{name[5:]}{of}']:.0f}" for name in HELD) for of in ("", "_by_draw"))
    gain = f"{row['skill']:+.2f} [{row['skill_05']:+.2f}, {row['skill_95']:+.2f}]"
    name = f"**{row['method']}**" if row["primary"] else row["method"]
    return f"| {name} | {row['rows']} | {row['draws']} | {row['wis']:.2f} | {gain} | {by_row} | {by_draw} |"
