"""The benchmarks of Epoch AI's hub: the file, the score column, the scale, the setting and the licence of each.

Nearly every file of the hub names its score otherwise; this is the one place that knows. The paper's data (`old`) and the hub's
downloads (`new`) name their files differently; a board that a download does not hold says nothing in it.

Epoch's licence covers its own runs and its index; what it collected keeps its publisher's terms. `granted` marks the collected
boards whose publisher grants a copy: they and Epoch's own are the source `epoch-hub`, all others `epoch-hub-external`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

SHOTS = {"shots": "Shots", "source": "Source"}
PERCENT, PLAIN = Decimal("0.01"), Decimal(1)


@dataclass(frozen=True)
class Board:
    """One benchmark: its file in each vintage, its score columns and what makes up its setting."""

    new: str
    old: str
    scores: Mapping[str, str]  # column -> quantity
    parts: Mapping[str, str] = field(default_factory=dict)  # key of the setting -> column
    stderr: str = ""
    scale: Decimal = PLAIN
    error_scale: Decimal = PLAIN
    granted: bool = False  # whether the publisher's licence allows a copy of the board
    named: bool = False  # whether effort and thinking budget stand in its column Name

    def file(self, new: bool) -> str:
        """The name of its file in a download of the hub (`new`) or in the paper's data; nothing where it has none."""
        return self.new if new else self.old


BOARDS = (
    Board(
        "adversarial_nli_external",
        "external_benchmark_anli",
        {"Score": "epoch_anli", "R1": "epoch_anli_r1", "R2": "epoch_anli_r2", "R3": "epoch_anli_r3"},
        SHOTS,
    ),
    Board(
        "aider_polyglot_external",
        "external_benchmark_aider_polyglot",
        {"Percent correct": "epoch_aider_polyglot"},
        {"format": "Edit format"},
        scale=PERCENT,
        granted=True,
    ),
    Board(
        "apex_agents_external",
        "",
        {"Pass@1 score": "epoch_apex_agents"},
        stderr="Pass@1 Standard Error",
        error_scale=PERCENT,
        named=True,
    ),
    Board("arc_agi_2_external", "", {"Score": "epoch_arc_agi_2"}, named=True),
    Board("arc_agi_external", "external_benchmark_arc_agi", {"Score": "epoch_arc_agi"}, named=True),
    Board(
        "arc_ai2_external",
        "external_benchmark_arc_ai2",
        {"Challenge score": "epoch_arc_challenge", "Easy score": "epoch_arc_easy"},
        SHOTS,
    ),
    Board(
        "balrog_external",
        "external_benchmark_balrog",
        {"Average progress": "epoch_balrog"},
        stderr="Average Standard error",
    ),
    Board("bbh_external", "external_benchmark_bbh", {"Average": "epoch_bbh"}, SHOTS),
    Board("bool_q_external", "external_benchmark_boolq", {"Score": "epoch_boolq"}, SHOTS),
    Board("cad_eval_external", "external_benchmark_cadeval", {"Overall pass (%)": "epoch_cad_eval"}),
    Board("common_sense_qa_2_external", "external_benchmark_csqa2", {"Score": "epoch_csqa2"}, SHOTS),
    Board("cybench_external", "external_benchmark_cybench", {"Unguided % Solved": "epoch_cybench"}),
    Board("deepresearchbench_external", "external_benchmark_deepresearch", {"Average score": "epoch_deep_research_bench"}),
    Board("", "external_benchmark_factorio_learning_environment", {"Lab Success %": "epoch_factorio_lab"}, {"tools": "Tools"}),
    Board("fictionlivebench_external", "external_benchmark_fictionlivebench", {"120k token score": "epoch_fiction_live_120k"}),
    Board("gdpval_external", "", {"Win Rate (%)": "epoch_gdpval_win_rate", "Win + tie rate (%)": "epoch_gdpval_win_or_tie_rate"}),
    Board(
        "geobench_external",
        "external_benchmark_geobench",
        {"ACW Avg Score": "epoch_geobench_points", "ACW Country %": "epoch_geobench_country"},
        {"tools": "Tools"},
    ),
    Board("gsm8k_external", "external_benchmark_gsm8k", {"EM": "epoch_gsm8k"}, SHOTS),
    Board("gso_external", "external_benchmark_gso_bench", {"Score OPT@1": "epoch_gso"}, {"agent": "Scaffold"}),
    Board("hella_swag_external", "external_benchmark_hellaswag", {"Overall accuracy": "epoch_hellaswag"}, SHOTS),
    Board("hle_external", "", {"Accuracy": "epoch_hle"}, stderr="Accuracy Standard Error", named=True),
    Board("lambada_external", "external_benchmark_lambada", {"Score": "epoch_lambada"}, SHOTS),
    Board("lech_mazur_writing_external", "external_benchmark_lech_mazur_writing", {"Mean score": "epoch_lech_mazur_writing"}),
    Board(
        "live_bench_external",
        "external_benchmark_livebench",
        {"Global average": "epoch_livebench"},
        {"suite": "LiveBench Version"},
        scale=PERCENT,
    ),
    Board("", "external_benchmark_mcbench", {"ELO": "epoch_mcbench_elo"}),
    Board("metr_time_horizons_external", "external_benchmark_metr", {"Time horizon": "epoch_metr_horizon_50"}),
    Board("mmlu_external", "external_benchmark_mmlu", {"EM": "epoch_mmlu"}, SHOTS),
    Board("open_book_qa_external", "external_benchmark_openbookqa", {"Accuracy": "epoch_openbookqa"}, SHOTS),
    Board("os_world_external", "external_benchmark_os_world", {"Score": "epoch_os_world"}, {"agent": "Agent"}, scale=PERCENT),
    Board("", "external_benchmark_osuniverse", {"Weighted Score": "epoch_osuniverse"}, {"agent": "Agent"}),
    Board("piqa_external", "external_benchmark_piqa", {"Score": "epoch_piqa"}, SHOTS),
    Board("posttrainbench_external", "", {"Average (%)": "epoch_posttrainbench"}, {"agent": "Scaffold"}, named=True),
    Board(
        "science_qa_external",
        "external_benchmark_scienceqa",
        {"Score": "epoch_science_qa"},
        {"shots": "Shots", "prompt": "Name"},
    ),
    Board("simplebench_external", "external_benchmark_simple_bench", {"Score (AVG@5)": "epoch_simplebench"}),
    Board("superglue_external", "external_benchmark_superglue", {"Score": "epoch_superglue"}, {"source": "Source"}),
    Board("swe_bench_bash", "", {"% Resolved": "epoch_swe_bench_bash"}, {"suite": "SWE-Agent Release Version"}),
    Board(
        "terminalbench_external",
        "external_benchmark_terminal_bench",
        {"Accuracy mean": "epoch_terminal_bench"},
        {"agent": "Agent"},
        stderr="Accuracy SE",
    ),
    Board(
        "the_agent_company_external",
        "external_benchmark_the_agent_company",
        {"% Score": "epoch_the_agent_company"},
        {"agent": "Name"},
    ),
    Board("trivia_qa_external", "external_benchmark_triviaqa", {"EM": "epoch_triviaqa"}, SHOTS),
    Board("video_mme_external", "external_benchmark_videomme", {"Overall (no subtitles)": "epoch_video_mme"}, {"agent": "Name"}),
    Board("vpct_external", "external_benchmark_vpct", {"Correct": "epoch_vpct"}),
    Board("webdev_arena_external", "", {"Arena Score": "epoch_webdev_arena_elo"}, stderr="Score 95% CI"),
    Board("weirdml_external", "external_benchmark_weirdml", {"Accuracy": "epoch_weirdml"}),
    Board("wino_grande_external", "external_benchmark_winogrande", {"Accuracy": "epoch_winogrande"}, SHOTS),
)
# Epoch's own runs: the file of the hub, or the task of the paper's list of runs.
RUNS = {
    "chess_puzzles": "epoch_chess_puzzles",
    "frontiermath": "epoch_frontiermath",
    "frontiermath_tier_4": "epoch_frontiermath_tier_4",
    "gpqa_diamond": "epoch_gpqa_diamond",
    "math_level_5": "epoch_math_level_5",
    "otis_mock_aime_2024_2025": "epoch_otis_mock_aime",
    "simpleqa_verified": "epoch_simpleqa_verified",
    "swe_bench_verified": "epoch_swe_bench_verified_484",
}
TASKS = {
    "FrontierMath-2025-02-28-Private": "epoch_frontiermath",
    "FrontierMath-2025-02-28-Public": "epoch_frontiermath_public",
    "FrontierMath-Tier-4-2025-07-01-Private": "epoch_frontiermath_tier_4",
    "FrontierMath-Tier-4-2025-07-01-Public": "epoch_frontiermath_tier_4_public",
    "GPQA diamond": "epoch_gpqa_diamond",
    "MATH level 5": "epoch_math_level_5",
    "OTIS Mock AIME 2024-2025": "epoch_otis_mock_aime",
    "SWE-Bench verified": "epoch_swe_bench_verified",
}
