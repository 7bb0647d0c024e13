"""Scores of one's own model from a file: benchmark and score, one a line. What is wrong is said by line, before any forecast."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from foresaid.errors import BadCell, RecordError, UnreadableError
from foresaid.files import read_csv

HEAD = ("benchmark", "score")
PERCENT = 1.0  # a score above it was meant in per cent


def read_costs(path: Path, benchmarks: Sequence[str]) -> dict[str, float]:
    """Read a CSV file with columns benchmark and cost (any one unit, above 0); return benchmark -> cost.

    Raises as `read_scores` does, for a benchmark the law does not know or that stands twice and a cost that is not above 0.
    """
    _, rows = read_csv(path, "a CSV file with columns benchmark and cost")
    found: dict[str, float] = {}
    problems: list[BadCell] = []
    for line, row in enumerate(rows, start=2):
        name, said = (row.get("benchmark") or "").strip(), (row.get("cost") or "").strip()
        try:
            value = float(said)
        except ValueError:
            value = math.nan
        if name not in benchmarks:
            problems.append(BadCell(str(path), line, "benchmark", name[:80], "one of `foresaid complete --benchmarks`"))
        elif not 0.0 < value < math.inf:
            problems.append(BadCell(str(path), line, "cost", said[:80] or "nothing", "a number above 0"))
        elif name in found:
            problems.append(BadCell(str(path), line, "benchmark", f"{name} a second time", "one cost a benchmark", "keep one"))
        else:
            found[name] = value
    if not rows:
        raise RecordError(f"{path}: found no row, expected columns benchmark and cost with a row each")
    if problems:
        raise RecordError.collect(problems)
    return found


def read_scores(path: Path, benchmarks: Sequence[str]) -> dict[str, float]:
    """Read a CSV file with columns benchmark and score (share of one), in any order; return benchmark -> score.

    `benchmarks` are the names the law knows. Raises UnreadableError for a file that is no text, RecordError for another head, a
    benchmark the law does not know or that stands twice, and a score that is no share of one.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UnreadableError(f"{path}: {error.strerror}, expected a CSV file with columns benchmark and score") from None
    except UnicodeDecodeError as error:
        raise UnreadableError(f"{path}: found bytes that are not UTF-8 at {error.start}, expected UTF-8; save it so") from None
    try:
        rows = [row for row in enumerate(csv.reader(io.StringIO(text), strict=True), start=1) if any(map(str.strip, row[1]))]
    except csv.Error as error:
        raise RecordError(f"{path}: found {error}, expected a CSV file with columns benchmark and score") from None
    head = tuple(name.strip() for name in rows[0][1]) if rows else ()
    if sorted(head) != sorted(HEAD):
        raise RecordError(f"{path}: found the columns {', '.join(head) or 'none'}, expected benchmark,score")
    found: dict[str, float] = {}
    problems: list[BadCell] = []
    for line, row in rows[1:]:
        if len(row) != len(head):
            problems.append(BadCell(str(path), line, "score", f"{len(row)} fields", f"{len(head)}: benchmark and score"))
            continue
        said = dict(zip(head, (cell.strip() for cell in row), strict=True))
        name = said["benchmark"]
        if name not in benchmarks:
            near = get_close_matches(name, benchmarks, n=1, cutoff=0.5)
            expected = "one of `foresaid complete --benchmarks`"
            problems.append(
                BadCell(str(path), line, "benchmark", name[:80], expected, f"did you mean {near[0]}?" if near else "remove the row")
            )
            continue
        try:
            value = float(said["score"])
        except ValueError:
            value = math.nan
        if not 0.0 <= value <= PERCENT:
            hint = "divide per cent by 100" if math.isfinite(value) and value > PERCENT else "correct it"
            problems.append(BadCell(str(path), line, "score", said["score"][:80], "a share within [0, 1]", hint))
        elif name in found:
            problems.append(BadCell(str(path), line, "benchmark", f"{name} a second time", "one score a benchmark", "keep one"))
        else:
            found[name] = value
    if problems:
        raise RecordError.collect(problems)
    return found
