"""Over-training scaling runs (Gadre et al., arXiv 2403.08540): 104 runs, eight validation losses, 46 downstream tasks.

Beside the tasks stand the two means the paper forecasts: over all 46, and over the 17 on which some run of 0.154 billion
parameters is ten points or more above chance (a test derives the 17 from the runs).

Traps of the upstream files, each handled here:
- results[] holds several validation sets: they are chosen by `val_data`, never by position, and must be of the checkpoint
  the run ended with.
- Random baselines (eval_metadata.csv) are percent while scores are fractions: `baselines` divides them.
- The `name` inside three evaluation files is a path of the machine they were made on: the file's own name counts.
- eval_metadata.csv gives arc_challenge the item count of arc_easy, so no counts are taken from it.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

from foresaid.errors import Problem, RecordError
from foresaid.sources._reading import Reading, RunSubject, Score
from foresaid.sources._upstream import branch, document, files, items, pick, real, slug, table

MODELS, EVALS, METADATA = "exp_data/models", "exp_data/evals", "exp_data/eval_metadata.csv"
VALIDATION = "training/eval_data/"
LOSSES = {
    "c4_val/shard-{0000000..0000010}.tar": "gadre_c4_loss",
    "val_tok_mult/openlm/shard_00000000.tar": "gadre_openlm_loss",
    "val_tok_mult/de-en/val_de-en_100.tar": "gadre_de_en_loss",
    "val_tok_mult/paloma_c4_en/00000001.tar": "gadre_paloma_c4_loss",
    "val_tok_mult/paloma_dolma_100_programing_languages/00000001.tar": "gadre_paloma_code_loss",
    "val_tok_mult/paloma_falcon-refinedweb/00000001.tar": "gadre_paloma_refinedweb_loss",
    "val_tok_mult/paloma_ptb/00000001.tar": "gadre_paloma_ptb_loss",
    "val_tok_mult/paloma_redpajama/00000001.tar": "gadre_paloma_redpajama_loss",
}
TASK_NAMES = """
agi_eval_lsat_ar agi_eval_lsat_lr agi_eval_lsat_rc agi_eval_sat_en arc_challenge arc_easy bbq
bigbench_conceptual_combinations bigbench_conlang_translation bigbench_cs_algorithms bigbench_dyck_languages
bigbench_elementary_math_qa bigbench_language_identification bigbench_logical_deduction bigbench_misconceptions
bigbench_novel_concepts bigbench_operators bigbench_qa_wikidata bigbench_repeat_copy_logic bigbench_strange_stories
bigbench_strategy_qa bigbench_understanding_fables boolq commonsense_qa copa coqa enterprise_pii_classification
hellaswag hellaswag_zeroshot jeopardy lambada_openai logi_qa math_qa mmlu mmlu_zeroshot openbook_qa piqa
pubmed_qa_labeled simple_arithmetic_nospaces simple_arithmetic_withspaces siqa squad winogender_mc_female
winogender_mc_male winograd winogrande
"""
TASKS = tuple(TASK_NAMES.split())
SUBSET_NAMES = """
arc_easy bigbench_cs_algorithms bigbench_dyck_languages bigbench_novel_concepts bigbench_operators bigbench_qa_wikidata boolq
commonsense_qa copa coqa hellaswag hellaswag_zeroshot lambada_openai piqa pubmed_qa_labeled squad winograd
"""
MEANS = {"gadre_mean_of_17": tuple(SUBSET_NAMES.split()), "gadre_mean_of_46": TASKS}
NORMAL_95 = 1.959963984540054  # half-width of a 95 % interval in standard errors


def read(folder: Path) -> Reading:
    """Read every run: its sizes, its losses on eight sets, its accuracies on 46 tasks and their two means."""
    scores: list[Score] = []
    subjects: list[RunSubject] = []
    for path in files(folder, f"{MODELS}/*.json"):
        stem = path.removeprefix(f"{MODELS}/").removesuffix(".json")
        family, multiplier = stem.rsplit("-", 1)
        subject = f"gadre/{slug(stem)}"
        subjects.append(RunSubject(subject, "run", subject, f"gadre/{slug(family)}", f"{multiplier} x Chinchilla"))
        scores += _run(folder, path, stem, subject)
        scores += _tasks(folder, f"{EVALS}/evaluation_{stem}_heavy.json", subject)
    return Reading(scores, subjects)


def baselines(folder: Path) -> dict[str, float]:
    """What guessing scores on each task, as a fraction: the upstream gives percent."""
    columns = ["Eval Task", "Random baseline"]
    ignored = ["Task Category", "Task Type", "#shots", "#datapoints", "Centered Metric?", "Description"]
    lines = table(folder, METADATA, columns, ignored)
    return {f"gadre_{line.text('Eval Task')}": float(line.number("Random baseline") / 100) for line in lines}


def _run(folder: Path, path: str, stem: str, subject: str) -> list[Score]:
    tree, file = document(folder, path)
    name = pick(tree, file, "name")
    if name != stem:
        raise RecordError.collect([Problem(file, None, "name", repr(name)[:60], stem)])
    sizes = {"params_total": "params", "training_tokens": "tokens"}
    scores = [Score(subject, quantity, "", real(tree, file, "hyperparameters", key), file=file) for quantity, key in sizes.items()]
    final = pick(tree, file, "checkpoint_url")
    seen: set[str] = set()
    for entry in items(tree, file, "results"):
        data = pick(entry, file, "val_data")
        quantity = _quantity(data, file)
        if pick(entry, file, "checkpoint_path") != final:
            found = repr(entry["checkpoint_path"])[:80]
            raise RecordError.collect([Problem(file, None, f"results, {quantity}, checkpoint_path", found, str(final))])
        if quantity in seen:
            raise RecordError.collect([Problem(file, None, "results", f"{quantity} twice", "each validation set once")])
        seen.add(quantity)
        scores.append(_loss(entry, file, subject, quantity))
    if missing := sorted(set(LOSSES.values()) - seen):
        raise RecordError.collect([Problem(file, None, "results", "no " + ", ".join(missing), "all eight validation sets")])
    return scores


def _quantity(data: Any, file: str) -> str:
    names = [re.sub(rf"^.*{VALIDATION}", "", str(item)) for item in data] if isinstance(data, list) else []
    if len(names) != 1 or names[0] not in LOSSES:
        expected = "one validation set the reader knows"
        raise RecordError.collect([Problem(file, None, "val_data", repr(data)[:80], expected)])
    return LOSSES[names[0]]


def _loss(entry: Any, file: str, subject: str, quantity: str) -> Score:
    # The interval over sequences, not over tokens: tokens of one sequence are not independent.
    low, high = (real(entry, file, f"loss_sequences_{side}_95") for side in ("lower", "upper"))
    stderr = (high - low) / (2 * NORMAL_95)
    count = int(real(entry, file, "sequences"))
    return Score(subject, quantity, "", real(entry, file, "loss"), stderr, count, file=file)


def _tasks(folder: Path, path: str, subject: str) -> list[Score]:
    tree, file = document(folder, path)
    tasks = branch(tree, file, "eval_metrics", "icl")
    if unknown := sorted(set(tasks) - set(TASKS)):
        expected = "a task the reader knows"
        raise RecordError.collect(
            [Problem(file, None, f"eval_metrics.icl.{name}", "an unknown task", expected) for name in unknown]
        )
    values = {task: real(tasks, file, task) for task in TASKS}
    single = [Score(subject, f"gadre_{task}", "", value, file=file) for task, value in values.items()]
    means = [
        Score(subject, quantity, "", math.fsum(values[task] for task in chosen) / len(chosen), file=file)
        for quantity, chosen in MEANS.items()
    ]
    return single + means
