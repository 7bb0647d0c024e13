"""The stage: typed Parquet and counts, the same bytes every time, or nothing at all."""

from __future__ import annotations

import contextlib
import json
import random
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


def test_the_order_of_rows_does_not_matter_to_the_bytes(registry: Path) -> None:
    first = run(registry)[0].read_bytes()
    path = registry / "sources/tiny/observations.csv"
    header, *rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
    random.Random(0).shuffle(rows)
    path.write_text(header + "".join(rows), encoding="utf-8")

    assert first == run(registry)[0].read_bytes()


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
@settings(max_examples=100, deadline=None)
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
