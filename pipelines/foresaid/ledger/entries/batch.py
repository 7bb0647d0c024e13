"""A batch file as bytes: what it says as far as it can be read, and every line that cannot.

Reading never stops at the first fault, so that one check can report them all; what is good in a bad file can still be
compared with the rest of the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import msgspec

from foresaid import canonical_json
from foresaid.errors import LedgerError
from foresaid.ledger.entries.fields import EntryFields
from foresaid.ledger.entries.schema import (
    Amendment,
    CheckCurve,
    CurvePrediction,
    Entry,
    ForecastEntry,
    Header,
    Prediction,
    Quantiles,
    Training,
    parse,
)


@dataclass(frozen=True)
class Batch:
    """A batch as read: its name, its header, its entries with their line numbers, its place in the log (None: pending)."""

    sha256: str
    header: Header
    lines: tuple[tuple[int, Entry], ...]
    index: int | None = None

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The entries without their line numbers."""
        return tuple(entry for _, entry in self.lines)


def read_batch(sha256: str, data: bytes, check_curve: CheckCurve | None = None) -> tuple[Batch | None, list[tuple[int, str]]]:
    """Read a batch file as far as it goes: the batch (None without a header), and each bad line with its reason."""
    problems: list[tuple[int, str]] = []
    header: Header | None = None
    lines: list[tuple[int, Entry]] = []
    total = 0
    try:
        numbered = canonical_json.split_lines(data)
    except LedgerError as error:
        return None, [_reason(error)]
    for number, line in numbered:
        total = number
        try:
            record = parse(canonical_json.parse_line(line, number), number, check_curve)
        except LedgerError as error:
            problems.append(_reason(error))
            continue
        if isinstance(record, Header) != (number == 1):
            problems.append((number, "expected batch/v1 on line 1 and nowhere else"))
        elif isinstance(record, Header):
            header = record
        else:
            lines.append((number, record))
    if header is None:
        return None, problems
    if header.n != total - 1:
        problems.append((1, f"batch/v1: found n {header.n}, expected {total - 1}, the number of lines that follow"))
    return Batch(sha256, header, tuple(lines)), problems


_KEPT = ("quantity_id", "series", "resolver", "lower", "upper", "covariates", "training")  # of a curve, for rules across batches


class Outline(EntryFields, frozen=True):
    """What rules across batches look at of a distribution: its levels and the ends of its values, or the benchmarks of a joint."""

    levels: list[str] = msgspec.field(default_factory=list)
    low: str = "0"
    high: str = "0"
    benchmarks: list[str] = msgspec.field(default_factory=list)
    training: Training | None = None


def outline(batch: Batch) -> Batch:
    """The batch with every prediction cut to what rules across batches need, in a tenth of the room."""
    lines = []
    for number, entry in batch.lines:
        if isinstance(entry, ForecastEntry | Amendment):
            entry = msgspec.structs.replace(entry, prediction=outline_of(entry.prediction))
        lines.append((number, entry))
    return replace(batch, lines=tuple(lines))


def outline_of(made: Prediction | Outline) -> Outline | CurvePrediction:
    """A prediction cut to what rules across batches need; of a curve what it is about and was fitted on."""
    if isinstance(made, Outline):
        return made
    if isinstance(made, Quantiles):
        return Outline(levels=_shared(tuple(made.levels)), low=made.values[0], high=made.values[-1])
    if isinstance(made, CurvePrediction):
        return CurvePrediction(curve={name: made.curve[name] for name in _KEPT if name in made.curve})
    return Outline(benchmarks=made.benchmarks, training=made.training)


@lru_cache(maxsize=256)
def _shared(levels: tuple[str, ...]) -> list[str]:
    return list(levels)  # a hundred thousand forecasts at the same levels keep one list


def _reason(error: LedgerError) -> tuple[int, str]:
    place, _, reason = str(error).partition(": ")
    return int(place.removeprefix("line ")), reason
