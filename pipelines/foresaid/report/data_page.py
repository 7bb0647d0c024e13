"""The page about the record itself: its sources, the values that are suspect or flagged; and the tables behind these pages.

Nothing is left out because it is awkward: values under suspicion and models without a release date each have their place and
their count.
"""

from __future__ import annotations

import re
from collections import Counter

import polars as pl

from foresaid.registry.formats import LICENCES, NOT_REREAD
from foresaid.registry.licences import EMBEDDED
from foresaid.report import schemas, texts
from foresaid.report.inputs import Material
from foresaid.report.page import Page, PageSet
from foresaid.text import count, number

SUSPECTS = 200  # rows shown on the page; the download has all
FLAG = ("rule", "source_id", "subject_id", "quantity_id", "setting", "reason")


def suspects(material: Material) -> pl.DataFrame:
    """Values that stay out of fits, with the reason."""
    rows = material.observations.filter(pl.col("status") == "suspect")
    return rows.select("source_id", "subject_id", "quantity_id", "setting", "known_on", "value", "note").sort(
        "source_id", "subject_id", "quantity_id", "setting", "known_on"
    )


def data(material: Material) -> Page:
    """The data: sources with licence and vintages, what is suspect or flagged, what is not dated."""
    excluded = suspects(material)
    read = material.ingest["sources"]
    undated = material.models.filter(pl.col("released_on").is_null()).sort("model_id")
    precision = Counter(material.models["released_precision"].to_list())
    return Page(
        "data.html",
        "data.html.j2",
        {
            "schemas": [(f"{schemas.FOLDER}/{name}.json", one["title"]) for name, one in schemas.schemas().items()],
            "site_tables": f"{schemas.FOLDER}/{schemas.TABLES}.json",
            "sources": [
                {
                    "name": item.name,
                    "title": item.title,
                    "publisher": item.publisher,
                    "href": texts.link(item.url),
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
            "licences": [
                {
                    "name": one.source.name,
                    "grant": one.grant.replace("_", " "),
                    "licence": one.source.licence or "no licence stated",
                    "where": count(one.rows, "row") if one.source.embedded else "on demand",
                    "gain": one.gain,
                }
                for one in material.kept
            ],
            "notices": [{"name": one.source.name, "paragraphs": _paragraphs(one.notice)} for one in material.kept if one.notice],
            "statements": [
                {**row._asdict(), "grant": row.grant.replace("_", " "), "quantity": material.quantity(row.quantity_id)}
                for row in sorted(material.statements)
            ],
            "granted": count(sum(row.grant in EMBEDDED for row in material.statements), "quantity", "quantities"),
            "refused": count(sum(row.grant not in EMBEDDED for row in material.statements), "quantity", "quantities"),
            "total": count(material.observations.height, "observation"),
            "quantities": count(len(material.quantities), "quantity", "quantities"),
            "models": count(material.models.height, "released model"),
            "dated": f"{precision['day']:,} dated to the day, {precision['month']:,} to the month",
            "not_reread": f"{texts.not_reread(material.models['release_source']):,}",
            "undated": [row["model_id"] for row in undated.iter_rows(named=True)],
            "undated_count": count(undated.height, "model"),
            "suspects": [
                {
                    **row,
                    "quantity": material.quantity(row["quantity_id"]),
                    "value": number(row["value"]),
                    "note": row["note"] or "",
                }
                for row in excluded.head(SUSPECTS).iter_rows(named=True)
            ],
            "suspect_count": count(excluded.height, "value"),
            "flags": [
                {**one, "quantity": material.quantity(one["quantity_id"]) if one["quantity_id"] else ""}
                for one in material.ingest.get("flags", [])[:SUSPECTS]
            ],
            "flag_count": count(len(material.ingest.get("flags", [])), "value or name", "values and names"),
            "merged": [(given_up, kept) for given_up, kept in sorted(material.ingest.get("merged", {}).items())],
            "suspects_hidden": f"{excluded.height - SUSPECTS:,}" if excluded.height > SUSPECTS else "",
        },
    )


def _paragraphs(notice: str) -> list[str]:
    """The text of a notice without its heading, a paragraph each, links as their address."""
    parts = [" ".join(part.split()) for part in notice.split("\n\n") if part.strip() and not part.startswith("#")]
    return [re.sub(r"\[([^\]]*)\]\(([^)]*)\)", r"\1 (\2)", part).replace("`", "") for part in parts]


def release_dates(material: Material) -> pl.DataFrame:
    """Every dated model with the source of its date, newest first; `reread` is false where no document was at hand.

    Other projects ask for such a list, so it is a file of its own.
    """
    dated = material.models.filter(pl.col("released_on").is_not_null())
    stated = pl.col("release_source").fill_null("").str.contains(NOT_REREAD, literal=True)
    chosen = dated.select(
        "model_id", "organisation", "family", "released_on", "released_precision", "release_source", reread=~stated
    )
    return chosen.sort(["released_on", "model_id"], descending=[True, False])


def downloads(material: Material) -> dict[str, pl.DataFrame]:
    """The tables of these pages."""
    sources = [
        {"source": item.name, "title": item.title, "licence": item.licence, "url": item.url, "citation": item.citation,
         "known_on": one.known_on, "commit": one.commit, "files": len(one.files)}
        for item in material.sources for one in item.vintages
    ]  # fmt: skip
    return {
        "suspects": suspects(material),
        "flags": pl.DataFrame(material.ingest.get("flags", []), schema=dict.fromkeys(FLAG, pl.String)),
        "licences": pl.DataFrame(
            [row._asdict() for row in sorted(material.statements)], schema=dict.fromkeys(LICENCES.header, pl.String)
        ),
        "sources": pl.DataFrame(sources, infer_schema_length=None),
        "release-dates": release_dates(material),
        "models-undated": material.models.filter(pl.col("released_on").is_null()),
    }


PAGES = PageSet("data.html", "Data", 60, lambda material: [data(material)], downloads)
