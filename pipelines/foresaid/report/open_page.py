"""Open forecasts: what is frozen and not yet settled, board by board, and by the day on which it is settled at the latest.

Records have a fan over time beside the past of their board; next releases stand side by side with the last value of their line. The
page of each target (report/target_pages.py) belongs to the same set.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from foresaid.ledger.entries.targets import RecordBy
from foresaid.report import target_pages, target_words, texts
from foresaid.report.drawing import Drawing
from foresaid.report.forecast_charts import predicted
from foresaid.report.inputs import Material
from foresaid.report.page import Page, PageSet
from foresaid.report.target_charts import drawn_ahead
from foresaid.report.targets import Target
from foresaid.text import count


def open_targets(material: Material) -> list[Target]:
    """The targets with a forecast that waits for its outcome, the first settled first."""
    found = [one for one in material.targets if one.open]
    return sorted(found, key=lambda one: (one.expected_by or date.max, one.round, one.id))


def by_board(shown: Sequence[Target]) -> list[tuple[str, list[Target]]]:
    """The targets by the benchmark they are about, in the order of its id."""
    named = sorted({one.entry.benchmark for one in shown if one.entry is not None})
    return [(name, [one for one in shown if one.entry is not None and one.entry.benchmark == name]) for name in named]


def page(material: Material) -> Page:
    """The page of all open forecasts."""
    shown = open_targets(material)
    forecasts = sum(one.account.state == "pending" for target in shown for one in target.forecasts)
    values = {
        "counted": f"{count(len(shown), 'open target')}, {count(forecasts, 'forecast')}",
        "nothing": not shown,
        "boards": [board(material, name, mine, "") for name, mine in by_board(shown)],
        "due": due(material, shown, ""),
        "rows": [target_words.card(material, one, "") for one in shown],
    }
    return Page("open.html", "open.html.j2", values)


def board(material: Material, name: str, mine: Sequence[Target], root: str) -> dict[str, Any]:
    """The charts of one benchmark's targets, with what decides them."""
    records = [one for one in mine if one.entry is not None and isinstance(one.entry.rule, RecordBy)]
    others = [one for one in mine if one not in records]
    first = mine[0].entry
    source = next((one.title for one in material.sources if first is not None and one.name == first.resolver), "")
    place = material.benchmark_address(name)
    return {
        "title": material.quantity(name),
        "anchor": texts.slug(name),
        "href": f"{root}{place}" if place else "",
        "source": source or (first.resolver if first is not None else ""),
        "protocol": first.protocol if first is not None else "",
        "unit": target_words.unit(mine[0]),
        "records": drawn_ahead(records, f"Best score on {material.quantity(name)}", target_words.unit(mine[0]))
        if records
        else None,
        "releases": releases(material, others, f"Next releases on {material.quantity(name)}"),
        "frozen": str(min((day for one in records if (day := one.frozen) is not None), default="")),
        "record_links": [
            {
                "href": f"{root}{one.address}",
                "title": target_words.subject(material, one),
                "card": target_words.card(material, one, root),
            }
            for one in records
        ],
        "release_links": [{"href": f"{root}{one.address}", "title": target_words.subject(material, one)} for one in others],
    }


def releases(material: Material, shown: Sequence[Target], title: str) -> Drawing | None:
    """The primary forecasts of several targets side by side, each with the last value of its line; None without quantiles."""
    rows: list[dict[str, Any]] = []
    for target in shown:
        one = target.primary
        found = target_words.seven(one) if one is not None else None
        if found is None:
            continue
        last = target.last if len(target.lines) == 1 else None
        observed = next((float(said[0].value) for said in target.outcomes.values() if said[0].value is not None), None)
        rows.append(
            {
                "label": target_words.subject(material, target).removeprefix("next "),
                "quantiles": found,
                "first": True,
                "last": float(str(last["value"])) if last is not None else None,
                "observed": observed,
            }
        )
    if not rows:
        return None
    rows.sort(key=lambda row: -row["quantiles"][3])  # the highest median first
    best = shown[0].best
    return predicted(rows, float(str(best["value"])) if best is not None else None, title, target_words.unit(shown[0]))


def due(material: Material, shown: Sequence[Target], root: str) -> list[dict[str, Any]]:
    """By month the targets that are settled in it at the latest, and those expected to be settled in it."""
    months: dict[str, dict[str, list[Target]]] = {}
    for one in shown:
        if one.last_day is not None:
            months.setdefault(f"{one.last_day:%Y-%m}", {}).setdefault("latest", []).append(one)
        if one.expected_by is not None and one.expected_by != one.last_day:
            months.setdefault(f"{one.expected_by:%Y-%m}", {}).setdefault("expected", []).append(one)
    return [
        {
            "month": month,
            **{
                name: [{"href": f"{root}{one.address}", "title": target_words.title(material, one)} for one in found.get(name, [])]
                for name in ("expected", "latest")
            },
        }
        for month, found in sorted(months.items())
    ]


PAGES = PageSet(
    "open.html", "Open forecasts", 12, lambda material: [page(material), *target_pages.target_pages(material)],
    target_pages.downloads, target_pages.data_files,
)  # fmt: skip
