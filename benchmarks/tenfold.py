"""What ten times the record costs: `python -m benchmarks.tenfold [TIMES]` prints processor seconds and peak memory of each stage.

The larger record is the shipped one with every model, run and value repeated under other names (and other families, so that
clusters multiply too), and with a value that differs in its last digits. It has the size and shape of a record of that many models
and says nothing new; no score of it means anything. Run on the shipped settings with one hindcast case and without rolling origins.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import yaml

from foresaid.registry import csv_files, formats

ROOT = Path(__file__).parents[1]
LAWS = ("compute_sigmoid", "observational", "chinchilla")
CASE = "obsscaling-2024-05"
FIRST = (("inputs",), ("ingest",), ("database",), ("needs",))
STAGES = (*FIRST, *(("fit", law) for law in LAWS), ("hindcast",), ("freeze",), ("score",))
APART = 1e-7  # share by which a value moves a copy: rows that are equal digit by digit are flagged, pair by pair
Row = TypeVar("Row", bound=tuple[Any, ...])


def repeated(rows: list[Row], fields: tuple[str, ...], times: int) -> Iterator[Row]:
    """Every row so many times, each time under other names in these fields and with a value that differs in its last digits."""
    for row in rows:
        for copy in range(times):
            changed: dict[str, Any] = {name: f"{value}-copy{copy}" for name in fields if (value := getattr(row, name)) and copy}
            if copy and isinstance(row, formats.ObservationRow):
                changed["value"] = row.value * (1.0 - APART * copy)
            yield row._replace(**changed)  # type: ignore[attr-defined]  # rows are named tuples


def enlarge(registry: Path, times: int) -> int:
    """Repeat the record in a folder in place; return its number of values."""
    values = 0
    plan: list[tuple[Path, formats.Format[Any], tuple[str, ...]]] = [
        (registry / "models.csv", formats.MODELS, ("model_id", "family", "release"))
    ]
    for folder in sorted((registry / "sources").iterdir()):
        plan.append((folder / "subjects.csv", formats.SUBJECTS, ("subject_id", "run", "family")))
        plan.append((folder / "observations.csv", formats.OBSERVATIONS, ("subject_id",)))
    for path, form, fields in plan:
        if path.is_file():
            rows = list(repeated(csv_files.read(path, path.name, form).items, fields, times))
            path.write_bytes(csv_files.dump(rows, form))
            values += len(rows) if form is formats.OBSERVATIONS else 0
    return values


def settings() -> dict[str, Any]:
    """The shipped settings with a few laws and one case."""
    made: dict[str, Any] = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    case = made["hindcast"][CASE]
    laws = [name for name in case["laws"] if name in LAWS]
    kept = {key: item for key, item in made.items() if key not in ("rolling", "capability")}
    return kept | {"laws": {name: made["laws"][name] for name in LAWS}, "hindcast": {CASE: case | {"laws": laws}}}


def cost(folder: Path, words: tuple[str, ...]) -> tuple[float, float]:
    """Processor seconds and peak memory in MB of one stage."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    code = "import re, sys; from foresaid.cli.main import main\ntry: main(sys.argv[1:])\n"
    code += (
        "finally: print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])"  # getrusage counts the parent's, too
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words, "-q"], cwd=folder, capture_output=True, text=True, env={**os.environ}
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}: {done.stdout}{done.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, int(done.stdout.split()[-1]) / 1024


def main(times: int = 10) -> None:
    """Print a table of both records."""
    found: dict[tuple[str, ...], list[str]] = {}
    with tempfile.TemporaryDirectory() as place:
        for size in (1, times):
            folder = Path(place) / f"times-{size}"
            folder.mkdir()
            shutil.copytree(ROOT / "registry", folder / "registry")
            shutil.copy(ROOT / "requirements.lock", folder)
            (folder / "params.yaml").write_text(yaml.safe_dump(settings()), encoding="utf-8")
            print(f"{size} times the record: {enlarge(folder / 'registry', size):,} values", flush=True)
            for words in STAGES:
                seconds, memory = cost(folder, words)
                found.setdefault(words, []).append(f"{seconds:.1f} s, {memory:.0f} MB")
                print(" ".join(words), found[words][-1], flush=True)
    print(f"\n| stage | the record | {times} times |\n| --- | --- | --- |")
    for words, cells in found.items():
        print(f"| {' '.join(words)} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
