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

# Before case is folded: a capital of another script often looks like another Latin letter than its small form does.
_CAPITAL = str.maketrans(
    {
        **dict.fromkeys("IІΙӀ", "l"),
        **dict(zip("АВЕЅЈКМНОРСТУҮХҺԚԜ", "abesjkmhopctyyxhqw", strict=True)),  # Cyrillic
        **dict(zip("ΑΒΕΖΗΚΜΝΟΡΤΥΧ", "abezhkmnoptyx", strict=True)),  # Greek
    }
)
_LIKE = {
    **dict(zip("авеорсухіјѕһнԁԛԝьӏгтпмк", "abeopcyxijshhdqwblrtnmk", strict=True)),  # Cyrillic
    **dict(zip("αοινρτυκχεγη", "aoivptukxeyn", strict=True)),  # Greek
    **dict.fromkeys("‐‑‒–—―−﹘⁃", "-"),
    **dict.fromkeys("⁄∕", "/"),
    **dict.fromkeys("1|", "l"),
    "0": "o",
}
_TABLE = str.maketrans(_LIKE)


@lru_cache(maxsize=65536)
def skeleton(name: str) -> str:
    """What a name looks like, whatever letters it is made of.

    >>> skeleton("LIama‑2") == skeleton("llama-2") == skeleton("ＬＬａｍａ−２")
    True
    >>> skeleton("gpt-4о") == skeleton("gpt-40"), skeleton("gpt-4") == skeleton("gpt-5")
    (True, False)
    """
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).translate(_CAPITAL).casefold())
    shown = "".join(
        str(unicodedata.decimal(sign, sign))  # a zero is a zero in every script
        for sign in folded
        if unicodedata.category(sign) not in ("Mn", "Cf", "Cc")
    )
    return shown.translate(_TABLE)


# Letters of other alphabets that are drawn like Latin ones (from the confusables of Unicode UTS 39), and what they look like.
FOREIGN = (
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u051b\u051d\u0410\u0412\u0415"
    "\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0406\u0408\u0405\u03bf\u03b1\u03bd\u03c1\u03c5\u0391"
    "\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u0131\u0261\u217c\u01c0"
)


LATIN = "aeopcyxijshdqwABEKMHOPCTXIJSoavpuABEZHIKMNOPTYXigll"


LOOK_ALIKE = str.maketrans(FOREIGN, LATIN)


INVISIBLE = dict.fromkeys(
    map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
)


def ascii_twin(name: str) -> str:
    """Return what a name looks like in Latin letters: compatibility forms, look-alikes and invisible signs undone.

    >>> ascii_twin("\\uff27\\uff30T-\\u0430\\u200b")
    'GPT-a'
    """
    return unicodedata.normalize("NFKC", name).translate(INVISIBLE).translate(LOOK_ALIKE)


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
    """Whether a name mixes Latin letters with look-alikes or hides invisible signs; whole other alphabets are fine.

    >>> masked("llam\\u0430"), masked("\\u6587\\u5fc3"), masked("GPT-4")
    (True, False, False)
    """
    odd = any(char in FOREIGN or ord(char) in INVISIBLE for char in name)
    return odd and any(char.isascii() and char.isalpha() for char in name)


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
