"""Does a page show every forecast of the ledger? What is embedded in it is compared with what the ledger says.

The ledger page carries its data twice: as a block of JSON (origin, checkpoint, the leaf hash of every batch, every forecast with
its state, and a digest of it all) and as the rows a person sees, each marked with the forecast it shows. Both are read and both
must be complete, so that neither a row nor the data behind it can go alone.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any

from foresaid import log, merkle
from foresaid.accounting import Account, totals
from foresaid.errors import LedgerError
from foresaid.log import Checkpoint

ELEMENT = "ledger-data"  # id of the <pre> element that holds the JSON, as text: pages hold no scripts
ROW = "data-forecast"  # attribute of a visible row
PAGE_BYTES = 256 * 1024 * 1024
INTERCHANGEABLE = {"scored", "pending"}  # whether an outcome is known is a matter of the record's tables, not of the ledger

Problem = tuple[str, str, str]


@dataclass
class Verdict:
    """What is missing from a page (V18), and what it presents as what it is not (V17)."""

    missing: list[Problem] = field(default_factory=list)
    untrue: list[Problem] = field(default_factory=list)


def name(author: str, forecast: str) -> str:
    """How a row names its forecast."""
    return f"{author} {forecast}"


def embedded(names: Sequence[str], head: Checkpoint | None, found: Sequence[Account], on: str | None) -> dict[str, Any]:
    """What a page must embed: origin, checkpoint, leaf hashes, forecasts with states, their totals, and a digest of all that.

    `on` is the moment at which the states were taken; later, what was pending may be overdue.
    """
    data: dict[str, Any] = {
        "on": on,
        "origin": head.origin if head else "",
        "size": head.size if head else 0,
        "root": head.root.hex() if head else "",
        "leaves": [merkle.leaf_hash(log.manifest_line(one)).hex() for one in names],
        "forecasts": [[account.author, account.id, account.batch, account.state] for account in found],
        "totals": totals(found),
    }
    return {**data, "digest": _digest(data)}


def _digest(data: dict[str, Any]) -> str:
    return sha256(json.dumps(data, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: Counter[tuple[str, str]] = Counter()
        self.blocks: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "tr" and values.get(ROW):
            self.rows[str(values[ROW]), str(values.get("data-state"))] += 1
        if tag == "pre" and values.get("id") == ELEMENT:
            self._inside = True
            self.blocks.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "pre":
            self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.blocks[-1] += data


def read(page: bytes) -> tuple[Counter[tuple[str, str]], dict[str, Any]]:
    """The rows of a page as (name, state), and its data; a LedgerError if it holds none."""
    reader = _Page()
    try:
        if len(page) > PAGE_BYTES:
            raise ValueError("too long")
        reader.feed(page.decode("utf-8"))
        reader.close()
        if len(reader.blocks) != 1:
            raise ValueError(f"{len(reader.blocks)} blocks of data")
        data = json.loads(reader.blocks[0])
        [(str(a), str(i), str(b), str(s)) for a, i, b, s in data["forecasts"]]
        if data["on"] is not None:
            datetime.strptime(data["on"], "%Y-%m-%dT%H:%M:%SZ")
        dict(data).items()
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, AssertionError) as error:
        text = str(error).encode("ascii", "backslashreplace").decode("ascii")[:200]
        raise LedgerError(
            f"the page holds no data of the ledger ({text}), expected an element {ELEMENT}; run `foresaid report`"
        ) from None
    return reader.rows, data


def compare(
    rows_shown: Counter[tuple[str, str]],
    data: dict[str, Any],
    names: Sequence[str],
    head: Checkpoint | None,
    found: Sequence[Account],
) -> Verdict:
    """Compare a page with the ledger; whatever stands on the page, this returns."""
    verdict = Verdict()
    shown = Counter((str(a), str(i), str(b), str(s)) for a, i, b, s in data["forecasts"])
    digest = _digest({key: value for key, value in data.items() if key != "digest"})
    wanted = embedded(names, head, found, data["on"])
    for key in ("origin", "size", "root"):
        if data.get(key) != wanted[key]:
            verdict.missing.append(
                (f"the page is of another state of the log, {key}", repr(data.get(key))[:100], repr(wanted[key]))
            )
    if data.get("leaves") != wanted["leaves"]:
        verdict.missing.append(("the page lists other batches than the log", "", f"{len(names)} leaf hashes"))
    if data.get("digest") != digest:
        verdict.missing.append(("the page's data do not have their digest", str(data.get("digest"))[:80], digest))
    _states(verdict, shown, {(one.author, one.id): one for one in found})
    if data.get("totals") != dict(_count(shown)):
        verdict.missing.append(("the page's totals do not add up", repr(data.get("totals"))[:200], repr(dict(_count(shown)))))
    rows = Counter({(name(author, forecast), state): n for (author, forecast, _, state), n in shown.items()})
    for (row, state), n in ((rows - rows_shown) + (rows_shown - rows)).items():
        what = "is in the data but not in the table" if rows[row, state] else "is in the table but not in the data"
        verdict.missing.append((f"forecast {_ascii(row)} ({_ascii(state)}) {what}", str(n), "both"))
    return verdict


def _count(shown: Counter[tuple[str, str, str, str]]) -> dict[str, int]:
    counts = dict.fromkeys(totals([]), 0)
    for (_, _, _, state), n in shown.items():
        counts[state] = counts.get(state, 0) + n
        counts["forecasts"] += n
    return counts


def _states(verdict: Verdict, shown: Counter[tuple[str, str, str, str]], accounts: dict[tuple[str, str], Account]) -> None:
    named = Counter({key[:2]: 0 for key in shown})
    for (author, forecast, batch, state), n in shown.items():
        named[author, forecast] += n
        mine = accounts.get((author, forecast))
        if mine is None:
            verdict.missing.append((f"forecast {_ascii(forecast)} is not in the ledger", "", ""))
        elif batch != mine.batch:
            verdict.missing.append((f"forecast {_ascii(forecast)}: another batch", _ascii(batch), mine.batch))
        elif state != mine.state and not {state, mine.state} <= INTERCHANGEABLE:
            problem = (f"forecast {_ascii(forecast)}: another state", _ascii(state), mine.state)
            (verdict.untrue if mine.state == "late" else verdict.missing).append(problem)
    for (author, forecast), mine in accounts.items():
        if named.get((author, forecast), 0) != 1:
            what = f"forecast {forecast} by {author} ({mine.state})"
            verdict.missing.append((what, f"{named.get((author, forecast), 0)} times on the page", "once"))


def _ascii(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode("ascii")[:200]
