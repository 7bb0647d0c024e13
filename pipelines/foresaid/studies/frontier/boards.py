"""Boards of Epoch's published index file, with the ten families of boards that bootstraps draw whole.

The file's values are (score - chance) / (ceiling - chance) of the best version of a model, so the ceilings Epoch knows are in it.
Its average success score of METR's tasks is left out: the horizon in minutes is asked instead. The file is read where it lies; most
of its rows may not be copied into the record.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from pathlib import Path

import polars as pl

from foresaid.errors import RecordError
from foresaid.files import read_csv
from foresaid.laws._capability_lines import launch, propose_lineage
from foresaid.laws._capability_rows import SCHEMA
from foresaid.laws._frontier_rows import Board, board

FAMILIES = {
    "contest mathematics": ("OTIS Mock AIME 2024-2025", "MATH level 5", "GSM8K"),
    "research mathematics": (
        *("FrontierMath-2025-02-28-Private", "FrontierMath-Tier-4-2025-07-01-Private", "FrontierMath-Tiers-1-3-v2-Private"),
        *("FrontierMath-Tier-4-v2-Private", "ProofBench"),
    ),
    "science and knowledge": (
        *("GPQA diamond", "MMLU", "HLE", "CritPt", "SimpleQA Verified", "TriviaQA", "ARC AI2", "ScienceQA", "OpenBookQA"),
    ),
    "language and common sense": ("HellaSwag", "Winogrande", "PIQA", "LAMBADA", "BBH", "ANLI", "SimpleBench"),
    "abstract puzzles and games": ("ARC-AGI", "ARC-AGI-2", "Chess Puzzles", "Balrog", "Mystery Game Puzzles", "EBR-bench"),
    "software": (
        *(
            "SWE-Bench verified",
            "Aider polyglot",
            "WeirdML",
            "GSO-Bench",
            "Terminal Bench",
            "DeepSWE",
            "FrontierCode",
            "CursorBench",
        ),
    ),
    "computer use and office work": (
        *("OSWorld", "OSWorld 2.0", "The Agent Company", "APEX-Agents", "GDPval", "Remote Labor Index", "DeepResearch Bench"),
        "PostTrainBench",
    ),
    "security": ("Cybench", "ExploitBench"),
    "space and vision": ("VPCT", "GeoBench", "CadEval", "Surface Evolver Bench"),
    "long text and writing": ("Fiction.LiveBench", "Lech Mazur Writing", "CL-bench", "CL-bench Life"),
}
FAMILY = {name: family for family, names in FAMILIES.items() for name in names}
VALUES, MAKERS = "eci_benchmarks.csv", "eci_scores.csv"


def _rows(folder: Path, name: str, columns: tuple[str, ...]) -> list[dict[str, str]]:
    path = folder / name
    header, rows = read_csv(path, "Epoch's index file, see docs/results-frontier.md")
    missing = [column for column in columns if column not in header]
    if missing:
        raise RecordError(f"{path}: column {missing[0]} is missing, expected {', '.join(columns)}")
    return rows


def read(folder: Path) -> tuple[list[Board], pl.DataFrame]:
    """Read the index file in `folder`: the boards by name, and the same values as cells of the capability law (SCHEMA).

    A cell has one system a model, line and tier by rule from its name, no effort stated. Raises UnreadableError for a file that is
    missing and RecordError for a missing column and for a value that is no share or day.
    """
    makers = {row["Model"]: (row["Organization"] or "").split(",")[0] for row in _rows(folder, MAKERS, ("Model", "Organization"))}
    values = defaultdict(list)
    cells = []
    for number, row in enumerate(_rows(folder, VALUES, ("benchmark", "performance", "model", "date")), start=2):
        if row["benchmark"] not in FAMILY:
            continue
        try:
            day, value = date.fromisoformat(row["date"]), float(row["performance"])
        except ValueError as error:
            raise RecordError(f"{folder / VALUES}, line {number}: found {error}, expected a day and a share") from None
        values[row["benchmark"]].append((day, value))
        maker = makers.get(row["model"]) or "unnamed"
        lineage = propose_lineage(row["model"], maker)
        about = (row["model"], row["model"], maker, lineage.line, lineage.tier, None, launch(lineage.line, row["date"]), day)
        cells.append((*about, row["benchmark"], value, 0.0, None, day))
    frame = pl.DataFrame(cells, schema=SCHEMA, orient="row").unique(["system_id", "benchmark"], keep="first", maintain_order=True)
    return [board(name, FAMILY[name], found) for name, found in sorted(values.items())], frame
