"""Observational scaling laws (Ruan, Maddison and Hashimoto, arXiv 2405.10938): base and chat models on many benchmarks.

Traps of the upstream tables, each handled here:
- cerebras/btlm-3b-8k-base has 627.0 trillion training tokens where 627 billion are meant; tokens and FLOPs are suspect.
- Sizes of mixtures of experts are total parameters for some and active ones for others; where they are not the total they
  are suspect as params_total.
- "Winograd" in the base table is WinoGrande, as it is called in the instruct table.
- Llama-3.1-405B-FP8 is a quantised variant that stands in for the BF16 model.
- Missing cells are real and stay missing. The leaderboard table came with the second vintage only.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from foresaid.sources._reading import Reading, Score
from foresaid.sources._upstream import Line, table

FOLDER = "eval_results"
SIZES = {
    "Model Size (B)": ("params_total", 9),
    "Pretraining Data Size (T)": ("training_tokens", 12),
    "FLOPs (1E21)": ("training_flops", 21),
}
BASE = {
    "MMLU": "mmlu",
    "ARC-C": "arc_challenge",
    "HellaSwag": "hellaswag",
    "Winograd": "winogrande",
    "TruthfulQA": "truthfulqa",
    "GSM8K": "gsm8k",
    "XWinograd": "xwinograd",
    "HumanEval": "humaneval",
}
EMERGENT = {
    "parsinlu_qa_2_acc": "bigbench_parsinlu_qa",
    "word_unscrambling_2_exact_match": "bigbench_word_unscrambling",
    "ipa_transliterate_2_exact_match": "bigbench_ipa_transliterate",
    "ipa_transliterate_2_bleu": "bigbench_ipa_transliterate_bleu",
    "arithmetic_3ds_2_acc": "bigbench_arithmetic_3ds",
    "arithmetic_3da_2_acc": "bigbench_arithmetic_3da",
    "arithmetic_2dm_2_acc": "bigbench_arithmetic_2dm",
    "arithmetic_2da_2_acc": "bigbench_arithmetic_2da",
}
POST_TRAINING = {
    "gsm8k_5_exact_match,flexible-extract": "gsm8k_naive",
    "gsm8k_cot_8_exact_match,flexible-extract": "gsm8k_cot",
    "gsm8k_cot_self_consistency_8_exact_match,maj@5-flexible-extract": "gsm8k_cot_self_consistency",
    "bbh_fewshot_overall_3_exact_match,flexible-extract": "bbh_naive",
    "bbh_cot_fewshot_overall_3_exact_match,flexible-extract": "bbh_cot",
}
LEADERBOARD = {f"leaderboard_{name}": f"leaderboard_{name}" for name in ("bbh", "gpqa", "ifeval", "math_hard", "mmlu_pro", "musr")}
INSTRUCT = {
    "Arena-Elo": "arena_elo_normalised",
    "MTBench": "mt_bench",
    "MMLU": "mmlu",
    "ARC-C": "arc_challenge",
    "HellaSwag": "hellaswag",
    "Winogrande": "winogrande",
    "TruthfulQA": "truthfulqa",
    "GSM8K": "gsm8k",
    "HumanEval": "humaneval",
}
AGENT = {"ABench-OA": "agentbench_overall", "ABoard-Avg_SR": "agentboard_success_rate"}

BTLM = "cerebras/btlm-3b-8k-base"
BTLM_NOTE = "upstream gives 627 T training tokens where 627 B are meant: tokens and FLOPs are 1000 times too high"
# Sizes that are not the total of a mixture of experts, by upstream name.
MIXTURES = {
    "Qwen/Qwen2-57B-A14B": "24 B is neither the total (57 B) nor the active (14 B) parameters of this mixture of experts",
    "ai21labs/Jamba-v0.1": "12 B are the active parameters of this mixture of experts, not the total",
    "deepseek-ai/DeepSeek-Coder-V2-Base": "21 B are the active parameters of this mixture of experts, not the total",
    "deepseek-ai/DeepSeek-V2": "21 B are the active parameters of this mixture of experts, not the total",
    "mistralai/Mixtral-8x22B-v0.1": "39 B are the active parameters of this mixture of experts, not the total",
}
QUANTISED = {"meta-llama/Meta-Llama-3.1-405B-FP8": "FP8 variant, standing in for the BF16 model"}
TOTAL_FLOPS = {"deepseek-ai/deepseek-moe-16b-base": "upstream multiplies by the total parameters of this mixture of experts"}
CLOSED_NOTE = "closed model: score collected from publications, whose protocol may differ"


def read(folder: Path) -> Reading:
    """Read one vintage: five tables at first, six from the second on."""
    scores: list[Score] = []
    for line in table(folder, f"{FOLDER}/base_llm_benchmark_eval.csv", ["Model", "Model Family", *SIZES, *BASE]):
        scores += _sizes(line) + _values(line, BASE)
    for line in table(folder, f"{FOLDER}/base_llm_emergent_capability_eval.csv", ["Model", *EMERGENT]):
        scores += _values(line, EMERGENT)
    # 230 further columns: the subtasks of BIG-Bench Hard, strict extraction, chance-normalised copies.
    path = f"{FOLDER}/base_llm_post_training_eval.csv"
    for line in table(folder, path, ["Model", *POST_TRAINING], ignored=r"(gsm8k|bbh)_.*"):
        scores += _values(line, POST_TRAINING)
    path = f"{FOLDER}/base_llm_leaderboard_v2_eval.csv"
    if (folder / path).exists():
        for line in table(folder, path, ["Model", *LEADERBOARD]):
            scores += _values(line, LEADERBOARD)
    for line in table(folder, f"{FOLDER}/instruct_llm_benchmark_eval.csv", ["Model", "Model Family", *SIZES, *INSTRUCT]):
        closed = line.decimal("Model Size (B)") is None
        scores += _sizes(line) + _values(line, INSTRUCT, CLOSED_NOTE if closed else "")
    path = f"{FOLDER}/instruct_llm_agent_eval.csv"
    for line in table(folder, path, ["Model", *AGENT], ignored=r"(ABench|ABoard)-.*"):
        scores += _values(line, AGENT)
    return Reading(scores, [])


def _sizes(line: Line) -> list[Score]:
    model = line.text("Model")
    scores = []
    for column, (quantity, power) in SIZES.items():
        number = line.decimal(column)
        if number is None:
            continue
        status, note = "reported", QUANTISED.get(model, "")
        if model == BTLM and quantity in ("training_tokens", "training_flops"):
            status, note = "suspect", BTLM_NOTE
        elif model in MIXTURES and quantity == "params_total":
            status, note = "suspect", MIXTURES[model]
        elif model in TOTAL_FLOPS and quantity == "training_flops":
            note = TOTAL_FLOPS[model]
        value = float(number * 10**power)
        scores.append(Score(model, quantity, "", value, status=status, note=note, file=line.file, row=line.row))
    return scores


def _values(line: Line, columns: dict[str, str], note: str = "") -> list[Score]:
    model = line.text("Model")
    scores = []
    for column, quantity in columns.items():
        number = line.decimal(column)
        if number is None:
            continue
        if quantity == "agentboard_success_rate":
            number /= Decimal(100)
        remark = note if quantity not in ("arena_elo_normalised", "mt_bench") else ""
        remark = QUANTISED.get(model, remark)
        scores.append(Score(model, quantity, "", float(number), note=remark, file=line.file, row=line.row))
    return scores
