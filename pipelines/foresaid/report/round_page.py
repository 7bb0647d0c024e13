"""One page a round: what is asked by kind, the rule of the primary, how the methods did before, what is settled when.

The hindcast is the one kept beside the round file at the draft (studies/rounds/kept_hindcast.py); everything else is counted from
the ledger. A round without a file, such as one that another program asked, has its cards and its calendar all the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import polars as pl

from foresaid.ledger.entries.schema import RoundEntry
from foresaid.report import target_words, texts
from foresaid.report.case_tables import method_title
from foresaid.report.inputs import Material, RoundRecord
from foresaid.report.page import Page, PageSet
from foresaid.report.targets import Target, count_states
from foresaid.text import count, percent

PRIMARY = {"next_release": "Next releases", "record_by": "Records on boards of shares", "rating": "Rating boards"}


def address(round_id: str) -> str:
    """Where the page of a round stands below the site."""
    return f"rounds/{texts.slug(round_id)}.html"


def by_round(material: Material) -> dict[str, list[Target]]:
    """The targets of each round, newest round first; a round without a target is there too."""
    opened = {entry.id for batch in material.batches for entry in batch.entries if isinstance(entry, RoundEntry)}
    names = sorted(opened | {one.round for one in material.targets}, reverse=True)
    return {name: [one for one in material.targets if one.round == name] for name in names}


def pages(material: Material) -> list[Page]:
    """The list of rounds and the page of each."""
    found = by_round(material)
    listed = [
        {
            "name": name,
            "href": f"{texts.slug(name)}.html",
            "deadline": mine[0].opened.deadline if mine and mine[0].opened is not None else "",
            "targets": f"{len(mine):,}",
            "forecasts": f"{sum(len(one.forecasts) for one in mine):,}",
            "states": count_states(one.account for target in mine for one in target.forecasts),
        }
        for name, mine in found.items()
    ]
    return [
        Page("rounds/index.html", "rounds.html.j2", {"rows": listed}),
        *(_page(material, name, mine) for name, mine in found.items()),
    ]


def _page(material: Material, name: str, mine: Sequence[Target]) -> Page:
    record = material.rounds.get(name)
    opened = mine[0].opened if mine else None
    primaries = [one for one in mine if one.primary is not None]
    values = {
        "name": name,
        "counted": f"{count(len(mine), 'target')}, {count(sum(len(one.forecasts) for one in mine), 'forecast')}",
        "facts": _facts(opened, record),
        "states": count_states(one.account for target in mine for one in target.forecasts),
        "kinds": _kinds(material, mine),
        "rules": _rules(material, record),
        "hindcast": hindcast(material, record),
        "no_primary": [
            {"href": f"../{one.address}", "title": target_words.title(material, one)} for one in mine if one not in primaries
        ],
        "calendar": calendar(mine),
        "cards": [target_words.card(material, one, "../") for one in sorted(mine, key=lambda one: _place(material, one))],
        "accepted": [
            {"href": f"../{one.address}", "title": target_words.title(material, one), "reason": record.file.accepted[one.id]}
            for one in mine
            if record is not None and one.id in record.file.accepted
        ],
    }
    return Page(address(name), "round.html.j2", values)


def _place(material: Material, target: Target) -> tuple[str, str, float]:
    """By kind and board, the highest median first."""
    median = target.primary.at(0.5) if target.primary is not None else None
    return target_words.kind(target), target_words.board(material, target), -(median or 0.0)


def _facts(opened: RoundEntry | None, record: RoundRecord | None) -> list[tuple[str, str]]:
    facts = []
    if opened is not None:
        facts += [
            ("Deadline", opened.deadline),
            ("Seals opened by", opened.reveal_by),
            ("Version that counts", opened.revision.replace("-", " ")),
            ("Score", f"{opened.score.upper()}, one observation a {opened.unit_of_count}; reported: {opened.reports}"),
            ("Counted are", opened.universe),
        ]
    if record is not None:
        alive = record.file.alive
        facts += [
            ("A release counts until", record.file.closes),
            (
                "A board is asked",
                f"with {alive.fewest} models or more, the newest at most {alive.measured_within} days before the last reading, "
                f"read within {alive.read_within} days, its record below {alive.saturated:g} of the way from chance to its ceiling",
            ),
            ("File", f"registry/rounds/{record.file.id}.yaml"),
        ]
    return facts


def _kinds(material: Material, mine: Sequence[Target]) -> list[dict[str, str]]:
    """Targets and forecasts by kind, with the methods that are primary."""
    made = []
    for kind in sorted({target_words.kind(one) for one in mine}):
        part = [one for one in mine if target_words.kind(one) == kind]
        firsts = Counter(target_words.method(material, one.primary) for one in part if one.primary is not None)
        made.append(
            {
                "kind": kind,
                "targets": f"{len(part):,}",
                "boards": f"{len({one.entry.benchmark for one in part if one.entry is not None}):,}",
                "lines": f"{len({line for one in part for line in one.lines}):,}",
                "forecasts": f"{sum(len(one.forecasts) for one in part):,}",
                "methods": f"{len({one.method for target in part for one in target.forecasts}):,}",
                "primary": ", ".join(f"{name} ({n:,})" for name, n in firsts.most_common()),
            }
        )
    return made


def _rules(material: Material, record: RoundRecord | None) -> list[dict[str, str]]:
    """By kind the methods in order: the first that forecasts a target is its primary."""
    if record is None:
        return []
    rules = record.file.primary
    return [
        {"kind": words, "methods": ", then ".join(method_title(material, one) for one in getattr(rules, name))}
        for name, words in PRIMARY.items()
    ]


def hindcast(material: Material, record: RoundRecord | None) -> list[dict[str, Any]]:
    """The kept hindcast by kind: every method with its WIS, its skill over the reference and its coverage."""
    if record is None or record.hindcast.is_empty():
        return []
    made = []
    for (kind,), part in record.hindcast.group_by(["kind"], maintain_order=True):
        rows = [
            {
                "method": method_title(material, row["method"]),
                "primary": row["primary"],
                "rows": f"{row['rows']:,}",
                "draws": f"{row['draws']:,}",
                "wis": f"{row['wis']:.2f}",
                "skill": f"{row['skill']:+.2f}".replace("-", "−"),
                "bounds": f"{row['skill_05']:+.2f} to {row['skill_95']:+.2f}".replace("-", "−"),
                "by_row": [percent(row[f"coverage_{level}"]) for level in ("50", "80", "95")],
                "by_draw": [percent(row[f"coverage_{level}_by_draw"]) for level in ("50", "80", "95")],
            }
            for row in part.iter_rows(named=True)
        ]
        first = part.row(0, named=True)
        origins = first["origins"].replace(" ", ", ")
        made.append({"kind": kind, "reference": method_title(material, first["reference"]), "origins": origins, "rows": rows})
    return made


def calendar(mine: Sequence[Target]) -> list[dict[str, str]]:
    """By day how many targets are settled on it at the latest, by kind."""
    found = Counter((one.last_day, target_words.kind(one)) for one in mine if one.last_day is not None)
    days = sorted({day for day, _ in found})
    return [
        {
            "day": str(day),
            "what": ", ".join(
                f"{n:,} × {kind}" for (at, kind), n in sorted(found.items(), key=lambda item: item[0][1]) if at == day
            ),
        }
        for day in days
    ]


def downloads(material: Material) -> dict[str, pl.DataFrame]:
    """The kept hindcast of each round that has one."""
    return {
        f"round-{texts.slug(name)}-hindcast": record.hindcast
        for name, record in material.rounds.items()
        if not record.hindcast.is_empty()
    }


PAGES = PageSet("rounds/index.html", "Rounds", 14, pages, downloads)
