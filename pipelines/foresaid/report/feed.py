"""What happened in the ledger, as an Atom feed (RFC 4287): freezes, openings, amendments, withdrawals, outcomes and doubts.

A reader follows what is new, so one batch is one item for each kind of entry and round: a round of a thousand forecasts is one line
and not a thousand. Newest first, at the times their authors claim; an item with a single entry leads to that entry's own place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from foresaid.ledger.entries import schema as entries
from foresaid.ledger.entries.batch import Batch
from foresaid.ledger.entries.resolutions import Challenge, Resolution, Void
from foresaid.report import texts
from foresaid.text import count

NAMED = 5  # entries that an item names; the rest are counted
TOLD: dict[type, tuple[str, str]] = {
    entries.ForecastEntry: ("forecast", "frozen"),
    entries.Sealed: ("sealed", "frozen under seal"),
    entries.Reveal: ("reveal", "opened"),
    entries.Amendment: ("amendment", "amended"),
    entries.Withdrawal: ("withdrawal", "withdrawn"),
    Resolution: ("resolution", "resolved"),
    Void: ("void", "voided"),
    Challenge: ("challenge", "challenged"),
}


@dataclass(frozen=True)
class Item:
    """The entries of one kind about one round in one batch."""

    batch: Batch
    kind: str
    told: str
    round: str
    about: tuple[str, ...]  # ids of forecasts, or targets with their subject
    reasons: tuple[str, ...]

    @property
    def name(self) -> str:
        """The identifier of the item: it stays while the batch does, whose name is its SHA-256."""
        return f"urn:sha256:{self.batch.sha256}:{texts.slug(self.round)}:{self.kind}"

    @property
    def title(self) -> str:
        """One entry by its name, several by their number."""
        if len(self.about) == 1:
            return f"{self.about[0]}: {self.told}"
        what = "target" if self.kind in ("resolution", "void", "challenge") else "forecast"
        return f"{self.round}: {count(len(self.about), what)} {self.told}"


def items(batches: Iterable[Batch]) -> list[Item]:
    """Every item, newest first by the time its author claims."""
    made = []
    for batch in batches:
        groups: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
        for entry in batch.entries:
            if type(entry) in TOLD:
                about, why = _about(entry), getattr(entry, "reason", "") or ""
                groups.setdefault((*TOLD[type(entry)], about.split("/", 1)[0]), []).append((about, why))
        for (kind, told, name), found in groups.items():
            reasons = dict.fromkeys(why for _, why in found if why)
            made.append(Item(batch, kind, told, name, tuple(about for about, _ in found), tuple(reasons)))
    return sorted(made, key=lambda one: (one.batch.header.frozen_at, one.name), reverse=True)


def _about(entry: Any) -> str:
    """The id of the forecast an entry is about, or round, target and subject of an outcome."""
    if isinstance(entry, Resolution | Void | Challenge):
        subject = getattr(entry, "subject", None)
        return f"{entry.round}/{entry.target}" + (f", {subject}" if subject else "")
    names = (getattr(entry, name, None) for name in ("amends", "withdraws", "opens", "id"))
    return str(next(name for name in names if name))


def values(origin: str, batches: Iterable[Batch], places: Mapping[tuple[str, str], str], empty: str) -> dict[str, Any]:
    """What the template of the feed prints; `places` are addresses by author and id, `empty` the moment of a feed without items."""
    told = [
        {
            "title": one.title,
            "id": one.name,
            "updated": one.batch.header.frozen_at,
            "author": one.batch.header.author,
            "href": places.get((one.batch.header.author, one.about[0]), "ledger.html") if len(one.about) == 1 else "ledger.html",
            "summary": _summary(one),
        }
        for one in items(batches)
    ]
    return {"origin": origin, "id": f"urn:foresaid:{origin}", "updated": told[0]["updated"] if told else empty, "entries": told}


def _summary(one: Item) -> str:
    named = "; ".join(one.about[:NAMED]) + (f"; and {len(one.about) - NAMED:,} more" if len(one.about) > NAMED else "")
    parts = [*one.reasons[:NAMED], *([named] if len(one.about) > 1 else [])]
    return f"{'. '.join([*parts, f'Data as of {one.batch.header.as_of}'])}; the time is the author's claim."
