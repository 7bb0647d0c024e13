"""The ledger's forecasts against the outcomes, every version of every one: what counts, what came too late, what is worst.

An outcome is a `resolution/v1` entry, the first one for its subject, with the covariates that stand in it: nothing is read from
the record, so that no later edit of it changes a score. A row has a standing: `scored` (the version that the round's rule picks),
`claimed` (the same, but nobody proved when the batch was there), `superseded`, `late` (the score of this subject was known, or
the deadline over, before the version was there), `withdrawn` and `void` (left the mean by an entry), `disputed` (two branches
entered different outcomes), `barred` (the batch was trained on the model, or the model was known when the target was set), or
`penalised`. Only `scored` and `penalised` enter a method's means; the others are shown beside them and named.

Worst: a forecast that was not opened in time, or whose bytes are gone, is scored as if all its quantiles stood at that bound of its
target which lies farther from the outcome. Its WIS is max(outcome - min, max - outcome), and no forecast with ascending
quantiles within the bounds has a larger one: twice the mean pinball loss is convex in each quantile, so its maximum is at the
bounds, and of all steps from min to max the two without a step lose most.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias

import polars as pl

from foresaid.errors import ForesaidError
from foresaid.evaluation.crossings import crossings
from foresaid.evaluation.joint_forecasts import joint_quantiles, known_of, siblings_of
from foresaid.evaluation.schema import COVERAGES, KEY, SCORED
from foresaid.evaluation.tables import score_rows
from foresaid.evaluation.units import NOTHING, Units, attach
from foresaid.fitting.frozen_curve import from_plain
from foresaid.forecasting.binding import Subject, apply
from foresaid.ledger.entries import schema as entries
from foresaid.ledger.entries.batch import Batch
from foresaid.ledger.entries.fields import aim_of
from foresaid.ledger.entries.resolutions import Resolution
from foresaid.ledger.state.accounting import WORST, Account, states, universe
from foresaid.ledger.state.index import Aim, Clock, Facts, gather, in_time, moment
from foresaid.ledger.state.versions import Version, chosen, made, revision
from foresaid.scoring.levels import LEVELS, same_levels

GIVEN = ", given what was published"  # behind a method: its forecast conditioned on other scores of the release
BESIDE = ", given its siblings too"  # the same, conditioned on other systems of the launch as well
TOLD = {"": "nothing", GIVEN: "other benchmarks", BESIDE: "siblings too"}  # what a joint was told of the release, for each of them
OTHER_LEVELS = "not comparable: stated at other levels than the round's"
OUT = ("claimed", "late", "withdrawn", "void", "disputed", "barred", "penalised")  # standings whose models are named
MARKS = ("author", "id", "version", "standing", "told")
ROW: dict[str, pl.DataType] = {
    **{name: SCORED[name] for name in (*KEY, "observed", "status", "distance", "point")},
    "quantiles": pl.List(pl.Float64()),
    **dict.fromkeys(("author", "id"), pl.String()),
    "version": pl.Int64(),
    "standing": pl.String(),
    "told": pl.String(),  # of a joint what it was told, else nothing: numbers that no mean mixes
}


@dataclass(frozen=True)
class Scores:
    """Rows that count, in the shape of every score; the account of every forecast; no-shows; a table of all versions; refusals."""

    rows: pl.DataFrame  # as evaluate.SCORED
    accounts: list[Account]
    no_shows: list[dict[str, Any]]
    table: list[dict[str, Any]]
    no_forecast: pl.DataFrame  # evidence, case, law, status of rows for which a curve made no forecast
    units: dict[str, str]  # unit of each target by its benchmark, for what the record has no card of
    crossings: list[dict[str, Any]] = field(default_factory=list)  # of every version, as `crossings.crossings` gives them


def worst_value(lower: float, upper: float, outcome: float) -> float:
    """The bound farther from the outcome; a tie goes to the lower one. In the unit of the target.

    >>> worst_value(0.0, 1.0, 0.7), worst_value(0.0, 1.0, 0.2)
    (0.0, 1.0)
    """
    return lower if outcome - lower >= upper - outcome else upper


Barred: TypeAlias = Mapping[str, frozenset[str]]  # batch -> outcome subjects that cannot be outcomes of its forecasts
NONE: Barred = {}


def score_ledger(batches: Sequence[Batch], clock: Clock, own: str = "", barred: Barred = NONE, units: Units = NOTHING) -> Scores:
    """Score full batches (not outlines) in the order of the log; `own` is the author whose methods need no name before them.

    `barred` names for each batch the outcome subjects that its training data hold or that were known before, under whatever name:
    never a row that counts.
    `units` says which release, maker and resolution stand behind a row (see units.py).
    """
    facts = gather(batches)
    accounts = {(one.author, one.id): one for one in states(facts, clock)}
    all_made = made(facts, clock)
    parts: list[tuple[tuple[float, ...], pl.DataFrame]] = []
    refused: list[dict[str, str]] = []
    for key, found in all_made.items():
        parts += list(_versions(accounts[key], found, facts, clock, own, barred, refused))
    for account in accounts.values():
        if account.state in WORST:
            parts.append((LEVELS, _worst(account, facts, own)))
    steps = {aim: 2.0 * float(target.resolution or "0") for aim, target in facts.targets.items()}
    alike = {
        levels: pl.concat([one for used, one in parts if used == levels]) for levels in dict.fromkeys(used for used, _ in parts)
    }
    every = _scored({levels: _stepped(attach(frame, units), steps) for levels, frame in alike.items()})
    table = _table(every, list(accounts.values()), {key: len(found) for key, found in all_made.items()})
    scale = {aim: target.unit for aim, target in facts.targets.items()}
    table = [{**row, "unit": scale.get(aim_of(row["id"]), "")} for row in table]
    counted = every.filter(pl.col("standing").is_in(["scored", "penalised"]))
    met_one = pl.col("wis").is_not_null() | pl.col("pit").is_not_null()
    named = {tuple(row) for row in counted.filter(met_one).select("author", "id").unique().iter_rows()}
    final = states(facts, clock, scored={(str(a), str(i)) for a, i in named})
    lost = counted.filter(pl.col("wis").is_null()).select("evidence", "case", "law", "status")
    lost = pl.concat([lost, pl.DataFrame(refused, schema=lost.schema)])
    scales = {target.benchmark: target.unit for target in facts.targets.values()}
    rows = counted.filter(pl.col("wis").is_not_null()).select(list(SCORED))
    met = [one for levels, frame in parts for one in crossings(frame, levels, facts.targets)]
    return Scores(rows, final, universe(batches, final), table, lost, scales, met)


def _versions(
    account: Account,
    found: Sequence[Version],
    facts: Facts,
    clock: Clock,
    own: str,
    barred: Barred,
    refused: list[dict[str, str]],
) -> Iterator[tuple[tuple[float, ...], pl.DataFrame]]:
    """The rows of each version. One that cannot be applied is put among the `refused` and counted: an entry can never be removed,
    so no lawful line may stop everybody's scores.
    """
    key, aim = (account.author, account.id), aim_of(account.id)
    rule, disputed = revision(facts, key), facts.disputed(aim)
    taken_back = clock.of(facts.withdrawals[key]) if key in facts.withdrawals else None
    for number, version in enumerate(found):
        try:
            levels, rows = _meet(account, version, facts, own)
        except (ForesaidError, ArithmeticError, LookupError, TypeError, ValueError, pl.exceptions.PolarsError) as error:
            status = f"cannot be applied: {str(error).splitlines()[0] if str(error) else type(error).__name__}"[:200]
            refused.append({"evidence": "prospective", "case": aim[0], "law": _method(account, own), "status": status})
            continue

        def standing(subject: str, number: int = number, version: Version = version) -> str:
            end = facts.end(aim, subject)
            if subject in barred.get(version.batch.sha256, ()) or subject in barred.get(found[0].batch.sha256, ()):
                return "barred"
            if account.state in ("late", *WORST) or not in_time(found[0].at, end) or not in_time(version.at, end):
                return "late"
            if chosen(found, rule, end) != number:
                return "superseded"
            if aim in facts.voids:
                return "void"
            if in_time(taken_back, end):
                return "withdrawn"
            if subject in disputed:
                return "disputed"
            proved = clock.is_proved(version.batch) and clock.is_proved(found[0].batch)
            return "scored" if proved else "claimed"

        stood = [standing(subject) for subject in rows["subject_id"]]
        marks = {"author": account.author, "id": account.id, "version": number + 1}
        yield (
            levels,
            rows.with_columns(
                **{name: pl.lit(value) for name, value in marks.items()},
                standing=pl.Series(stood, dtype=pl.String),
                told=pl.col("told").fill_null("") if "told" in rows.columns else pl.lit(""),
            ).select([pl.col(name).cast(kind) for name, kind in ROW.items()]),
        )


def _meet(account: Account, version: Version, facts: Facts, own: str) -> tuple[tuple[float, ...], pl.DataFrame]:
    """The levels of a version, and its row on each outcome of its target."""
    aim = aim_of(account.id)
    target = facts.targets.get(aim)
    entered = {subject: found[0] for subject, found in facts.outcomes(aim).items()}
    as_of = date.fromisoformat(version.batch.header.as_of)
    if isinstance(version.prediction, entries.CurvePrediction):
        subjects = [
            Subject(subject, _family(subject, entry), _released(entry), _within(entry, target), _covariates(entry))
            for subject, entry in sorted(entered.items())
        ]
        about = {"evidence": "prospective", "case": aim[0], "law": _method(account, own), "role": "law"}
        rows = apply(from_plain(version.prediction.curve), subjects)
        return LEVELS, rows.with_columns(as_of=pl.lit(as_of), **{name: pl.lit(text) for name, text in about.items()})
    if isinstance(version.prediction, entries.JointPrediction):
        return LEVELS, _joint(version.prediction, account, facts, entered, as_of, own)
    levels = tuple(float(level) for level in version.prediction.levels)
    values_made = [float(value) for value in version.prediction.values]
    middle = [value for level, value in zip(levels, values_made, strict=True) if level == 0.5]
    entries_made = [
        {
            **_facts_of(subject, entry, account, aim, facts, own),
            "observed": _within(entry, target),
            "as_of": as_of,
            "status": "quantiles",
            "point": middle[0] if middle else None,
            "quantiles": values_made,
        }
        for subject, entry in entered.items()
    ]
    return levels, pl.DataFrame(entries_made, schema=ROW, infer_schema_length=None)


def _joint(
    made: entries.JointPrediction,
    account: Account,
    facts: Facts,
    entered: Mapping[str, Resolution],
    as_of: date,
    own: str,
) -> pl.DataFrame:
    """Up to three rows for each outcome: the forecast of that release day, the same given what else was published of the system,
    and given what was published of its siblings too. Where nothing of the kind was published there is no such row.
    """
    aim = aim_of(account.id)
    target, rows = facts.targets[aim], []
    for subject, entry in entered.items():
        same, beside = known_of(made, target, entry.covariates), siblings_of(made, entry.covariates)
        for suffix in ("", *([GIVEN] if same else []), *([BESIDE] if beside else [])):
            known, more = (same if suffix else {}), (beside if suffix == BESIDE else {})
            middle, values = joint_quantiles(made, target, _released(entry), known, more)
            about = _facts_of(subject, entry, account, aim, facts, own)
            rows.append(
                {
                    **about,
                    "law": about["law"] + suffix,
                    "told": TOLD[suffix],
                    "observed": _within(entry, target),
                    "as_of": as_of,
                    "status": "joint" if values else "joint: no release day, or one outside its days",
                    "point": middle,
                    "quantiles": values or [float("nan")] * len(LEVELS),
                }
            )
    return pl.DataFrame(rows, schema=ROW, infer_schema_length=None)


def _within(entry: Resolution, target: entries.TargetEntry | None) -> float:
    """The outcome as it is scored: at the bound of the target where it was published beyond it."""
    value = Decimal(entry.value or "0")
    return float(value if target is None else min(max(value, Decimal(target.min)), Decimal(target.max)))


def _released(entry: Resolution) -> date | None:
    return date.fromisoformat(entry.released_on) if entry.released_on is not None else None


def _family(subject: str, entry: Resolution) -> str:
    return entry.family if isinstance(entry.family, str) else subject


def _covariates(entry: Resolution) -> dict[str, float]:
    return {item.benchmark: float(item.value) for item in entry.covariates if not isinstance(item.sibling, str)}


def _method(account: Account, own: str) -> str:
    name = account.id.rsplit("/", 1)[1]
    return name if own in ("", account.author) else f"{account.author}:{name}"


def _facts_of(subject: str, entry: Resolution, account: Account, aim: Aim, facts: Facts, own: str) -> dict[str, Any]:
    """The key columns of a row about an outcome."""
    target = facts.targets.get(aim)
    return {
        "evidence": "prospective",
        "case": aim[0],
        "split": "released",
        "law": _method(account, own),
        "role": "law",
        "target_id": aim[1],
        "quantity_id": target.benchmark if target is not None else aim[1],
        "series": "",
        "subject_id": subject,
        "cluster": _family(subject, entry),
        "released_on": _released(entry) or moment(entry.known_at).date(),
    }


def _worst(account: Account, facts: Facts, own: str) -> pl.DataFrame:
    """Rows of a forecast nobody can read, one for each outcome that any forecast of its target met."""
    aim = aim_of(account.id)
    target = facts.targets.get(aim)
    empty = pl.DataFrame(schema=ROW)
    if target is None:  # redacted together with it: no bound is left, so it is named without a number
        return empty
    lower, upper = float(target.min), float(target.max)
    values = {subject: (_within(found[0], target), found[0]) for subject, found in facts.outcomes(aim).items()}
    rows = []
    for subject, (value, entry) in sorted(values.items(), key=lambda item: item[0]):
        late = account.frozen is not None and not in_time(account.frozen, facts.end(aim, subject))
        at = worst_value(lower, upper, value)
        rows.append(
            {
                **_facts_of(subject, entry, account, aim, facts, own),
                "observed": value,
                "status": account.state,
                "point": at,
                "quantiles": [at] * len(LEVELS),
                "author": account.author,
                "id": account.id,
                "version": 0,
                "standing": "late" if late else "penalised",
                "told": "",
            }
        )
    return pl.DataFrame(rows, schema=ROW, infer_schema_length=None) if rows else empty


def _scored(parts: Mapping[tuple[float, ...], pl.DataFrame]) -> pl.DataFrame:
    """All rows scored, with their marks, by the levels they are stated at; a row for which nothing could be forecast has no WIS."""
    done = [pl.DataFrame(schema={**SCORED, **{name: ROW[name] for name in MARKS}})]
    for levels, frame in parts.items():
        known = frame.filter(pl.col("quantiles").list.eval(pl.element().is_nan().any()).list.first().not_())
        made_rows = score_rows(known, levels).hstack(known.select(MARKS))
        if not same_levels(
            levels
        ):  # a WIS on other levels is no number to compare: it enters no mean, and is counted by its status
            made_rows = made_rows.with_columns(status=pl.lit(OTHER_LEVELS))
        absent = frame.join(known.select(*MARKS, "subject_id"), on=[*MARKS, "subject_id"], how="anti")
        done += [made_rows, absent.select([name for name in absent.columns if name in done[0].columns])]
    return pl.concat(done, how="diagonal")


def _stepped(frame: pl.DataFrame, steps: Mapping[Aim, float]) -> pl.DataFrame:
    """The rows with the step between two outcomes that their own target froze, whatever the record or another target says."""
    told = [steps.get((case, target), 0.0) for case, target in frame.select("case", "target_id").iter_rows()]
    return frame.with_columns(resolution=pl.Series(told, dtype=pl.Float64))


def _table(every: pl.DataFrame, found: Sequence[Account], count: dict[tuple[str, str], int]) -> list[dict[str, Any]]:
    """One line for each version and standing of each forecast; what is late or worst has a line even without an outcome."""
    grouped = every.group_by(*MARKS, maintain_order=True).agg(
        n=pl.col("wis").is_not_null().sum(),
        no_forecast=pl.col("wis").is_null().sum(),
        wis=pl.col("wis").mean(),
        absolute_error=pl.col("absolute_error").mean(),
        **{f"coverage_{round(100 * level)}": pl.col(f"covered_{round(100 * level)}").mean() for level in COVERAGES},
        subjects=pl.col("subject_id").sort(),
    )
    lines = []
    for row in grouped.to_dicts():
        row["subjects"] = row["subjects"] if row["standing"] in OUT else []
        lines.append({**row, "versions": count.get((row["author"], row["id"]), 0)})
    have = {(row["author"], row["id"], row["standing"]) for row in lines}
    for one in found:
        standing = {"late": "late", **dict.fromkeys(WORST, "penalised")}.get(one.state, "")
        if standing and (one.author, one.id, standing) not in have:
            none = dict.fromkeys(["wis", "absolute_error", *(f"coverage_{round(100 * level)}" for level in COVERAGES)])
            about = {"author": one.author, "id": one.id, "version": 0, "standing": standing, "told": "", "n": 0, "no_forecast": 0}
            lines.append({**about, **none, "subjects": [], "versions": count.get((one.author, one.id), 0)})
    order = {(one.author, one.id): i for i, one in enumerate(found)}
    return sorted(lines, key=lambda row: (order[row["author"], row["id"]], row["version"], row["standing"], row["told"]))
