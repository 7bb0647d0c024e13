"""DataComp-LM (Li et al., arXiv 2406.11794): 416 evaluations of models trained on 275 data sets at three sizes.

Traps of the upstream table, each handled here:
- Core and Extended are centred (0 is guessing), the task columns are not: they are quantities with other bounds.
- The perplexity.* columns are mostly empty and are perplexities on tasks, not validation losses: left out.
- A model has several rows with different creation_date, and one model_uuid stands for several checkpoints: every evaluation
  is a subject of its own, all of one uuid are one run. An evaluation that repeats another's values in every task, under the
  same uuid or another, is left out and counted.
- Core is not given where a task of it is missing: such a row has no dclm_core.
- In two rows every task that has to be generated is exactly 0, though one of the models scores 0.64 on HellaSwag: such
  zeros are `suspect`.
- Most rows are data ablations at 1.4 B: the family is the data set, so that they resample together.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from foresaid.sources._reading import Reading, RunSubject, Score
from foresaid.sources._upstream import Line, table

PATH = "assets/DCLM_model_database.csv"
CENTRED = {"dclm_core": "Core", "dclm_extended": "Extended"}
CORE_NAMES = """
agi_eval_lsat_ar arc_challenge arc_easy bigbench_cs_algorithms bigbench_dyck_languages bigbench_language_identification
bigbench_operators bigbench_qa_wikidata bigbench_repeat_copy_logic boolq commonsense_qa copa coqa hellaswag
hellaswag_zeroshot jeopardy lambada_openai openbook_qa piqa squad winograd winogrande
"""
CORE = tuple(CORE_NAMES.split())
TASKS = (*CORE, "gsm8k", "gsm8k_cot", "mmlu_fewshot", "mmlu_zeroshot", "triviaqa_sm_sub")
REST_NAMES = """
agi_eval_lsat_lr agi_eval_lsat_rc agi_eval_sat_en agi_eval_sat_math agi_eval_sat_math_cot aqua aqua_cot bbq
bigbench_conceptual_combinations bigbench_conlang_translation bigbench_elementary_math_qa bigbench_logical_deduction
bigbench_misconceptions bigbench_novel_concepts bigbench_strange_stories bigbench_strategy_qa
bigbench_understanding_fables enterprise_pii_classification gpqa_diamond gpqa_main logi_qa math_qa pubmed_qa_labeled
simple_arithmetic_nospaces simple_arithmetic_withspaces siqa svamp svamp_cot winogender_mc_female winogender_mc_male
"""
REST = tuple(REST_NAMES.split())  # tasks beside Core: known, part of a row's identity, not taken
IGNORED = (
    r"Model JSON|name|aggregated_results|rw_small(_centered)?|9[59]%_CI_above(_centered)?|low_variance_datasets|_filename"
    r"|missing tasks|aggregated_task_categories_centered\..*|dataset_uuid|tokenizer|(eval_metrics\.)?perplexity(\..*)?"
)
CREATED = re.compile(r"\d{4}_\d\d_\d\d-\d\d_\d\d_\d\d", re.ASCII)
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
GENERATED = ("coqa", "jeopardy", "squad")
SILENT = "exactly 0, as on all of CoQA, Jeopardy and SQuAD: the answers were lost, or the model gives none"
AGAIN = "an evaluation that repeats another's values in every task"


def read(folder: Path) -> Reading:
    """Read every evaluation, one subject each."""
    columns = ["Dataset", "model", "params", "tokens", *CENTRED.values(), "creation_date", "model_uuid", *TASKS, *REST]
    scores: list[Score] = []
    subjects: dict[str, RunSubject] = {}
    values_seen: set[tuple[str, ...]] = set()
    again = 0
    for line in table(folder, PATH, columns, IGNORED):
        values = tuple(line.cells[task] for task in (*TASKS, *REST))
        if values in values_seen:
            again += 1
            continue
        values_seen.add(values)
        subject = _subject(line)
        if subject.subject_id in subjects:
            line.refuse("creation_date", line.text("creation_date"), "one evaluation of a model at a time")
        subjects[subject.subject_id] = subject
        scores += _scores(line, subject.subject_id)
    return Reading(scores, list(subjects.values()), {AGAIN: again})


def _subject(line: Line) -> RunSubject:
    created, uuid, data = line.text("creation_date"), line.text("model_uuid"), line.text("Dataset")
    if not CREATED.fullmatch(created):
        line.refuse("creation_date", created[:60], "a time such as 2024_01_12-23_37_47")
    if not UUID.fullmatch(uuid):
        line.refuse("model_uuid", uuid[:60], "a UUID in lower case")
    run = f"dclm/{uuid[:8]}"
    return RunSubject(f"{run}/{created.replace('_', '-')}", "checkpoint", run, _family(data), f"{line.text('model')} on {data}")


def _family(data: str) -> str:
    """Name a data set in the letters of an id; a long or odd name keeps its start and a hash.

    >>> _family("rpj_rw_as_CC"), _family("shard1+2")
    ('dclm/rpj-rw-as-cc', 'dclm/shard1-2-1ea9d110')
    """
    plain = data.lower().replace("_", "-")
    name = re.sub(r"[^a-z0-9.-]", "-", plain)[:80]
    return f"dclm/{name}" if name == plain else f"dclm/{name}-{hashlib.sha256(data.encode()).hexdigest()[:8]}"


def _scores(line: Line, subject: str) -> list[Score]:
    values = {
        "params_total": line.number("params"),
        "training_tokens": line.number("tokens"),
        **{quantity: line.decimal(column) for quantity, column in CENTRED.items()},
        **{f"dclm_{task}": line.decimal(task) for task in TASKS},
    }
    silent = all(line.decimal(task) == 0 for task in GENERATED)
    scores = []
    for quantity, value in values.items():
        if value is not None:
            status, note = ("suspect", SILENT) if silent and value == 0 else ("reported", "")
            scores.append(Score(subject, quantity, "", float(value), status=status, note=note, file=line.file, row=line.row))
    return scores
