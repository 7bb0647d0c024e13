"""Does a page show every forecast of the ledger with its true scores, and every target without one?

The ledger page carries its data twice: as a block of JSON (origin, checkpoint, the leaf hash of every batch, every forecast with
its state, the universe of targets with its no-shows, the scores and means, and a digest of it all) and as what a person sees,
each forecast, no-show and row of scores marked as such. Both are read and both must be complete, so that neither a row nor the
data behind it can go alone. Scores are computed anew by whoever can (`Evidence.figures`); here they are only compared.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any

from foresaid.errors import LedgerError
from foresaid.ledger.log import manifest, merkle
from foresaid.ledger.log.manifest import Checkpoint
from foresaid.ledger.state.accounting import Account, totals

ELEMENT = "ledger-data"  # id of the <pre> element that holds the JSON, as text: pages hold no scripts
ROW = "data-forecast"  # attribute of a visible row
NO_SHOW = "data-no-show"  # attribute of a visible target without a primary forecast
FIGURES = "data-figures"  # attribute of a visible row of scores or means, with its name
QUANTILES = "data-quantiles"  # attribute of a table of quantiles, with the forecasts it prints
FIGURE = "data-figure"  # attribute of each cell of such a row that holds a number
PAGE_BYTES = 256 * 1024 * 1024
INTERCHANGEABLE = {"scored", "pending"}  # whether an outcome is known is a matter of the record's tables, not of the ledger

SHOWN, SAME = 0.0051, 1e-5  # how far a number in a cell of three digits may lie from the data, and those from ours, relatively
SIGNS = str.maketrans({"\u2212": "-", ",": None, **dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-", strict=True))})

Contradiction = tuple[str, str, str]
Figures = Mapping[str, Sequence[float | None]]  # name of a row of scores or means -> its numbers in the order of the cells


@dataclass
class Verdict:
    """What is missing from a page (V18), and what it presents as what it is not (V17)."""

    missing: list[Contradiction] = field(default_factory=list)
    untrue: list[Contradiction] = field(default_factory=list)


def name(author: str, forecast: str) -> str:
    """How a row names its forecast."""
    return f"{author} {forecast}"


def no_show(author: str, round_id: str, target: str) -> str:
    """How a target without a primary forecast is named on a page."""
    return f"{author} {round_id}/{target}"


def score_name(row: Mapping[str, Any]) -> str:
    """How a row of the scores of one version is named."""
    parts = ("author", "id", "version", "standing", "told")
    return f"score {' '.join(str(row[part]).replace(' ', '-') for part in parts)}".rstrip()


def mean_name(row: Mapping[str, Any]) -> str:
    """How a row of the means of one method in one unit is named."""
    return f"mean {row['author']} {row['method']} {row['unit']} {row['told'].replace(' ', '-')}".rstrip()


def crossing_name(row: Mapping[str, Any]) -> str:
    """How a row about a number that may be reached is named."""
    return f"{score_name(row).replace('score ', 'crossing ', 1)} {row['subject'] or 'its-subject'} {row['threshold']}"


def figures(
    versions: Sequence[Mapping[str, Any]], means: Sequence[Mapping[str, Any]], crossings: Sequence[Mapping[str, Any]] = ()
) -> dict[str, list[float | None]]:
    """The numbers of the tables of scores by the names of their rows: of versions, of crossings, and the two means of methods."""
    found = {
        score_name(row): [row[key] for key in ("n", "no_forecast", "wis", "absolute_error", "coverage_80")] for row in versions
    }
    found |= {crossing_name(row): [row["probability"], row["brier"]] for row in crossings}
    return found | {mean_name(row): [row[key] for key in ("n", "wis", "n_with_exits", "wis_with_exits")] for row in means}


def embedded(
    names: Sequence[str],
    head: Checkpoint | None,
    found: Sequence[Account],
    on: str | None,
    universe: Sequence[Mapping[str, Any]] = (),
    scores: Figures | None = None,
) -> dict[str, Any]:
    """What a page must embed: origin, checkpoint, leaf hashes, forecasts with states, totals, universe, scores, and their digest.

    `on` is the moment at which the states were taken; later, what was pending may be overdue. `universe` are the rows of
    `accounting.universe`, `scores` those of `figures`.
    """
    data: dict[str, Any] = {
        "on": on,
        "origin": head.origin if head else "",
        "size": head.size if head else 0,
        "root": head.root.hex() if head else "",
        "leaves": [merkle.leaf_hash(manifest.manifest_line(one)).hex() for one in names],
        "forecasts": [[account.author, account.id, account.batch, account.state] for account in found],
        "totals": totals(found),
        "universe": [[row["round"], row["author"], row["targets"], row["no_shows"]] for row in universe],
        "figures": {one: [None if x is None else f"{x:.6g}" for x in found] for one, found in (scores or {}).items()},
    }
    return {**data, "digest": _digest(data)}


def _digest(data: dict[str, Any]) -> str:
    return sha256(json.dumps(data, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: Counter[tuple[str, str]] = Counter()
        self.no_shows: Counter[str] = Counter()
        self.figures: list[tuple[str, list[str]]] = []
        self.quantiles: list[tuple[str, list[str]]] = []
        self.blocks: list[str] = []
        self._row = False
        self._table = False
        self._number = False
        self._inside = False
        self._cell = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if values.get(ROW):
            self.rows[str(values[ROW]), str(values.get("data-state"))] += 1
        if tag == "table":
            self._table = bool(values.get(QUANTILES))
            if self._table:
                self.quantiles.append((str(values[QUANTILES]), []))
        if tag == "tr":
            self._row = bool(values.get(ROW))
            if self._row:
                self.quantiles.append((str(values[ROW]), []))
        if tag in ("td", "th"):
            self._number = (self._row and values.get("class") == "n") or (
                self._table and (tag == "td" or values.get("scope") == "row")
            )
            if self._number:
                self.quantiles[-1][1].append("")
        if tag == "tr" and values.get(FIGURES):
            self.figures.append((str(values[FIGURES]), []))
        if tag == "td" and FIGURE in values and self.figures:
            self._cell = True
            self.figures[-1][1].append("")
        if values.get(NO_SHOW):
            self.no_shows[str(values[NO_SHOW])] += 1
        if tag == "pre" and values.get("id") == ELEMENT:
            self._inside = True
            self.blocks.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "pre":
            self._inside = False
        if tag in ("td", "th"):
            self._cell = self._number = False

    def handle_data(self, data: str) -> None:
        if self._cell:
            self.figures[-1][1][-1] += data
        if self._number:
            self.quantiles[-1][1][-1] += data
        if self._inside:
            self.blocks[-1] += data


@dataclass(frozen=True)
class Shown:
    """What a person sees on a page: its rows as (name, state), its targets without a primary forecast, its rows of scores.

    `quantiles` are the numbers in the rows of forecasts and in tables of quantiles, each with the name of its row or table.
    """

    rows: Counter[tuple[str, str]]
    no_shows: Counter[str]
    figures: list[tuple[str, list[str]]] = field(default_factory=list)
    quantiles: list[tuple[str, list[str]]] = field(default_factory=list)


def sight(page: bytes) -> Shown:
    """What a page without data of its own shows; a LedgerError if it is none."""
    reader = _Page()
    try:
        if len(page) > PAGE_BYTES:
            raise ValueError("too long")
        reader.feed(page.decode("utf-8"))
        reader.close()
    except (ValueError, AssertionError) as error:
        text = str(error).encode("ascii", "backslashreplace").decode("ascii")[:200]
        raise LedgerError(f"is no page ({text}); run `foresaid report`") from None
    return Shown(reader.rows, reader.no_shows, reader.figures, reader.quantiles)


def differing(wanted: Figures, seen: Shown) -> list[Contradiction]:
    """Rows of scores in sight that are not those wanted, each once, or show other numbers."""
    verdict = Verdict()
    given = {one: [None if x is None else f"{x:.6g}" for x in found] for one, found in wanted.items()}
    _figures(verdict, given, seen.figures, None)
    return verdict.missing


def agree(cell: str, ours: str) -> bool:
    """Whether two cells print the same numbers, but for the last digit, which hangs on the arithmetic of the machine.

    >>> agree("0.884 to 0.988", "0.884 to 0.989"), agree("0.779499", "0.789499"), agree("–", "0.1")
    (True, False, False)
    """
    ends = [text.translate(SIGNS).split(" to ") for text in (cell.strip(), ours)]
    return cell.strip() == ours or (len(ends[0]) == len(ends[1]) and all(map(_last_digit, *ends)))


def _last_digit(text: str, ours: str) -> bool:
    try:
        a, b = Decimal(text), Decimal(ours)
    except InvalidOperation:
        return text == ours
    return a.is_finite() and b.is_finite() and abs(a - b) <= Decimal((0, (1,), int(b.as_tuple().exponent)))


def read(page: bytes) -> tuple[Shown, dict[str, Any]]:
    """What a page shows, and its data; a LedgerError if it holds none."""
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
        [(str(r), str(a), str(n), list(map(str, t))) for r, a, n, t in data["universe"]]
        data["figures"] = {str(one): [_number(x) for x in found] for one, found in data.get("figures", {}).items()}
        if data["on"] is not None:
            datetime.strptime(data["on"], "%Y-%m-%dT%H:%M:%SZ")
        dict(data).items()
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, AssertionError) as error:
        text = str(error).encode("ascii", "backslashreplace").decode("ascii")[:200]
        raise LedgerError(
            f"the page holds no data of the ledger ({text}), expected an element {ELEMENT}; run `foresaid report`"
        ) from None
    return Shown(reader.rows, reader.no_shows, reader.figures), data


def _number(text: str | None) -> str | None:
    if text is not None:
        float(text)
    return text


def compare(
    seen: Shown,
    data: dict[str, Any],
    names: Sequence[str],
    head: Checkpoint | None,
    found: Sequence[Account],
    universe: Sequence[Mapping[str, Any]] = (),
    scores: Figures | None = None,
) -> Verdict:
    """Compare a page with the ledger; whatever stands on the page, this returns. Without `scores` they are not computed anew."""
    verdict = Verdict()
    shown = Counter((str(a), str(i), str(b), str(s)) for a, i, b, s in data["forecasts"])
    digest = _digest({key: value for key, value in data.items() if key != "digest"})
    wanted = embedded(names, head, found, data["on"], universe)
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
    _universe(verdict, data["universe"], wanted["universe"], seen.no_shows)
    for (row, state), n in ((rows - seen.rows) + (seen.rows - rows)).items():
        what = "is in the data but not in the table" if rows[row, state] else "is in the table but not in the data"
        verdict.missing.append((f"forecast {_ascii(row)} ({_ascii(state)}) {what}", str(n), "both"))
    _figures(verdict, data["figures"], seen.figures, scores)
    return verdict


def _figures(
    verdict: Verdict, given: Mapping[str, list[str | None]], seen: Sequence[tuple[str, list[str]]], wanted: Figures | None
) -> None:
    """Scores and means: in sight as in the data, and in the data as they come out of the ledger."""
    counted = Counter(one for one, _ in seen)
    for one in {*given, *counted}:
        if (one in given, counted[one]) != (True, 1):
            found = f"{int(one in given)} times in the data, {counted[one]} times in sight"
            verdict.missing.append((f"{_ascii(one)}: a row of scores is not there once", found, "once in both"))
    for one, cells in seen:
        told = given.get(one, [])
        if one in given and (len(cells) != len(told) or not all(map(_agrees, cells, told))):
            what = f"{_ascii(one)}: other numbers in sight than in the data"
            verdict.missing.append((what, _ascii(", ".join(cells)), ", ".join(str(text) for text in told)))
    if wanted is None:
        return
    for one in sorted({*given, *wanted}):
        ours = wanted.get(one)
        told = given.get(one, [])
        if one not in given or ours is None:
            what = "is missing from the page" if ours is not None else "is on the page, and does not come out of the ledger"
            verdict.missing.append((f"{_ascii(one)} {what}", "", ""))
        elif len(told) != len(ours) or not all(map(_equals, told, ours)):
            expected = ", ".join("none" if x is None else f"{x:.6g}" for x in ours)
            what = f"{_ascii(one)}: other scores than come out of the ledger"
            verdict.missing.append((what, ", ".join(str(text) for text in told)[:200], expected))


def _equals(text: str | None, ours: float | None) -> bool:
    if text is None or ours is None:
        return text is None and ours is None
    return math.isclose(float(text), ours, rel_tol=SAME, abs_tol=1e-9)


def _agrees(cell: str, told: str | None) -> bool:
    """Whether a cell, as a person reads it, is the number of the data to its three digits; a dash is no number."""
    text = cell.translate(SIGNS).replace(" × 10", "e").strip()
    if told is None or text in ("", "–"):
        return told is None and text in ("", "–")
    try:
        if text.endswith("%"):
            return abs(float(text[:-1]) / 100.0 - float(told)) < SHOWN
        return math.isclose(float(text), float(told), rel_tol=SHOWN, abs_tol=1e-12)
    except ValueError:
        return False


def _universe(verdict: Verdict, given: list[Any], wanted: list[Any], seen: Counter[str]) -> None:
    """Targets = targets with a primary forecast + no-shows, for each author and round: as the ledger has it, and in sight."""
    for row in wanted:
        if row not in given:
            what = f"universe of round {row[0]}, {row[1]}: the page does not say how many targets had no primary forecast"
            verdict.missing.append((what, "", f"{row[2]} targets, {len(row[3])} no-shows: {', '.join(row[3])[:200]}"))
    if len(given) > len(wanted):
        verdict.missing.append(("the page has a universe that the ledger has not", f"{len(given)} rows", f"{len(wanted)}"))
    named = Counter(no_show(row[1], row[0], target) for row in wanted for target in row[3])
    for name_, n in ((named - seen) + (seen - named)).items():
        what = "is not in sight" if named[name_] else "is in sight, but has a forecast"
        verdict.missing.append((f"no-show {_ascii(name_)} {what}", str(n), "once each"))


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
