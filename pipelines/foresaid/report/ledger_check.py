"""Do all pages and data files of a site say of every forecast what the ledger says, and of none that is not there?

The ledger page has a check of its own (`ledger/verify/page.py`). Here are the others that show states or scores of forecasts:
the page and the data file of each target, the claimed scores of the first page, the list of entries as downloads, and the feed.
Everything is made anew from the ledger and compared; nothing is trusted because another page says the same. What a page of a target
prints of its quantiles is compared cell by cell.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foresaid.errors import LedgerError
from foresaid.ledger.entries.batch import Batch
from foresaid.ledger.entries.fields import aim_of
from foresaid.ledger.state import evidence, story
from foresaid.ledger.state.accounting import Account
from foresaid.ledger.state.index import Clock
from foresaid.ledger.verify import page as shown
from foresaid.ledger.verify.snapshot import Finding
from foresaid.ledger.verify.verify import VerificationResult
from foresaid.report import downloads, feed, ledger_page, target_pages
from foresaid.report.targets import Target, address_of

LEDGER, INDEX, FEED, FOLDER = "ledger.html", "index.html", "feed.xml", "forecasts"
ANSWER = re.compile(r'<p class="lead">[^<]*: median ([^,<]+), 80 % interval ([^,<]+?)(?:, for a release on [0-9-]+)?[.]</p>')
PROOFS = "proofs"  # what these say hangs on whose policy is believed


@dataclass(frozen=True)
class Known:
    """What the ledger says, to whoever computed it: accounts, full batches, the scores of versions, by which clock, the targets."""

    result: VerificationResult
    accounts: Sequence[Account]
    batches: Sequence[Batch]
    scores: Sequence[Mapping[str, Any]]
    crossings: Sequence[Mapping[str, Any]]
    clock: Clock
    targets: Sequence[Target]
    own_policy: bool  # the reader's own, and not the copy in the ledger by which the site was made


def check(site: Path, known: Known) -> Iterator[Finding]:
    """Every page and data file below a site that shows a forecast otherwise than the ledger has it, or lacks one (V18)."""
    yield from _forecasts(site, known)
    yield from _claimed(site, known)
    yield from _entries(site, known)


def _read(site: Path, name: str) -> bytes | None:
    path = site / name
    return path.read_bytes() if path.is_file() and not path.is_symlink() else None


def _wrong(name: str, what: str, found: str = "", expected: str = "") -> Finding:
    return Finding("V18", name, what, _ascii(found)[:200], _ascii(expected)[:200])


def _ascii(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode("ascii")


def _forecasts(site: Path, known: Known) -> Iterator[Finding]:
    """One page and one data file for each target that was asked or forecast, with every forecast of it, and no other file."""
    by_name = evidence.batches_by_name(known.result)
    read_once = story.read(known.batches, known.clock)
    by_target: dict[tuple[str, str], list[Account]] = {aim: [] for aim in read_once.facts.targets}
    for one in known.accounts:
        by_target.setdefault(aim_of(one.id), []).append(one)
    read_again = {(one.round, one.id): one for one in known.targets}
    pages: set[str] = set()
    for aim, accounts in by_target.items():
        address = address_of(*aim)
        data = str(Path(address).with_suffix(".json"))
        pages |= {address, data}
        mine = {(one.author, one.id) for one in accounts}
        scores = {shown.score_name(row): row for row in known.scores if (row["author"], row["id"]) in mine}
        states = {shown.name(one.author, one.id): one.state for one in accounts}
        yield from _page(site, address, states, scores, f"target {'/'.join(aim)}")
        yield from _quantiles(site, address, read_again.get(aim))
        told = _read(site, data)
        if told is None:
            yield _wrong(data, f"the data file of target {'/'.join(aim)} is not there")
            continue
        whole = [story.whole(read_once, known.result, one, by_name, known.scores, known.crossings) for one in accounts]
        asked = story.asked(read_once, aim)
        yield from _same(data, told, json.loads(json.dumps(story.of_target(asked, whole))), known.own_policy)
    have = {f"{FOLDER}/{path.name}" for path in (site / FOLDER).glob("*")}
    yield from (_wrong(name, "is a file about no target of the ledger") for name in sorted(have - pages))


def _page(
    site: Path, name: str, states: Mapping[str, str], scores: Mapping[str, Mapping[str, Any]], about: str
) -> Iterator[Finding]:
    data = _read(site, name)
    if data is None:
        yield _wrong(name, f"the page of {about} is not there")
        return
    try:
        seen = shown.sight(data)
    except LedgerError as error:
        yield _wrong(name, str(error))
        return
    wanted = Counter(dict.fromkeys(states.items(), 1))
    if seen.rows != wanted:
        found = ", ".join(f"{one}: {state}" for one, state in seen.rows)
        yield _wrong(name, f"{about}: another state", found, ", ".join(states.values()))
    for what, found, expected in shown.differing(shown.figures([*scores.values()], []), seen):
        yield _wrong(name, what, found, expected)


def _quantiles(site: Path, name: str, target: Target | None) -> Iterator[Finding]:
    """The numbers of every forecast's row and of every table of quantiles, each as the ledger's quantiles are spelt."""
    data = _read(site, name)
    if data is None or target is None:
        return
    wanted: list[tuple[str, list[str]]] = [
        (shown.name(one.account.author, one.account.id), [*target_pages.answer(one).values(), f"{one.versions:,}"])
        for one in target.forecasts
    ]
    stated = target_pages.quantiles(target)
    if stated is not None:
        wanted.append((stated["anchors"], [cell for row in stated["rows"] for cell in (row["level"], *row["values"])]))
    wanted += [
        (one.anchor, [cell for row in target_pages.by_day(one) for cell in (row["day"], *row["values"])])
        for one in target.forecasts
        if one.by_day
    ]
    first = target.primary
    if first is not None and first.at(0.1) is not None:
        said, answer = ANSWER.search(data.decode("utf-8", "replace")), target_pages.answer(first)
        told = said.groups() if said else ("nothing", "nothing")
        if not all(map(shown.agree, told, (answer["median"], answer["b80"]))):
            yield _wrong(name, "the first sentence gives other quantiles", " ".join(told), f"{answer['median']} {answer['b80']}")
    try:
        seen = shown.sight(data).quantiles
    except LedgerError:
        return  # said of the page already
    if [one for one, _ in seen] != [one for one, _ in wanted]:
        yield _wrong(
            name, "other rows or tables of quantiles", "; ".join(one for one, _ in seen), "; ".join(one for one, _ in wanted)
        )
        return
    for (one, cells), (_, ours) in zip(seen, wanted, strict=True):
        if len(cells) != len(ours) or not all(map(shown.agree, cells, ours)):
            at = next(
                (i for i, (a, b) in enumerate(zip(cells, ours, strict=False)) if not shown.agree(a, b)), min(len(cells), len(ours))
            )
            found, expected = (" ".join(part[at : at + 1]) or "nothing" for part in (cells, ours))
            yield _wrong(name, f"{_ascii(one)[:100]}: another quantile than in the ledger", found, expected)


def _claimed(site: Path, known: Known) -> Iterator[Finding]:
    """The first page has every score whose time nobody proved, and no other."""
    claimed = {shown.score_name(row): row for row in known.scores if row["standing"] == "claimed"}
    yield from _page(site, INDEX, {}, claimed, "the first page")


def _same(name: str, told: bytes, ours: dict[str, Any], own_policy: bool) -> Iterator[Finding]:
    """A data file, value for value; numbers to six digits, since arithmetic differs from machine to machine."""
    try:
        found = json.loads(told)
        if not isinstance(found, dict) or not all(isinstance(one, dict) for one in found["forecasts"]):
            raise ValueError("no object")
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        yield _wrong(name, "holds no data of a target", str(error))
        return
    theirs = {(str(one.get("author")), str(one.get("id"))): one for one in found.pop("forecasts")}
    expected = {(one["author"], one["id"]): one for one in ours["forecasts"]}
    rest = {key: value for key, value in ours.items() if key != "forecasts"}
    yield from _differing(name, "", found, rest, (PROOFS,) if own_policy else ())
    for key in sorted(theirs.keys() | expected.keys()):
        yield from _differing(name, f"forecast {key[1]} by {key[0]}: ", theirs.get(key, {}), expected.get(key, {}), ())


def _differing(name: str, about: str, found: dict[str, Any], ours: dict[str, Any], skipped: Sequence[str]) -> Iterator[Finding]:
    for key in sorted(found.keys() | ours.keys()):
        if key not in skipped and not (key in found and key in ours and _equal(found[key], ours[key])):
            said = (json.dumps(one[key])[:150] if key in one else "nothing" for one in (found, ours))
            yield _wrong(name, f"{_ascii(about)}{key} is not as the ledger says", *said)


def _equal(found: object, ours: object) -> bool:
    if isinstance(found, bool) or isinstance(ours, bool):
        return found is ours
    if isinstance(found, int | float) and isinstance(ours, int | float):
        return math.isclose(found, ours, rel_tol=shown.SAME, abs_tol=1e-9)
    if isinstance(found, dict) and isinstance(ours, dict):
        return found.keys() == ours.keys() and all(_equal(found[key], ours[key]) for key in ours)
    if isinstance(found, list) and isinstance(ours, list):
        return len(found) == len(ours) and all(map(_equal, found, ours))
    return type(found) is type(ours) and found == ours


def _entries(site: Path, known: Known) -> Iterator[Finding]:
    """The downloads of the ledger's entries byte for byte, and each item once in the feed."""
    entries = ledger_page.ledger_entries(known.batches)
    for path, data in downloads.contents({"ledger": entries}).items():
        if _read(site, str(path)) != data:
            yield _wrong(
                str(path), "is not the table of the ledger's entries", expected=f"{entries.height} entries, as the ledger has them"
            )
    held = _read(site, FEED)
    named = Counter(re.findall(r"<id>(urn:sha256:[^<]*)</id>", (held or b"").decode("utf-8", "replace")))
    wanted = Counter(one.name for one in feed.items(known.batches))
    for one in sorted((named - wanted) | (wanted - named)):
        yield _wrong(FEED, f"{_ascii(one)[:120]} is not there once", str(named[one]), str(wanted[one]))
