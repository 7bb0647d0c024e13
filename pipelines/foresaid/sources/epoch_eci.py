"""Epoch AI's published index by model group and the scores it is fitted on, as far as Epoch ran them itself (CC-BY-4.0).

The scores are no benchmark results but what the index takes in, so they are quantities of their own. Traps:
- `performance` is (score - chance) / (ceiling - chance), clipped to 0-1: a 0 is any score at or below chance, and the ceiling is
  not 1 for FrontierMath of 2025. Its chance level here is 0 by construction.
- One row a model group and benchmark: the best over efforts, dates and runs of the group. Its note says which version.
- `source` tells Epoch's own runs from collected ones; an empty one is not Epoch's. Collected rows are the source
  `epoch-eci-external`.
- METR Time Horizons is a mean success rate here, not minutes; Lech Mazur Writing a mean mark over ten.
- The index is estimated anew at each download; its 90 % interval is in the note, the two anchors have none.
- `edi_scores.csv` holds difficulties of benchmarks, not scores of models: counted and left out.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from foresaid.sources._epoch_metadata import open_weights
from foresaid.sources._reading import Reading, Score, StatedModel
from foresaid.sources._upstream import Line, table

MATRIX, SCORES, DIFFICULTIES = "data/raw/eci_benchmarks.csv", "data/raw/eci_scores.csv", "data/raw/edi_scores.csv"
OWN = "Epoch evaluations"
# Benchmarks that Epoch runs; every row of theirs says so.
RUN = {
    "Chess Puzzles": "chess_puzzles",
    "EBR-bench": "ebr_bench",
    "FrontierMath-2025-02-28-Private": "frontiermath_2025",
    "FrontierMath-Tier-4-2025-07-01-Private": "frontiermath_tier_4_2025",
    "FrontierMath-Tier-4-v2-Private": "frontiermath_tier_4_v2",
    "FrontierMath-Tiers-1-3-v2-Private": "frontiermath_v2",
    "GPQA diamond": "gpqa_diamond",
    "MATH level 5": "math_level_5",
    "Mystery Game Puzzles": "mystery_game_puzzles",
    "OTIS Mock AIME 2024-2025": "otis_mock_aime",
    "SWE-Bench verified": "swe_bench_verified",
    "SimpleQA Verified": "simpleqa_verified",
}
COLLECTED = {
    "ANLI": "anli",
    "APEX-Agents": "apex_agents",
    "ARC AI2": "arc_ai2",
    "ARC-AGI": "arc_agi",
    "ARC-AGI-2": "arc_agi_2",
    "Aider polyglot": "aider_polyglot",
    "BBH": "bbh",
    "Balrog": "balrog",
    "CL-bench": "cl_bench",
    "CL-bench Life": "cl_bench_life",
    "CadEval": "cad_eval",
    "CritPt": "critpt",
    "CursorBench": "cursorbench",
    "Cybench": "cybench",
    "DeepResearch Bench": "deep_research_bench",
    "DeepSWE": "deepswe",
    "ExploitBench": "exploitbench",
    "Fiction.LiveBench": "fiction_live",
    "FrontierCode": "frontiercode",
    "GDPval": "gdpval",
    "GSM8K": "gsm8k",
    "GSO-Bench": "gso",
    "GeoBench": "geobench",
    "HLE": "hle",
    "HellaSwag": "hellaswag",
    "LAMBADA": "lambada",
    "Lech Mazur Writing": "lech_mazur_writing",
    "METR Time Horizons": "metr_success",
    "MMLU": "mmlu",
    "OSWorld": "os_world",
    "OSWorld 2.0": "os_world_2",
    "OpenBookQA": "openbookqa",
    "PIQA": "piqa",
    "PostTrainBench": "posttrainbench",
    "ProofBench": "proofbench",
    "Remote Labor Index": "remote_labor_index",
    "ScienceQA": "science_qa",
    "SimpleBench": "simplebench",
    "Surface Evolver Bench": "surface_evolver",
    "Terminal Bench": "terminal_bench",
    "The Agent Company": "the_agent_company",
    "TriviaQA": "triviaqa",
    "VPCT": "vpct",
    "WeirdML": "weirdml",
    "Winogrande": "winogrande",
}
COLUMNS = ("performance", "benchmark", "model", "model_version", "date", "source")
BESIDE = (
    *("model_id", "benchmark_id", "benchmark_release_date", "optimized", "Model", "model_group"),
    *("Model aggregation", "Model Aggregation Date"),
)
INDEX = ("Model", "eci", "eci_ci_low", "eci_ci_high", "date", "Organization")
INDEX_BESIDE = ("Display name", "Country (of organization)", "Model accessibility", "Accessibility group", "model_versions")
ELSEWHERE, OF_BENCHMARKS = "not run by Epoch: another source", "a difficulty of a benchmark, not a score of a model"
HERE = "run by Epoch: another source"


def read(folder: Path) -> Reading:
    """Read the index and what Epoch ran itself."""
    found = read_matrix(folder, own=True)
    lines = table(folder, SCORES, INDEX, INDEX_BESIDE)
    scores = [*found.scores, *(_index(line) for line in lines)]
    models = [
        StatedModel(
            line.text("Model"), line.cells["date"], line.cells["Organization"],
            open_weights=open_weights(line.cells.get("Model accessibility", "")),
        )
        for line in lines
    ]  # fmt: skip
    difficulties = table(folder, DIFFICULTIES, ("benchmark_name",), r"[^\n]*")
    rows = {**found.rows, SCORES: len(lines), DIFFICULTIES: len(difficulties)}
    return Reading(scores, [], {**found.skipped, OF_BENCHMARKS: len(difficulties)}, rows, models)


def read_matrix(folder: Path, own: bool) -> Reading:
    """Read the scores of Epoch's own runs, or those of all others."""
    lines = table(folder, MATRIX, COLUMNS, BESIDE)
    scores: list[Score] = []
    skipped: dict[str, int] = defaultdict(int)
    seen: dict[tuple[str, str], Line] = {}
    for line in lines:
        benchmark = line.text("benchmark")
        if benchmark not in RUN and benchmark not in COLLECTED:
            line.refuse("benchmark", benchmark[:60], "a benchmark the reader knows")
        if (benchmark in RUN) != (line.cells["source"] == OWN):
            expected = f"{OWN}, as in every row of {benchmark}" if benchmark in RUN else f"anything but {OWN}"
            line.refuse("source", line.cells["source"][:60] or "nothing", expected)
        key = (line.text("model"), benchmark)
        if seen.setdefault(key, line) is not line:
            line.refuse("model", f"{key[0]} twice on {benchmark}", "one row a model group and benchmark")
        if (benchmark in RUN) != own:
            skipped[ELSEWHERE if own else HERE] += 1
            continue
        scores.append(_score(line, benchmark))
    return Reading(scores, [], dict(skipped), {MATRIX: len(lines)})


def _score(line: Line, benchmark: str) -> Score:
    value = line.number("performance")
    if not 0 <= value <= 1:
        line.refuse("performance", str(value), "a value between 0 and 1")
    note = f"best of its versions: {line.text('model_version')}"
    if value == 0:
        note += "; 0 is any score at or below chance"
    quantity = f"epoch_eci_{RUN.get(benchmark) or COLLECTED[benchmark]}"
    return Score(line.cells["model"], quantity, "", float(value), note=note, file=line.file, row=line.row)


def _index(line: Line) -> Score:
    low, high = line.decimal("eci_ci_low"), line.decimal("eci_ci_high")
    note = "an anchor of the scale" if low is None or high is None else f"90 % interval {low} to {high}"
    return Score(line.text("Model"), "epoch_eci_index", "", float(line.number("eci")), note=note, file=line.file, row=line.row)
