"""What a file of evaluation results says, whichever standard it follows: one Result a value, before any name is resolved.

A format module turns bytes into results and problems and never raises on bad content: every refused value is named with
its file and its JSON pointer. JSON is read strictly: a key given twice, text that is no UTF-8, nesting without end and numbers
beyond all bounds are refused, because each of them means that two programs would read two different things.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from foresaid.errors import Problem

DEPTH = 60  # levels of nesting; both standards stay below 12


@dataclass(frozen=True)
class Result:
    """One value of a file.

    `names` are the spellings of its quantity, the most exact first, each with the setting that is left if that spelling
    is the one that is known. `lowest` and `highest` are the bounds its metric states (None where it states none),
    `higher_is_better` what it says of its direction. `pointer` is the JSON pointer of the value.
    """

    model: str
    names: Sequence[tuple[str, str]]
    value: float
    stderr: float | None
    n: int | None
    lowest: float | None
    highest: float | None
    higher_is_better: bool | None
    pointer: str
    group: str = ""
    note: str = ""
    metric: str = ""  # the metric as the file names it, where it names one apart


@dataclass(frozen=True)
class Results:
    """All values of one file; `skipped` counts, by reason, what was left out on purpose."""

    items: list[Result]
    problems: list[Problem] = field(default_factory=list)
    skipped: dict[str, int] = field(default_factory=dict)


class _TwiceError(ValueError):
    """A key stands twice in one object."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    tree = dict(pairs)
    if len(tree) != len(pairs):
        keys = [key for key, _ in pairs]
        raise _TwiceError(next(key for key in keys if keys.count(key) > 1))
    return tree


def parse(raw: bytes, file: str) -> tuple[Any, Problem | None]:
    """Read JSON strictly: the document, or the one problem that stops it. NaN comes through, for its pointer to be named.

    >>> parse(b'{"a": 1, "a": 2}', "x.json")[1].found
    'the key a twice'
    """
    try:
        tree = json.loads(raw.decode("utf-8"), object_pairs_hook=_pairs)
    except UnicodeDecodeError as error:
        return None, Problem(file, None, "-", f"byte 0x{raw[error.start]:02x} at {error.start}", "UTF-8")
    except _TwiceError as error:
        return None, Problem(file, None, "-", f"the key {str(error)[:60]} twice", "each key once in an object")
    except json.JSONDecodeError as error:
        return None, Problem(file, error.lineno, "-", error.msg, "JSON", "the file may be cut short")
    except RecursionError:
        return None, Problem(file, None, "-", "nesting without end", f"at most {DEPTH} levels")
    except ValueError:  # a whole number of thousands of digits
        return None, Problem(file, None, "-", "a number of thousands of digits", "numbers that a float can hold")
    if _depth(tree) > DEPTH:
        return None, Problem(file, None, "-", f"more than {DEPTH} levels of nesting", f"at most {DEPTH} levels")
    try:
        json.dumps(tree, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return None, Problem(file, None, "-", "half a character (a lone surrogate)", "whole characters")
    return tree, None


def _depth(tree: Any) -> int:
    level, depth = [tree], 0
    while level and depth <= DEPTH:
        depth += 1
        level = [
            child
            for node in level
            if isinstance(node, dict | list)
            for child in (node.values() if isinstance(node, dict) else node)
        ]
    return depth


def number(value: Any) -> float | None:
    """A finite number as a float; anything else, true and false among it, is None.

    >>> number(1), number(True), number(float("nan")), number("0.5"), number(10**400)
    (1.0, None, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def shown(value: Any) -> str:
    """A JSON value as a message shows it: short, on one line."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    try:
        text = "nothing" if value is None else repr(value)
    except ValueError:  # a whole number of thousands of digits
        text = "a number of thousands of digits"
    return text if len(text) <= 60 else text[:57] + "..."


def pointer(*keys: str | int) -> str:
    """A JSON pointer (RFC 6901).

    >>> pointer("results", "a/b", 0)
    '/results/a~1b/0'
    """
    return "".join("/" + _visible(str(key)).replace("~", "~0").replace("/", "~1") for key in keys)


def _visible(text: str) -> str:
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def word(value: Any) -> str:
    """A value as a part of a setting: short, in lower case, of letters that mean nothing in a setting.

    >>> word(True), word("Very; high")
    ('true', 'very__high')
    """
    return "".join(char if char.isascii() and (char.isalnum() or char in "._+-/:@") else "_" for char in str(value)[:60]).lower()
