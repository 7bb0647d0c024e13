"""How to see on the real files that a trap is caught: rows it sits in, rows the check handled, others it hit.

Each measure finds the rows by looking at the files anew and sets them beside what the reader and the gate made of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from itertools import pairwise

from foresaid.registry import source_card
from foresaid.registry.checks import cross_row
from foresaid.registry.checks.row_rules import CEILINGS
from foresaid.registry.formats import ObservationRow, QuantityRow
from foresaid.registry.known_defects.files import Files, Found, Row
from foresaid.registry.model_names import Names
from foresaid.registry.row_keys import same
from foresaid.registry.update import revisions
from foresaid.sources import _loader as sources
from foresaid.sources._reading import Score, StatedModel

Measure = Callable[[Files], Found]
Test = Callable[[Row], bool]


def marked(file: str, wrong: Test, quantities: Iterable[str] = ()) -> Measure:
    """Rows must be suspect, or say why in a note or setting; the same mark on other rows of the file is a false alarm."""
    names = set(quantities)

    def measure(files: Files) -> Found:
        rows = files.rows(file)
        here = {line for line, row in rows if wrong(row)}
        hit = {line for line, _ in rows if not [one for one in files.reported(file, line) if not names or one.quantity_id in names]}
        said = {one.note or one.setting for line in here for one in files.by_row.get((file, line), [])} - {""}
        others = {
            line
            for line, _ in rows
            if line not in here and any((one.note or one.setting) in said for one in files.by_row.get((file, line), []))
        }
        return Found(len(here), len(here & hit), len(others))

    return measure


def left_out(file: str, wrong: Test, valued: Test = lambda row: True) -> Measure:
    """Rows must give no value; another row that has values and gives none is a false alarm."""

    def measure(files: Files) -> Found:
        rows = files.rows(file)
        here = [line for line, row in rows if wrong(row)]
        others = [line for line, row in rows if not wrong(row) and valued(row) and not files.by_row.get((file, line))]
        return Found(len(here), sum(not files.by_row.get((file, line)) for line in here), len(others))

    return measure


def fractions(*units: str) -> Measure:
    """Every value of these units must lie within the bounds of its quantity after the reader's change of scale."""

    def measure(files: Files) -> Found:
        wanted = [one for one in files.reading.scores if files.quantities[one.quantity_id].unit in (units or ("fraction",))]
        good = [one for one in wanted if _bounded(one, files.quantities[one.quantity_id])]
        return Found(len(wanted), len(good), 0)

    return measure


def _bounded(score: Score, quantity: QuantityRow) -> bool:
    low, high = quantity.lower, quantity.upper
    inside = (low is None or score.value >= low) and (high is None or score.value <= high)
    return inside or score.status == "suspect"


def one_key_a_value(files: Files) -> Found:
    """No two values of one key: rows of one model are told apart by setting, or one of them was chosen and the others counted."""
    names = Names(files.name, files.models, files.catalogue.aliases)
    keys: Counter[tuple[str, str, str]] = Counter()
    for score in files.reading.scores:
        subject = names.resolve(score.subject, ("", None))
        keys[subject if isinstance(subject, str) else score.subject, score.quantity_id, score.setting] += 1
    return Found(sum(keys.values()), sum(count for count in keys.values() if count == 1), 0)


def empty_cells(file: str, columns: Iterable[str]) -> Measure:
    """Empty cells must give no value, and every other cell of these columns one."""
    names = list(columns)

    def measure(files: Files) -> Found:
        empty = extra = caught = 0
        for line, row in files.rows(file):
            filled = sum(row[name].strip() != "" for name in names)
            blank, given = len(names) - filled, len(files.by_row.get((file, line), []))
            empty += blank
            caught += min(blank, len(names) - given)
            extra += max(filled - given, 0)
        return Found(empty, caught, extra)

    return measure


def never(wrong: Callable[[Score], bool]) -> Measure:
    """No value may be like this: every one that is counts as missed."""

    def measure(files: Files) -> Found:
        return Found(sum(map(wrong, files.reading.scores)), 0, 0)

    return measure


def always(which: Callable[[Score], bool], good: Callable[[Score], bool]) -> Measure:
    """Every value of a kind must be like this."""

    def measure(files: Files) -> Found:
        wanted = [one for one in files.reading.scores if which(one)]
        return Found(len(wanted), sum(map(good, wanted)), 0)

    return measure


def stated(which: Callable[[StatedModel], bool], good: Callable[[StatedModel], bool]) -> Measure:
    """Every statement on a model of a kind must be like this."""

    def measure(files: Files) -> Found:
        wanted = [one for one in files.reading.models if which(one)]
        return Found(len(wanted), sum(map(good, wanted)), 0)

    return measure


def parts(files: Files) -> Found:
    """Vintages of the source in this folder: each must be a part, so that a row that is missing is not withdrawn."""
    mine = [one for one in files.vintages if one.directory.startswith(files.path.name)]
    return Found(len(mine), sum(one.part for one in mine), 0)


def known_on(day: date) -> Measure:
    """The vintages of this folder must count as known from this day, and not before."""

    def measure(files: Files) -> Found:
        mine = [one for one in files.vintages if one.directory.startswith(files.path.name)]
        return Found(len(mine), sum(one.known_on == day for one in mine), 0)

    return measure


def never_by(other: str, file: str) -> Measure:
    """Rows of a file that another reader of the same folder must take nothing from."""

    def measure(files: Files) -> Found:
        rows = len(files.rows(file))
        theirs = sources.read(other, sources.find(other), files.path).scores
        taken = {one.row for one in theirs if one.file.endswith(file.rsplit("/", 1)[-1])}
        return Found(rows, rows - len(taken), 0)

    return measure


def suspects(rows: int, quantity: str) -> Measure:
    """So many values of quantities whose name ends so must be suspect, and no more."""

    def measure(files: Files) -> Found:
        found = sum(one.status == "suspect" and one.quantity_id.endswith(quantity) for one in files.reading.scores)
        return Found(rows, min(rows, found), max(found - rows, 0))

    return measure


def english_only(files: Files) -> Found:
    """Models of the T5, BART and Switch families on Chinese text: each of their losses says so, and no other does."""
    rows = files.rows("benchmark/wmt19.csv")
    names = [row["config name"].lower().rsplit("/", 1)[-1] for _, row in rows]
    lines = {line for (line, _), name in zip(rows, names, strict=True) if name.startswith(("t5", "bart", "switch"))}
    losses = [
        (line, one) for line, _ in rows for one in files.by_row["benchmark/wmt19.csv", line] if one.quantity_id.endswith("loss")
    ]
    here = [one for line, one in losses if line in lines]
    hit = [one for one in here if "English-only" in one.note]
    return Found(len(here), len(hit), sum("English-only" in one.note for line, one in losses if line not in lines))


def rising(files: Files) -> Found:
    """Losses that rise with the number of examples: each says so, and no other does."""
    here = caught = others = 0
    for line, row in files.rows("benchmark/wmt19.csv"):
        losses = [float(row[str(number)]) for number in (0, *(200 * 2**power for power in range(14)))]
        rises = sum(after > before for before, after in pairwise(losses))
        said = sum("higher than with fewer" in one.note for one in files.by_row["benchmark/wmt19.csv", line])
        here, caught, others = here + rises, caught + min(rises, said), others + max(said - rises, 0)
    return Found(here, caught, others)


def chances(levels: Mapping[str, float]) -> Measure:
    """The record must hold the chance level of each quantity."""

    def measure(files: Files) -> Found:
        right = [name for name, chance in levels.items() if name in files.quantities and files.quantities[name].chance == chance]
        return Found(len(levels), len(right), 0)

    return measure


def read_columns(file: str, *names: str) -> Measure:
    """Columns must be there as spelt and the reader must get through them."""

    def measure(files: Files) -> Found:
        header = set(files.rows(file)[0][1])
        return Found(len(names), sum(name in header for name in names) if files.reading.scores else 0, 0)

    return measure


def parsed(files: Files) -> Found:
    """The reader must get through the files at all; each pinned file counts as one row."""
    source = source_card.read(files.registry / "sources" / files.name / "source.toml", files.name, files.name)
    pinned = [file for one in source.vintages if one.directory == files.directory for file in one.files]
    return Found(len(pinned), len(pinned) if files.reading.scores else 0, 0)


def not_read(*paths: str) -> Measure:
    """Files no value may come from."""

    def measure(files: Files) -> Found:
        from_them = {one.file.removeprefix(f"{files.path.name}/") for one in files.reading.scores}
        there = [path for path in paths if (files.path / path).exists()]
        return Found(len(there), sum(path not in from_them for path in there), 0)

    return measure


def settings(file: str, part: str) -> Measure:
    """Every value of a file must be told apart by a setting."""

    def measure(files: Files) -> Found:
        here = [one for one in files.reading.scores if one.file.endswith(file)]
        return Found(len(here), sum(part in one.setting for one in here), 0)

    return measure


def intervals(files: Files) -> Found:
    """Rows with an interval as text: each value has a standard error from it, or the row is a repeated one."""
    file = "csv/lmarena_text.csv"
    rows = [line for line, row in files.rows(file) if row["95_pct_ci"].startswith("+")]
    good = [line for line in rows if all(one.stderr is not None for one in files.by_row.get((file, line), []))]
    return Found(len(rows), len(good), 0)


def absent(*quantities: str) -> Measure:
    """Quantities that must not come from this source."""

    def measure(files: Files) -> Found:
        given = {one.quantity_id for one in files.reading.scores}
        return Found(len(quantities), sum(name not in given for name in quantities), 0)

    return measure


def shared_rows(files: Files) -> Found:
    """Rows of both vintages, in another order: none of them may count as revised."""
    other = Files(files.mirror, files.registry, "ryoungj+ObsScaling", files.name, files.catalogue)
    before = {(one.subject, one.quantity_id): one.value for one in files.reading.scores}
    after = {(one.subject, one.quantity_id): one.value for one in other.reading.scores}
    shared = before.keys() & after.keys()
    return Found(len(shared), sum(same(before[key], after[key]) for key in shared), 0)


def added_late(files: Files) -> Found:
    """Old models of the later vintage: `update` calls them late by their release dates, and calls no newer one so."""
    other = Files(files.mirror, files.registry, "ryoungj+ObsScaling", files.name, files.catalogue)
    names = Names(files.name, files.models, files.catalogue.aliases)
    before = {one.subject for one in files.reading.scores}
    added = sorted({one.subject for one in other.reading.scores} - before)
    cards = [files.models[found] for name in added if isinstance(found := names.resolve(name, ("", None)), str)]
    old = [row for row in cards if row.released_on is not None and row.released_on <= date(2024, 5, 31)]
    rows = [score for score in other.reading.scores if score.subject in added]
    told = revisions.late(
        [_observation(str(names.resolve(one.subject, ("", None)))) for one in rows], set(), files.models, date(2024, 5, 31)
    )
    return Found(len(old), len([row for row in told if row in old]), len([row for row in told if row not in old]))


def _observation(subject: str) -> ObservationRow:
    day = date(2024, 10, 1)
    return ObservationRow(subject, "mmlu", "", day, 0.5, None, None, day, "reported", "")


def below_ceiling(file: str, column: str, quantity: str, factor: float) -> Measure:
    """Sizes beyond any run: the gate's ceiling must catch them, and no other."""

    def measure(files: Files) -> Found:
        unit = files.quantities[quantity].unit
        ceiling = CEILINGS[unit]
        high = [line for line, row in files.rows(file) if row[column].strip() and float(row[column]) * factor > ceiling]
        suspect = {
            line for (path, line), scores in files.by_row.items()
            if path == file and any(one.quantity_id == quantity and one.status == "suspect" for one in scores)
        }  # fmt: skip
        return Found(len(high), len(suspect & set(high)), len(suspect - set(high)))

    return measure


def zeros(files: Files) -> Found:
    """Cells of 0.0 in the wide history: none may become a value."""
    cells = [cell for _, row in files.rows("output/result.csv") for name, cell in row.items() if name]
    zero = sum(float(cell) == 0.0 for cell in cells)
    given = [one for one in files.reading.scores if one.file.endswith("result.csv")]
    return Found(zero, zero if all(one.value != 0.0 for one in given) else 0, 0)


def skipped(reason: str, file: str, wrong: Test) -> Measure:
    """Rows the reader counts as left out for a reason."""

    def measure(files: Files) -> Found:
        rows = sum(wrong(row) for _, row in files.rows(file))
        counted = sum(count for said, count in files.reading.skipped.items() if reason in said)
        return Found(rows, min(rows, counted), max(counted - rows, 0))

    return measure


def kind_checkpoint(files: Files) -> Found:
    """Checkpoints in mid-run are of kind checkpoint, so that no law takes them for finished runs."""
    steps = [one for one in files.reading.subjects if "/step-" in one.subject_id]
    return Found(len(steps), sum(one.kind == "checkpoint" for one in steps), 0)


def adversarial_rows(file: str, column: str) -> Measure:
    """Adversarial systems are left out, or suspect by the cross-row rule `adversarial`."""
    return marked(file, lambda row: "adversarial" in row[column].lower() or bool(cross_row.ADVERSARIAL.search(row[column])))


def main_checkpoint(files: Files) -> Found:
    """The last checkpoint: present as a step, never as a name."""
    named = [one for one in files.reading.subjects if one.subject_id.endswith("/main")]
    return Found(len(files.reading.subjects), len(files.reading.subjects) - len(named), 0)
