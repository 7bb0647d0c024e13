"""One page an author of forecasts: what they froze, in which state it is, and how it scored.

Scores of a single version stand on the page of its target; here are means by method, as the ledger's page has them, and where each
forecast is found. What no proof of time covers is counted in its state and never in a mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from foresaid.report import target_words, texts
from foresaid.report.inputs import Material
from foresaid.report.ledger_page import exits
from foresaid.report.page import Page, PageSet
from foresaid.report.targets import Forecast, Target, count_states
from foresaid.text import DASH, count, number

Mine = Sequence[tuple[Target, Forecast]]


def address(author: str) -> str:
    """Where the page of an author stands below the site."""
    return f"authors/{texts.page_name(author)}.html"


def by_author(material: Material) -> dict[str, list[tuple[Target, Forecast]]]:
    """The forecasts of each author with their targets, in the order of the log."""
    found: dict[str, list[tuple[Target, Forecast]]] = {}
    for target in material.targets:
        for one in target.forecasts:
            found.setdefault(one.account.author, []).append((target, one))
    return dict(sorted(found.items()))


def pages(material: Material) -> list[Page]:
    """The list of authors and the page of each."""
    found = by_author(material)
    listed = [
        {
            "name": name,
            "href": f"{texts.page_name(name)}.html",
            "forecasts": f"{len(mine):,}",
            "primary": f"{sum(one.account.primary for _, one in mine):,}",
            "states": count_states(one.account for _, one in mine),
        }
        for name, mine in found.items()
    ]
    return [
        Page("authors/index.html", "authors.html.j2", {"rows": listed}),
        *(_page(material, name, mine) for name, mine in found.items()),
    ]


def _page(material: Material, name: str, mine: Mine) -> Page:
    values = {
        "name": name,
        "counted": f"{count(len(mine), 'forecast')} of {count(len({(t.round, t.id) for t, _ in mine}), 'target')}",
        "states": count_states(one.account for _, one in mine),
        "methods": _methods(material, name, mine),
        "means": [
            {
                "method": row["method"].replace("_", " "),
                "told": row["told"] or DASH,
                "unit": row["unit"].replace("_", " "),
                "n": f"{row['n']:,}",
                "wis": number(row["wis"]),
                "n_with_exits": f"{row['n_with_exits']:,}",
                "wis_with_exits": number(row["wis_with_exits"]),
            }
            for row in material.accounting.get("with_exits", [])
            if row["author"] == name
        ],
        "exits": [row for row in exits(material) if row["author"] == name],
        "rows": [_row(material, target, one) for target, one in mine if one.account.primary or one.account.hidden],
        "others": [
            {"href": f"../{target.address}", "title": target_words.title(material, target), "n": f"{n:,}"}
            for target, n in _others(mine)
        ],
    }
    return Page(address(name), "author.html.j2", values)


def _methods(material: Material, name: str, mine: Mine) -> list[dict[str, str]]:
    """By method how many forecasts, how many of them primary, and their states."""
    methods = sorted({one.method for _, one in mine})
    made = []
    for method in methods:
        part = [one for _, one in mine if one.method == method]
        made.append(
            {
                "method": target_words.method(material, part[0]),
                "forecasts": f"{len(part):,}",
                "primary": f"{sum(one.account.primary for one in part):,}",
                "states": count_states(one.account for one in part),
            }
        )
    return made


def _row(material: Material, target: Target, one: Forecast) -> dict[str, Any]:
    outcome = next((found[0].value for found in target.outcomes.values()), None)
    return {
        "href": f"../{target.address}#{one.anchor}",
        "title": target_words.title(material, target),
        "method": target_words.method(material, one),
        "round_name": target.round,
        "median": target_words.number(one.at(0.5)),
        "interval": target_words.interval(one, 0.1, 0.9),
        "outcome": target_words.number(float(outcome)) if outcome is not None else DASH,
        "unit": target_words.unit(target),
        "last_day": str(target.last_day or DASH),
        "state": one.account.state,
    }


def _others(mine: Mine) -> list[tuple[Target, int]]:
    """Targets with forecasts that are not primary, and how many."""
    found: dict[tuple[str, str], tuple[Target, int]] = {}
    for target, one in mine:
        if not one.account.primary and not one.account.hidden:
            before = found.get((target.round, target.id), (target, 0))[1]
            found[target.round, target.id] = (target, before + 1)
    return list(found.values())


PAGES = PageSet("authors/index.html", "", 55, pages)
