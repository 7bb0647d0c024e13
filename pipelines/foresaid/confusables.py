"""Names that only look alike: one skeleton for every way to draw the same word.

A reader cannot tell a Cyrillic o from a Latin one, nor l from 1 in many typefaces. Two names with the same skeleton and
different spellings are therefore not two names: the second is refused. The table is small and our own; it covers the
letters of scores pages (Latin, Cyrillic, Greek, full width, dashes), not all of Unicode, where NFKC does the rest.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

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
