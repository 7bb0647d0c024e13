"""The pages about the ledger: what it proves and does not, every forecast with its state, and the scores of every version.

Nothing is left out because it is awkward: findings of `verify`, drafts that drifted from what was frozen, forecasts that came too
late, were not opened or whose bytes are gone each have their place and their name.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any

import msgspec
import polars as pl

from foresaid import text
from foresaid.ledger.entries import schema as entries
from foresaid.ledger.entries.batch import Batch
from foresaid.ledger.entries.resolutions import Challenge, Redaction, Resolution, Void
from foresaid.ledger.state.accounting import WORST, identity, totals, universe
from foresaid.ledger.verify import page as report_check
from foresaid.report import feed
from foresaid.report import texts as wording
from foresaid.report.inputs import Material
from foresaid.report.page import Page, PageSet
from foresaid.text import count, number, percent

COUNTED = {  # where the page says it in more words than `verify`
    "sequenced": "of them in the log",
    "pending": "of them not yet in the log",
    "forecasts": "open forecasts",
    "sealed": "sealed forecasts",
    "opened": "of them opened",
    "voids": "voided targets",
    "rejected": "batches not let into the log",
    "stray_files": "stray files of a broken-off write",
}


def root_text(material: Material) -> str:
    """The root of the ledger as the checkpoint spells it."""
    head = material.ledger.checkpoint
    return base64.b64encode(head.root).decode() if head else text.DASH


def ledger(material: Material) -> Page:
    """The ledger: origin, size, root, every entry by round, and what all this does not prove."""
    result = material.ledger
    head = result.checkpoint
    found, places = material.accounts, addresses(material)
    targets = universe(result.batches, found)
    mismatch = material.freeze.get("mismatch", [])
    return Page(
        "ledger.html",
        "ledger.html.j2",
        {
            "origin": head.origin if head else text.DASH,
            "size": f"{head.size:,}" if head else text.DASH,
            "root_hash": root_text(material),
            "whole": not result.findings,
            "findings": [str(finding) for finding in result.findings],
            "incomplete": [*map(str, result.incomplete), *result.notes],
            "time": result.time,
            "proved": wording.PROVED,
            "unproven": wording.UNPROVEN,
            "counts": [(COUNTED.get(name, name), f"{n:,}") for name, n in result.counts.items()],
            "states": [(name, f"{n:,}") for name, n in totals(found).items()],
            "forecasts": [
                {
                    "id": one.id,
                    "author": one.author,
                    "state": one.state,
                    "reason": one.reason,
                    "href": places.get((one.author, one.id), ""),
                    "name": report_check.name(one.author, one.id),
                }
                for one in found
            ],
            "identity": identity(found),
            "named": [f"{one.id} by {one.author} ({one.state})" for one in found if one.state in WORST],
            "late": [f"{one.id} by {one.author}" for one in found if one.state == "late"],
            "versions": versions(material),
            "exits": exits(material),
            "outcomes": outcomes(material),
            "kept": [
                {
                    **row,
                    "name": report_check.mean_name(row),
                    "n": f"{row['n']:,}",
                    "wis": number(row["wis"]),
                    "n_with_exits": f"{row['n_with_exits']:,}",
                    "wis_with_exits": number(row["wis_with_exits"]),
                }
                for row in material.accounting.get("with_exits", [])
            ],
            "crossings": [
                {
                    **row,
                    "name": report_check.crossing_name(row),
                    "probability": number(row["probability"]),
                    "reached": "yes" if row["reached"] else "no",
                    "brier": number(row["brier"]),
                }
                for row in material.accounting.get("crossings", [])
            ],
            "disputed": material.accounting.get("disputed", []),
            "universe": [
                {
                    "title": f"Round {row['round']}, {row['author']}: {row['targets']:,} targets, {len(row['no_shows']):,} of them "
                    f"without a primary forecast{': ' if row['no_shows'] else '.'}",
                    "no_shows": [
                        {"target": one, "name": report_check.no_show(row["author"], row["round"], one)} for one in row["no_shows"]
                    ],
                }
                for row in targets
            ],
            "on": material.accounting.get("on") or "the day of its making",
            "data": json.dumps(
                report_check.embedded(
                    result.listed, head, found, material.accounting.get("on"), targets, figures(material.accounting)
                ),
                sort_keys=True,
                separators=(", ", ":"),  # the spaces let lines break
            ),
            "no_forecast": count(sum(row["n"] for row in material.accounting.get("no_forecast", [])), "row"),
            "rounds": _rounds(material),
            "round_open": material.params.round.id if material.params.round else "",
            "mismatch": [item if isinstance(item, str) else ", ".join(f"{k}: {v}" for k, v in item.items()) for item in mismatch],
        },
    )


def exits(material: Material) -> list[dict[str, str]]:
    """Every entry by which a forecast may leave the mean: who made it, when, since when it counts, why, and on what evidence."""
    rows = []
    for batch in material.ledger.batches:
        for entry in batch.entries:
            if not isinstance(entry, entries.Withdrawal | Void | Challenge | Redaction):
                continue
            plain = msgspec.to_builtins(entry)
            about = plain.get("withdraws") or plain.get("batch") or f"{plain['round']}/{plain['target']}"
            kind = plain["type"].split("/")[0]
            rows.append(
                {
                    "type": f"{kind}: {plain['condition']}" if isinstance(entry, Void) else kind,
                    "about": f"{about}, {plain['subject']}" if "subject" in plain else about,
                    "author": batch.header.author,
                    "at": batch.header.frozen_at,
                    "since": plain.get("known_at") or plain.get("on") or "",
                    "reason": plain["reason"],
                    "evidence": plain.get("evidence", ""),
                }
            )
    return rows


def outcomes(material: Material) -> list[dict[str, str]]:
    """Every outcome that was entered, later ones of a subject included, in the order of the log."""
    return [
        {
            "about": f"{entry.round}/{entry.target}",
            "subject": entry.subject or "",
            "value": entry.value or "no outcome",
            "known_at": entry.known_at,
            "released_on": entry.released_on or text.DASH,
            "source": entry.source,
            "author": batch.header.author,
            "batch": batch.sha256[:12],
        }
        for batch in material.ledger.batches
        for entry in batch.entries
        if isinstance(entry, Resolution)
    ]


def figures(accounting: dict[str, Any]) -> report_check.Figures:
    """The numbers of the two tables of scores, as the page embeds them."""
    return report_check.figures(*(accounting.get(name, []) for name in ("versions", "with_exits", "crossings")))


def versions(material: Material) -> list[dict[str, str]]:
    """The scores of every version of every forecast, as the table shows them."""
    return [
        {
            "name": report_check.score_name(row),
            "told": row["told"],
            "id": row["id"],
            "author": row["author"],
            "version": f"{row['version']} of {row['versions']}" if row["version"] else text.DASH,
            "standing": row["standing"],
            "n": f"{row['n']:,}",
            "no_forecast": f"{row['no_forecast']:,}",
            "wis": number(row["wis"]),
            "error": number(row["absolute_error"]),
            "coverage": percent(row["coverage_80"]),
            "subjects": ", ".join(row["subjects"]),
        }
        for row in material.accounting.get("versions", [])
    ]


def addresses(material: Material) -> dict[tuple[str, str], str]:
    """Where each forecast stands below the site, by author and id: a place on the page of its target."""
    return {
        (one.account.author, one.account.id): f"{target.address}#{one.anchor}"
        for target in material.targets
        for one in target.forecasts
    }


def _rounds(material: Material) -> list[dict[str, Any]]:
    """Every round that was opened or forecast, with the number of its entries."""
    rows = ledger_entries(material.ledger.batches)
    counts = dict(rows.group_by("round").len().iter_rows())
    deadlines = {
        entry.id: entry.deadline
        for batch in material.ledger.batches
        for entry in batch.entries
        if isinstance(entry, entries.RoundEntry)
    }
    return [
        {
            "name": name,
            "href": f"rounds/{wording.slug(name)}.html",
            "deadline": deadlines.get(name, "no round entry"),
            "entries": count(counts.get(name, 0), "entry", "entries"),
        }
        for name in sorted({*counts, *deadlines})
    ]


def ledger_entries(batches: Iterable[Batch]) -> pl.DataFrame:
    """Every forecast, opening, amendment and withdrawal of the ledger, in the order of the log."""
    rows = []
    for batch in batches:
        for entry in batch.entries:
            if not isinstance(
                entry, entries.ForecastEntry | entries.Sealed | entries.Reveal | entries.Amendment | entries.Withdrawal
            ):
                continue
            plain = msgspec.to_builtins(entry)
            name = plain.get("amends") or plain.get("withdraws") or plain.get("opens") or plain["id"]
            rows.append(
                {
                    "round": name.split("/", 1)[0],
                    "id": name,
                    "type": plain["type"].split("/")[0],
                    "method": plain.get("method", ""),
                    "primary": bool(plain.get("primary", False)),
                    "as_of": batch.header.as_of,
                    "frozen_at_claimed": batch.header.frozen_at,
                    "batch": batch.sha256,
                    "place": batch.index,
                    "reason": plain.get("reason", ""),
                }
            )
    texts = dict.fromkeys(("round", "id", "type", "method"), pl.String())
    rest = dict.fromkeys(("as_of", "frozen_at_claimed", "batch"), pl.String())
    return pl.DataFrame(rows, schema={**texts, "primary": pl.Boolean, **rest, "place": pl.Int64, "reason": pl.String})


def news(material: Material) -> Page:
    """The Atom feed of the ledger."""
    origin = material.ledger.checkpoint.origin if material.ledger.checkpoint else material.params.origin
    empty = f"{material.params.fit_as_of.isoformat()}T00:00:00Z"
    return Page("feed.xml", "feed.xml.j2", feed.values(origin, material.ledger.batches, addresses(material), empty))


def downloads(material: Material) -> dict[str, pl.DataFrame]:
    """The entries of the ledger."""
    return {"ledger": ledger_entries(material.ledger.batches)}


PAGES = PageSet("ledger.html", "Ledger", 50, lambda material: [ledger(material), news(material)], downloads)
