"""One leaked row among a hundred thousand: the target itself, the target under another name, a row known too late.

At the freeze the guard must refuse, and name the row; where somebody froze it all the same, `verify` must find it from the
snapshot (exit 6).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path

import msgspec
from tests.attacks import build
from tests.attacks.mutate import room
from tests.attacks.table import Scale, Tally, timed

from foresaid import canonical_json
from foresaid.errors import LeakError
from foresaid.forecasting import leakage
from foresaid.forecasting.leakage import GuardedTarget, TrainingRow
from foresaid.ledger.entries.schema import Data
from foresaid.ledger.entries.targets import Named
from foresaid.ledger.verify.snapshot import Evidence
from foresaid.ledger.verify.verify import verify

AS_OF = date(2026, 11, 20)
FROZEN = date(2026, 11, 21)
TARGET = "acme/next-70b"
ALIASES = {
    "Acme/Next-70B-HF": "acme/next-70b",
    "acme-next": "Acme/Next-70B-HF",
    "next 70b (acme)": "acme-next",
}
ROWS = 100_000


def sound_rows(rows: int, seed: int) -> list[TrainingRow]:
    """Rows of other models, all public before the cut-off."""
    chance = random.Random(seed)
    days = [AS_OF - timedelta(days=back) for back in range(900)]
    return [
        TrainingRow(f"acme/model-{chance.randrange(3000)}", f"task-{chance.randrange(40)}", "board", chance.choice(days))
        for _ in range(rows)
    ]


KINDS = ("a row of the target", "a row under an alias", "a row known after as_of")


def leaked(kind: str, good: TrainingRow, chance: random.Random) -> TrainingRow:
    """One row that must not be there."""
    if kind == "a row of the target":
        return TrainingRow(TARGET, good.quantity_id, good.source_id, good.known_on)
    if kind == "a row under an alias":
        name = chance.choice([*ALIASES, "ACME/NEXT-70B", " acme/next-70b "])
        return TrainingRow(name, good.quantity_id, good.source_id, good.known_on)
    if kind == "a row known after as_of":
        return TrainingRow(good.subject_id, good.quantity_id, good.source_id, AS_OF + timedelta(days=chance.randrange(1, 3)))
    return TrainingRow(good.subject_id, good.quantity_id, good.source_id, good.known_on, AS_OF + timedelta(days=1))


def refused(scale: Scale) -> Iterator[Tally]:
    """Every kind at random places, at the freeze; the sound rows pass."""
    count = scale.of(2000, ROWS, ROWS)
    rows = sound_rows(count, scale.seed)
    chance = random.Random(scale.seed)
    targets = [GuardedTarget(TARGET), GuardedTarget("acme/other")]
    if leakage.check_training(rows, AS_OF, FROZEN, targets, ALIASES) != count:
        raise AssertionError("the sound rows were not all looked at")
    for kind in (*KINDS, "a row of a model released after as_of"):
        with timed(Tally(f"leak at the freeze: {kind}", note=f"one among {count:,}")) as tally:
            for place in [0, count - 1, *(chance.randrange(count) for _ in range(scale.of(2, 8, 98)))]:
                good = rows[place]
                rows[place] = leaked(kind, good, chance)
                try:
                    leakage.check_training(rows, AS_OF, FROZEN, targets, ALIASES)
                    tally.count(False, f"row {place + 1}: {rows[place]}")
                except LeakError as error:
                    tally.count(f"training row {place + 1}," in str(error), f"row {place + 1} is not named: {error}")
                except Exception as error:
                    tally.escaped(error, f"row {place + 1}")
                rows[place] = good
        yield tally


def line(row: TrainingRow) -> bytes:
    """A row as a snapshot has it."""
    value = {"known_on": row.known_on.isoformat(), "subject_id": row.subject_id, "target_id": row.quantity_id, "value": "0.5"}
    return canonical_json.dump_line(value)


def frozen(folder: Path, lines: list[bytes], latest: str) -> Evidence:
    """A ledger with one forecast fitted on these rows, whatever they are, and the snapshot beside it."""
    content = b"".join(lines)
    name = sha256(content).hexdigest()
    data = Data(name="training-rows", sha256=name, bytes=len(content), rows=len(lines), max_observed_on=latest)
    build.create(folder / "ledger")
    about = msgspec.structs.replace(build.target("mmlu-pro"), rule=Named(model=TARGET))
    build.write(folder / "ledger", [build.ROUND, about, build.forecast("m", primary=True)], data=[data])
    (folder / f"{name}.jsonl").write_bytes(content)
    return Evidence(data=folder, aliases=ALIASES, asked=frozenset({"V16"}))


def found(scale: Scale) -> Iterator[Tally]:
    """The same kinds, frozen by somebody who passed the guard by; the sound snapshot passes, an absent one is incomplete."""
    count = scale.of(2000, ROWS, ROWS)
    rows = sound_rows(count, scale.seed)
    lines = [line(row) for row in rows]
    chance = random.Random(scale.seed + 1)
    latest = max(row.known_on for row in rows).isoformat()
    with room() as place:
        evidence = frozen(place, lines, latest)
        if (code := verify(place / "ledger", build.ORIGIN, evidence=evidence).exit_code()) != 0:
            raise AssertionError(f"a sound snapshot does not pass: exit {code}")
        if (code := verify(place / "ledger", build.ORIGIN, evidence=replace(evidence, data=place / "x")).exit_code()) != 5:
            raise AssertionError(f"an absent snapshot: exit {code}")
        with timed(Tally("a snapshot changed after the freeze", note=f"{count:,} rows")) as tally:
            [path] = place.glob("*.jsonl")
            content = path.read_bytes()
            for _ in range(scale.of(5, 20, 100)):
                at = chance.randrange(len(content))
                path.write_bytes(content[:at] + bytes([content[at] ^ 1 << chance.randrange(8)]) + content[at + 1 :])
                tally.count(verify(place / "ledger", build.ORIGIN, evidence=evidence).exit_code() == 6, f"byte {at}")
        yield tally
    for kind in KINDS:
        with timed(Tally(f"leak at the check: {kind}", note=f"one among {count:,}")) as tally:
            for at in [0, count - 1, *(chance.randrange(count) for _ in range(scale.of(1, 4, 48)))]:
                planted = [*lines]
                planted[at] = line(leaked(kind, rows[at], chance))
                with room() as place:
                    evidence = frozen(place, planted, latest)
                    tally.count(verify(place / "ledger", build.ORIGIN, evidence=evidence).exit_code() == 6, f"row {at + 1}")
        yield tally


def attacks(scale: Scale) -> Iterator[Tally]:
    """At the freeze, and at the check."""
    yield from refused(scale)
    yield from found(scale)
