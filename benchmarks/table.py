"""The table of goals: docs/speed.md for people, results.json for programs."""

from __future__ import annotations

import dataclasses
import json
import platform
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.measure import Finding

LIBRARIES = ("numpy", "scipy", "numba", "scikit-learn", "polars", "duckdb", "dvc", "scoringrules", "chinchilla", "pandas")
HEAD = """# How fast it is, beside its peers

Made by `make bench` on {day}, on {machine}, Python {python}, one thread in the linear algebra.{part}
Ratios are taken in one run, on the same data, medians of at least five unless the peer's column says otherwise. *cpu* figures are
processor time over all threads: where other work shared the machine, trust them and not the wall clock. A speed counts only with
the quality beside it.

Versions: {versions}.

| goal | what | asked (stretch) | found | verdict | quality reached | peer |
| --- | --- | --- | --- | --- | --- | --- |
"""

TAIL = """
## What falls short, and why

- Goal 5: Epoch's notebook could not be had in this run. The verdict is from the cheaper stand-in, which minimises the same loss as ours; the
  likelihood with a free scale, which gives the printed fit to its digits, takes five to seven times as long, and the notebook itself was
  once measured at 902 ms. Tried and left: Newton's steps at once or from a higher damping (fewer rounds, starts lost in valleys), a tenth of
  the curvature beyond delta, a share that falls faster, both curvatures kept apart (docs/decisions.md, "Two engines, one algorithm").
- Goal 11 holds from eight targets on: they share imputation and components, so that fewer cost more than their part.
- Goal 15 has no floor beside a peer: scoringrules' compiled loop, which gives the sum alone, is several times faster than ours with
  the parts.
- Goal 17: the limit of one second is one of a machine's pace. Within a day the bare chain of 33 stages took 0.69 to 1.07 s here and
  ours 0.89 to 1.32 s, each time 1.14 to 1.30 times as long.
- Loading ten million rows of Parquet takes four to five times as long as polars' plain read and twice as long as DuckDB's, since
  names become enumerations and every rule is checked; CSV takes 1.7 times the faster reader.

The solver on 1,000 random problems of each law (`FORESAID_PROBLEMS=1000 pytest tests/fitting/test_least_squares.py`) came within 1e-6 of the
lowest known on 983 (broken), 991 (data-constrained), 994 (loss threshold) and 995 to 1,000 (all others); scipy from four starts
on 832 to 1,000.
"""


def machine() -> str:
    """Say in general terms what this ran on."""
    import os

    return f"{os.cpu_count()} cores {platform.machine().replace('_', '-')}"


def _version(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return f"{name} absent"


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return value.item() if hasattr(value, "item") else str(value)


def read(path: Path) -> dict[int, dict[str, Any]]:
    """Return the goals of an earlier run by number; none where there was none."""
    if not path.exists():
        return {}
    return {item["goal"]: item for item in json.loads(path.read_text())["goals"]}


def write(findings: list[Finding], day: date, quick: bool, json_path: Path, page: Path) -> None:
    """Write both files; goals that were not run this time keep their earlier row, with its day."""
    rows = read(json_path)
    for finding in findings:
        made = json.loads(json.dumps(dataclasses.asdict(finding), default=_plain))
        rows[finding.goal] = {**made, "day": day.isoformat(), "quick": quick}
    ordered = [rows[goal] for goal in sorted(rows)]
    about = {
        "day": day.isoformat(),
        "machine": machine(),
        "python": platform.python_version(),
        "libraries": [_version(name) for name in LIBRARIES],
    }
    json_path.write_text(json.dumps({**about, "goals": ordered}, indent=1, ensure_ascii=False) + "\n")
    part = " Rows marked (quick) were run on smaller samples." if any(row["quick"] for row in ordered) else ""
    lines = [
        HEAD.format(day=day, machine=machine(), python=platform.python_version(), part=part, versions=", ".join(about["libraries"]))
    ]
    for row in ordered:
        asked = row["asked"] + (f" ({row['stretch']})" if row["stretch"] else "")
        mark = " (quick)" if row["quick"] else ""
        day_of = "" if row["day"] == day.isoformat() else f" ({row['day']})"
        cells = [
            row["goal"],
            row["title"],
            asked,
            row["found"] + mark + day_of,
            f"**{row['verdict']}**",
            row["quality"],
            row["peer"],
        ]
        lines.append("| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |\n")
    page.write_text("".join(lines) + TAIL)


def show(finding: Finding) -> str:
    """Say one goal in a few lines, for a terminal."""
    asked = finding.asked + (f"  (stretch {finding.stretch})" if finding.stretch else "")
    return (
        f"goal {finding.goal:2d}  {finding.verdict.upper():8s} {finding.title}\n"
        f"         asked    {asked}\n         found    {finding.found}\n         quality  {finding.quality}\n"
        f"         peer     {finding.peer}"
    )
