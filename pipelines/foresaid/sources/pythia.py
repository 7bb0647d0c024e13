"""Pythia (Biderman et al., arXiv 2304.01373): eight deduplicated sizes, fifteen checkpoints each, five-shot evaluations.

Traps of the upstream files, each handled here:
- MMLU comes as 57 subjects; pythia_mmlu is their plain (macro) mean, not weighted by questions.
- Perplexity is exp(nats): the record keeps its logarithm.
- Steps are 2,097,152 tokens each (1024 sequences of 2048); step 143000 is the end of the run.
- File names put the size before "-5shot"; folder, file and the revision inside the file must name the same checkpoint.
The files give no parameter counts, so there is no params_total here.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

from foresaid.errors import Problem, RecordError
from foresaid.sources._reading import Reading, RunSubject, Score
from foresaid.sources._upstream import branch, document, files, pick, real

PATTERN = "evals/pythia-v1/*/five-shot/*.json"
NAME = re.compile(r"evals/pythia-v1/pythia-(?P<size>[\w.-]+)/five-shot/(?P=size)-5shot_step(?P<step>\d+)\.json")
TOKENS_PER_STEP = 2_097_152
TASKS = ("arc_challenge", "arc_easy", "logiqa", "piqa", "sciq", "winogrande", "wsc")
LAMBADA, MMLU, SUBJECTS = "lambada_openai", "hendrycksTest-", 57


def read(folder: Path) -> Reading:
    """Read every checkpoint of every size."""
    scores: list[Score] = []
    subjects: list[RunSubject] = []
    for path in files(folder, PATTERN):
        match = NAME.fullmatch(path)
        if not match:
            expected = "pythia-SIZE/five-shot/SIZE-5shot_stepN.json"
            raise RecordError.collect([Problem(f"{folder.name}/{path}", None, "-", path, expected)])
        tree, file = document(folder, path)
        _same_checkpoint(tree, file, match["size"], match["step"])
        run, step = f"pythia/{match['size']}", int(match["step"])
        subject = f"{run}/step-{step}"
        subjects.append(RunSubject(subject, "checkpoint", run, "pythia"))
        scores.append(Score(subject, "training_tokens", "", float(step * TOKENS_PER_STEP), file=file))
        scores += _results(branch(tree, file, "results"), file, subject)
    return Reading(scores, subjects)


def _same_checkpoint(tree: Any, file: str, size: str, step: str) -> None:
    arguments = str(pick(tree, file, "config", "model_args"))
    found = dict(part.split("=", 1) for part in arguments.split(",") if "=" in part)
    wanted = {"pretrained": f"EleutherAI/pythia-v1.1-{size}", "revision": f"step{step}"}
    if any(found.get(key) != value for key, value in wanted.items()):
        expected = ",".join(f"{key}={value}" for key, value in wanted.items())
        raise RecordError.collect([Problem(file, None, "config.model_args", arguments[:100], expected)])
    shots = pick(tree, file, "config", "num_fewshot")
    if shots != 5:
        raise RecordError.collect([Problem(file, None, "config.num_fewshot", repr(shots), "5")])


def _results(results: dict[str, Any], file: str, subject: str) -> list[Score]:
    perplexity, error = (real(results, file, LAMBADA, key) for key in ("ppl", "ppl_stderr"))
    if not perplexity >= 1.0:
        raise RecordError.collect([Problem(file, None, f"{LAMBADA}.ppl", repr(perplexity), "a perplexity, at least 1")])
    scores = [
        # d ln(x) = dx / x
        Score(subject, "pythia_lambada_log_perplexity", "", math.log(perplexity), error / perplexity, file=file),
        _score(results, file, LAMBADA, subject, "pythia_lambada"),
    ]
    scores += [_score(results, file, task, subject, f"pythia_{task}") for task in TASKS]
    parts = sorted(name for name in results if name.startswith(MMLU))
    if len(parts) != SUBJECTS:
        raise RecordError.collect([Problem(file, None, f"{MMLU}*", f"{len(parts)} subjects", f"{SUBJECTS} subjects")])
    mean = math.fsum(real(results, file, part, "acc") for part in parts) / SUBJECTS
    spread = math.sqrt(math.fsum(real(results, file, part, "acc_stderr") ** 2 for part in parts)) / SUBJECTS
    scores.append(Score(subject, "pythia_mmlu", "", mean, spread, file=file))
    if unknown := sorted(set(results) - {LAMBADA, *TASKS, *parts}):
        raise RecordError.collect([Problem(file, None, name, "an unknown task", "a task the reader knows") for name in unknown])
    return scores


def _score(results: dict[str, Any], file: str, task: str, subject: str, quantity: str) -> Score:
    return Score(subject, quantity, "", real(results, file, task, "acc"), real(results, file, task, "acc_stderr"), file=file)
