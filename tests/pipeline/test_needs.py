"""A stage that reads the database depends on one file: another for other code or settings of its own, and for other tables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from foresaid.errors import UnreadableError
from foresaid.pipeline import needs

FILES = ("ingest", "database", "score", "fit/growth", "fit/kaplan")


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """What the stages `inputs` and `database` leave behind, by name."""
    for name in FILES:
        path = tmp_path / "inputs" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"stage": name, "code": {"a.py": "1"}}), encoding="utf-8")
    (tmp_path / "database").mkdir()
    (tmp_path / "database" / "digests.json").write_text('{"model.parquet": "2"}', encoding="utf-8")
    return tmp_path


def written(build: Path) -> dict[str, bytes]:
    needs.run(build)
    folder = build / "needs"
    return {path.relative_to(folder).with_suffix("").as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.json"))}


def test_every_stage_after_the_database_has_a_file_of_its_inputs_and_the_tables(build: Path) -> None:
    found = written(build)

    assert sorted(found) == ["fit/growth", "fit/kaplan", "score"]
    assert json.loads(found["score"]) == {"stage": "score", "code": {"a.py": "1"}, "record": {"model.parquet": "2"}}
    assert needs.run(build) == 3


def test_other_code_changes_the_file_of_its_stage_and_other_tables_change_all(build: Path) -> None:
    before = written(build)
    (build / "inputs" / "fit" / "growth.json").write_text('{"stage": "fit/growth", "code": {"a.py": "9"}}', encoding="utf-8")
    recoded = written(build)
    (build / "database" / "digests.json").write_text('{"model.parquet": "3"}', encoding="utf-8")
    retold = written(build)

    assert [name for name in before if before[name] != recoded[name]] == ["fit/growth"]
    assert all(recoded[name] != retold[name] for name in recoded)


@pytest.mark.parametrize("missing", ["inputs", "database"])
def test_without_what_it_joins_it_names_the_file(build: Path, missing: str) -> None:
    for path in sorted((build / missing).rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()

    with pytest.raises(UnreadableError, match=f"{missing}.*dvc repro"):
        needs.run(build)
