"""Names that only look alike: one skeleton for every way to draw the same word.

A reader cannot tell a Cyrillic o from a Latin one, nor l from 1 in many typefaces. Two names with the same skeleton and
different spellings are therefore not two names: the second is refused. The table is small and our own; it covers the
letters of scores pages (Latin, Cyrillic, Greek, full width, dashes), not all of Unicode, where NFKC does the rest.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import lru_cache

from foresaid.errors import LeakError

# Letters of other alphabets that are drawn like Latin ones, and what they look like, capitals as capitals (from the confusables
# of Unicode UTS 39). Escapes where the letter cannot be told from the Latin one; every rule of this module reads this one table.
LOOK_ALIKES = {
    **dict(zip("АВЕЅЈКМНОРСТУҮХҺԚԜІӀ", "ABESJKMHOPCTYYXHQWII", strict=True)),  # Cyrillic
    **dict(zip("авеорсухіјѕһнԁԛԝьӏгтпмк", "abeopcyxijshhdqwblrtnmk", strict=True)),
    **dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX", strict=True)),  # Greek
    **dict(zip("αοινρτυκχεγη", "aoivptukxeyn", strict=True)),
    **dict(zip("ıɡⅼǀ", "igll", strict=True)),
    **dict.fromkeys("‐‑‒–—―−﹘⁃", "-"),
    **dict.fromkeys("⁄∕", "/"),
}
_LATIN = str.maketrans(LOOK_ALIKES)
_CAPITAL_I = str.maketrans("I", "l")  # before case is folded: a capital I is drawn like a small l
_ONE_STROKE = str.maketrans({"1": "l", "|": "l", "0": "o"})
INVISIBLE = dict.fromkeys(
    map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
)


@lru_cache(maxsize=65536)
def skeleton(name: str) -> str:
    """What a name looks like, whatever letters it is made of.

    >>> skeleton("LIama‑2") == skeleton("llama-2") == skeleton("ＬＬａｍａ−２")
    True
    >>> skeleton("gpt-4о") == skeleton("gpt-40"), skeleton("gpt-4") == skeleton("gpt-5")
    (True, False)
    """
    drawn = unicodedata.normalize("NFKC", name).translate(_LATIN).translate(_CAPITAL_I)
    folded = unicodedata.normalize("NFKD", drawn.casefold())
    shown = "".join(
        str(unicodedata.decimal(sign, sign))  # a zero is a zero in every script
        for sign in folded
        if unicodedata.category(sign) not in ("Mn", "Cf", "Cc")
    )
    return shown.translate(_LATIN).translate(_ONE_STROKE)


def ascii_twin(name: str) -> str:
    """Return what a name looks like in Latin letters: compatibility forms, look-alikes and invisible signs undone.

    >>> ascii_twin("\\uff27\\uff30T-\\u0430\\u200b")
    'GPT-a'
    """
    return unicodedata.normalize("NFKC", name).translate(INVISIBLE).translate(_LATIN)


def stranger(name: str) -> str:
    """Name the first character that has no place in an id, or return nothing.

    >>> stranger("llam\\u0430")
    'U+0430 CYRILLIC SMALL LETTER A at character 5'
    """
    for place, char in enumerate(name, start=1):
        if not char.isascii() or not char.isprintable():
            return f"U+{ord(char):04X} {unicodedata.name(char, 'unnamed')} at character {place}"
    return ""


def masked(name: str) -> bool:
    """Whether a name can pass for a Latin one: it mixes in look-alikes, is made of nothing else, or hides invisible signs.

    A name of another alphabet that no reader would take for Latin is fine.

    >>> masked("llam\\u0430"), masked("\\u0421\\u041e\\u0422\\u0410"), masked("\\u6587\\u5fc3"), masked("GPT-4")
    (True, True, False, False)
    """
    odd = any((char in LOOK_ALIKES and char.isalpha()) or ord(char) in INVISIBLE for char in name)
    return odd and (any(char.isascii() and char.isalpha() for char in name) or ascii_twin(name).isascii())


def model_of(system_id: str) -> str:
    """Name the model of a system: two systems of one model are one release, and one leaks the other's answer.

    >>> model_of("openai/o3[effort=high]"), model_of("openai/o3")
    ('openai/o3', 'openai/o3')
    """
    return system_id.partition("[")[0]


def resolve(name: str, aliases: Mapping[str, str]) -> str:
    """The canonical id behind a name: aliases are followed to their end, and case does not matter.

    >>> resolve("Meta-Llama/LLaMA-2-7b", {"meta-llama/llama-2-7b": "meta-llama/llama-2-7b-hf"})
    'meta-llama/llama-2-7b-hf'
    """
    return _follow(name, _folded(aliases))


def _folded(aliases: Mapping[str, str]) -> dict[str, str]:
    return {alias.strip().lower(): name.strip().lower() for alias, name in aliases.items()}


def _follow(name: str, folded: Mapping[str, str]) -> str:
    current = name.strip().lower()
    seen = {current}
    while (after := folded.get(current, current)) != current:
        if after in seen:
            raise LeakError(f"alias {name}: leads back to {after}; correct registry/aliases.csv")
        seen.add(after)
        current = after
    return current
