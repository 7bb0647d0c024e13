"""New rows of the catalogue: a model with its day and document, a spelling of a model or a quantity.

Nothing enters without passing the gate beside all that stands, old lines are kept byte for byte, and a model that looks like one
of the record is refused with the reason, for a person to decide. Line, tier and release of a new model are the rule's proposal
(`lineage`) until somebody confirms them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from foresaid import files
from foresaid.errors import BadCell, ParameterError, RecordError
from foresaid.registry import csv_files, formats, lineage, load
from foresaid.registry.checks import rows as quality
from foresaid.registry.csv_files import CsvTable
from foresaid.registry.formats import AliasRow, ModelRow, QuantityRow
from foresaid.registry.model_names import Names, tidy
from foresaid.registry.source_card import label, source_names

BRACKET = re.compile(r"\s*\([^()]*\)\s*$")


def read_day(text: str) -> tuple[date | None, str]:
    """A stated release date and its precision; a month stands as its first day, anything else is no date.

    >>> read_day("2026-04-23"), read_day("2026-04"), read_day("spring")
    ((datetime.date(2026, 4, 23), 'day'), (datetime.date(2026, 4, 1), 'month'), (None, ''))
    """
    for pattern, tail, precision in ((r"\d{4}-\d\d-\d\d", "", "day"), (r"\d{4}-\d\d", "-01", "month")):
        if re.fullmatch(pattern, text.strip(), re.ASCII):
            try:
                return date.fromisoformat(text.strip() + tail), precision
            except ValueError:
                return None, ""
    return None, ""


def model_row(
    model_id: str,
    organisation: str,
    released: str,
    source: str,
    *,
    family: str = "",
    kind: str = "instruct",
    sizes: tuple[float | None, float | None, float | None] = (None, None, None),
    notes: str = "",
    open_weights: str = "",
) -> ModelRow:
    """A row of models.csv: `sizes` are parameters, active parameters and training tokens, compute is 6 x active x tokens.

    The compute is that of Kaplan et al. 2020, section 2.1; without active parameters there is none.
    """
    day, precision = read_day(released)
    family = family or family_of(model_id.rsplit("/", 1)[-1])
    line, tier = lineage.propose(model_id, family)
    params, active, tokens = sizes
    flops = 6 * active * tokens if active is not None and tokens is not None else None
    launch = lineage.release(organisation, line, day, precision)
    return ModelRow(
        *(model_id, family, organisation, day, precision, source if day else "", params, active, tokens, flops, kind, notes),
        *(line, tier, launch, "rule", open_weights),
    )


def family_of(title: str) -> str:
    """The family a title names: what stands before its tier, size and bracket.

    >>> family_of("GPT-5.4 mini"), family_of("Llama-4.1-70B-Instruct"), family_of("Claude Opus 4.7 (max)"), family_of("o5")
    ('GPT-5.4', 'Llama-4.1', 'Claude Opus 4.7', 'o5')
    """
    plain = BRACKET.sub("", title).strip()
    found = re.match(r".*?\d+(\.\d+)*(?![\w.]*[bB](?![a-z]))", plain)
    return found[0].strip(" -_") if found else plain


def prefix(organisation: str, models: Iterable[ModelRow]) -> str:
    """What ids of this maker begin with: as most of its models in the record have it, or its name.

    >>> prefix("Acme Labs, Inc", [])
    'acme-labs'
    """
    starts = Counter(row.model_id.split("/")[0] for row in models if row.organisation == organisation and "/" in row.model_id)
    if starts:
        return max(sorted(starts), key=lambda start: starts[start])
    return re.sub(r"[^a-z0-9]+", "-", organisation.split(",")[0].split("(")[0].lower()).strip("-")


def contents(
    registry: Path,
    models: Sequence[ModelRow] = (),
    aliases: Sequence[AliasRow] = (),
    quantities: Sequence[QuantityRow] = (),
    source: str = "",
) -> dict[Path, bytes]:
    """The files of the catalogue with these rows in their places, once all of it has passed the gate together.

    `source` may be one whose card is written together with them.
    """
    catalogue, problems = load.read_catalogue(registry)
    if problems:
        raise RecordError.collect(problems)
    known = quality.Known(
        {row.model_id: row for row in [*catalogue.models, *models]},
        {row.quantity_id: row for row in [*catalogue.quantities, *quantities]},
    )
    names = sorted({*source_names(registry), *filter(None, [source])})
    tables = (
        CsvTable(label(registry, "models.csv"), [*catalogue.models, *models], _lines(catalogue.models, models)),
        CsvTable(label(registry, "quantities.csv"), [*catalogue.quantities, *quantities], _lines(catalogue.quantities, quantities)),
        CsvTable(label(registry, "aliases.csv"), [*catalogue.aliases, *aliases], _lines(catalogue.aliases, aliases)),
    )
    problems = [*quality.models(tables[0]), *quality.quantities(tables[1], names), *quality.aliases(tables[2], known, names)]
    if problems:
        raise RecordError.collect(problems)
    made: dict[Path, bytes] = {}
    if models:
        made[registry / "models.csv"] = csv_files.extend((registry / "models.csv").read_bytes(), models, formats.MODELS)
    if aliases:
        made[registry / "aliases.csv"] = csv_files.extend((registry / "aliases.csv").read_bytes(), aliases, formats.ALIASES)
    if quantities:
        before = (registry / "quantities.csv").read_bytes()
        made[registry / "quantities.csv"] = csv_files.extend(before, quantities, formats.QUANTITIES)
    return made


def _lines(old: Sequence[object], new: Sequence[object]) -> list[int]:
    return list(range(2, len(old) + len(new) + 2))


def add_model(registry: Path, row: ModelRow, spelt: Sequence[tuple[str, str]] = (), even_if: bool = False) -> list[str]:
    """Write a model, and the spellings (text, source) under which it comes; one that looks like another is refused."""
    catalogue, problems = load.read_catalogue(registry)
    if problems:
        raise RecordError.collect(problems)
    names = Names("*", catalogue.known.models, catalogue.aliases)
    if row.model_id in catalogue.known.models:
        raise RecordError(
            f"models add: found {row.model_id} in models.csv already, expected a new id; `foresaid models show` shows it"
        )
    near = names.resolve(row.model_id, ("models.csv", None))
    if isinstance(near, str) and not even_if:
        raise RecordError(
            f"models add: {row.model_id} differs from {near} in case or punctuation only; "
            f"`foresaid alias` adds a spelling of it, or give --even-if"
        )
    aliases = [AliasRow(tidy(text), source, "model", row.model_id) for text, source in spelt]
    files.write(contents(registry, [row], aliases))
    suggestions = [f"like {one.model_id}: {one.reason}" for one in names.suggestions.of(row.model_id)[:3]]
    said = f"models add: {row.model_id}, family {row.family}, line {row.line}, tier {row.tier}, release {row.release or 'unknown'}"
    return [said, *suggestions, *(f"spelt {one.alias} in {one.source_id}" for one in aliases)]


def add_alias(registry: Path, spelling: str, target: str, source: str, kind: str) -> list[str]:
    """Write one spelling of a model or a quantity, in one source or ('*') in all."""
    catalogue, problems = load.read_catalogue(registry)
    if problems:
        raise RecordError.collect(problems)
    ids = {"model": catalogue.known.models, "quantity": catalogue.known.quantities}
    if kind not in ids:
        raise ParameterError(f"alias: found the kind {kind}, expected model or quantity")
    row = AliasRow(tidy(spelling), source, kind, target)
    for one in catalogue.aliases:
        if (one.alias, one.source_id, one.kind) == row[:3]:
            if one.id == target:
                return [f"alias: {row.alias} is {target} in {source} already"]
            problems.append(BadCell("registry/aliases.csv", None, "alias", row.alias, f"{one.id}, as it stands in {source}"))
    if problems:
        raise RecordError.collect(problems)
    files.write(contents(registry, aliases=[row]))
    return [f"alias: {row.alias} is {target} in {'every source' if source == '*' else source} from now on"]
