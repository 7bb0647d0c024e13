"""A batch file as bytes: what it says as far as it can be read, and every line that cannot.

Reading never stops at the first fault, so that one check can report them all; what is good in a bad file can still be
compared with the rest of the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import msgspec

from foresaid import canonical_json
from foresaid.errors import LedgerError
from foresaid.ledger.entries.schema import Amendment, CheckCurve, Curve, Entry, Forecast, Header, Quantiles, parse


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


_ENDS = ["0.25", "0.75"]  # any two levels; only the values' ends are looked at
_KEPT = ("quantity_id", "series", "resolver", "lower", "upper", "covariates", "training")  # of a curve, for rules across batches


def outline(batch: Batch) -> Batch:
    """The batch with every prediction cut to the ends of its values: all that rules across batches need, in a tenth of the room."""
    lines = []
    for number, entry in batch.lines:
        if isinstance(entry, Forecast | Amendment):
            made = entry.prediction
            short = (
                Quantiles(levels=_ENDS, values=[made.values[0], made.values[-1]]) if isinstance(made, Quantiles) else _short(made)
            )
            entry = msgspec.structs.replace(entry, prediction=short)
        lines.append((number, entry))
    return replace(batch, lines=tuple(lines))


def _short(made: Curve) -> Curve:
    return Curve(curve={name: made.curve[name] for name in _KEPT if name in made.curve})


def _reason(error: LedgerError) -> tuple[int, str]:
    place, _, reason = str(error).partition(": ")
    return int(place.removeprefix("line ")), reason
