"""The data of the sloth paper: both generations of the Open LLM Leaderboard, and its own table of families (MIT).

Traps:
- The generations use different scales. The first is raw percent. The plain columns of the second are percent rescaled so
  that guessing is 0: they are quantities of their own (`_normalised`) beside the raw fractions.
- Names of columns carry an emoji and an arrow.
- Merged and fine-tuned community models make up most of both tables. Taken are rows of the makers in MAKERS that are typed as
  pre-trained or chat models, or not typed at all, and are neither merged nor flagged; the rest is counted.
- "Flagged" is true for nearly every row of the first table and for all of the second: it is no mark of contamination there,
  and the exclusion reads the column as "not flagged". The same holds for "Merged", whose twin in the second table is spelt
  `Not_Merged`.
- One model stands in several precisions: bfloat16 is the plain one, others are settings.
- Upload and submission dates are not release dates and are not used as such.
- The family table prints leaderboard figures again, some in two digits. Of it are taken the benchmarks the leaderboards do
  not have (XWinograd, HumanEval, Arena Elo, MT-Bench); its first version has the same values and is not read.
- `training_tokens.csv` has a blank before "Tokens (T)"; `lower_bounds.csv` holds guessing levels, not models.
"""

from __future__ import annotations

import re
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

from foresaid.sources._reading import Reading, Score
from foresaid.sources._settings import setting
from foresaid.sources._upstream import Line, table

OLD, NEW, FAMILIES = "data/open-llm-leaderboard_old.csv", "data/open-llm-leaderboard_new.csv", "data/data_v2.csv"
FIRST = {
    "ARC": "openllm1_arc_challenge",
    "HellaSwag": "openllm1_hellaswag",
    "MMLU": "openllm1_mmlu",
    "TruthfulQA": "openllm1_truthfulqa",
    "Winogrande": "openllm1_winogrande",
    "GSM8K": "openllm1_gsm8k",
}
SECOND = {
    "IFEval": "openllm2_ifeval",
    "BBH": "openllm2_bbh",
    "MATH Lvl 5": "openllm2_math_hard",
    "GPQA": "openllm2_gpqa",
    "MUSR": "openllm2_musr",
    "MMLU-PRO": "openllm2_mmlu_pro",
}
OTHERS = {
    "XWinograd": "sloth_xwinograd",
    "HumanEval": "sloth_humaneval",
    "Arena-Elo": "sloth_arena_elo_normalised",
    "MTBench": "sloth_mt_bench",
}
MAKERS = re.compile(
    r"01-ai|ai21labs|allenai|apple|baichuan-inc|bigcode|bigscience|cerebras|codellama|cohereforai|databricks|deci|"
    r"deepseek-ai|eleutherai|facebook|google|huggingfaceh4|huggingfacetb|huggyllama|ibm|ibm-granite|internlm|lmsys|"
    r"meta-llama|microsoft|mistralai|mosaicml|nvidia|openai-community|openchat|openlm-research|qwen|salesforce|"
    r"stabilityai|thudm|tiiuae|tinyllama|togethercomputer|upstage|wizardlm|wizardlmteam"
)
UNTYPED_OLD = {"gpt2": "openai-community/gpt2", "gpt2-xl": "openai-community/gpt2-xl"}
KINDS = ("🟢", "💬", "?")
COMMUNITY = "not by a maker in the list"
TUNED = "typed as a merge, a continued or a domain fine-tune"
MERGED = "merged, an adapter, or flagged"
REPEATED = "a row of this model and precision stands above (earlier results of it)"
ELSEWHERE = "no benchmark the leaderboards lack"


def read(folder: Path) -> Reading:
    """Read one commit: two leaderboards and the table of families."""
    scores: list[Score] = []
    skipped: dict[str, int] = defaultdict(int)
    rows: dict[str, int] = {}
    for path, first in ((OLD, True), (NEW, False)):
        columns = FIRST if first else {**SECOND, **{f"{name} Raw": "" for name in SECOND}}
        merged = "Merged" if first else "Not_Merged"
        lines = table(folder, path, ["T", "Model", "Precision", "Flagged", "Weight type", merged, *columns], ignored=r".*")
        rows[path] = len(lines)
        seen: set[tuple[str, str]] = set()
        for line in lines:
            reason = _left_out(line, merged)
            key = (UNTYPED_OLD.get(line.text("Model"), line.text("Model")), line.text("Precision"))
            if not reason and key in seen:
                reason = REPEATED
            if reason:
                skipped[f"{path.rsplit('_', 1)[1].removesuffix('.csv')} leaderboard: {reason}"] += 1
                continue
            seen.add(key)
            scores += _row(line, first)
    lines = table(folder, FAMILIES, ["Model", *OTHERS], ignored=r".*")
    rows[FAMILIES] = len(lines)
    for line in lines:
        found = [(quantity, line.decimal(column)) for column, quantity in OTHERS.items()]
        values = [(quantity, value) for quantity, value in found if value is not None]
        skipped[ELSEWHERE] += not values
        model = line.text("Model")
        scores += [Score(model, quantity, "", float(value), file=line.file, row=line.row) for quantity, value in values]
    return Reading(scores, [], dict(skipped), rows)


def _left_out(line: Line, merged: str) -> str:
    model = line.text("Model")
    maker = model.split("/")[0].lower()
    if not MAKERS.fullmatch(maker) and model not in UNTYPED_OLD:
        return COMMUNITY
    if line.cells["T"] not in KINDS:
        return TUNED
    # Both columns say "True" for a plain model: "Merged" of the first table means the same as `Not_Merged`.
    if line.cells["Flagged"] != "True" or line.cells[merged] != "True" or line.cells["Weight type"] != "Original":
        return MERGED
    return ""


def _row(line: Line, first: bool) -> list[Score]:
    model = line.text("Model")
    precision = line.text("Precision")
    how = setting(precision="" if precision == "bfloat16" else precision)
    scores = []
    for column, quantity in (FIRST if first else SECOND).items():
        parts = [(quantity, column, Decimal(100))]
        if not first:
            parts = [(quantity, f"{column} Raw", Decimal(1)), (f"{quantity}_normalised", column, Decimal(100))]
        for name, cell, divisor in parts:
            value = line.decimal(cell)
            if value is not None:
                score = float(value / divisor)
                scores.append(Score(UNTYPED_OLD.get(model, model), name, how, score, file=line.file, row=line.row))
    return scores
