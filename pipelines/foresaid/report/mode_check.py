"""No page is published with a judged forecast whose mode it does not say.

What a forecast made again could look at changes what its score means, so every table of scores and every chart of forecasts beside
outcomes says its mode. Tables begin with the macro `begin`, charts with `figure` (templates/macros.html.j2), which print it; here a
finished page is read, and one that lacks it is refused.
"""

from __future__ import annotations

import re

from foresaid.errors import ForesaidError

JUDGED = re.compile(
    r"\b(WIS|MAE|MSE|RMSE|"
    r"[Aa]bsolute error|[Ss]quared error|[Tt]est error|[Bb]ias|[Cc]overage(?= of| \d|<br>)|[Rr]anked correctly)\b"
)
OWN_COLUMN = re.compile(r"<th[^>]*>[Mm]ode</th>")
TABLE = re.compile(r"<table(?P<attributes>[^>]*)>(?P<head>(?:(?!</table>).)*?)</thead>", re.DOTALL)
FIGURE = re.compile(r"<figure(?P<attributes>[^>]*)>(?P<said>.*?)</figure>", re.DOTALL)
MODE = re.compile(r'data-mode="([^"]*)"')


def without_mode(page: str) -> list[str]:
    """What of a page is judged and says no mode: the first word that gives it away, one for each table or chart.

    A table whose rows have modes of their own says them in a column of that name.

    >>> without_mode('<table data-mode=""><thead><tr><th>WIS</th></tr></thead></table>')
    ['table, WIS']
    >>> without_mode('<table data-mode="by release date"><thead><tr><th>WIS</th></tr></thead></table>')
    []
    """
    found = []
    for kind, pattern, part in (("table", TABLE, "head"), ("chart", FIGURE, "said")):
        for one in pattern.finditer(page):
            mode = MODE.search(one["attributes"])
            if mode and mode[1]:
                continue  # most do, and a drawing is long
            word = JUDGED.search(one[part])
            if word and not OWN_COLUMN.search(one[part]):
                found.append(f"{kind}, {word[0]}")
    return found


def check(path: str, page: str) -> None:
    """Refuse a page that judges forecasts without a mode; raises ForesaidError."""
    lacking = without_mode(page)
    if lacking:
        raise ForesaidError(
            f"report, {path}: found scores without a mode ({'; '.join(lacking)}), expected one; hand it to `begin` or `figure`"
        )
