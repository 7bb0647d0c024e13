"""Which key a row of a vintage has: the one it had, whatever came, went or changed beside it.

A reader tells rows of one model, benchmark and setting apart by the collector's own id of the row, and leaves that id out of the
setting where a row stands alone, so that the plain way of a benchmark has a plain key. Read by itself a row's spelling would so
follow its neighbours. The record therefore keeps the id of a lone row in its note, and a row is known again by its id first. A
collector that gives no ids leaves only values and places to go by: an unchanged value is the same row, and what is left is taken in
order.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count

from foresaid.registry.formats import ObservationRow
from foresaid.sources._settings import slug

TOLERANCE = 1e-12  # relative: two printings of one float differ by less, a correction by more
POSITION = re.compile(r"(row|run|entry)-\d+")  # a place among rows is no id: it moves with them
SAID = "upstream row "
NOTED = re.compile(rf"(?:^|; ){SAID}(\S+)$")

Key = tuple[str, str, str]  # subject, quantity, setting
Test = Callable[[ObservationRow, ObservationRow], bool]  # of a row of the record and one of the vintage


def same(a: float, b: float) -> bool:
    """Whether two printings are of one value.

    >>> same(0.31, 0.31000000000000005), same(0.31, 0.311)
    (True, False)
    """
    return math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=0.0)


def noted(note: str, record: str, setting: str) -> str:
    """Keep the collector's id of a row in its note, unless its setting spells it.

    >>> noted("rounded", "recA1", ""), noted("", "recA1", "record=reca1")
    ('rounded; upstream row reca1', '')
    """
    spelt = slug(record)
    return note if not spelt or f"record={spelt}" in setting.split(";") else "; ".join(filter(None, (note, SAID + spelt)))


def identity(row: ObservationRow) -> str:
    """The collector's id of a row, from its setting or its note; empty where there is none or only a place."""
    spelt = next((part.removeprefix("record=") for part in row.setting.split(";") if part.startswith("record=")), "")
    if spelt and not POSITION.fullmatch(spelt):
        return spelt
    match = NOTED.search(row.note)
    return match[1] if match else ""


def carried(rows: Sequence[ObservationRow], latest: Mapping[Key, ObservationRow]) -> list[ObservationRow]:
    """Rows of a vintage under the keys they already have, `latest` being what the record holds of each key.

    In this order, among rows alike but for the collector's id: the same id; the same key, where the ids do not differ; the same
    value; the same place, or a key whose value was withdrawn. A row that is none of them is new. It keeps the key it was read with
    unless another row has had that, and is then told apart by its id.
    """
    standing: dict[Key, list[ObservationRow]] = defaultdict(list)
    arrived: dict[Key, list[int]] = defaultdict(list)
    for row in latest.values():
        standing[_plain(row)].append(row)
    for place, row in enumerate(rows):
        arrived[_plain(row)].append(place)
    kept = list(rows)
    for plain, places in arrived.items():
        known = standing.get(plain, [])
        first = rows[places[0]]
        if len(places) == 1 and (not known or (len(known) == 1 and known[0].setting == first.setting and _agree(known[0], first))):
            continue  # one row, and one before or none: almost always
        for place, setting in zip(places, _settings([rows[place] for place in places], known), strict=True):
            kept[place] = _under(rows[place], setting)
    return kept


def _settings(rows: Sequence[ObservationRow], known: Sequence[ObservationRow]) -> list[str]:
    """The setting of each row of one group, given the rows of the record that differ from them in the id at most."""
    found: dict[int, str] = {}
    free = {row.setting: row for row in known}

    def match(same_row: Test) -> None:
        for place, row in enumerate(rows):
            if place not in found and (hit := next((old for old in free.values() if same_row(old, row)), None)):
                found[place] = hit.setting
                del free[hit.setting]

    match(lambda old, row: identity(old) == identity(row) != "")
    match(lambda old, row: _live(old) and old.setting == row.setting and _agree(old, row) and not _placed(row))
    match(lambda old, row: _live(old) and same(old.value, row.value))
    match(lambda old, row: old.setting == row.setting and _agree(old, row))
    taken = {*found.values(), *(row.setting for row in known if identity(row))}
    for place, row in enumerate(rows):
        if place not in found:
            found[place] = next(setting for setting in _choices(row, rows) if setting not in taken)
            taken.add(found[place])
    return [found[place] for place in range(len(rows))]


def _choices(row: ObservationRow, rows: Sequence[ObservationRow]) -> Iterator[str]:
    """Settings a new row may have, the best first: as it was read, with its id, that of a row without an id, a number."""
    yield row.setting
    plain = _without_record(row.setting)
    if identity(row):
        yield _with_record(plain, identity(row))
    else:
        yield from (other.setting for other in rows if not identity(other))
    yield from (_with_record(plain, f"entry-{number}") for number in count(1))


def _under(row: ObservationRow, setting: str) -> ObservationRow:
    """The row under another setting, its id kept in the note where the setting no longer spells it."""
    bare = NOTED.sub("", row.note)
    return row._replace(setting=setting, note=noted(bare, identity(row), setting))


def _live(row: ObservationRow) -> bool:
    return row.status != "withdrawn"


def _agree(old: ObservationRow, row: ObservationRow) -> bool:
    return not identity(old) or not identity(row) or identity(old) == identity(row)


def _placed(row: ObservationRow) -> bool:
    return any(POSITION.fullmatch(part.removeprefix("record=")) for part in row.setting.split(";") if part.startswith("record="))


def _plain(row: ObservationRow) -> Key:
    return row.subject_id, row.quantity_id, _without_record(row.setting)


def _with_record(setting: str, name: str) -> str:
    return ";".join(filter(None, (setting, f"record={name}")))


def _without_record(setting: str) -> str:
    return ";".join(part for part in setting.split(";") if not part.startswith("record="))
