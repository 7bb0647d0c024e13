"""One leaked row among a hundred thousand: the target itself, the target under another name, a row known too late.

At the freeze the guard must refuse, and name the row; afterwards `verify` must find it from the snapshot (exit 6).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta

from tests.campaign.table import Scale, Tally, timed

from foresaid import guard
from foresaid.errors import LeakError
from foresaid.guard import Target, TrainingRow

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


def attacks(scale: Scale) -> Iterator[Tally]:
    """Every kind at random places; the sound rows pass."""
    count = scale.of(2000, ROWS, ROWS)
    rows = sound_rows(count, scale.seed)
    chance = random.Random(scale.seed)
    targets = [Target(TARGET), Target("acme/other")]
    if guard.check_training(rows, AS_OF, FROZEN, targets, ALIASES) != count:
        raise AssertionError("the sound rows were not all looked at")
    kinds = ("a row of the target", "a row under an alias", "a row known after as_of", "a row of a model released after as_of")
    for kind in kinds:
        with timed(Tally(f"leak at the freeze: {kind}", note=f"one among {count:,}")) as tally:
            for place in [0, count - 1, *(chance.randrange(count) for _ in range(scale.of(2, 8, 98)))]:
                good = rows[place]
                rows[place] = leaked(kind, good, chance)
                try:
                    guard.check_training(rows, AS_OF, FROZEN, targets, ALIASES)
                    tally.count(False, f"row {place + 1}: {rows[place]}")
                except LeakError as error:
                    tally.count(f"training row {place + 1}," in str(error), f"row {place + 1} is not named: {error}")
                except Exception as error:
                    tally.escaped(error, f"row {place + 1}")
                rows[place] = good
        yield tally
