"""The parts of docs/speed.md below the goals: each takes what was measured and returns lines of Markdown; no figure is typed.

New work against its size, what a user would pick instead, waiting, stages, and what falls short.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.measure import ratio, seconds

Row = Mapping[str, Any]  # a goal as results.json keeps it
GROWING = ("sizes", "cpu", "slope", "floor", "tenfold")
REASONS = {  # why a goal is hard, without a figure: those are the finding's
    5: "nearly all rows lie beyond so small a delta, so the first rounds have to be reweighting (docs/decisions.md)",
    8: "the arithmetic of the normal equations is nearly all that is left",
    11: "targets share imputation and components, so that few cost more than their part",
    15: "scoringrules' compiled loop gives the sum alone, ours the parts too",
    17: "DVC reads its lock and asks the disk of every output, which a bare chain of copies hardly has",
    26: "libraries are most of it, and the allocator keeps what it once had",
}


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """A table of Markdown; a bar within a cell is escaped.

    >>> table(["a", "b"], [[1, "x | y"]])
    ['| a | b |', '| --- | --- |', '| 1 | x \\\\| y |']
    """
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines]


def new_work(rows: Sequence[Row]) -> list[str]:
    """Cost against size of every goal that grows: medians of processor seconds, slope, floor, and what ten times the size needs."""
    made = []
    for row in rows:
        numbers = row["numbers"]
        if all(name in numbers for name in GROWING):
            sizes = ", ".join(f"{size:,}" for size in numbers["sizes"])
            costs = ", ".join(map(seconds, numbers["cpu"]))
            floor = f"{seconds(numbers['floor'])}: {numbers['floor_of']}"
            away = ratio(numbers["cpu"][-1] / numbers["floor"])
            made.append(
                [row["goal"], f"{numbers['of']}: {sizes}", costs, f"{numbers['slope']:.2f}", floor, away, numbers["tenfold"]]
            )
    if not made:
        return []
    text = (
        "Medians of processor seconds; the slope on log axes is that of the larger half of the sizes. A floor is the fewest "
        "operations that an exact method needs, at the rates above and on both cores; ours run on one."
    )
    head = ["goal", "sizes", "cost", "slope", "floor at the largest", "distance", "at ten times the size"]
    return ["## New work: cost against size", "", text, "", *table(head, made)]


def instead(rows: Sequence[Row]) -> list[str]:
    """What a user would pick instead, and where that is faster than ours."""
    made = [
        [
            row["work"],
            row["see"] if row["ours"] is None else f"{seconds(row['ours'])} cpu",
            row["pick"],
            "-" if row["theirs"] is None else f"{seconds(row['theirs'])} cpu",
            row["how"],
        ]
        for row in rows
    ]
    head = ["work", "ours", "instead", "takes", "how that is known"]
    return ["## What a user would pick instead", "", *table(head, made)]


def _time(found: Row | None) -> str:
    return "not measured" if found is None else f"{found['wall']:.1f} s ({found['cpu']:.0f} s cpu)"


def waiting(waits: Row) -> list[str]:
    """What a person waits for, before and now, from benchmarks/waits.json."""
    made = []
    for row in waits["waits"]:
        both = row["before"] is not None and row["now"] is not None
        share = f"{row['now']['wall'] / row['before']['wall']:.0%}" if both else "-"
        made.append([row["wait"], row["asked"], _time(row["before"]), _time(row["now"]), share])
    head = ["wait", "asked", f"before ({waits['before']})", f"now ({waits['now'] or 'not measured'})", "of before"]
    return ["## What a person waits for", "", waits["how"], "", *table(head, made)]


def stages(rows: Sequence[Row]) -> list[str]:
    """What each stage of a cold run takes, one after another."""
    if not rows:
        return []
    made = [[row["stage"], row["cpu"], row["wall"], row["peak"]] for row in rows]
    text = "Each stage in a process of its own, nothing kept; peak memory is that of the stage's largest process."
    return ["## Stages of a cold run", "", text, "", *table(["stage", "processor", "clock", "peak memory"], made)]


def falls_short(rows: Sequence[Row], others: Sequence[Row]) -> list[str]:
    """What is below its goal or could not be run, and where another tool takes less: read off the findings."""
    lines = []
    for row in rows:
        why = REASONS.get(row["goal"], "")
        if row["verdict"] == "below":
            lines.append(f"- Goal {row['goal']} ({row['title']}) is below: {row['found']}, asked {row['asked']}" + _because(why))
        elif row["verdict"] == "skipped":
            lines.append(f"- Goal {row['goal']} was not run: {row['found'].removeprefix('not run: ')}.")
    short = [row for row in rows if row["verdict"] == "pass" and row["stretch"]]
    for row in short:
        why = REASONS.get(row["goal"], "")
        lines.append(f"- Goal {row['goal']} passes and is not at its stretch ({row['stretch']}): {row['found']}" + _because(why))
    lines += [f"- {said}" for said in _slower_than_plain_reads(rows)]
    for row in others:
        if row["ours"] is not None and row["theirs"] is not None and row["theirs"] < row["ours"]:
            lines.append(f"- {row['pick']} takes {row['theirs'] / row['ours']:.0%} of our time to {row['work']} ({row['how']}).")
    return ["## What falls short, and why", "", *(lines or ["- Nothing asked."])]


def _because(why: str) -> str:
    return f"; {why}." if why else "."


def _slower_than_plain_reads(rows: Sequence[Row]) -> Iterable[str]:
    """How much longer a checked ingest takes than the faster of the plain reads."""
    for row in rows:
        cases = row["numbers"] if row["goal"] == 13 else {}
        for kind in ("csv", "parquet"):
            plain = [
                steps["load"] for case, steps in cases.items() if case.endswith(f" {kind}") and not case.startswith("foresaid")
            ]
            if plain:
                times = cases[f"foresaid {kind}"]["load"] / min(plain)
                yield f"Goal 13: {kind} with every check takes {times:.1f} times the faster plain read, which checks nothing."
