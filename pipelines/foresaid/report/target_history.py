"""What happened to a target and its forecasts, what stands behind them, and how they are cited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from foresaid.ledger.entries import schema as entries
from foresaid.ledger.entries.batch import Batch
from foresaid.ledger.entries.fields import aim_of
from foresaid.ledger.entries.resolutions import Challenge, Resolution, Void
from foresaid.ledger.entries.schema import TargetEntry
from foresaid.ledger.log import manifest, merkle
from foresaid.ledger.state import evidence
from foresaid.report import target_words as words
from foresaid.report.inputs import Material
from foresaid.report.targets import Target
from foresaid.text import DASH

HAPPENED = {
    "round": "round opened", "target": "asked", "forecast": "frozen", "sealed": "frozen under seal", "reveal": "opened",
    "amendment": "amended", "withdrawal": "withdrawn", "resolution": "outcome entered", "challenge": "outcome challenged",
    "void": "voided",
}  # fmt: skip


def history(batches: Sequence[Batch]) -> dict[tuple[str, str], list[dict[str, str]]]:
    """What happened to each target and its forecasts, in the order of the log, at the times that the authors claim.

    What one batch did to several forecasts of a target is one row.
    """
    found: dict[tuple[str, str], list[dict[str, str]]] = {}
    for batch in batches:
        for entry in batch.entries:
            aim, what = _about(entry)
            if aim is None:
                continue
            plain = msgspec.to_builtins(entry)
            row = {
                "what": HAPPENED[plain["type"].split("/")[0]],
                "about": what,
                "author": batch.header.author,
                "as_of": batch.header.as_of,
                "at": batch.header.frozen_at,
                "batch": batch.sha256,
                "place": "pending" if batch.index is None else f"{batch.index:,}",
                "reason": plain.get("reason", "") or plain.get("source", ""),
            }
            mine = found.setdefault(aim, [])
            if mine and {**mine[-1], "about": what} == row:
                mine[-1]["about"] += f", {what}"
            else:
                mine.append(row)
    return found


def _about(entry: entries.Entry) -> tuple[tuple[str, str] | None, str]:
    """The target that an entry is about, and which part of it."""
    if isinstance(entry, TargetEntry):
        return (entry.round, entry.id), "the target"
    if isinstance(entry, Resolution | Challenge | Void):
        subject = entry.subject if not isinstance(entry, Void) and isinstance(entry.subject, str) else ""
        return (entry.round, entry.target), subject or "the target"
    if isinstance(entry, entries.ForecastEntry | entries.Sealed | entries.Reveal | entries.Amendment | entries.Withdrawal):
        plain = msgspec.to_builtins(entry)
        name = str(plain.get("amends") or plain.get("withdraws") or plain.get("opens") or plain["id"])
        return aim_of(name), name.rsplit("/", 1)[-1]
    return None, ""


def proofs(material: Material, target: Target, by_name: Mapping[str, Batch]) -> list[dict[str, Any]]:
    """What is proven and what not, once for all forecasts that stand in one batch."""
    made: dict[tuple[str, ...], dict[str, Any]] = {}
    for one in target.forecasts:
        about = evidence.of(material.ledger, one.account, by_name)
        key = (one.account.batch, *about.have, *about.lack)
        if key not in made:
            leaf = merkle.leaf_hash(manifest.manifest_line(one.account.batch)).hex()
            made[key] = {"batch": one.account.batch, "leaf": leaf, "have": about.have, "lack": about.lack, "methods": []}
        made[key]["methods"].append(words.method(material, one))
    return [{**row, "methods": ", ".join(row["methods"])} for row in made.values()]


def fitted(target: Target) -> list[dict[str, str]]:
    """What the forecasts were fitted on: the training rows each batch names, and where they lie."""
    rows: dict[str, dict[str, str]] = {}
    for one in target.forecasts:
        for item in one.batch.header.data if one.batch is not None else ():
            rows.setdefault(
                item.sha256,
                {
                    "sha256": item.sha256,
                    "rows": f"{item.rows:,}",
                    "last": item.max_observed_on,
                    "as_of": one.batch.header.as_of if one.batch is not None else DASH,
                    "path": f"registry/snapshots/{item.sha256}.jsonl.gz",
                },
            )
    return list(rows.values())


def cite(material: Material, target: Target) -> str:
    """How to cite the primary forecast: whose, which, when, and by which hash it is found again."""
    one = target.primary or (target.forecasts[0] if target.forecasts else None)
    if one is None:
        return f"{target.round}/{target.id}."
    at = f"{one.account.frozen:%Y-%m-%dT%H:%M:%SZ}" if one.account.frozen else "at a time not proved"
    standing = "proved" if material.clock.wanted else "claimed"
    origin = material.ledger.checkpoint.origin if material.ledger.checkpoint else material.params.origin
    return f"{one.account.author}: {one.account.id}, frozen {at} ({standing}), ledger {origin}, batch sha256:{one.account.batch}."
