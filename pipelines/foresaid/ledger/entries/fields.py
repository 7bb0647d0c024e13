"""The spelling of fields: patterns and checks that every record of the ledger shares.

Ids are lower-case ASCII, so that no two look alike by their script; numbers are decimal strings, since floats print
differently from one language to the next; text is in one Unicode form and has no invisible characters.
"""

from __future__ import annotations

import unicodedata
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from foresaid import canonical_json

DAY_BEGINS_EARLIEST = timedelta(hours=14)  # a day begins at UTC+14
ROUND_ID = r"[a-z0-9][a-z0-9-]{0,63}"
ID = r"[a-z0-9][a-z0-9._/-]{0,127}"
NAME = r"[a-z0-9_-]{1,64}"

# \Z, because $ would let a newline through at the end
RoundId: TypeAlias = Annotated[str, Meta(pattern=rf"\A{ROUND_ID}\Z")]
Id: TypeAlias = Annotated[str, Meta(pattern=rf"\A{ID}\Z")]
Name: TypeAlias = Annotated[str, Meta(pattern=rf"\A{NAME}\Z")]
ForecastId: TypeAlias = Annotated[str, Meta(pattern=rf"\A{ROUND_ID}/{ID}/{NAME}\Z")]
Hash: TypeAlias = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
Commit: TypeAlias = Annotated[str, Meta(pattern=r"\A([0-9a-f]{40}|[0-9a-f]{64})\Z")]
Day: TypeAlias = Annotated[str, Meta(pattern=r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")]
Time: TypeAlias = Annotated[str, Meta(pattern=r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z\Z")]
Moment: TypeAlias = Annotated[str, Meta(pattern=r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?\Z")]
Text: TypeAlias = Annotated[str, Meta(min_length=1, max_length=4096)]
System: TypeAlias = Annotated[str, Meta(max_length=256)]  # settings as the record spells them, `effort=high`; nothing: plain
Number: TypeAlias = Annotated[str, Meta(pattern=rf"\A{canonical_json.DECIMAL.pattern}\Z")]
# compute in FLOPs has more digits than a score: up to 30 before the point
Magnitude: TypeAlias = Annotated[str, Meta(pattern=r"\A-?(0|[1-9][0-9]{0,29})(\.[0-9]{1,18})?\Z")]
Vkey: TypeAlias = Annotated[str, Meta(pattern=r"\A[!-*,-~]{1,128}\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}\Z")]
Count: TypeAlias = Annotated[int, Meta(ge=0)]


@lru_cache(maxsize=4096)
def check_day(text: str) -> None:
    """Refuse a day that no calendar has."""
    try:
        date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"found {text}, expected a day of the calendar") from None


@lru_cache(maxsize=4096)
def check_time(text: str) -> None:
    """Refuse a time that no calendar has."""
    try:
        datetime.fromisoformat(text[:-1])
    except ValueError:
        raise ValueError(f"found {text}, expected a time of the calendar") from None


def check_moment(text: str) -> None:
    """Refuse a time or a day that no calendar has."""
    if len(text) == len("2026-11-21"):
        check_day(text)
    else:
        check_time(text)


def check_text(field: str, text: str) -> None:
    """Refuse text that is not in normal form C or holds a character nobody can see."""
    if text.isascii() and text.isprintable():
        return
    if not unicodedata.is_normalized("NFC", text):
        raise ValueError(f"`{field}` is not in Unicode normal form C")
    for sign in text:
        if unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Zl", "Zp"):
            raise ValueError(f"`{field}` holds the invisible character U+{ord(sign):04X}")


class EntryFields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):  # no cycles
    """Base of all records: fields by name, unknown ones refused, never changed."""


def aim_of(name: str) -> tuple[str, str]:
    """Round and target of a forecast, which stand in its id.

    >>> aim_of("2026q4/gpqa/model-x/obs-v3")
    ('2026q4', 'gpqa/model-x')
    """
    first, rest = name.split("/", 1)
    return first, rest.rsplit("/", 1)[0]
