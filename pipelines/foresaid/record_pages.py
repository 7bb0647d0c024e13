"""The pages about the record itself: the ledger with what it proves and does not, and the data with their doubts.

Nothing is left out because it is awkward: findings of `verify`, drafts that drifted from what was frozen, values under
suspicion and models without a release date each have their place and their count.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from typing import Any

import msgspec
import polars as pl

from foresaid import entries, log, merkle, report_check, standing, wording
from foresaid.accounting import WORST, Account, accounts, totals
from foresaid.facts import Clock, moment
from foresaid.material import Material
from foresaid.pages import Page
from foresaid.wording import count, number

SUSPECTS = 200  # rows shown on the page; the download has all
COUNTED = {
    "batches": "batches",
    "sequenced": "of them in the log",
    "pending": "of them not yet in the log",
    "rounds": "rounds",
    "targets": "targets",
    "forecasts": "open forecasts",
    "sealed": "sealed forecasts",
    "opened": "of them opened",
    "amendments": "amendments",
    "withdrawals": "withdrawals",
    "resolutions": "resolutions",
    "challenges": "challenges",
    "voids": "voided targets",
    "redactions": "redactions",
    "stray_files": "stray files of a broken-off write",
}


def root_text(material: Material) -> str:
    """The root of the ledger as the checkpoint spells it."""
    head = material.ledger.checkpoint
    return base64.b64encode(head.root).decode() if head else wording.DASH


def ledger(material: Material) -> Page:
    """The ledger: origin, size, root, every entry by round, and what all this does not prove."""
    result = material.ledger
    head = result.checkpoint
    found = states(material)
    drift = material.freeze.get("drift", [])
    return Page(
        "ledger.html",
        "ledger.html.j2",
        {
            "origin": head.origin if head else wording.DASH,
            "size": f"{head.size:,}" if head else wording.DASH,
            "root_hash": root_text(material),
            "whole": not result.findings,
            "findings": [str(finding) for finding in result.findings],
            "incomplete": [*map(str, result.incomplete), *result.notes],
            "time": result.time,
            "proved": wording.PROVED,
            "unproven": wording.UNPROVEN,
            "counts": [(words, f"{result.counts[name]:,}") for name, words in COUNTED.items()],
            "states": [(name, f"{n:,}") for name, n in totals(found).items()],
            "forecasts": [
                {
                    "id": one.id,
                    "author": one.author,
                    "state": one.state,
                    "reason": one.reason,
                    "href": _address(one),
                    "name": report_check.name(one.author, one.id),
                }
                for one in found
            ],
            "named": [one.id for one in found if one.state in WORST],
            "universe": [
                {
                    "title": f"Round {row['round']}, {row['author']}: {row['targets']:,} targets, {len(row['no_shows']):,} of them "
                    f"without a primary forecast{': ' if row['no_shows'] else '.'}",
                    "no_shows": row["no_shows"],
                }
                for row in material.accounting.get("universe", [])
            ],
            "on": material.accounting.get("on") or "the day of its making",
            "data": json.dumps(
                report_check.embedded(result.listed, head, found, material.accounting.get("on")), indent=1, sort_keys=True
            ),
            "declined": count(sum(row["n"] for row in material.accounting.get("not_forecast", [])), "row"),
            "rounds": _rounds(material),
            "round_open": material.params.round.id if material.params.round else "",
            "drift": [item if isinstance(item, str) else ", ".join(f"{k}: {v}" for k, v in item.items()) for item in drift],
        },
    )


def states(material: Material) -> list[Account]:
    """The account of every forecast, from the ledger's own entries and the outcomes that `score` found."""
    result, said = material.ledger, material.accounting
    on = moment(said["on"]) if said.get("on") else None
    clock = Clock(on, result.policy.stamps > 0, result.proved)
    return accounts(result.batches, clock, {(author, name) for author, name in said.get("scored", [])})


def _address(account: Account) -> str:
    return f"forecasts/{wording.slug(account.author)}~~{wording.slug(account.id)}.html"


def forecasts(material: Material) -> list[Page]:
    """One page a forecast, under an address that stays: its state, every entry about it, what is proven and what is not."""
    result = material.ledger
    batches = standing.batches_by_name(result)
    entries_of: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in ledger_entries(material).to_dicts():
        entries_of.setdefault((batches[row["batch"]].header.author, row["id"]), []).append(row)
    pages = []
    for one in states(material):
        about = standing.of(result, one, batches)
        pages.append(
            Page(
                _address(one),
                "forecast.html.j2",
                {
                    "id": one.id,
                    "author": one.author,
                    "state": one.state,
                    "reason": one.reason,
                    "primary": "yes" if one.primary else "no",
                    "frozen": f"{one.frozen:%Y-%m-%d %H:%M:%S} UTC" if one.frozen else wording.DASH,
                    "moment": "proved" if result.policy.stamps else "claimed",
                    "have": about.have,
                    "lack": (*about.lack, *standing.NEVER),
                    "entries": entries_of.get((one.author, one.id), []),
                    "leaf": merkle.leaf_hash(log.manifest_line(one.batch)).hex(),
                },
            )
        )
    return pages


def _rounds(material: Material) -> list[dict[str, Any]]:
    rows = ledger_entries(material).to_dicts()
    deadlines = {
        entry.id: entry.deadline for batch in material.ledger.batches for entry in batch.entries if isinstance(entry, entries.Round)
    }
    names = sorted({row["round"] for row in rows} | set(deadlines))
    return [
        {
            "name": name,
            "deadline": deadlines.get(name, "no round entry"),
            "rows": [
                {
                    **row,
                    "anchor": _anchor(row),
                    "sha256": row["batch"][:12],
                    "place": "pending" if row["place"] is None else f"{row['place']:,}",
                }
                for row in rows
                if row["round"] == name
            ],
        }
        for name in names
    ]


def _anchor(row: dict[str, Any]) -> str:
    # A forecast has one entry, so its id is its address; there may be several amendments of one, told apart by their batch.
    return row["id"] if row["type"] in ("forecast", "sealed") else f"{row['id']}/{row['type']}/{row['batch'][:12]}"


def ledger_entries(material: Material) -> pl.DataFrame:
    """Every forecast, opening, amendment and withdrawal of the ledger, in the order of the log."""
    rows = []
    for batch in material.ledger.batches:
        for entry in batch.entries:
            if not isinstance(entry, entries.Forecast | entries.Sealed | entries.Reveal | entries.Amendment | entries.Withdrawal):
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


def suspects(material: Material) -> pl.DataFrame:
    """Values that stay out of fits, with the reason."""
    rows = material.observations.filter(pl.col("status") == "suspect")
    return rows.select("source_id", "subject_id", "quantity_id", "setting", "known_on", "value", "note").sort(
        "source_id", "subject_id", "quantity_id", "setting", "known_on"
    )


def data(material: Material) -> Page:
    """The data: sources with licence and vintages, what is doubted, what is not dated."""
    doubted = suspects(material)
    read = material.ingest["sources"]
    undated = material.models.filter(pl.col("released_on").is_null()).sort("model_id")
    precision = Counter(material.models["released_precision"].to_list())
    return Page(
        "data.html",
        "data.html.j2",
        {
            "sources": [
                {
                    "name": item.name,
                    "title": item.title,
                    "publisher": item.publisher,
                    "href": wording.link(item.url),
                    "url": item.url,
                    "licence": item.licence,
                    "kind": item.kind,
                    "citation": item.citation,
                    "dates": item.dates,
                    "accessed": str(item.accessed),
                    "notes": " ".join(item.notes.split()),
                    "counts": [f"{read[item.name][key]:,} {key}" for key in ("rows", "subjects", "quantities")],
                    "by_status": [(name, f"{n:,}") for name, n in sorted(read[item.name]["by_status"].items())],
                    "sha256": read[item.name].get("source_file", ""),
                    "vintages": [
                        {
                            "known_on": str(one.known_on),
                            "commit": one.commit[:12],
                            "files": count(len(one.files), "file"),
                            "bytes": number(float(sum(file.bytes for file in one.files))),
                        }
                        for one in item.vintages
                    ],
                }
                for item in material.sources
            ],
            "total": count(material.observations.height, "observation"),
            "quantities": count(len(material.quantities), "quantity", "quantities"),
            "models": count(material.models.height, "released model"),
            "dated": f"{precision['day']:,} dated to the day, {precision['month']:,} to the month",
            "not_reread": f"{wording.not_reread(material.models['release_source']):,}",
            "undated": [row["model_id"] for row in undated.iter_rows(named=True)],
            "undated_count": count(undated.height, "model"),
            "suspects": [
                {
                    **row,
                    "quantity": material.quantity(row["quantity_id"]),
                    "value": number(row["value"]),
                    "note": row["note"] or "",
                }
                for row in doubted.head(SUSPECTS).iter_rows(named=True)
            ],
            "suspect_count": count(doubted.height, "value"),
            "suspects_hidden": f"{doubted.height - SUSPECTS:,}" if doubted.height > SUSPECTS else "",
        },
    )


def downloads(material: Material) -> dict[str, pl.DataFrame]:
    """The tables of these pages."""
    sources = [
        {"source": item.name, "title": item.title, "licence": item.licence, "url": item.url, "citation": item.citation,
         "known_on": one.known_on, "commit": one.commit, "files": len(one.files)}
        for item in material.sources for one in item.vintages
    ]  # fmt: skip
    return {
        "ledger": ledger_entries(material),
        "suspects": suspects(material),
        "sources": pl.DataFrame(sources, infer_schema_length=None),
        "models-undated": material.models.filter(pl.col("released_on").is_null()),
    }
