"""What a check says of a file: its name, how it ended, why, and the rows at fault; all of them as one report a program can read.

Names and kinds are those of hubValidations (2.1): a `failure` makes a file invalid, an `error` does so and ends the checks of that
file, since what follows would have no meaning.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import msgspec

ROWS_SHOWN = 20  # offending rows kept with a check; `n_rows` counts all


class CheckResult(msgspec.Struct, frozen=True, kw_only=True):
    """One check of one file. `rows` are the first rows at fault, as they stand in the file, with their number."""

    check: str
    file: str
    status: Literal["success", "failure", "error", "skipped"]
    message: str
    rows: list[dict[str, Any]] = msgspec.field(default_factory=list)
    n_rows: int = 0

    @property
    def is_bad(self) -> bool:
        """Whether the file is invalid by this check."""
        return self.status in ("failure", "error")

    def __str__(self) -> str:
        """One line, and one for each row shown.

        >>> print(CheckResult(check="file_name", file="a/b.txt", status="error", message="found b.txt"))
        error file_name: a/b.txt: found b.txt
        """
        lines = [f"{self.status} {self.check}: {self.file}: {self.message}"]
        lines += [
            f"  row {row.get('row')}: " + ", ".join(f"{k} {v}" for k, v in row.items() if k != "row") for row in self.rows[:3]
        ]
        if self.n_rows > 3:
            lines.append(f"  and {self.n_rows - 3} rows more")
        return "\n".join(lines)


class SubmissionReport(msgspec.Struct, frozen=True, kw_only=True):
    """Every check of every file of a hub, whether all may go into the ledger, and the ids of the forecasts they make."""

    hub: str
    valid: bool
    checks: list[CheckResult]
    forecasts: list[str]
    already_frozen: int = 0

    def to_json(self) -> bytes:
        """The report as a file; its JSON Schema is published with the site."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"


def passed(check: str, file: str, message: str = "") -> CheckResult:
    """A check that found nothing."""
    return CheckResult(check=check, file=file, status="success", message=message)


def bad(check: str, file: str, message: str, rows: Sequence[dict[str, Any]] = (), error: bool = False) -> CheckResult:
    """A check that found something; `error` where later checks of the file have no meaning."""
    status: Literal["error", "failure"] = "error" if error else "failure"
    kept = [dict(row) for row in rows[:ROWS_SHOWN]]
    return CheckResult(check=check, file=file, status=status, message=message, rows=kept, n_rows=len(rows))


def is_over(found: Iterable[CheckResult]) -> bool:
    """Whether a check ended the checks of its file."""
    return any(one.status == "error" for one in found)
