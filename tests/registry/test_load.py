"""The stage: typed Parquet and counts, the same bytes every time, or nothing at all."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foresaid.errors import ForesaidError, RecordError, UnreadableError
from foresaid.pipeline import ingest
from foresaid.registry import load, schema

DATA = Path(__file__).parents[1] / "data"
FILES = (
    "models.csv",
    "quantities.csv",
    "aliases.csv",
    "sources/tiny/observations.csv",
    "sources/tiny/subjects.csv",
    "sources/tiny/source.toml",
)


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    shutil.copytree(DATA / "registry", tmp_path / "registry")
    return tmp_path / "registry"


def run(registry: Path) -> tuple[Path, Path]:
    build, metrics = registry.parent / "build", registry.parent / "reports/metrics/ingest.json"
    ingest.run(registry, ["tiny"], build, metrics)
    return build / "observations/tiny.parquet", metrics


def test_every_row_arrives_typed_and_sorted_by_key(registry: Path) -> None:
    frame = pl.read_parquet(run(registry)[0])

    assert dict(frame.schema) == schema.SCHEMA
    assert frame.equals(frame.sort(schema.KEY))
    assert ("acme/tiny-7b", "mmlu", "", "tiny", date(2024, 10, 1), 0.45) == frame.row(3)[:6]


def test_the_metrics_count_what_was_read(registry: Path) -> None:
    text = run(registry)[1].read_text(encoding="utf-8")
    counts = json.loads(text)

    assert json.dumps(counts, indent=2, sort_keys=True) + "\n" == text
    assert counts["models"] == {"n": 2, "dated_day": 1, "dated_month": 1, "undated": 0, "dated_not_reread": 0}
    tiny = counts["sources"]["tiny"]
    assert len(tiny.pop("source_file")) == 64
    assert tiny == {
        "rows": 7,
        "subjects": 3,
        "quantities": 2,
        "by_status": {"reported": 6, "revised": 1},
        "first_known_on": "2024-05-31",
        "last_known_on": "2024-10-01",
    }


def test_rows_out_of_order_are_refused_and_sort_puts_each_line_back_byte_for_byte(registry: Path) -> None:
    first = {path: path.read_bytes() for path in (registry / "sources/tiny/observations.csv", registry / "models.csv")}
    for path, raw in first.items():
        header, *rows = raw.decode().splitlines(keepends=True)
        path.write_text(header + "".join(reversed(rows)), encoding="utf-8")
    with pytest.raises(RecordError, match=r"row 3, .* after .*, expected rows sorted by key; `foresaid sort` puts them in order"):
        run(registry)
    changed = load.sort(registry)

    assert changed == ["registry/models.csv", "registry/sources/tiny/observations.csv"]
    assert first == {path: path.read_bytes() for path in first}
    assert load.sort(registry) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "column"),
    [
        ("sources/tiny/observations.csv", "0.31,,,2026-11-21", "0.31,,,2062-11-21", "recorded_on of acme/tiny-1b"),
        ("models.csv", "2024-01-15", "2062-01-15", "released_on"),
    ],
)
def test_a_date_that_is_still_to_come_is_refused(file: str, old: str, new: str, column: str, registry: Path) -> None:
    path = registry / file
    raw = path.read_text(encoding="utf-8")
    assert old in raw
    path.write_text(raw.replace(old, new, 1), encoding="utf-8")
    load.load(registry, ["tiny"])

    with pytest.raises(RecordError, match=rf"column {column}: found 2062-\d\d-\d\d, expected 2026-11-2\d or earlier"):
        load.load(registry, ["tiny"], today=date(2026, 11, 21))


def test_a_clock_that_is_behind_refuses_no_record_older_than_its_cards(registry: Path) -> None:
    assert load.load(registry, ["tiny"], today=date(2000, 1, 1))


def test_a_failed_run_leaves_what_was_there(registry: Path) -> None:
    parquet, metrics = run(registry)
    before = parquet.read_bytes(), metrics.read_bytes()
    path = registry / "sources/tiny/observations.csv"
    path.write_text(path.read_text().replace(",0.31,", ",31,"))
    with pytest.raises(RecordError):
        run(registry)

    assert before == (parquet.read_bytes(), metrics.read_bytes())
    assert sorted(item.name for item in parquet.parent.parent.iterdir()) == ["observations", "tables"]


def test_a_failed_first_run_writes_nothing(registry: Path) -> None:
    path = registry / "models.csv"
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(RecordError):
        run(registry)

    assert [item.name for item in registry.parent.iterdir()] == ["registry"]


def test_a_source_that_is_not_there_is_named_with_its_nearest(registry: Path) -> None:
    with pytest.raises(UnreadableError, match="source tinny: expected a folder of registry/sources: tiny; did you mean tiny"):
        load.load(registry, ["tinny"])


def test_a_missing_file_is_named(registry: Path) -> None:
    (registry / "aliases.csv").unlink()
    with pytest.raises(UnreadableError, match=r"registry/aliases\.csv: found No such file or directory"):
        load.load(registry, ["tiny"])


@given(st.sampled_from(FILES), st.floats(0, 1, exclude_max=True), st.binary(min_size=0, max_size=4), st.integers(0, 6))
@settings(max_examples=100)
def test_a_mutated_file_loads_or_is_refused_but_never_breaks(name: str, place: float, new: bytes, cut: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        registry = Path(folder) / "registry"
        shutil.copytree(DATA / "registry", registry)
        path = registry / name
        raw = path.read_bytes()
        at = int(place * len(raw))
        path.write_bytes(raw[:at] + new + raw[at + cut :])
        with contextlib.suppress(ForesaidError):
            load.load(registry, ["tiny"])
