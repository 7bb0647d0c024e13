"""What can go wrong, grouped by who must act.

A message says what happened, where (file, row, column), what was found, what was expected and what to do next. The
command line prints it as it stands and leaves with the exit code of its class; nothing else may escape as a traceback.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SHOWN = 10  # bad rows printed before the count takes over


@dataclass(frozen=True)
class BadCell:
    """One bad cell of a file: where it is, what stands there, what should."""

    file: str
    row: int | None
    column: str
    found: str
    expected: str
    advice: str = ""

    def __str__(self) -> str:
        """One line, as printed.

        >>> str(BadCell("scores.csv", 7, "value", "43.8", "a fraction in [0, 1]", "divide by 100"))
        'scores.csv, row 7, column value: found 43.8, expected a fraction in [0, 1]; divide by 100'
        """
        where = self.file if self.row is None else f"{self.file}, row {self.row}"
        line = f"{where}, column {self.column}: found {self.found}, expected {self.expected}"
        return f"{line}; {self.advice}" if self.advice else line


class ForesaidError(Exception):
    """Base of every error a user can cause or meet."""

    exit_code = 1


class RecordError(ForesaidError):
    """A source or a registry file is wrong: its keeper must correct it."""

    @classmethod
    def collect(cls, problems: Sequence[BadCell]) -> RecordError:
        """Join the first ten problems and say how many there are.

        >>> print(RecordError.collect([BadCell("a.csv", 2, "value", "NaN", "a finite number")]))
        a.csv, row 2, column value: found NaN, expected a finite number
        """
        lines = [str(problem) for problem in problems[:SHOWN]]
        if len(problems) > SHOWN:
            lines.append(f"... and {len(problems) - SHOWN} more: {len(problems)} bad rows in all, nothing was loaded")
        return cls("\n".join(lines))


class LedgerError(ForesaidError):
    """The ledger is broken, or what is asked would break it."""


class LeakError(ForesaidError):
    """A forecast would have seen its answer: the round must be set otherwise, or the row corrected."""


class ParameterError(ForesaidError):
    """The request or params.yaml cannot be understood: the user must change it. It is one line, whatever it quotes.

    >>> str(ParameterError("found the key a\\nb"))
    'found the key a\\\\nb'
    """

    exit_code = 2

    def __init__(self, message: str) -> None:
        super().__init__("".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in message))


class UnreadableError(ForesaidError):
    """A file that is needed is missing or cannot be read."""

    exit_code = 2
