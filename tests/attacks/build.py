"""The ledger under attack: fifty batches made through the product's own calls, every one after the other.

The first opens a round with its targets; each later one freezes an open and a sealed forecast, some amend or withdraw
an earlier one. All is in the log. Nothing here writes a file of the record by itself, except the owner of `owner.py`,
who has what the product has and cheats with it.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from foresaid.ledger import store
from foresaid.ledger.entries.schema import (
    Amendment,
    Code,
    Data,
    Entry,
    ForecastEntry,
    Quantiles,
    RoundEntry,
    Sealed,
    TargetEntry,
    Withdrawal,
)
from foresaid.ledger.entries.targets import Named, VoidIf
from foresaid.ledger.verify.verify import verify

ORIGIN = "example.org/lm-forecasts"
AUTHOR = "example.org/alice"
TIME = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
BATCHES = 50
LEVELS = ["0.05", "0.25", "0.5", "0.75", "0.95"]
VALUES = ["0.412", "0.451", "0.471", "0.492", "0.531"]
SEALED = "a7f5df7b740d25c7d2f58317e7f7483b772f2e171f36a698b4dbcc5bb710ff4e"

HEADER: dict[str, Any] = {
    "origin": ORIGIN,
    "author": AUTHOR,
    "as_of": date(2026, 11, 20),
    "data": [Data(name="scores", sha256="ab" * 32, bytes=104857, rows=1234, max_observed_on="2026-11-18")],
    "code": Code(git="3f" * 20, dirty=False, version="0.1.0"),
}
ROUND = RoundEntry(
    id="2026q4",
    deadline="2026-12-01T00:00:00Z",
    reveal_by="2027-06-01T00:00:00Z",
    revision="last-before-deadline",
    score="wis",
    reports="all",
    unit_of_count="target",
    universe="every target/v1 line with round 2026q4",
)


def target(benchmark: str) -> TargetEntry:
    """A target of the round."""
    return TargetEntry(
        id=f"{benchmark}/model-x",
        round="2026q4",
        rule=Named(model="model-x", display="Modèle X"),
        benchmark=benchmark,
        protocol="accuracy",
        unit="fraction",
        direction="higher",
        min="0",
        max="1",
        chance=None,
        ceiling=None,
        resolution=None,
        resolver="board",
        fallbacks=[],
        system="default",
        nearest_effort=False,
        opens="2026-11-21",
        closes="2027-06-01",
        publish_within=30,
        void_if=[VoidIf(condition="no_release", on=None)],
        known="0" * 64,
        levels=["0.05", "0.5", "0.95"] if benchmark == "gpqa" else LEVELS,
        same_items=[],
        stated=[],
    )


def forecast(method: str, benchmark: str = "mmlu-pro", values: list[str] = VALUES, primary: bool = False) -> ForecastEntry:
    """An open forecast of the round."""
    name = f"{benchmark}/model-x"
    levels = LEVELS if len(values) == len(LEVELS) else LEVELS[: len(values)]
    prediction = Quantiles(levels=levels, values=values)
    return ForecastEntry(id=f"2026q4/{name}/{method}", target=name, method=method, primary=primary, prediction=prediction)


def entries_of(number: int) -> list[Entry]:
    """What batch `number` says."""
    if number == 0:
        return [ROUND, target("mmlu-pro"), target("gpqa")]
    lines: list[Entry] = [forecast(f"m{number}", primary=number == 1)]
    if number % 3 == 0:
        name = f"2026q4/gpqa/model-x/s{number}"
        lines.append(Sealed(id=name, target="gpqa/model-x", commit=SEALED, reveal_by=ROUND.reveal_by))
    if number % 7 == 0:
        prediction = Quantiles(levels=LEVELS, values=["0.48"] * len(LEVELS))
        lines.append(
            Amendment(amends=f"2026q4/mmlu-pro/model-x/m{number - 1}", reason="a run was corrected", prediction=prediction)
        )
    if number % 11 == 0:
        lines.append(Withdrawal(withdraws=f"2026q4/mmlu-pro/model-x/m{number - 2}", reason="wrong unit"))
    return lines


def write(folder: Path, lines: list[Entry], minutes: int = 0, **changes: Any) -> str:
    """Freeze lines through the product and return the name of the batch."""
    return store.write_batch(folder, lines, **{**HEADER, "frozen_at": TIME + timedelta(minutes=minutes), **changes}).stem


def create(folder: Path) -> Path:
    """An empty ledger."""
    store.create(folder, ORIGIN)
    return folder


def build(folder: Path, batches: int = BATCHES) -> Path:
    """A ledger of so many batches, all of them in the log."""
    create(folder)
    for number in range(batches):
        write(folder, entries_of(number), minutes=10 * number)
        if number % 10 == 9:
            store.sequence(folder, ORIGIN)
    store.sequence(folder, ORIGIN)
    return folder


def check(folder: Path) -> int:
    """The exit code of the real check, strict: what is only incomplete counts as noticed too."""
    return verify(folder, ORIGIN).exit_code(strict=True)


def files(folder: Path) -> dict[str, bytes]:
    """Every file of the record by its place."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
