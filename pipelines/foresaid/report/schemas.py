"""The JSON Schema (draft 2020-12) of every file of the project, made from the types that read and write them.

Published below `schemas/` of the site and kept in docs/schemas, so that a program in another language needs none of ours. YAML and
TOML files are described as the JSON they are equal to, CSV files row by row with numbers as numbers and empty cells as null. A
schema says what a file may hold, not what its parts must agree on: the checks of the record and of the ledger say that.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_type_hints

import msgspec
import polars as pl

from foresaid.evaluation import ledger_scores, rolling_rows, schema
from foresaid.fitting.frozen_curve import CurveRecord
from foresaid.forecasting.published import Adopted
from foresaid.ledger.entries import json_schema
from foresaid.ledger.hubverse import configuration
from foresaid.ledger.hubverse.report import SubmissionReport
from foresaid.ledger.submission.plain import PlainVerdict
from foresaid.params import Params
from foresaid.registry import events, formats
from foresaid.registry import export as exporting
from foresaid.registry.source_card import Source
from foresaid.report import downloads
from foresaid.studies.rounds.round_file import RoundFile

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FOLDER = Path("schemas")
TABLES = "site-tables"  # made from the tables of a site: they depend on its record

CSV_ROWS: dict[str, tuple[str, formats.Format[Any]]] = {
    "models-row": ("A row of registry/models.csv", formats.MODELS),
    "quantities-row": ("A row of registry/quantities.csv", formats.QUANTITIES),
    "aliases-row": ("A row of registry/aliases.csv", formats.ALIASES),
    "merges-row": ("A row of registry/merges.csv", formats.MERGES),
    "licences-row": ("A row of registry/licences.csv", formats.LICENCES),
    "subjects-row": ("A row of subjects.csv of a source", formats.SUBJECTS),
    "observations-row": ("A row of observations.csv of a source", formats.OBSERVATIONS),
}
FRAMES: dict[str, tuple[str, pl.Schema]] = {
    "export-row": ("A row of `foresaid export --to FILE`", exporting.COLUMNS),
    "scored-row": ("A row of build/scores.parquet: a forecast with its scores", schema.SCORED),
    "hindcast-row": ("A row of build/hindcast.parquet: a forecast made again", schema.SCHEMA),
    "rolling-row": ("A row of build/rolling.parquet: a forecast at a rolling origin", rolling_rows.SCHEMA),
    "ledger-score-row": ("A row about a forecast of the ledger and an outcome", pl.Schema(ledger_scores.ROW)),
}


def _titled(title: str, found: dict[str, Any]) -> dict[str, Any]:
    return {**found, "$schema": DIALECT, "title": title}


def of_type(title: str, kind: Any) -> dict[str, Any]:
    """The schema of a file that one type describes."""
    return _titled(title, msgspec.json.schema(kind))


def of_row(title: str, form: formats.Format[Any]) -> dict[str, Any]:
    """The schema of a row of a CSV file of the record: every column, as its row type and its list of words say."""
    hints = get_type_hints(form.row)
    found = msgspec.json.schema(msgspec.defstruct(form.row.__name__, [(name, hints[name]) for name in form.header]))
    ((_, body),) = found["$defs"].items()
    for name, words in form.words().items():
        body["properties"][name] = {"enum": list(words)}
    return _titled(title, {**body, "additionalProperties": False})


def of_frame(title: str, columns: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a row of a table, as JSON spells it: dates as text, any cell may be null."""
    made = {name: _column(kind) for name, kind in columns.items()}
    return _titled(title, {"type": "object", "properties": made, "required": list(made), "additionalProperties": False})


def _column(kind: Any) -> dict[str, Any]:
    if isinstance(kind, pl.List):
        return {"type": ["array", "null"], "items": _column(kind.inner)}
    if kind == pl.Date:
        return {"type": ["string", "null"], "format": "date"}
    if kind == pl.Boolean:
        return {"type": ["boolean", "null"]}
    if kind.is_integer():
        return {"type": ["integer", "null"]}
    return {"type": ["number", "null"]} if kind.is_numeric() else {"type": ["string", "null"]}


def _closed(found: dict[str, Any]) -> dict[str, Any]:
    """The schema with every record closed: the reader of the file refuses unknown keys."""
    for body in found["$defs"].values():
        if "properties" in body:
            body["additionalProperties"] = False
    return found


def _params() -> dict[str, Any]:
    """params.yaml: what `params.parse` reads; settings of a law are checked by the law."""
    found = _closed(of_type("params.yaml", Params))
    rolling = found["$defs"]["Rolling"]["properties"]
    rolling["protocols"] = {"type": "object", "additionalProperties": {"type": "string"}}  # pairs once they are read
    laws = found["$defs"]["Params"]["properties"]["laws"]
    laws["additionalProperties"] = {"type": ["object", "null"]}
    return found


def _source_card() -> dict[str, Any]:
    """source.toml: the fields of the card, its vintages under the name of their table."""
    found = _closed(of_type("registry/sources/NAME/source.toml", Source))
    card = found["$defs"]["Source"]
    card["properties"] = {
        ("vintage" if name == "vintages" else name): one for name, one in card["properties"].items() if name != "name"
    }
    card["required"] = [("vintage" if name == "vintages" else name) for name in card["required"] if name != "name"]
    return found


def _adopted() -> dict[str, Any]:
    """adopted.toml: what the program reads of the card; forms, models and records are tables beside it."""
    found = of_type("registry/adopted/NAME/adopted.toml", Adopted)["$defs"]["Adopted"]
    kept = [name for name in found["properties"] if name not in ("name", "forms", "models", "records")]
    parts = {name: found["properties"][name] for name in kept}
    return _titled("registry/adopted/NAME/adopted.toml", {"type": "object", "properties": parts, "required": kept})


def _records() -> dict[str, Any]:
    columns = {"quantity_id": pl.String(), "by": pl.Date(), "level": pl.String(), "value": pl.Float64()}
    return of_frame("A row of registry/adopted/NAME/records.csv: a quantile or the printed point", columns)


def _events() -> dict[str, Any]:
    found = of_type("A row of registry/events.csv", events.Event)
    body = found["$defs"]["Event"]
    body["properties"]["condition"] = {"enum": list(events.CONDITIONS)}
    return _closed(found)


def _same_items() -> dict[str, Any]:
    return of_frame("A row of registry/same_items.csv", {"items": pl.String(), "quantity_id": pl.String()})


MADE: dict[str, Callable[[], dict[str, Any]]] = {
    "params": _params,
    "source-card": _source_card,
    "adopted": _adopted,
    "adopted-records-row": _records,
    "events-row": _events,
    "same-items-row": _same_items,
    "round-file": lambda: of_type("registry/rounds/ROUND.yaml", RoundFile),
    "curve": lambda: of_type("A frozen curve: a line of build/fits/LAW/curves.jsonl", CurveRecord),
    "ledger-line": json_schema.schema,
    "submission-verdict": lambda: of_type("What `foresaid check --json` prints", PlainVerdict),
    "hub-tasks": lambda: of_type("hub-config/tasks.json of a Hubverse hub, as this program reads it", configuration.Tasks),
    "hub-admin": lambda: of_type("hub-config/admin.json of a Hubverse hub, as this program reads it", configuration.Admin),
    "hub-target-data": lambda: of_type("hub-config/target-data.json of a Hubverse hub", configuration.TargetData),
    "hub-report": lambda: of_type("The report of `foresaid import hubverse --report`", SubmissionReport),
}


def schemas() -> dict[str, dict[str, Any]]:
    """Every schema by its name, but that of a site's own tables."""
    made = {name: one() for name, one in MADE.items()}
    made |= {name: of_row(*given) for name, given in CSV_ROWS.items()}
    made |= {name: of_frame(*given) for name, given in FRAMES.items()}
    return dict(sorted(made.items()))


def of_tables(tables: Mapping[str, pl.DataFrame]) -> dict[str, Any]:
    """The schema of the rows of every table of a site, by the name of its file below data/."""
    rows = {
        name: of_frame(f"A row of data/{name}", dict(downloads.unnested(frame).schema)) for name, frame in sorted(tables.items())
    }
    return _titled("The tables of a site, row by row", {"$defs": rows})


def text(found: Mapping[str, Any]) -> bytes:
    """A schema as its file."""
    return (json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def files(tables: Mapping[str, pl.DataFrame]) -> dict[Path, bytes]:
    """The schemas of a site by their place."""
    made = {FOLDER / f"{name}.json": text(one) for name, one in schemas().items()}
    return {**made, FOLDER / f"{TABLES}.json": json.dumps(of_tables(tables), sort_keys=True, separators=(",", ":")).encode()}
