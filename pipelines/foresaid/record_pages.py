"""The pages about the record itself: the ledger with what it proves and does not, and the data with their doubts.

Nothing is left out because it is awkward: findings of `verify`, drafts that drifted from what was frozen, values under
suspicion and models without a release date each have their place and their count.
"""

from __future__ import annotations

import base64
from collections import Counter
from typing import Any

import msgspec
import polars as pl

from foresaid import entries, wording
from foresaid.material import Material
from foresaid.pages import Page
from foresaid.wording import count, number

SUSPECTS = 200  # rows shown on the page; the download has all
DOUBT = ("rule", "source_id", "subject_id", "quantity_id", "setting", "reason")
COUNTED = {
    "batches": "batches",
    "sequenced": "of them in the log",
    "pending": "of them not yet in the log",
    "rounds": "rounds",
    "targets": "targets",
    "forecasts": "open forecasts",
    "sealed": "sealed forecasts",
    "amendments": "amendments",
    "withdrawals": "withdrawals",
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
            "time": result.time,
            "proved": wording.PROVED,
            "unproven": wording.UNPROVEN,
            "counts": [(words, f"{result.counts[name]:,}") for name, words in COUNTED.items()],
            "states": [(str(name).replace("_", " "), f"{n:,}") for name, n in _states(material.accounting).items()],
            "declined": count(sum(row["n"] for row in material.accounting.get("not_forecast", [])), "row"),
            "rounds": _rounds(material),
            "round_open": material.params.round.id if material.params.round else "",
            "drift": [item if isinstance(item, str) else ", ".join(f"{k}: {v}" for k, v in item.items()) for item in drift],
        },
    )


def _states(accounting: dict[str, Any]) -> dict[str, int]:
    states = accounting.get("ledger", accounting)
    return {name: n for name, n in states.items() if isinstance(n, int)}


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
    """Every forecast, amendment and withdrawal of the ledger, in the order of the log."""
    rows = []
    for batch in material.ledger.batches:
        for entry in batch.entries:
            plain = msgspec.to_builtins(entry)
            name = plain.get("amends") or plain.get("withdraws") or plain["id"]
            if isinstance(entry, entries.Round | entries.Target):
                continue
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
            "doubts": [
                {**one, "quantity": material.quantity(one["quantity_id"]) if one["quantity_id"] else ""}
                for one in material.ingest.get("doubts", [])[:SUSPECTS]
            ],
            "doubt_count": count(len(material.ingest.get("doubts", [])), "value or name", "values and names"),
            "merged": [(given_up, kept) for given_up, kept in sorted(material.ingest.get("merged", {}).items())],
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
        "doubts": pl.DataFrame(material.ingest.get("doubts", []), schema=dict.fromkeys(DOUBT, pl.String)),
        "sources": pl.DataFrame(sources, infer_schema_length=None),
        "models-undated": material.models.filter(pl.col("released_on").is_null()),
    }
