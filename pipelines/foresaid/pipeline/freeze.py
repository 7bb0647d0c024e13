"""Stage `freeze`: what an open round does not have yet goes into the ledger, once.

Opening a round is a person's act (params.yaml). This stage then re-reads the training rows the drafts were fitted on, lets the
leak guard look at each, and appends a batch of targets and one of forecasts, pending until `foresaid ledger checkpoint` puts them
into the log on the main branch. Running it again adds nothing. A draft that no longer equals what was frozen under its name is
reported as mismatch; the frozen one stays. The ledger is not an output of the stage: DVC deletes outputs before a run, and a frozen
forecast is never deleted.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from foresaid import canonical_json
from foresaid.canonical_json import decimal
from foresaid.confusables import model_of, resolve
from foresaid.errors import LeakError, LedgerError, UnreadableError
from foresaid.evaluation import units
from foresaid.files import write_json
from foresaid.fitting.frozen_curve import from_plain
from foresaid.forecasting import leakage
from foresaid.laws._loader import reads_same_items
from foresaid.ledger import store, training_snapshots
from foresaid.ledger.entries import schema as entries
from foresaid.ledger.entries.batch import Batch
from foresaid.ledger.entries.target_rules import covariates_of
from foresaid.ledger.entries.targets import known_digest
from foresaid.ledger.provenance import code_state
from foresaid.ledger.state.index import gather
from foresaid.params import Params, RoundSettings
from foresaid.pipeline import outcomes
from foresaid.pipeline.outcomes import SNAPSHOTS
from foresaid.registry import database, same_items
from foresaid.registry.same_model import names
from foresaid.scoring.levels import LEVELS

SET_BY_THE_DAY = ("opens", "closes", "known", "publish_within")
SameItems: TypeAlias = Mapping[str, frozenset[str]]
Key = tuple[type, str]  # kind and name: a target may be called what a forecast is called


@dataclass(frozen=True)
class Draft:
    """One forecast that a round may freeze."""

    law: str
    target: dict[str, Any]
    prediction: dict[str, Any]


@dataclass(frozen=True)
class Receipt:
    """What the stage did: how many forecasts the round holds, how many are new, and which drafts have drifted."""

    round: str | None
    frozen: int
    added: int
    mismatch: tuple[str, ...]
    size: int
    root: str


def _text(root: bytes) -> str:
    return base64.b64encode(root).decode("ascii")


def _items(path: Path) -> list[dict[str, Any]]:
    content = path.read_bytes()
    return canonical_json.parse_lines(content) if content else []  # a law without targets has no lines


def read_drafts(build: Path, laws: Sequence[str]) -> list[Draft]:
    """Read targets and curves of the laws of params.yaml; files of laws no longer listed are not looked at."""
    drafts = []
    for law in laws:
        folder = build / "fits" / law
        curves = {curve["target_id"]: curve for curve in _items(folder / "curves.jsonl")}
        for item in _items(folder / "drafts.jsonl"):
            name = item["target"]["id"]
            if name not in curves:
                raise UnreadableError(
                    f"{folder / 'curves.jsonl'}: found no curve of {name}, expected one for each draft; run `dvc repro`"
                )
            drafts.append(Draft(item["method"], item["target"], {"kind": "curve", "curve": curves[name]}))
    return drafts


def training_rows(build: Path, laws: Sequence[str]) -> tuple[list[dict[str, Any]], dict[str, bytes]]:
    """Read the rows every curve was fitted on, and the bytes of each target's rows by law and target."""
    rows: list[dict[str, Any]] = []
    bodies: dict[str, bytes] = {}
    for law in laws:
        for item in _items(build / "fits" / law / "training.jsonl"):
            rows.append({"law": law, **item})
            key = f"{law}/{item['target_id']}"
            bodies[key] = bodies.get(key, b"") + canonical_json.dump_line(item)
    return rows, bodies


def check_leaks(
    rows: Sequence[dict[str, Any]],
    released: dict[str, date | None],
    aliases: dict[str, str],
    opened: RoundSettings,
    frozen_on: date,
    resolver: dict[str, str],
    announced: Collection[str] = (),
) -> None:
    """Refuse rows known after the vintage, and rows of a model the round is about, under any of its names.

    A model that the round names must be known, by id, alias or merged id, or `announced` as one that a target names: a typing error
    would guard nothing.
    """
    for name in opened.targets:
        if resolve(name, aliases) not in released and name not in announced:
            near = get_close_matches(name, [*released, *aliases], n=1)
            advice = f"did you mean {near[0]}?" if near else "add it to models.csv"
            raise LeakError(f"round {opened.id}, targets: found {name}, which the record does not know; {advice}")
    seen = {}
    for row in rows:
        known_on = date.fromisoformat(row["known_on"])
        key = (row["subject_id"], row["target_id"], known_on)
        seen[key] = leakage.TrainingRow(
            row["subject_id"],
            row["target_id"],
            resolver.get(row["target_id"], row["law"]),
            known_on,
            released.get(model_of(row["subject_id"])),
        )
    targets = [leakage.GuardedTarget(name) for name in opened.targets]
    leakage.check_training(list(seen.values()), opened.as_of, frozen_on, targets, aliases)


def _check_snapshots(drafts: Sequence[Draft], bodies: dict[str, bytes], opened: RoundSettings) -> None:
    for draft in drafts:
        record = from_plain(draft.prediction["curve"]).record
        if record.training.as_of != opened.as_of.isoformat():
            raise LeakError(
                f"draft {draft.law}, {record.target_id}: fitted as of {record.training.as_of}, expected {opened.as_of}, "
                f"the vintage of round {opened.id}; run `dvc repro`"
            )
        body = bodies.get(f"{draft.law}/{record.target_id}", b"")
        found = hashlib.sha256(body).hexdigest()
        if found != record.training.sha256:
            raise LeakError(
                f"draft {draft.law}, {record.target_id}: its training rows hash to {found}, the curve was fitted on "
                f"{record.training.sha256}; run `dvc repro` so that rows and curve belong together"
            )


def _restore(folder: Path, batches: Sequence[Batch], contents: dict[str, bytes]) -> None:
    """Write again the snapshots that batches name and that are absent, as far as the rows of this run are those rows."""
    made = {hashlib.sha256(content).hexdigest(): content for content in contents.values()}
    for item in (item for batch in batches for item in batch.header.data):
        if item.sha256 in made and training_snapshots.find(folder, item.sha256) is None:
            training_snapshots.keep(folder, made[item.sha256])


def _contents(bodies: dict[str, bytes]) -> dict[str, bytes]:
    """The snapshot of each law: the rows of its targets one after the other, so that a curve's own rows stand together."""
    found: dict[str, bytes] = {}
    for key in sorted(bodies):
        law = key.split("/", 1)[0]
        found[law] = found.get(law, b"") + bodies[key]
    return found


def _data(folder: Path, laws: Collection[str], rows: Sequence[dict[str, Any]], contents: dict[str, bytes]) -> list[entries.Data]:
    """The training data of a batch, one snapshot for each law that forecasts in it, kept in the folder."""
    found = []
    for law in sorted(laws):
        mine = [row for row in rows if row["law"] == law]
        found.append(
            entries.Data(
                name=law,
                sha256=training_snapshots.keep(folder, contents[law]),
                bytes=len(contents[law]),
                rows=len(mine),
                max_observed_on=max(row["known_on"] for row in mine),
            )
        )
    return found


def _have(batches: Sequence[Batch], author: str) -> dict[Key, entries.Entry]:
    """The author's own entries of rounds by kind and name. Of another author's, nothing takes the place of one's own."""
    have: dict[Key, entries.Entry] = {}
    for entry in (entry for batch in batches if batch.header.author == author for entry in batch.entries):
        if isinstance(entry, entries.RoundEntry | entries.ForecastEntry):
            have[type(entry), entry.id] = entry
        elif isinstance(entry, entries.TargetEntry):
            have[type(entry), f"{entry.round}/{entry.id}"] = entry
    return have


def _lines(
    drafts: Sequence[Draft],
    opened: RoundSettings,
    have: dict[Key, entries.Entry],
    opens: date,
    known: str,
    same_items: SameItems,
    steps: Mapping[str, float],
    standing: Mapping[tuple[str, str], entries.TargetEntry],
) -> tuple[list[entries.Entry], list[str]]:
    """Return the entries the round lacks, and the ids of drafts that differ from what was frozen."""
    lines: list[entries.Entry] = []
    mismatch = []
    if (entries.RoundEntry, opened.id) not in have:
        lines.append(
            entries.RoundEntry(
                id=opened.id,
                deadline=opened.deadline,
                reveal_by=opened.opened_until,
                revision="last-before-deadline",
                score="wis",
                reports="all",
                unit_of_count="target",
                universe=f"every target/v1 line of round {opened.id}",
            )
        )
    days = {
        "opens": opens.isoformat(),
        "closes": opened.closes_on.isoformat(),
        "publish_within": opened.publish_within,
        "known": known,
    }
    shared = {**days, "levels": [decimal(level) for level in LEVELS]}
    named = set(have)
    # The first law of params.yaml that forecasts a target is its primary method, unless the round has one already.
    led = {
        entry.target for entry in have.values() if isinstance(entry, entries.ForecastEntry) and entry.id.startswith(f"{opened.id}/")
    }
    for draft in drafts:
        target = entries.parse(
            {
                "type": "target/v1",
                "round": opened.id,
                **shared,
                **draft.target,
                **_same(draft, drafts, same_items),
                **_half(draft, steps),
            }
        )
        forecast = entries.parse(
            {
                "type": "forecast/v1",
                "id": f"{opened.id}/{draft.target['id']}/{draft.law}",
                "target": draft.target["id"],
                "method": draft.law,
                "primary": draft.target["id"] not in led,
                "prediction": draft.prediction,
            }
        )
        assert isinstance(target, entries.TargetEntry)
        assert isinstance(forecast, entries.ForecastEntry)
        target_key, forecast_key = (entries.TargetEntry, f"{opened.id}/{target.id}"), (entries.ForecastEntry, forecast.id)
        if forecast_key in have:
            frozen = have[forecast_key]
            if not isinstance(frozen, entries.ForecastEntry) or frozen.prediction != forecast.prediction:
                mismatch.append(forecast.id)
            continue
        led.add(draft.target["id"])
        if target_key not in named:
            named.add(target_key)
            theirs = standing.get((opened.id, target.id))
            if theirs is None:
                lines.append(target)
            elif _question(theirs) != _question(target):
                raise LedgerError(
                    f"round {opened.id}: target {target.id} is set by another author with other words; open a round of another id"
                )
        lines.append(forecast)
    return lines, mismatch


def _question(target: entries.TargetEntry) -> dict[str, Any]:
    """A target without what the day of its setting decides: whoever asked first, the question is one."""
    return {name: value for name, value in msgspec.to_builtins(target).items() if name not in SET_BY_THE_DAY}


def _same(draft: Draft, drafts: Sequence[Draft], same_items: SameItems) -> dict[str, list[str]]:
    """What is measured on the questions of a draft's target, and what of it the laws of the target say that they read."""
    same = same_items.get(draft.target["benchmark"], frozenset())
    mine = [one for one in drafts if one.target["id"] == draft.target["id"]]
    taken = {name for one in mine for name in covariates_of(one.prediction["curve"]) if reads_same_items(one.law)}
    return {"same_items": sorted(same), "stated": sorted(same & taken)}


def _half(draft: Draft, steps: Mapping[str, float]) -> dict[str, str]:
    """Half the step between two possible scores of a draft's target, where the record knows the step."""
    step = steps.get(draft.target["benchmark"], 0.0)
    return {"resolution": decimal(round(step / 2, 12))} if step else {}


def freeze(params: Params, build: Path, registry: Path, code: entries.Code, now: datetime) -> Receipt:
    """Append to the ledger what the open round does not have yet; without a round only say so."""
    place = registry / "ledger"
    batches, waiting = store.read_admitted(place, params.origin)
    if waiting.get(params.author):
        raise LedgerError(
            f"batch {waiting[params.author][0]} is in the name of {params.author} and not let into the log; "
            "sign it with `foresaid ledger sign` if it is yours, see `foresaid verify`"
        )
    if params.round is None:
        checkpoint = store.read_checkpoint(place)
        return Receipt(None, 0, 0, (), checkpoint.size, _text(checkpoint.root))
    opened = params.round
    have = _have(batches, params.author)
    drafts = read_drafts(build, list(params.laws))
    rows, bodies = training_rows(build, list(params.laws))
    frozen_on = now.astimezone(UTC).date()
    connection = database.open_database(build / "database")
    models, history = database.models(connection), database.history(connection)
    steps = units.of(connection).resolutions
    connection.close()
    known = outcomes.known_models(history, models, frozen_on)
    contents = _contents(bodies)
    _restore(registry / SNAPSHOTS, batches, contents)
    lines, mismatch = _lines(
        drafts, opened, have, frozen_on, known_digest(known), same_items.read(registry), steps, gather(batches).targets
    )
    new = [line for line in lines if isinstance(line, entries.ForecastEntry)]
    if new:
        released = dict(models.select("model_id", "released_on").iter_rows())
        aliases = names(registry)
        resolver = {draft.target["id"]: draft.target["resolver"] for draft in drafts}
        check_leaks(rows, released, aliases, opened, frozen_on, resolver)
        _check_snapshots(drafts, bodies, opened)
        if now.astimezone(UTC) > datetime.fromisoformat(opened.deadline):
            raise LedgerError(f"round {opened.id}: its deadline {opened.deadline} has passed; open a new round")
        data = _data(registry / SNAPSHOTS, {line.method for line in new}, rows, contents)
        outcomes.keep_known(registry, known)
        # Questions stand in a batch of their own, which is never redacted: whatever becomes of a forecast, its target stays.
        asked = [line for line in lines if not isinstance(line, entries.ForecastEntry)]
        parts: list[tuple[Sequence[entries.Entry], list[entries.Data]]] = [(asked, []), (new, data)]
        for part, of in parts:
            if part:
                store.write_batch(
                    place, part, origin=params.origin, author=params.author, as_of=opened.as_of, frozen_at=now, data=of, code=code
                )
    checkpoint = store.read_checkpoint(place)
    kept = sum(kind is entries.ForecastEntry and name.startswith(f"{opened.id}/") for kind, name in have)
    return Receipt(opened.id, kept + len(new), len(new), tuple(sorted(mismatch)), checkpoint.size, _text(checkpoint.root))


def run(params: Params, build: Path, registry: Path, root: Path, now: datetime) -> Receipt:
    """Run the stage and leave its receipt for `score` and `report`."""
    receipt = freeze(params, build, registry, code_state(root), now)
    # How many were new is for the terminal only: a second run must leave the same receipt.
    write_json(
        build / "freeze.json",
        {
            "round": receipt.round,
            "frozen": receipt.frozen,
            "mismatch": list(receipt.mismatch),
            "size": receipt.size,
            "root": receipt.root,
        },
    )
    return receipt
