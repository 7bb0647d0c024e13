"""Excerpts of upstream files whose licence allows a copy: each table cut to its first rows, so that readers run without a mirror.

`python -m tests.worlds.excerpts MIRROR` makes them anew: below `tests/data/excerpts` one folder a source with the files of its
newest vintage, and `read.json` with what its reader makes of them, to be looked through by eye before it is committed. Nothing is
invented and no cell is changed; rows, and entries of JSON and YAML lists, are left away at the end.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import yaml
from tests.conftest import ROOT

from foresaid.errors import ForesaidError
from foresaid.registry import source_card
from foresaid.sources import _loader as sources
from foresaid.sources._reading import Reading

FOLDER = ROOT / "tests" / "data" / "excerpts"
ROWS = 10
LARGEST = 60_000  # bytes of one source's excerpt: beyond, the files are too rich to cut without changing what they say


def cut(content: bytes, suffix: str) -> bytes:
    """Return the first rows of a table, or the first entries of a long list; other files as they are."""
    if suffix == ".csv":
        rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
        last = [rows.line_num for _ in zip(range(ROWS + 1), rows, strict=False)][-1]
        return b"".join(content.splitlines(keepends=True)[:last])
    if suffix == ".jsonl":
        return b"".join(content.splitlines(keepends=True)[:ROWS])
    if suffix == ".json":
        return (json.dumps(_few(json.loads(content)), ensure_ascii=False, indent=1) + "\n").encode()
    if suffix in (".yml", ".yaml"):
        return yaml.safe_dump(_few(yaml.safe_load(content)), sort_keys=False, allow_unicode=True).encode()
    return content


def _few(value: Any) -> Any:
    if isinstance(value, list):
        return value[:ROWS]
    return dict(list(value.items())[:ROWS]) if isinstance(value, dict) and len(value) > 2 * ROWS else value


def plain(reading: Reading) -> dict[str, Any]:
    """Return a reading as JSON: how much of everything, and the first and last scores."""
    said = [
        [score.subject, score.quantity_id, score.setting, score.value, score.known_on.isoformat() if score.known_on else None]
        for score in reading.scores
    ]
    return {
        "scores": len(said),
        "subjects": len(reading.subjects),
        "skipped": dict(sorted(reading.skipped.items())),
        "first": said[:5],
        "last": said[-3:],
    }


def make(mirror: Path) -> None:
    """Write every excerpt that the licence allows, that stays small, and that its reader still takes for a whole vintage."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    for name in sources.names():
        path = ROOT / "registry" / "sources" / name / "source.toml"
        card = source_card.read(path, name, name)
        folder = FOLDER / name
        if card.redistribution != "yes":
            continue
        newest = card.vintages[-1]
        for file in newest.files:
            found = mirror / newest.directory / file.path
            if found.is_file():
                (folder / file.path).parent.mkdir(parents=True, exist_ok=True)
                (folder / file.path).write_bytes(cut(found.read_bytes(), found.suffix))
        size = sum(one.stat().st_size for one in folder.rglob("*") if one.is_file())
        try:
            reading = sources.read(name, sources.find(name), folder)
            if not reading.scores or size > LARGEST:
                raise ValueError(f"{len(reading.scores)} scores in {size} bytes")
        except (ForesaidError, ValueError) as error:
            print(f"{name}: no excerpt: {error}")
            shutil.rmtree(folder)
            continue
        (folder / "read.json").write_text(json.dumps(plain(reading), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"{name}: {size} bytes, {len(reading.scores)} scores")


if __name__ == "__main__":
    make(Path(sys.argv[1]))
