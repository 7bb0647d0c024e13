"""The table of goals: docs/speed.md for people, results.json for programs."""

from __future__ import annotations

import dataclasses
import json
import platform
from collections.abc import Mapping
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks import instead, sections
from benchmarks.measure import Finding

WAITS = Path(__file__).with_name("waits.json")
LIBRARIES = (
    "numpy",
    "scipy",
    "numba",
    "scikit-learn",
    "polars",
    "duckdb",
    "dvc",
    "scoringrules",
    "chinchilla",
    "pandas",
    "statsmodels",
)
HEAD = """# How fast it is, beside its peers

Made by `make bench` on {day}, on {machine}, Python {python}, one thread in the linear algebra.{part}
Ratios are taken in one run, on the same data, medians of at least five unless the peer's column says otherwise. *cpu* figures are
processor time over all threads: where other work shared the machine, trust them and not the wall clock. A speed counts only with
the quality beside it. {rates}

Versions: {versions}.
"""
GOAL_HEAD = ("goal", "what", "asked (stretch)", "found", "verdict", "quality reached", "peer")
TRIED = (  # a line each; docs/decisions.md has the reasons and figures
    "Stages: a Jacobian of ours in place of scipy's differences, to the same last digit, in the studies that repeat others' fits.",
    "Stages: a shorter loop over the cells of a CSV row in `ingest`.",
    "Stages: binomial floors without scipy.stats: the same digits come only from a function that scipy calls private.",
    "Charts: no limits on the width of labels halve how often the renderer measures text, for a twentieth of its time.",
    "Mixtures: parting at the ten places of five levels, under the settings that fix the kernels: as slow as sorting all.",
    "Beyond Huber's delta a tenth of the reweighted curvature: two to four times faster, fewer starts at the lowest point.",
    "Newton's steps at once, from a higher damping, or with a share that falls faster: fewer rounds, starts lost in valleys.",
    "Reweighted and own curvature of a robust loss kept apart: no fewer rounds.",
    "Curvature learned on the march, or under a robust loss: fewer rounds, copies lost in valleys.",
    "Starts stopped further above a known minimum, or at one that ended in a kink: minima passed.",
    "Sums side by side, solves by pivots or without questions on bounds, the terms of exp in fours: no faster in place.",
    "Eight partial sums a dot product, the power of two of exp by a shift, damping that falls to a tenth: no faster.",
    "One compiled kernel a law, made from the driver's text: four seconds of compiling each, where a pointer to the law costs one.",
    "Code for one processor with reordered sums: a quarter faster in the sums, and stops on processors without AVX2.",
    "Imputation shared by the targets of a cut-off: a quarter of the time, but a benchmark added would change all others.",
    "Warm starts from the full-sample optimum alone: worse than the default start where that optimum lies on a flat ridge.",
    "Candidate starts scored by one matrix product, and exchanged between replicates: no better than random starts.",
    "Clipping a step at a bound in place of solving it anew: one task reached its optimum on a sixth of its replicates.",
    "Greedy exchange for the choice of families: faster, and not the optimum at every budget.",
    "Families by rounds of rising cost, more or fewer steps of the relaxation, sums carried down the tree: no faster.",
    "Normal equations of joint skills by benchmarks in place of models: the whole fit half as long again.",
    "Rarer garbage collection, and parameters read into names before a loop: no difference beyond noise.",
    "Stages of the laws listed one by one, without `foreach`: DVC reads a longer file, and a repro with nothing to do takes more.",
    "The site outside DVC's cache: a hundredth of a repro with nothing to do, and `dvc pull` would bring no site.",
    "Keeping whole pages, or the site by all its inputs: the footer changes with every run, and DVC keeps the rest.",
    "A part of the systems for the capability law's sizes: nothing gained at today's size, and a higher loss.",
    "Boards of baselines kept from one origin to the next, and a merging sort of a forecast's draws: more memory, and slower.",
)
END = """## To repeat

`make bench` takes under twenty minutes on two idle cores, `make bench BENCH=--quick` under four on smaller samples, and
`make bench BENCH="--goal 5"` measures one row. Where the environment's Python is older than 3.12, the goals whose peer wants 3.12
are measured by a `python3.12` beside it, if there is one (`PYTHON312=` names another). Stages: `python -m benchmarks.stages`;
waiting: `python -m benchmarks.waits FOLDER`; ten times the record: `python -m benchmarks.tenfold`; the ledger:
`python benchmarks/ledger.py`.
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


def _pythons(rows: list[dict[str, Any]]) -> str:
    """The Python of most rows, and of which goals it was another."""
    by: dict[str, list[int]] = {}
    for row in rows:
        by.setdefault(row["python"], []).append(row["goal"])
    most = max(by, key=lambda name: len(by[name]))
    others = [f"{name} for goals {', '.join(map(str, goals))}" for name, goals in sorted(by.items()) if name != most]
    return most + (f" ({'; '.join(others)})" if others else "")


def write(
    findings: list[Finding],
    day: date,
    quick: bool,
    json_path: Path,
    page: Path,
    beside: Mapping[str, Any] | None = None,
) -> None:
    """Write both files; goals that were not run this time keep their earlier row, with its day, and so do the tables `beside`.

    `beside` is what belongs to no goal, by name: the tables `instead` and `stages`, and the sentence `rates` on the machine.
    """
    rows = read(json_path)
    earlier = json.loads(json_path.read_text()) if json_path.exists() else {}
    for finding in findings:
        made = json.loads(json.dumps(dataclasses.asdict(finding), default=_plain))
        rows[finding.goal] = {**made, "day": day.isoformat(), "quick": quick, "python": platform.python_version()}
    ordered = [{"python": earlier.get("python", ""), **rows[goal]} for goal in sorted(rows)]
    kept = {name: (beside or {}).get(name, earlier.get(name, [])) for name in ("instead", "stages")}
    about = {
        "day": day.isoformat(),
        "machine": machine(),
        "python": _pythons(ordered),
        "rates": (beside or {}).get("rates", earlier.get("rates", "")),
        "libraries": [_version(name) for name in LIBRARIES],
    }
    json_path.write_text(json.dumps({**about, "goals": ordered, **kept}, indent=1, ensure_ascii=False) + "\n")
    page.write_text(text(about, ordered, kept, day))


def text(about: Mapping[str, Any], rows: list[dict[str, Any]], beside: Mapping[str, Any], day: date) -> str:
    """The page: goals, new work, what else there is, waiting, stages, what falls short, and what was tried."""
    part = " Rows marked (quick) were run on smaller samples." if any(row["quick"] for row in rows) else ""
    head = HEAD.format(
        day=day, machine=about["machine"], python=about["python"], part=part, rates=about["rates"],
        versions=", ".join(about["libraries"]),
    )  # fmt: skip
    goals = []
    for row in rows:
        asked = row["asked"] + (f" ({row['stretch']})" if row["stretch"] else "")
        mark = (" (quick)" if row["quick"] else "") + ("" if row["day"] == day.isoformat() else f" ({row['day']})")
        found = row["found"] + mark
        goals.append([row["goal"], row["title"], asked, found, f"**{row['verdict']}**", row["quality"], row["peer"]])
    others = [*beside["instead"], *map(dataclasses.asdict, instead.from_goals({row["goal"]: row for row in rows}))]
    waits = json.loads(WAITS.read_text(encoding="utf-8"))
    parts = [
        sections.table(GOAL_HEAD, goals),
        sections.new_work(rows),
        sections.instead(others),
        sections.waiting(waits),
        sections.stages(beside["stages"]),
        sections.falls_short(rows, others),
        ["## Tried, and did not pay", "", *(f"- {line}" for line in TRIED)],
        END.splitlines(),
    ]
    return head + "".join("\n" + "\n".join(lines) + "\n" for lines in parts if lines)


def show(finding: Finding) -> str:
    """Say one goal in a few lines, for a terminal."""
    asked = finding.asked + (f"  (stretch {finding.stretch})" if finding.stretch else "")
    return (
        f"goal {finding.goal:2d}  {finding.verdict.upper():8s} {finding.title}\n"
        f"         asked    {asked}\n         found    {finding.found}\n         quality  {finding.quality}\n"
        f"         peer     {finding.peer}"
    )
