"""Cells of Epoch's hub read from the upstream files, for tests and studies until the record holds lines, tiers and releases.

Rules, each a choice: only scores that are shares; of several rows of one system on one benchmark (shots, scaffolds, prompts) the
best; rows without a release day left out; the release day of a model is the earliest the hub prints for it; the day a row became
known is not in these files and is set to the release day (pseudo-forward, never called a vintage); an `unknown` effort counts as
medium (chosen on origins of 2024 and 2025: see docs/results-capability.md).
"""

from __future__ import annotations

import math
import os
import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from foresaid.laws._capability_lines import launch, propose_lineage
from foresaid.laws._capability_rows import SCHEMA
from foresaid.sources._epoch_boards import BOARDS, RUNS
from foresaid.sources._epoch_names import identify
from foresaid.sources._epoch_rows import BEST

HUB_2026_03 = "louis0487+LLM-Benchmark-Lifecycle/benchmark_data"
HUB_2026_05 = "feruiloba+miri-fellowship-inference-scaling@2026-05-14/data/eci/benchmark_data"
ECI_2026_08 = "timfduffy+teci@2026-08-11/data/raw"
NOT_SHARES = {"epoch_geobench_points", "epoch_webdev_arena_elo", "epoch_metr_horizon_50"}
TENTHS = {"epoch_lech_mazur_writing"}  # a mean mark of ten
# Guessing levels that Epoch's index uses (sources page, epoch-eci-2026-08) and the sizes its pages give.
CHANCE = {
    **dict.fromkeys(("epoch_gpqa_diamond", "epoch_mmlu", "epoch_hellaswag", "epoch_arc_challenge", "epoch_arc_easy"), 0.25),
    **dict.fromkeys(("epoch_bbh", "epoch_openbookqa", "epoch_science_qa", "epoch_video_mme"), 0.25),
    **{"epoch_piqa": 0.5, "epoch_winogrande": 0.5, "epoch_boolq": 0.5, "epoch_anli": 1 / 3, "epoch_vpct": 1 / 3},
    **{
        "epoch_anli_r1": 1 / 3,
        "epoch_anli_r2": 1 / 3,
        "epoch_anli_r3": 1 / 3,
        "epoch_simplebench": 1 / 6,
        "epoch_chess_puzzles": 0.0496,
    },
    **{"epoch_hle": 0.048, "epoch_otis_mock_aime": 0.001, "epoch_csqa2": 0.5},
}
ITEMS = {
    **{"epoch_gpqa_diamond": 198, "epoch_otis_mock_aime": 45, "epoch_frontiermath": 290, "epoch_frontiermath_tier_4": 48},
    **{
        "epoch_math_level_5": 1324,
        "epoch_chess_puzzles": 100,
        "epoch_simpleqa_verified": 1000,
        "epoch_swe_bench_verified_484": 484,
    },
    **{"epoch_arc_agi": 100, "epoch_arc_agi_2": 120, "epoch_hle": 2500, "epoch_vpct": 100, "epoch_cybench": 40},
    **{"epoch_aider_polyglot": 225, "epoch_terminal_bench": 89, "epoch_simplebench": 200, "epoch_swe_bench_bash": 500},
    # Read off the values themselves, which are whole multiples of one over these numbers in four rows of five or more.
    **{"epoch_fiction_live_120k": 32, "epoch_cad_eval": 50, "epoch_gso": 102, "epoch_geobench_country": 100},
}
EFFORTS = {
    "none": 0.0,
    "minimal": 1.0,
    "low": 2.0,
    "medium": 3.0,
    "high": 4.0,
    "xhigh": 5.0,
    "max": 5.0,
    "thinking": 3.0,
    "unknown": 3.0,
}
SAME_MAKER = {"Google DeepMind": "Google", "DeepMind": "Google", "Google Research": "Google", "Microsoft Research": "Microsoft"}
SAME = {"deepseek-v3p2": "deepseek-v3.2", "kimi-k2p5": "kimi-k2.5"}  # two spellings of one model

needs_mirror = pytest.mark.skipif(not os.environ.get("FORESAID_MIRROR"), reason="FORESAID_MIRROR is not set: no upstream files")


def mirror() -> Path:
    return Path(os.environ["FORESAID_MIRROR"])


def effort_of(suffix: str) -> float | None:
    """Order an effort suffix: words as in EFFORTS, a thinking budget of b thousand tokens as log2(b) / 2 + 1."""
    if suffix in EFFORTS:
        return EFFORTS[suffix]
    budget = re.match(r"(\d+)\s*[Kk]", suffix)
    return min(5.0, 1.0 + math.log2(float(budget[1])) / 2.0) if budget else None


def hub_cells(folder: Path) -> pl.DataFrame:
    """Read the download in `folder` and return cells in SCHEMA."""
    rows = []
    sheets = [
        (board.new, column, quantity, float(board.scale))
        for board in BOARDS
        if board.new
        for column, quantity in board.scores.items()
    ]
    sheets += [(name, BEST, quantity, 1.0) for name, quantity in RUNS.items()]
    for name, column, quantity, scale in sheets:
        path = folder / f"{name}.csv"
        if quantity in NOT_SHARES or not path.exists():
            continue
        sheet = pl.read_csv(path, infer_schema_length=0)
        for version, text, day, maker in sheet.select("Model version", column, "Release date", "Organization").iter_rows():
            if not version or not text or not text.strip():
                continue
            value = float(text.strip().rstrip("%")) * (0.01 if text.strip().endswith("%") else scale)
            rows.append((version.strip(), quantity, value / 10 if quantity in TENTHS else value, day, (maker or "").split(",")[0]))
    return cells_of(rows)


def cells_of(rows: list[tuple[str, str, float, str | None, str]]) -> pl.DataFrame:
    """Make cells of (model version, benchmark, share, release day, maker)."""
    systems: dict[str, tuple[str, str, float | None]] = {}
    days: dict[str, str] = {}
    makers: dict[str, str] = {}
    best: dict[tuple[str, str], float] = {}
    for version, quantity, value, day, maker in rows:
        model, parts = identify(version)
        model = SAME.get(model.lower().removesuffix("-hf"), model.lower().removesuffix("-hf"))
        suffix = parts.get("effort", "")
        system = f"{model}_{suffix}" if suffix else model
        systems[system] = (model, suffix, effort_of(suffix))
        if day:
            days[model] = min(days.get(model, day), day)
        makers[model] = max(makers.get(model, ""), SAME_MAKER.get(maker, maker))
        best[system, quantity] = max(best.get((system, quantity), -1.0), value)
    found = []
    for (system, quantity), value in sorted(best.items()):
        model, _, effort = systems[system]
        if model not in days or not (quantity not in {"epoch_boolq"} or value > 0):
            continue
        lineage = propose_lineage(model, makers[model])
        released_on = date.fromisoformat(days[model])
        found.append(
            (
                *(
                    system,
                    model,
                    makers[model] or "unnamed",
                    lineage.line,
                    lineage.tier,
                    effort,
                    launch(lineage.line, days[model]),
                    released_on,
                ),
                *(quantity, min(value, 1.0), CHANCE.get(quantity, 0.0), ITEMS.get(quantity), released_on),
            )
        )
    return pl.DataFrame(found, schema=SCHEMA, orient="row")


# Epoch's index file prints (score - chance) / (ceiling - chance) of the best version of a model, under other names.
ECI = {
    **{
        "GPQA diamond": "epoch_gpqa_diamond",
        "OTIS Mock AIME 2024-2025": "epoch_otis_mock_aime",
        "Chess Puzzles": "epoch_chess_puzzles",
    },
    **{
        "SimpleQA Verified": "epoch_simpleqa_verified",
        "SWE-Bench verified": "epoch_swe_bench_verified_484",
        "WeirdML": "epoch_weirdml",
    },
    **{
        "FrontierMath-2025-02-28-Private": "epoch_frontiermath",
        "FrontierMath-Tier-4-2025-07-01-Private": "epoch_frontiermath_tier_4",
    },
    **{
        "SimpleBench": "epoch_simplebench",
        "ARC-AGI": "epoch_arc_agi",
        "ARC-AGI-2": "epoch_arc_agi_2",
        "APEX-Agents": "epoch_apex_agents",
    },
    **{"HLE": "epoch_hle", "Terminal Bench": "epoch_terminal_bench", "GSO-Bench": "epoch_gso"},
    **{"DeepResearch Bench": "epoch_deep_research_bench"},
}
CEILING = {"epoch_frontiermath": 0.57, "epoch_frontiermath_tier_4": 0.60}


def eci_cells(folder: Path, after: date, until: date = date.max) -> pl.DataFrame:
    """Cells of models released after `after` in Epoch's index file, brought back to raw shares: one version a model and board."""
    sheet = pl.read_csv(folder / "eci_benchmarks.csv", infer_schema_length=0)
    makers = dict(pl.read_csv(folder / "eci_scores.csv", infer_schema_length=0).select("Model", "Organization").iter_rows())
    rows = []
    for board, text, model, version, day in sheet.select("benchmark", "performance", "model", "model_version", "date").iter_rows():
        if board in ECI and after < date.fromisoformat(day) <= until:
            chance, top = CHANCE.get(ECI[board], 0.0), CEILING.get(ECI[board], 1.0)
            value = chance + float(text) * (top - chance)
            rows.append((version or model, ECI[board], value, day, (makers.get(model) or "").split(",")[0]))
    return cells_of(rows)
