"""What an attack came to: tried, undetected, how many of those are expected, other exceptions, seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

SHOWN = 12  # examples kept of what went unnoticed


@dataclass
class Tally:
    """One row of the table. `expected` is the number that cannot be noticed in this setting; None means all of them."""

    attack: str
    expected: int | None = 0
    tried: int = 0
    undetected: int = 0
    other: int = 0
    seconds: float = 0.0
    note: str = ""
    skipped: bool = False
    examples: list[str] = field(default_factory=list)

    def count(self, noticed: bool, name: str = "") -> None:
        """Count one try."""
        self.tried += 1
        if not noticed:
            self.undetected += 1
            self.example(f"unnoticed: {name}")

    def escaped(self, error: BaseException | str, name: str = "") -> None:
        """Count a try that ended in an exception nobody declared."""
        self.tried += 1
        self.other += 1
        self.example(f"{name}: {error if isinstance(error, str) else f'{type(error).__name__}: {error}'}"[:200])

    def example(self, text: str) -> None:
        """Keep the first few."""
        if len(self.examples) < SHOWN:
            self.examples.append(text)

    def add(self, part: Tally) -> None:
        """Take in what another process counted."""
        self.tried += part.tried
        self.undetected += part.undetected
        self.other += part.other
        for text in part.examples:
            self.example(text)

    @property
    def allowed(self) -> int:
        """How many may go unnoticed."""
        return self.tried if self.expected is None else self.expected

    @property
    def breach(self) -> bool:
        """Whether the row breaks the promise, or tried nothing without saying why.

        Fewer unnoticed than the threat model says is a breach too: then the campaign is wrong, or the model is.
        """
        return not self.skipped and (self.undetected != self.allowed or self.other > 0 or self.tried == 0)


Attack = Callable[["Scale"], Iterator[Tally]]


@dataclass(frozen=True)
class Scale:
    """How much of the campaign to run."""

    name: str  # "slice", "short" or "long"
    workers: int = 2
    seed: int = 8

    def of(self, slice_: int, short: int, long: int) -> int:
        """The count for this scale."""
        return {"slice": slice_, "short": short, "long": long}[self.name]


@contextmanager
def timed(tally: Tally) -> Iterator[Tally]:
    """Add the seconds that the block takes."""
    begun = time.perf_counter()
    try:
        yield tally
    finally:
        tally.seconds += time.perf_counter() - begun


def skip(attack: str, reason: str) -> Tally:
    """A row for what cannot run here, with its reason."""
    return Tally(attack, note=f"skipped: {reason}", skipped=True)


HEAD = ("attack", "tried", "undetected", "expected", "other exceptions", "seconds", "note")


def lines(tallies: list[Tally]) -> Iterator[str]:
    """The table as text, breaches marked."""
    rows = [
        (
            ("! " if t.breach else "  ") + t.attack,
            f"{t.tried:,}",
            f"{t.undetected:,}",
            f"{t.allowed:,}",
            f"{t.other:,}",
            f"{t.seconds:.1f}",
            t.note,
        )
        for t in tallies
    ]
    widths = [max(len(row[i]) for row in [HEAD, *rows]) for i in range(len(HEAD) - 1)]
    for row in [HEAD, *rows]:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:-1], widths[1:], strict=True)), row[-1]]
        yield "  ".join(cells).rstrip()
    for t in filter(lambda tally: tally.breach, tallies):
        yield from (f"    {t.attack}: {text}" for text in t.examples)
