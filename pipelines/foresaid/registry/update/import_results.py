"""Bring a user's own results into the record: files of a standard, resolved by name, appended as an update would.

Nothing is created silently: a model or a quantity that nobody knows is a problem with its nearest match, and rows for it are
offered for a person to paste. Nothing is loaded in part: one refused value, named with its file and JSON pointer, and no file
of the record changes. The source of imported results keeps the name and SHA-256 of every file, one vintage a day of
`known_on`; importing a file again changes nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from foresaid import files
from foresaid.errors import BadCell, ParameterError, RecordError, UnreadableError
from foresaid.registry import csv_files, formats, imported_card, source_card
from foresaid.registry import load as ingest
from foresaid.registry.checks.rows import Nearest
from foresaid.registry.formats import AliasRow, QuantityRow
from foresaid.registry.imported_card import FOLDER, KIND
from foresaid.registry.model_names import Names
from foresaid.registry.source_card import File, Vintage
from foresaid.registry.update import update
from foresaid.registry.update.repeats import combined
from foresaid.registry.update.revisions import UpstreamRevision
from foresaid.sources._formats import every_eval_ever, helm, inspect_log, lm_eval, mapped_table, open_llm_leaderboard
from foresaid.sources._formats.results import ReportedResult, Results, parse
from foresaid.sources._reading import Reading, Score

FORMATS = (every_eval_ever, open_llm_leaderboard, inspect_log, helm, lm_eval)
READERS: dict[str, Callable[[Any, str], Results]] = {one.NAME: one.from_tree for one in FORMATS}
DETECT = {one.NAME: one.detect for one in FORMATS}
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)
# Metrics by their exact name and the unit they have; of any other the unit is for a person to say.
FRACTIONS = (
    *("acc", "acc_norm", "acc_norm_nospace", "acc_all", "acc_mutual_info", "em", "exact_match", "contains", "f1"),
    *("mc1", "mc2", "pass@1", "pass_at_1", "prompt_level_strict_acc", "inst_level_strict_acc", "prompt_level_loose_acc"),
    *("inst_level_loose_acc", "accuracy", "correct", "quasi_exact_match", "prefix_exact_match", "quasi_prefix_exact_match"),
    *("final_number_exact_match", "f1_score", "classification_micro_f1", "classification_macro_f1", "math_equiv"),
)
UNITS = {
    **dict.fromkeys(FRACTIONS, ("fraction", 0.0, 1.0)),
    "bleu": ("bleu", 0.0, 100.0),
    "bits_per_byte": ("bits_per_byte", 0.0, 20.0),
}
LARGEST = 200_000_000  # bytes of one file


@dataclass(frozen=True)
class Read:
    """One file given by the user: its name in messages and in the card, its SHA-256 and size, its results."""

    file: str
    sha256: str
    size: int
    results: Results


def read_files(paths: Sequence[Path], form: str | None = None) -> list[Read]:
    """Read result files, each by the format it shows or the one named; problems stay with their file."""
    if form is not None and form not in READERS:
        raise ParameterError(f"import: found the format {form}, expected one of {', '.join(READERS)}")
    found: dict[str, Read] = {}
    for path, label in zip(paths, _labels(paths), strict=True):
        try:
            size = path.stat().st_size
            raw = path.read_bytes() if size <= LARGEST else b""
        except OSError as error:
            raise UnreadableError(f"{label}: found {error.strerror or error}, expected a readable file") from None
        if size > LARGEST:
            raise RecordError(f"{label}: found {size} bytes, expected at most {LARGEST}; results are small, samples are not read")
        digest = hashlib.sha256(raw).hexdigest()
        # The same bytes twice, under whatever name, are one file.
        found.setdefault(digest, Read(label, digest, len(raw), _results(raw, f"{FOLDER}/{label}", form, path)))
        if path.name == helm.STATS and (beside := path.with_name(helm.SPEC)).is_file():
            spec = beside.read_bytes()  # the other half of the pair is listed too, and gives no value of its own
            digest, label = hashlib.sha256(spec).hexdigest(), label.removesuffix(helm.STATS) + helm.SPEC
            found.setdefault(digest, Read(label, digest, len(spec), Results([])))
    return list(found.values())


def _labels(paths: Sequence[Path]) -> list[str]:
    """Short names that tell the files apart: the last parts of their paths."""
    parts = [path.absolute().parts for path in paths]
    for depth in range(1, max(map(len, parts), default=1)):
        labels = ["/".join(part for part in path[-depth:] if part != "/") for path in parts]
        if len(set(labels)) == len(set(parts)):
            return labels
    return ["/".join(part for part in path if part != "/") for path in parts]


def _results(raw: bytes, file: str, form: str | None, path: Path) -> Results:
    if raw.startswith(b"PK\x03\x04"):
        advice = "an Inspect log is turned into one by `inspect log convert --to json`"
        return Results([], [BadCell(file, None, "-", "a ZIP archive", "a JSON file", advice)])
    tree, problem = parse(raw, file)
    if problem:
        return Results([], [problem])
    if path.name == helm.SPEC and isinstance(tree, dict) and "adapter_spec" in tree:
        return Results([])  # read together with the statistics beside it
    if helm.statistics(tree):
        beside = path.with_name(helm.SPEC)
        if not beside.is_file():
            return Results([], [BadCell(file, None, "-", f"no {helm.SPEC} beside it", "both files of the run: it names the model")])
        spec, problem = parse(beside.read_bytes(), file.removesuffix(helm.STATS) + helm.SPEC)
        if problem:
            return Results([], [problem])
        tree = {helm.STATS: tree, helm.SPEC: spec}
    found = [form] if form else [name for name, detect in DETECT.items() if detect(tree)]
    if not found:
        return Results([], [BadCell(file, None, "/", "no known layout", f"a result file of {', '.join(READERS)}", "see --as")])
    return READERS[found[0]](tree, file)


class Quantities:
    """Resolves spellings of quantities: an alias of this source, or of any, and nothing else.

    A benchmark under another harness is another quantity, so no spelling is taken for an id by likeness.
    """

    def __init__(self, source_id: str, quantities: dict[str, QuantityRow], aliases: Iterable[AliasRow]) -> None:
        self.rows = quantities
        ours = [row for row in aliases if row.kind == "quantity"]
        self.aliases = {row.alias: row.id for row in ours if row.source_id == "*"}
        self.aliases |= {row.alias: row.id for row in ours if row.source_id == source_id}
        self.spelt = {name.lower(): name for name in (*self.rows, *self.aliases)}
        self.nearest = Nearest(self.spelt)

    def resolve(self, result: ReportedResult) -> tuple[QuantityRow, str] | None:
        """The quantity of the first spelling that is known, and what is left as setting."""
        for name, setting in result.names:
            if (found := self.aliases.get(name)) in self.rows:
                return self.rows[str(found)], setting
        return None

    def problem(self, result: ReportedResult, file: str) -> BadCell:
        """Say that no spelling is known, with the nearest match."""
        name = result.names[0][0]
        near = self.nearest.advice(name).removeprefix("did you mean ").removesuffix("?")
        advice = (
            f"did you mean {self.spelt[near]}?"
            if near in self.spelt
            else "add an alias to aliases.csv; --new-quantities prints rows for it"
        )
        return BadCell(file, None, result.pointer, formats.shown(name), "an alias of kind quantity in aliases.csv", advice)


def new_quantities(reads: Sequence[Read], name: str, registry: Path) -> tuple[list[str], list[str]]:
    """Rows for quantities.csv and aliases.csv that would make every unknown quantity known, ready to paste and to correct.

    Where the id proposed is taken, only the alias is offered: whether it is the same quantity is for a person to say.
    """
    catalogue, problems = ingest.read_catalogue(registry)
    if problems:
        raise RecordError.collect(problems)
    known = Quantities(name, {row.quantity_id: row for row in catalogue.quantities}, catalogue.aliases)
    rows: dict[str, QuantityRow] = {}
    aliases: dict[str, AliasRow] = {}
    for read in reads:
        for result in read.results.items:
            if known.resolve(result) is None and result.names[0][0].isprintable():
                row = _proposed(result, name)
                if row.quantity_id not in known.rows:
                    rows.setdefault(row.quantity_id, row)
                aliases.setdefault(result.names[0][0], AliasRow(result.names[0][0], name, "quantity", row.quantity_id))
    texts = [csv_files.dump(rows.values(), formats.QUANTITIES), csv_files.dump(aliases.values(), formats.ALIASES)]
    quantity_rows, alias_rows = (text.decode().splitlines()[1:] for text in texts)
    return quantity_rows, alias_rows


def _proposed(result: ReportedResult, name: str) -> QuantityRow:
    spelling = result.names[0][0]
    unit, lower, upper = _unit(result)
    direction = {True: "higher", False: "lower", None: "higher" if unit in ("fraction", "bleu") else "none"}[
        result.higher_is_better
    ]
    title = "".join(char if char.isprintable() else " " for char in spelling)[:120]
    quantity_id = re.sub(r"[^a-z0-9]+", "_", spelling.lower()).strip("_")[:100]
    return QuantityRow(
        quantity_id, title, "benchmark", unit or "UNIT", lower, upper, None, direction, None, "PROTOCOL", "REFERENCE", name
    )


def _unit(result: ReportedResult) -> tuple[str, float | None, float | None]:
    """The unit and bounds of a new quantity: as the file states them, or as its metric's whole name says.

    A unit that nobody says is empty, for a person to fill in; bounds that the value itself breaks are not offered.
    """
    if result.lowest == 0 and result.highest in (1.0, 100.0):
        return "fraction", 0.0, 1.0  # percent is brought to this scale when it comes in
    unit, lower, upper = UNITS.get(result.metric.lower(), ("", None, None))
    if (lower is not None and result.value < lower) or (upper is not None and result.value > upper):
        return "", None, None
    return unit, lower, upper


def open_source(name: str, registry: Path, today: date) -> bool:
    """Write the card of a source for imported results where there is none, so that rows may name it; say whether it did."""
    path = registry / "sources" / _checked(name) / "source.toml"
    if path.exists():
        return False
    files.write({path: imported_card.dump(imported_card.new(name, today))})
    return True


def _checked(name: str) -> str:
    if not NAME.fullmatch(name):
        raise ParameterError(f"import: found the source name {name[:60]!r}, expected letters, digits and hyphens, such as my-runs")
    return name


def bring_in_table(
    path: Path,
    how: Path,
    name: str,
    known_on: date,
    registry: Path,
    recorded_on: date,
    publisher: str = "",
    licence: str = "",
    accept: bool = False,
    repeats: str = "refuse",
) -> UpstreamRevision:
    """Append the values of a table that no reader knows, by the mapping file `how`: all of them or none.

    New quantities are those the mapping describes; with `accept` spellings and models that the table states enter with them.
    """
    table, mapped = (_plain(one, label) for one, label in zip((path, how), _labels([path, how]), strict=True))
    catalogue, bad = ingest.read_catalogue(registry)
    if bad:
        raise RecordError.collect(bad)
    mapping = mapped_table.mapping(mapped[1], mapped[0].path)
    reading = mapped_table.read(table[1], f"{FOLDER}/{table[0].path}", mapping, name, sorted(catalogue.known.quantities))
    reading = replace(reading, scores=combined(reading.scores, repeats))
    return _append(reading, (table[0], mapped[0]), name, known_on, registry, recorded_on, publisher, licence, accept)


def _plain(path: Path, label: str) -> tuple[File, bytes]:
    """A file as the card lists it, and its bytes."""
    try:
        raw = path.read_bytes() if path.stat().st_size <= LARGEST else None
    except OSError as error:
        raise UnreadableError(f"{label}: found {error.strerror or error}, expected a readable file") from None
    if raw is None:
        raise RecordError(f"{label}: found more than {LARGEST} bytes, expected a smaller file; cut it into parts")
    return File(label, hashlib.sha256(raw).hexdigest(), len(raw)), raw


def _append(
    reading: Reading,
    listed: tuple[File, ...],
    name: str,
    known_on: date,
    registry: Path,
    recorded_on: date,
    publisher: str,
    licence: str,
    accept: bool = False,
) -> UpstreamRevision:
    """Lay a reading of imported files upon the source `name`, its card, rows and new quantities together or not at all."""
    path = registry / "sources" / _checked(name) / "source.toml"
    source = opened(name, path, registry, known_on, recorded_on)
    merged = imported_card.with_files(licensed(source, publisher, licence), listed, known_on)
    beside = {path: imported_card.dump(merged)} if merged != source or not path.exists() else {}
    here = Vintage(known_on, "", FOLDER, listed)
    change = update.append(name, [(here, reading)], registry, recorded_on, beside, accept)
    # An import adds to a source: what these files do not speak of is not gone.
    notes = [f"licence: {source_card.UNSAID_LICENCE} (or give --licence)"] if merged.unlicensed else []
    return replace(change, vintages=[replace(vintage, gone=[], notes=[*vintage.notes, *notes]) for vintage in change.vintages])


def opened(name: str, path: Path, registry: Path, known_on: date, recorded_on: date) -> source_card.Source:
    """The card of a source for imported results, or a new one; a source with a reader is refused."""
    if known_on > recorded_on:
        raise ParameterError(f"import: found --known-on {known_on}, expected {recorded_on} or earlier: it is still to come")
    if not path.exists():
        return imported_card.new(name, recorded_on)
    source = source_card.read(path, source_card.label(registry, "sources", name, "source.toml"), name)
    if source.kind != KIND:
        raise ParameterError(
            f"import: {name} is a source of kind {source.kind!r}, expected {KIND!r} or a new name; a source with a reader is "
            f"brought in by `foresaid update {name}`"
        )
    return source


def licensed(source: source_card.Source, publisher: str, licence: str, title: str = "") -> source_card.Source:
    """The card with who publishes the results and under which licence; one that says otherwise already is refused.

    A licence given at import is the word of the user that the figures may stand in the record and be published.
    """
    for key, given in (("publisher", publisher), ("licence", licence)):
        stands = getattr(source, key)
        if given and stands and given != stands:
            raise ParameterError(
                f"import: found --{key} {given[:60]!r}, expected {stands[:60]!r} as in source.toml of {source.name}"
            )
    changed = replace(
        source, publisher=publisher or source.publisher, licence=licence or source.licence, title=title or source.title
    )
    return replace(changed, redistribution="yes") if licence else changed


def bring_in(
    reads: Sequence[Read],
    name: str,
    known_on: date,
    registry: Path,
    recorded_on: date,
    publisher: str = "",
    licence: str = "",
    repeats: str = "refuse",
) -> UpstreamRevision:
    """Append the results of these files to the source `name`, all of them or none.

    `known_on` is the first day the results were public: it is given by the user, never read from a time inside a file. Without
    a licence, here or in the card, the change says that the rows are not to be published. `repeats` says what becomes of several
    runs of one system (see `repeats`).
    """
    path = registry / "sources" / _checked(name) / "source.toml"
    opened(name, path, registry, known_on, recorded_on)
    if bad := [problem for read in reads for problem in read.results.problems]:
        raise RecordError.collect(bad)
    catalogue, bad = ingest.read_catalogue(registry)
    if bad:
        raise RecordError.collect(bad)
    quantities = Quantities(name, {row.quantity_id: row for row in catalogue.quantities}, catalogue.aliases)
    scores, bad = _scores(reads, quantities)
    if bad:
        raise RecordError.collect(bad + _unknown_models(scores, name, catalogue))
    skipped: Counter[str] = Counter()
    for read in reads:
        skipped.update(read.results.skipped)
    listed = tuple(File(read.file, read.sha256, read.size) for read in reads)
    reading = Reading(combined(scores, repeats), [], dict(skipped))
    return _append(reading, listed, name, known_on, registry, recorded_on, publisher, licence)


def _scores(reads: Sequence[Read], quantities: Quantities) -> tuple[list[Score], list[BadCell]]:
    scores, problems = [], []
    for read in reads:
        file = f"{FOLDER}/{read.file}"
        for result in read.results.items:
            found = quantities.resolve(result)
            if found is None:
                problems.append(quantities.problem(result, file))
                continue
            row, setting = found
            scaled = every_eval_ever.scaled(result, row.lower, row.upper)
            direction = {True: "higher", False: "lower", None: row.direction}[result.higher_is_better]
            if scaled is None:
                bounds = f"a metric from {result.lowest} to {result.highest}"
                expected = f"one that starts at 0, as {row.quantity_id} does"
                problems.append(BadCell(file, None, result.pointer, bounds, expected, "convert it by hand"))
            elif direction != row.direction:
                problems.append(
                    BadCell(file, None, result.pointer, f"{direction} is better", f"{row.direction}, as {row.quantity_id}")
                )
            else:
                value, stderr = scaled
                scores.append(Score(result.model, row.quantity_id, setting, value, stderr, result.n, note=result.note, file=file))
    return scores, problems


def _unknown_models(scores: Sequence[Score], name: str, catalogue: ingest.Catalogue) -> list[BadCell]:
    """The models nobody knows, so that one run shows them beside the unknown quantities."""
    names = Names(name, catalogue.known.models, catalogue.aliases)
    found = (names.resolve(score.subject, (score.file, None)) for score in scores)
    return list(dict.fromkeys(problem for problem in found if isinstance(problem, BadCell)))
