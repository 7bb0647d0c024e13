"""The OLMo model ladder (Bhagia et al., arXiv 2412.04403): every checkpoint of twenty small runs and of OLMo-2 7B.

Traps of the upstream tables, each handled here:
- Step 0 (loss about 12, an untrained network) is left out and counted.
- The ladder runs have no multiple-choice columns; the 7B runs have both forms of MMLU, and they tell different stories.
- Tokens are steps times the batch in the row, not a batch taken from elsewhere; where the upstream also counts tokens, the
  two must agree.
- The annealed 7B file has no step column: its one row is placed by its token count.
- A checkpoint in mid-run is not a run that ended there (the learning rate has not decayed): kind `checkpoint` says so.
- Parameters come from final.json, which has no entry for the 3B runs: they have FLOPs but no params_total.
"""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

from foresaid.errors import Problem, RecordError
from foresaid.sources._reading import Reading, RunSubject, Score
from foresaid.sources._upstream import Line, branch, document, files, pick, real, slug, table

ROOT = "src/scripts/paper"
CONFIG, RUNS = f"{ROOT}/configs/final.json", f"{ROOT}/data/ladder-runs"
TARGETS = {
    "peteish7_eval_full": "olmo-ladder/7b",
    "peteish7_medlr_eval_full": "olmo-ladder/7b-medlr",
    "peteish7_eval_anneal": "olmo-ladder/7b-anneal",
}
SIZE_OF_TARGETS = "7B-4T"
SIZE_LABELS = {"1B": "1.3B"}  # the run files say 1B where final.json says 1.3B
STEP, BATCH, TOKENS, GFLOPS = "_step", "batch_size_in_tokens", "throughput/total_tokens", "throughput/total_training_Gflops"
LOSSES = {"olmo_c4_loss": "c4_en", "olmo_pile_loss": "pile"}
# Upstream task name, with its split, by ours. Where there is a test split it is the one reported.
TASKS = {
    "hellaswag": "hellaswag_val",
    "arc_easy": "arc_easy_test",
    "arc_challenge": "arc_challenge_test",
    "boolq": "boolq_val",
    "csqa": "csqa_val",
    "openbookqa": "openbookqa_test",
    "piqa": "piqa_val",
    "socialiqa": "socialiqa_val",
    "winogrande": "winogrande_val",
}
# The paper predicts the other eight tasks; the record does without the bits per byte of these two.
WITHOUT_BPB = ("boolq", "winogrande")
# Shares of the four groups in MMLU's 14,042 test questions.
MMLU = {
    "stem": Decimal("0.215"),
    "humanities": Decimal("0.335"),
    "social_sciences": Decimal("0.219"),
    "other": Decimal("0.231"),
}
IGNORED = r"eval/.*|optim/learning_rate_group0|learning_rate_peak|throughput/.*|_step"


def accuracy(task: str) -> str:
    """The rank-classification column of a task: BoolQ's answers are not normalised by length."""
    return f"eval/downstream/{task}_rc_5shot_" + ("acc" if task.startswith("boolq") else "len_norm")


def bits_per_byte(task: str) -> str:
    """The column with the bits per byte of a task's right answers."""
    return f"eval/downstream_bpb/{task}_rc_5shot_bpb"


def mmlu(form: str) -> dict[str, Decimal]:
    """The four columns of one form of MMLU (rc, mc or bpb) with their weights."""
    names = {
        "rc": "eval/downstream/mmlu_{}_test_rc_5shot_len_norm",
        "mc": "eval/downstream/mmlu_{}_test_mc_5shot_len_norm",
        "bpb": "eval/downstream_bpb/mmlu_{}_test_rc_5shot_bpb",
    }
    return {names[form].format(group): weight for group, weight in MMLU.items()}


def read(folder: Path) -> Reading:
    """Read every run, one subject a checkpoint."""
    tree, config_file = document(folder, CONFIG)
    config = branch(tree, config_file)
    scores: list[Score] = []
    subjects: list[RunSubject] = []
    skipped = {"step 0: an untrained network": 0}
    for path in files(folder, f"{RUNS}/*.csv"):
        stem = path.removeprefix(f"{RUNS}/").removesuffix(".csv")
        run, size = _run(stem, f"{folder.name}/{path}")
        params = real(config, config_file, size, "n") if size in config else None
        for line in _table(folder, path, stem):
            step, tokens = _progress(line)
            if step == 0:
                skipped["step 0: an untrained network"] += 1
                continue
            subject = f"{run}/step-{step}"
            subjects.append(RunSubject(subject, "checkpoint", run, "olmo-ladder"))
            scores += _checkpoint(line, subject, tokens, params)
    for name in ("190M", "370M", "760M", "1.3B", SIZE_OF_TARGETS):
        pick(config, config_file, name, "n")
    return Reading(scores, subjects, skipped)


def _run(stem: str, file: str) -> tuple[str, str]:
    """Return the run's id and the name of its size in final.json."""
    if stem in TARGETS:
        return TARGETS[stem], SIZE_OF_TARGETS
    match = re.fullmatch(r"(\d+[MB])-(\d+xC)", stem)
    if not match:
        raise RecordError.collect([Problem(file, None, "-", stem, "a run such as 190M-5xC or one of " + ", ".join(TARGETS))])
    return f"olmo-ladder/{slug(stem)}", SIZE_LABELS.get(match[1], match[1])


def _table(folder: Path, path: str, stem: str) -> list[Line]:
    wanted = [BATCH, TOKENS if stem == "peteish7_eval_anneal" else STEP]
    wanted += [f"eval/{name}-validation/CrossEntropyLoss" for name in LOSSES.values()]
    wanted += [accuracy(task) for task in TASKS.values()]
    wanted += [bits_per_byte(task) for name, task in TASKS.items() if name not in WITHOUT_BPB]
    wanted += [*mmlu("rc"), *mmlu("bpb"), *(mmlu("mc") if stem in TARGETS else ())]
    return table(folder, path, wanted, IGNORED)


def _progress(line: Line) -> tuple[int, int]:
    """Steps and tokens of a row; two ways of counting must agree."""
    batch = line.whole(BATCH)
    if STEP not in line.cells:
        tokens = line.whole(TOKENS)
        if tokens % batch:
            line.refuse(TOKENS, str(tokens), f"a multiple of the batch of {batch} tokens")
        return tokens // batch, tokens
    step = line.whole(STEP)
    if TOKENS in line.cells and line.whole(TOKENS) != step * batch:
        line.refuse(TOKENS, line.cells[TOKENS], f"{step} steps x {batch} tokens = {step * batch}")
    return step, step * batch


def _checkpoint(line: Line, subject: str, tokens: int, params: float | None) -> list[Score]:
    values: dict[str, Decimal] = {"training_tokens": Decimal(tokens)}
    if params is not None:
        values["params_total"] = Decimal(int(params))
    if GFLOPS in line.cells:
        values["training_flops"] = line.number(GFLOPS) * 10**9
    for quantity, name in LOSSES.items():
        values[quantity] = line.number(f"eval/{name}-validation/CrossEntropyLoss")
    for name, task in TASKS.items():
        values[f"olmo_{name}_rc"] = line.number(accuracy(task))
        if name not in WITHOUT_BPB:
            values[f"olmo_{name}_bpb"] = line.number(bits_per_byte(task))
    for form in ("rc", "mc", "bpb"):
        columns = mmlu(form)
        if all(column in line.cells for column in columns):
            # Exact in decimals, so the mean does not depend on the order of the sum.
            mean = sum((line.number(column) * weight for column, weight in columns.items()), Decimal(0))
            values[f"olmo_mmlu_{form}"] = mean
    return [Score(subject, quantity, "", float(value), file=line.file, row=line.row) for quantity, value in values.items()]
