"""Canonical JSON lines: one value has one spelling, and anything else is refused.

The ledger hashes bytes as they are stored. This module makes sure that those bytes can be read in one way only: no
duplicate keys, no floats, no huge integers, no deep nesting, and every line equals the dump of its own parse. Numbers
with a fraction are decimal strings. In this profile the dump is byte-equal to RFC 8785, so any library for that
standard can give a second opinion. Whatever is wrong with the bytes, the one exception is `LedgerError`, which names
the line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import cache
from itertools import chain
from typing import Any, NoReturn

from foresaid.errors import LedgerError

LINE_BYTES = 1024 * 1024  # without the newline; a joint of 40 cells on 14 days takes some 170 KiB
FILE_BYTES = 16 * 1024 * 1024
FILE_LINES = 10_000
DEPTH = 8
INTEGER_BOUND = 2**53  # beyond it a double, and so most JSON readers, lose digits

KEY = re.compile(r"[a-z_][a-z0-9_]*")  # one digit more than letters: `sha256` is a key
DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,18})?")


@cache  # making one takes longer than using it
def _context(digits: int) -> Context:
    return Context(prec=digits, rounding=ROUND_HALF_EVEN)


def decimal(x: float, digits: int = 8) -> str:
    """Write a number as a decimal string of so many significant digits.

    The shortest spelling that reads back as the same double is rounded once, half to even; zeros at the end are
    dropped; minus zero is zero. With 17 digits every number that is accepted reads back unchanged. A number that the
    grammar cannot hold with these digits (18 before the point, 18 after) is refused: round it first, if that is meant.

    >>> decimal(0.1), decimal(2 / 3), decimal(-0.0), decimal(7e9), decimal(12345.678912, digits=6)
    ('0.1', '0.66666667', '0', '7000000000', '12345.7')
    """
    if digits < 1:
        raise LedgerError(f"decimal({x!r}): found {digits} digits, expected at least one")
    try:
        rounded = _context(digits).create_decimal(repr(float(x)))
    except (ArithmeticError, ValueError, TypeError):
        raise LedgerError(f"decimal({x!r}): expected a number") from None
    if not rounded.is_finite():
        raise LedgerError(f"decimal({x!r}): expected a finite number")
    if rounded.is_zero():
        return "0"
    text = format(rounded, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    if not DECIMAL.fullmatch(text):
        raise LedgerError(
            f"decimal({x!r}): found {text}, expected at most 18 digits before the point and 18 after; "
            "change the unit, round it or take the logarithm"
        )
    return text


def parse_decimal(text: object) -> Decimal:
    """Read a decimal string exactly; any other spelling of a number is refused.

    >>> parse_decimal("0.380")
    Decimal('0.380')
    """
    if not isinstance(text, str) or not DECIMAL.fullmatch(text):
        raise LedgerError(f"found {text!r}, expected a decimal string such as '0.471'")
    return Decimal(text)


class _RefusedError(ValueError):
    """A value outside the profile; becomes a LedgerError with its line."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        keys = [key for key, _ in pairs]
        raise _RefusedError(f"duplicate key {next(key for key in keys if keys.count(key) > 1)!a}")
    for key in value:
        if not KEY.fullmatch(key):
            raise _RefusedError(f"key {key[:40]!a}, expected {KEY.pattern}")
    return value


def _integer(text: str) -> int:
    if len(text) > 17 or not -INTEGER_BOUND < int(text) < INTEGER_BOUND:
        raise _RefusedError(f"integer {text[:40]}, expected less than 2^53 in size; write a decimal string")
    return int(text)


def _float(text: str) -> NoReturn:
    raise _RefusedError(f"number {text[:40]}, expected a decimal string: floats are refused")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_float)
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _too_deep(value: object, room: int) -> bool:
    """Whether objects and lists stand in each other more than `room` deep; level by level, since lines hold many numbers."""
    inner: list[Any] = [value] if isinstance(value, (dict, list)) else []
    for _ in range(room):
        below = chain.from_iterable(one.values() if isinstance(one, dict) else one for one in inner)
        inner = [item for item in below if isinstance(item, (dict, list))]
    return bool(inner)


def parse_line(line: bytes, number: int = 1) -> dict[str, Any]:
    """Read one canonical line, given without its newline.

    >>> parse_line(b'{"max":"1","type":"target/v1"}')
    {'max': '1', 'type': 'target/v1'}
    >>> parse_line(b'{"a":1,"a":2}', number=7)
    Traceback (most recent call last):
    foresaid.errors.LedgerError: line 7: duplicate key 'a'
    """
    try:
        if len(line) > LINE_BYTES:
            raise _RefusedError(f"found {len(line)} bytes, expected at most {LINE_BYTES}")
        if line.startswith(b"\xef\xbb\xbf"):
            raise _RefusedError("found a byte order mark, expected none; an editor has rewritten the file")
        if line.endswith(b"\r"):
            raise _RefusedError("found a carriage return, expected LF; line endings were converted (git autocrlf?)")
        value = _DECODER.decode(line.decode("utf-8"))
        if not isinstance(value, dict):
            raise _RefusedError(f"found a JSON {type(value).__name__}, expected an object")
        openings = line.count(b"{") + line.count(b"[")  # an upper bound of the depth, cheaper than walking
        if openings > DEPTH and _too_deep(value, DEPTH):
            raise _RefusedError(f"nested more than {DEPTH} deep")
        if _ENCODER.encode(value).encode("utf-8") != line:
            raise _RefusedError("not canonical: expected sorted keys, no spaces, the shortest escapes")
    except UnicodeError as error:
        raise LedgerError(f"line {number}: not UTF-8 ({error.reason if hasattr(error, 'reason') else 'bad'})") from None
    except RecursionError:
        raise LedgerError(f"line {number}: nested more than {DEPTH} deep") from None
    except ValueError as error:
        raise LedgerError(f"line {number}: {error}") from None
    return value


def dump_line(value: Mapping[str, Any], number: int = 1) -> bytes:
    """Write one canonical line, newline included; what `parse_line` would refuse is refused here.

    >>> dump_line({"b": ["0.5", 1, True], "a": None})
    b'{"a":null,"b":["0.5",1,true]}\\n'
    """
    try:
        line = _ENCODER.encode(value).encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:  # UnicodeEncodeError is a ValueError
        raise LedgerError(f"line {number}: cannot be written as canonical JSON: {error}") from None
    parse_line(line, number)
    return line + b"\n"


def split_lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Number the lines of a file from one, after checking its size, its line count and its final newline.

    >>> list(split_lines(b"{}\\n[]\\n"))
    [(1, b'{}'), (2, b'[]')]
    """
    if len(data) > FILE_BYTES:
        raise LedgerError(f"line 1: the file has {len(data)} bytes, expected at most {FILE_BYTES}")
    if not data:
        raise LedgerError("line 1: the file is empty, expected at least one line")
    lines = data.split(b"\n")
    if lines.pop():
        raise LedgerError(f"line {len(lines) + 1}: no newline at the end; the file was cut")
    if len(lines) > FILE_LINES:
        raise LedgerError(f"line {FILE_LINES + 1}: the file has {len(lines)} lines, expected at most {FILE_LINES}")
    return iter(enumerate(lines, start=1))


def parse_lines(data: bytes) -> list[dict[str, Any]]:
    """Read a whole file of canonical lines.

    >>> parse_lines(b'{"a":1}\\n{"a":2}\\n')
    [{'a': 1}, {'a': 2}]
    """
    return [parse_line(line, number) for number, line in split_lines(data)]
