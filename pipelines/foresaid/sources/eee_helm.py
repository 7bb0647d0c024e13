"""Every Eval Ever records of four boards: HELM Capabilities, HELM Lite, Global MMLU Lite and LiveCodeBench Pro.

Traps of the upstream files, each handled here:
- retrieved_timestamp is the time of scraping: no date is taken from it, and no release date stands in the files.
- The first result of a HELM file is a mean over the others (or a rate of wins over whoever else is listed): left out.
- A score of -1 stands for missing: left out.
- Some models of LiveCodeBench Pro stand in two files of one name, scraped at different times: the later scrape counts.
- Names that are accounts of a cloud endpoint (ep-2025...) say nothing of the model: left out.
- Served at lower precision, by a faster endpoint or with a thinking budget is a setting of the model, not another model.
- One model stands under two names of one board: the name that is not the model's own is a setting.
- The intervals of Global MMLU Lite are offsets of no stated level: no error is made of them.
- File names are UUIDs and say nothing; every file of the folder is read.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

from foresaid.errors import Problem, RecordError
from foresaid.sources._formats import every_eval_ever
from foresaid.sources._formats.results import Result, number
from foresaid.sources._reading import Reading, Score
from foresaid.sources._upstream import document, files

PATTERN = "data/*/*/*/*.json"
MEANS = ("Mean score", "Mean win rate")
HELM = {
    "helm_capabilities": {
        "GPQA": "gpqa",
        "IFEval": "ifeval",
        "MMLU-Pro": "mmlu_pro",
        "Omni-MATH": "omni_math",
        "WildBench": "wildbench",
    },
    "helm_lite": {
        "GSM8K": "gsm8k",
        "LegalBench": "legalbench",
        "MATH": "math",
        "MedQA": "medqa",
        "MMLU": "mmlu",
        "NarrativeQA": "narrative_qa",
        "NaturalQuestions (closed-book)": "natural_questions_closed",
        "OpenbookQA": "openbook_qa",
        "WMT 2014": "wmt_2014",
    },
}
PARTS = (
    "Culturally Sensitive", "Culturally Agnostic", "Arabic", "Bengali", "Burmese", "Chinese", "English", "French", "German",
    "Hindi", "Indonesian", "Italian", "Japanese", "Korean", "Portuguese", "Spanish", "Swahili", "Yoruba",
)  # fmt: skip
QUANTITIES = {
    **{f"{board}: {name}": f"{board}_{short}" for board, names in HELM.items() for name, short in names.items()},
    "Global MMLU Lite Leaderboard: Global MMLU Lite": "global_mmlu_lite",
    **{f"Global MMLU Lite Leaderboard: {part}": f"global_mmlu_lite_{part.lower().replace(' ', '_')}" for part in PARTS},
    **{f"Live Code Bench Pro: {level} Problems": f"livecodebench_pro_{level.lower()}" for level in ("Easy", "Hard", "Medium")},
}
ENDPOINT = re.compile(r"[\w-]+/ep-\d{14}-\w+", re.ASCII)
# The end of a name that says how the model was served.
SERVED = {
    "-fp8-tput": "precision=fp8;served=throughput",
    "-fp8": "precision=fp8",
    "-instruct-turbo": "served=turbo",
    "-thinking-10k": "thinking=10k",
}
SECOND_NAMES = {
    "aliyun/qwen3-next-80b-a3b-thinking": "alibaba/qwen3-next-80b-a3b-thinking",
    "anthropic/claude-3.7-sonnet": "anthropic/claude-3-7-sonnet-20250219",
}
OLDER, ACCOUNT = "an older scrape of a result that stands in a later file", "the account of a cloud endpoint, not a model"
MEAN, MISSING = "a mean over the other results of its file", "-1 standing for missing"

Key = tuple[str, str, str]


def read(folder: Path) -> Reading:
    """Read every record; the models keep the names of the boards."""
    latest: dict[Key, tuple[float, Score]] = {}
    skipped: Counter[str] = Counter()
    for path in files(folder, PATTERN):
        tree, file = document(folder, path)
        skipped.update(_without_missing(tree))
        results = every_eval_ever.from_tree(tree, file)
        if results.problems:
            raise RecordError.collect(results.problems)
        when = _scraped(tree, file)
        for result in results.items:
            if result.names[-1][0].rpartition(": ")[2] in MEANS:
                skipped[MEAN] += 1
            elif ENDPOINT.fullmatch(result.model):
                skipped[ACCOUNT] += 1
            else:
                score = _score(result, file)
                key = (score.subject, score.quantity_id, score.setting)
                if key not in latest:
                    latest[key] = (when, score)
                    continue
                skipped[OLDER] += 1
                if latest[key][0] == when:
                    found = f"{score.subject}, {score.quantity_id} as in {latest[key][1].file}"
                    raise RecordError.collect([Problem(file, None, result.pointer, found, "one result of one scrape")])
                latest[key] = max(latest[key], (when, score), key=lambda item: item[0])
    return Reading([score for _, score in latest.values()], [], dict(skipped))


def model(name: str) -> tuple[str, str]:
    """The model behind a board's name, and how it was served.

    >>> model("meta/llama-3.1-8b-instruct-turbo"), model("aliyun/qwen3-next-80b-a3b-thinking")[1]
    (('meta/llama-3.1-8b-instruct', 'served=turbo'), 'listed=aliyun/qwen3-next-80b-a3b-thinking')
    """
    if name in SECOND_NAMES:
        return SECOND_NAMES[name], f"listed={name}"
    for ending, setting in SERVED.items():
        if name.endswith(ending):
            kept = "-instruct" if ending.startswith("-instruct") else ""
            return name.removesuffix(ending) + kept, setting
    return name, ""


def _without_missing(tree: Any) -> Counter[str]:
    """Take the scores of -1 out of a record, and count them."""
    entries = tree.get("evaluation_results") if isinstance(tree, dict) else None
    if not isinstance(entries, list):
        return Counter()
    kept = [entry for entry in entries if not _is_missing(entry)]
    tree["evaluation_results"] = kept
    return Counter({MISSING: len(entries) - len(kept)})


def _is_missing(entry: Any) -> bool:
    details = entry.get("score_details") if isinstance(entry, dict) else None
    return isinstance(details, dict) and number(details.get("score")) == -1


def _scraped(tree: Any, file: str) -> float:
    stamp = tree["retrieved_timestamp"]
    if not re.fullmatch(r"\d{9,10}(\.\d+)?", stamp, re.ASCII):
        raise RecordError.collect([Problem(file, None, "/retrieved_timestamp", stamp[:60], "seconds since 1970")])
    return float(stamp)


def _score(result: Result, file: str) -> Score:
    name = result.names[-1][0]
    if name not in QUANTITIES:
        raise RecordError.collect([Problem(file, None, result.pointer, name[:80], "a result the reader knows")])
    scaled = every_eval_ever.scaled(result, 0.0, 1.0)
    if scaled is None or not result.higher_is_better:
        found = f"{result.lowest} to {result.highest}, {'higher' if result.higher_is_better else 'lower'} is better"
        raise RecordError.collect([Problem(file, None, result.pointer, found, "a scale from 0, higher is better")])
    subject, setting = model(result.model)
    return Score(subject, QUANTITIES[name], setting or result.names[-1][1], scaled[0], scaled[1], result.n, file=file)
