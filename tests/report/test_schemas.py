"""The published schemas are current, another program's validator takes the files of the record by them, and refuses damaged ones.

After a change of a format: `foresaid schema --write docs/schemas`.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import polars as pl
import pytest
import yaml
from click.testing import CliRunner
from tests.conftest import ROOT, Built

from foresaid.cli.main import main
from foresaid.registry import csv_files, export
from foresaid.report import downloads, schemas

PUBLISHED = ROOT / "docs" / "schemas"
REGISTRY = ROOT / "registry"
MOST = 400  # rows of a long table that are looked at, spread over it


def validator(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(
        json.loads((PUBLISHED / f"{name}.json").read_text(encoding="utf-8")), format_checker=jsonschema.FormatChecker()
    )


def plain(value: Any) -> Any:
    """A value of YAML, TOML or a row as JSON has it."""
    return json.loads(json.dumps(value, default=lambda one: one.isoformat() if isinstance(one, date) else list(one)))


def spread(rows: list[Any]) -> list[Any]:
    return rows[:: max(1, len(rows) // MOST)]


def test_the_published_schemas_are_those_of_the_types() -> None:
    made = {f"{name}.json": schemas.text(one) for name, one in schemas.schemas().items()}

    assert {path.name: path.read_bytes() for path in PUBLISHED.iterdir()} == made


@pytest.mark.parametrize("name", schemas.schemas())
def test_each_is_a_schema_with_a_title(name: str) -> None:
    found = schemas.schemas()[name]

    jsonschema.Draft202012Validator.check_schema(found)
    assert found["title"]


def documents(name: str) -> Iterable[Any]:
    """Every file of the record that a schema describes, or its rows."""
    if name == "params":
        return [yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))]
    if name == "round-file":
        return [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted((REGISTRY / "rounds").glob("*.yaml"))]
    if name == "source-card":
        return [tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted((REGISTRY / "sources").glob("*/source.toml"))]
    if name == "adopted":
        return [tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted((REGISTRY / "adopted").glob("*/adopted.toml"))]
    if name == "same-items-row":
        return pl.read_csv(REGISTRY / "same_items.csv", infer_schema=False).to_dicts()
    _, form = schemas.CSV_ROWS[name]
    file = name.removesuffix("-row") + ".csv"
    paths = sorted((REGISTRY / "sources").glob(f"*/{file}")) if name in ("subjects-row", "observations-row") else [REGISTRY / file]
    tables = [csv_files.read(path, path.name, form) for path in paths]
    assert not [problem for table in tables for problem in table.problems]
    return [row._asdict() for row in spread([row for table in tables for row in table.items])]


RECORD = ("params", "round-file", "source-card", "adopted", "same-items-row", *sorted(set(schemas.CSV_ROWS) - {"merges-row"}))


@pytest.mark.parametrize("name", RECORD)
def test_every_file_of_the_record_is_valid_by_its_schema(name: str) -> None:
    found = [plain(one) for one in documents(name)]

    assert found
    for one in found:
        validator(name).validate(one)


@pytest.mark.parametrize("name", [name for name in RECORD if name != "adopted"])
def test_a_key_too_many_or_too_few_is_refused(name: str) -> None:
    one = plain(next(iter(documents(name))))
    check = validator(name)
    required = next(
        part["required"]
        for part in [check.schema, *check.schema.get("$defs", {}).values()]
        if set(part.get("required", ())) <= set(one) and part.get("required")
    )

    assert not check.is_valid({**one, "extra": 1})
    assert not any(check.is_valid({key: item for key, item in one.items() if key != name}) for name in required if name in one)


def test_a_merge_and_an_event_are_described_as_their_readers_take_them() -> None:
    merge = {"model_id": "a/b", "kept_as": "a/c", "decided_on": "2026-11-01", "reason": "one model"}
    event = {"condition": "board_closed", "about": "epoch-hub", "on": "2026-11-01", "source": "https://example.org"}

    validator("merges-row").validate(merge)
    validator("events-row").validate(event)
    assert not validator("merges-row").is_valid({**merge, "decided_on": 1})
    assert not validator("events-row").is_valid({**event, "condition": "rained"})


def test_curves_and_exported_tables_are_valid_by_their_schemas(built: Built) -> None:
    lines = [line for law in built.params.laws for line in (built.build / "fits" / law / "curves.jsonl").read_text().splitlines()]
    assert lines
    for line in lines:
        validator("curve").validate(json.loads(line))
    rows = json.loads(export.dump(export.table(built.build, date(2026, 11, 21), ("obsscaling", "epoch-hub")), "json"))
    for row in spread(rows):
        validator("export-row").validate(row)


@pytest.mark.parametrize("name", sorted(schemas.FRAMES))
def test_a_row_of_a_table_is_what_its_columns_say(name: str) -> None:
    _, columns = schemas.FRAMES[name]
    empty = pl.DataFrame({column: [None] for column in columns}, schema=columns)
    (row,) = downloads.rows(empty)

    validator(name).validate(row)
    assert not validator(name).is_valid({**row, next(iter(columns)): {"a": 1}})


def test_the_tables_of_a_site_have_a_schema_each() -> None:
    frame = pl.DataFrame(
        {
            "on": [date(2026, 1, 1)],
            "wis": [0.5],
            "n": [3],
            "told": [None],
            "quantiles": [[0.1, None]],
            "good": [True],
            "width": [{"scale": 1.5}],
        }
    )
    found = schemas.of_tables({"scores": frame})["$defs"]["scores"]
    (row,) = downloads.rows(downloads.unnested(frame))

    assert "width_scale" in row
    jsonschema.validate(row, found)
    assert not jsonschema.Draft202012Validator(found).is_valid({**row, "wis": "0.5"})


def test_the_command_lists_prints_and_writes_them(tmp_path: Path) -> None:
    said = {
        words: CliRunner().invoke(main, ["schema", *words]) for words in ((), ("ledger-line",), ("--write", str(tmp_path / "all")))
    }

    assert all(one.exit_code == 0 for one in said.values())
    assert "ledger-line" in said[()].output
    assert json.loads(said["ledger-line",].output) == schemas.schemas()["ledger-line"]
    assert len(list((tmp_path / "all").iterdir())) == len(schemas.schemas())
    wrong = CliRunner().invoke(main, ["schema", "ledger"])
    assert (wrong.exit_code, len(wrong.stderr.splitlines())) == (2, 1)
