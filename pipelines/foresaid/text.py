"""Numbers, units and tables as text.

A number is spelt here and nowhere else, so that a mean is written alike in every table, page and command. A dash stands for a
number that does not exist; nothing is written as zero that is not zero.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

import polars as pl

DASH = "–"


UNITS = {
    "fraction": "fraction",
    "nats_per_token": "nats per token",
    "bits_per_byte": "bits per byte",
    "bleu": "BLEU, 0 to 100",
}


def probability(p: float | None) -> str:
    """A p value to three decimals; one that would round to nothing is said to be below the last of them.

    >>> probability(0.0296), probability(0.0002), probability(None)
    ('0.030', '< 0.001', '–')
    """
    if p is None:
        return DASH
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def number(value: float | None, digits: int = 3) -> str:
    """A number with so many significant digits, without an exponent where a reader can do without.

    >>> number(0.05124), number(-0.0), number(1234.5), number(2.1e22), number(None)
    ('0.0512', '0', '1,230', '2.1 × 10²²', '–')
    """
    if value is None or not math.isfinite(value):
        return DASH
    rounded = float(f"{value:.{digits}g}")
    if rounded == 0:
        return "0"
    power = math.floor(math.log10(abs(rounded)))
    if -5 <= power < 7:
        text = f"{rounded:,.{max(digits - 1 - power, 0)}f}"
    else:
        exponent = str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        text = f"{rounded / 10**power:.{digits - 1}f}".rstrip("0").rstrip(".") + f" × 10{exponent}"
    return text.replace("-", "−")


def bound(value: float) -> str:
    """A bound as somebody chose it: four digits at most and no zeros at the end.

    >>> bound(-12.0), bound(0.5), bound(float("inf"))
    ('−12', '0.5', '∞')
    """
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:.4g}".replace("-", "−")


def signed(value: float | None, digits: int = 3) -> str:
    """A number that always carries its sign.

    >>> signed(0.0123), signed(-0.5, 2), signed(0.0)
    ('+0.0123', '−0.50', '0')
    """
    text = number(value, digits)
    return f"+{text}" if value is not None and text not in (DASH, "0") and not text.startswith("−") else text


def percent(value: float | None) -> str:
    """A share in whole per cent.

    >>> percent(0.8149), percent(None)
    ('81 %', '–')
    """
    return DASH if value is None or not math.isfinite(value) else f"{100 * value:.0f} %"


def count(value: int, one: str, many: str = "") -> str:
    """A count with its noun.

    >>> count(1, "model"), count(1200, "entry", "entries")
    ('1 model', '1,200 entries')
    """
    return f"{value:,} {one if value == 1 else many or one + 's'}"


def unit_words(units: Iterable[str]) -> str:
    """The units of a table in words; several of them say so.

    >>> unit_words(["fraction"]), unit_words(["nats_per_token", "fraction"])
    ('fraction', 'mixed units: fraction; nats per token')
    """
    words = sorted({UNITS.get(unit, unit.replace("_", " ")) for unit in units})
    return words[0] if len(words) == 1 else "mixed units: " + "; ".join(words)


def columns(rows: Sequence[Sequence[str]], left: Sequence[int]) -> list[str]:
    """Set rows of cells in columns for a terminal; the columns named in `left` are flush left.

    >>> columns([("a", "10"), ("bcd", "2")], (0,))
    ['a    10', 'bcd   2']
    """
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    made = []
    for row in rows:
        padded = (cell.ljust(widths[i]) if i in left else cell.rjust(widths[i]) for i, cell in enumerate(row))
        made.append("  ".join(padded).rstrip())
    return made


# What a spreadsheet may run, after blanks too. Apostrophes before it count, so that taking one away gives every text back.
FORMULA = r"^'*\s*[=+\-@\t\r\n]"


def defused(frame: pl.DataFrame) -> pl.DataFrame:
    """Put an apostrophe before text that a spreadsheet would take for a formula; `restored` takes it away again.

    >>> defused(pl.DataFrame({"name": ["=1+1", " @x", "ok"], "bias": [-1.0, 2.0, 0.5]})).rows()
    [("'=1+1", -1.0), ("' @x", 2.0), ('ok', 0.5)]
    """
    text = pl.col(pl.String)
    return frame.with_columns(pl.when(text.str.contains(FORMULA)).then(pl.lit("'") + text).otherwise(text).name.keep())


def restored(text: str) -> str:
    """Take away the apostrophe that `defused` put before a formula.

    >>> restored("'=1+1"), restored("'tis")
    ('=1+1', "'tis")
    """
    return text[1:] if text.startswith("'") and re.match(FORMULA, text) else text
