"""Names that look like others, and numbers that two programs would read as two numbers: all refused at the freeze."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any

import msgspec
from tests.attacks import build
from tests.attacks.mutate import room
from tests.attacks.table import Scale, Tally, timed

from foresaid import canonical_json
from foresaid.errors import LedgerError
from foresaid.ledger import layout
from foresaid.ledger.entries import schema as entries
from foresaid.ledger.entries.schema import Entry
from foresaid.ledger.entries.targets import Named

NAME = "Llama-2 70B cool"
# Letter by letter, what a reader takes for it. Our own list, not the product's.
ALIKE = {
    "L": "Ｌ𝐋𝖫Ⅼ", "l": "IІ1|ⅼｌ𝐥ӏΙ", "a": "аαａ𝐚", "m": "ｍ𝐦ⅿ", "-": "‐‑‒–—−－﹣", "2": "２𝟐𝟤", "7": "７𝟕", "0": "oOоО०０𝟎ο",
    "B": "В𝐁ＢΒ", "c": "сｃ𝐜ⅽ", "o": "0оοｏ𝐨", " ": "\u00a0\u2003\u3000",
}  # fmt: skip
HIDDEN = "\u200b\u200c\u200d\u2060\ufeff\u202e\u202d\u2066\u00ad\u061c\u180e\u0000\u0007\u001b\u2028\u2029"


def names() -> Iterator[tuple[str, str]]:
    """Names that are drawn like NAME and are not it."""
    for place, letter in enumerate(NAME):
        for other in ALIKE.get(letter, ""):
            yield f"{letter} as U+{ord(other):04X}", NAME[:place] + other + NAME[place + 1 :]
    for sign in HIDDEN:
        yield f"with U+{ord(sign):04X}", NAME[:5] + sign + NAME[5:]
    yield "a combining accent", NAME.replace("a", "a\u0301", 1)
    yield "in capitals", NAME.upper()
    yield "in another normal form", unicodedata.normalize("NFD", "Modèle")
    yield "full width", "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in NAME)


IDS = (
    "model-X", "model-х", "ｍodel-x", "model–x", "model-x ", "m\u200bodel-x", "", "/model-x", "model-x\n", "mоdel-x",
    "m0del-x", "modeI-x", "mode1-x", "-model", "model x", "model:x", "x" * 129,
)  # fmt: skip

NUMBERS = (
    "71,3", "71.3%", " 0.5", "0.5 ", "+0.5", ".5", "5.", "00.5", "01", "1_000", "1 000", "1'000", "1e3", "1E-3", "1e400",
    "NaN", "nan", "inf", "-inf", "Infinity", "0x1f", "0b1", "0o7", "١", "１", "½", "²", "①", "Ⅷ", "--1", "- 1", "-", "", ".",
    "-.5", "0.5.5", "1/2", "0.5\n", "\t0.5", "0.5\u200b", "−0.5", "0,5", "1.0e0", "1d", "0.5f", "1j", "None", "null",
    "true", "9" * 19, "0." + "1" * 19, "1" * 400, "\u0660.5", "0·5", "٫5", "1.-5", "$1", "~1", "0.5;", "=0.5",
)  # fmt: skip
RAW = (
    b"0.5",
    b"5e-1",
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b"1e400",
    b"-0",
    b"-0.0",
    b"1",
    b"true",
    b"null",
    b"[]",
    b"{}",
    b"'0.5'",
    b"0.5f",
)


def attacks(scale: Scale) -> Iterator[Tally]:
    """Names, ids, numbers."""
    del scale
    with room() as place:
        folder = build.create(place / "ledger")
        first = msgspec.structs.replace(build.target("mmlu-pro"), rule=Named(model="model-x", display=NAME))
        build.write(folder, [build.ROUND, first, build.forecast("m", primary=True)])

        def refused(tally: Tally, what: str, base: Entry, **changes: Any) -> None:
            """Bring a line from outside, as parsed JSON, with some fields changed."""
            try:
                line = entries.parse({**msgspec.to_builtins(base), **changes})
                name = build.write(folder, [line], minutes=5)  # type: ignore[list-item]  # never a header
                (folder / layout.batch_path(name)).unlink()
                tally.count(False, what)
            except LedgerError as error:
                tally.count(str(error).isascii(), f"{what}: a message that is not ASCII")
            except Exception as error:
                tally.escaped(error, what)

        with timed(Tally("a display name that looks like another")) as tally:
            for what, name in names():
                refused(tally, what, build.target("gpqa"), rule={"kind": "named", "model": "model-y", "display": name})
        yield tally
        with timed(Tally("an id that looks like another, or is none")) as tally:
            for name in IDS:
                refused(tally, f"{name[:20]!a}", build.target("gpqa"), rule={"kind": "named", "model": name, "display": "Other"})
        yield tally
        with timed(Tally("a number in a spelling that two programs read as two")) as tally:
            for text in NUMBERS:
                prediction = {"kind": "quantiles", "levels": ["0.5"], "values": [text]}
                refused(tally, f"{text[:20]!a}", build.forecast("n"), prediction=prediction)
            line = canonical_json.dump_line(msgspec.to_builtins(build.forecast("n", values=["0.7"])))[:-1]
            for raw in RAW:
                try:
                    entries.parse(canonical_json.parse_line(line.replace(b'"0.7"', raw)))
                    tally.count(False, repr(raw))
                except LedgerError:
                    tally.count(True)
                except Exception as error:
                    tally.escaped(error, repr(raw))
        yield tally
