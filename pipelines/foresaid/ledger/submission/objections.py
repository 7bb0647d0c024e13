"""What is wrong with a forecast that a person brings: one line each, with a word for the kind that programs can rely on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from foresaid.errors import SHOWN, LedgerError, ParameterError
from foresaid.ledger.submission.plain import PlainObjection

Severity: TypeAlias = Literal["error", "warning"]
# Kinds by who must act: the forecaster corrects the file; or the ledger does not take it whatever the file says.
STATED = {
    "file_missing": "a file or folder that is named is not there",
    "file_unreadable": "a file cannot be read, is not UTF-8, or is not of the kind its name says",
    "file_too_large": "a file is larger than any forecast needs to be",
    "field_missing": "a file lacks a field, or a field is empty",
    "field_unknown": "a file has a field that nobody reads",
    "author_missing": "nobody is named as the author",
    "author_invalid": "the author's name is no name of the ledger",
    "method_invalid": "the word for the method is no name of the ledger",
    "number_invalid": "what should be a finite number is none",
    "level_invalid": "a quantile level is not between 0 and 1, or stands twice",
    "levels_one_sided": "the levels lie on one side of the median, or are fewer than two",
    "values_descend": "a quantile of a higher level is lower",
    "value_out_of_bounds": "a value is outside the scale of the target, or worse than a record that stands",
    "unit_unknown": "a value is in a unit that the target is not stated in",
    "target_unknown": "no target of that name has been set",
    "forecast_twice": "one file states two forecasts of one target by one method",
}
REFUSED = {
    "target_closed": "the deadline of the target's round is over, or the target is void or has its outcome",
    "forecast_exists": "the author has a forecast of that target by that method already",
    "path_not_allowed": "a change touches more than new forecasts",
    "entry_not_allowed": "a batch holds what the keeper of the ledger alone enters",
    "ledger_check": "the ledger would not verify with it; the check is named",
}
WARNED = {
    "author_known": "the ledger has entries by this author, and no key shows that this is the same person",
    "values_filled_at_bound": "quantiles that were filled in were moved onto an end of the scale",
}
CODES = {**STATED, **REFUSED, **WARNED}


@dataclass(frozen=True)
class Objection:
    """One thing that is wrong, or to be known (severity warning): where, what was found, what was expected."""

    code: str
    where: str
    found: str
    expected: str
    severity: Severity = "error"

    def __post_init__(self) -> None:
        assert self.code in CODES, self.code

    def __str__(self) -> str:
        """One line, as printed.

        >>> str(Objection("number_invalid", "a.yaml, forecast 2, sd", "'x'", "a number above 0"))
        "a.yaml, forecast 2, sd: found 'x', expected a number above 0 [number_invalid]"
        """
        return f"{self.where}: found {self.found}, expected {self.expected} [{self.code}]"

    def as_dict(self) -> PlainObjection:
        """The same as plain values."""
        return {
            "code": self.code, "severity": self.severity, "where": self.where, "found": self.found, "expected": self.expected,
        }  # fmt: skip


class ObjectionError(Exception):
    """Stops at one objection; who reads several forecasts catches it and goes on to the next."""

    def __init__(self, code: str, where: str, found: str, expected: str) -> None:
        self.told = Objection(code, where, found, expected)
        super().__init__(str(self.told))


def errors(found: Sequence[Objection]) -> list[Objection]:
    """Those for which a forecast is refused."""
    return [one for one in found if one.severity == "error"]


def raise_for(found: Sequence[Objection]) -> None:
    """Raise what the command line prints: ParameterError where the request must change, LedgerError where the ledger refuses."""
    wrong = errors(found)
    if not wrong:
        return
    lines = [str(one) for one in wrong[:SHOWN]]
    if len(wrong) > SHOWN:
        lines.append(f"... and {len(wrong) - SHOWN} more: {len(wrong)} in all, nothing was written")
    kind = ParameterError if any(one.code in STATED for one in wrong) else LedgerError
    raise kind("\n".join(lines))
