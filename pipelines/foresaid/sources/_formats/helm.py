"""Run folders of HELM (https://crfm-helm.readthedocs.io): `stats.json` beside the `run_spec.json` that says of what.

The statistics name no model, so both files are needed. Of the hundred statistics of a run only scores are taken: counts of tokens,
times and the like are left out and counted, and so are perturbed copies of the test and other splits. The scenario's arguments,
without the model, are the name of the quantity; the number of examples shown is part of it or a setting. A mean over several draws
of examples is one value; the number of test items is `num_instances`, and no standard error is made of it.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from foresaid.errors import BadCell
from foresaid.sources._formats.results import ReportedResult, Results, number, pointer, shown, word

NAME = "helm"
STATS, SPEC = "stats.json", "run_spec.json"
SCORES = frozenset(
    (
        *("exact_match", "quasi_exact_match", "prefix_exact_match", "quasi_prefix_exact_match", "final_number_exact_match"),
        *("f1_score", "classification_micro_f1", "classification_macro_f1", "rouge_1", "rouge_2", "rouge_l", "bleu_1", "bleu_4"),
        *("math_equiv", "math_equiv_chain_of_thought", "pass", "test_avg", "strict_acc"),
        *("chain_of_thought_correctness", "ifeval_strict_accuracy"),
        *("exact_match@5", "NDCG@10", "RR@10", "wb_score", "omni_math_accuracy"),
    )
)  # fmt: skip
PLAIN_ADAPTER = {"num_outputs": 1, "num_train_trials": 1, "sample_train": True, "chain_of_thought_prefix": "", "num_trials": 1}
OTHER, PERTURBED, SPLITS = "a count or a time, no score", "a perturbed copy of the test", "another split than the test"


def detect(tree: Any) -> bool:
    """Whether a JSON document means to be such a pair of files."""
    return isinstance(tree, dict) and set(tree) == {STATS, SPEC}


def statistics(tree: Any) -> bool:
    """Whether a JSON document is a list of HELM's statistics."""
    return (
        isinstance(tree, list)
        and bool(tree)
        and all(isinstance(one, dict) and isinstance(one.get("name"), dict) for one in tree[:3])
    )


def from_tree(tree: Any, file: str) -> Results:
    """Read one run: all its scores, and a problem for each that is refused."""
    stats, spec = tree[STATS], tree[SPEC]
    adapter = spec.get("adapter_spec") if isinstance(spec, dict) else None
    model = adapter.get("model") if isinstance(adapter, dict) else None
    name = spec.get("name") if isinstance(spec, dict) else None
    if not isinstance(model, str) or not isinstance(name, str) or not isinstance(adapter, dict):
        return Results(
            [],
            [BadCell(file, None, "/adapter_spec/model", shown(model), f"a run_spec.json with a name and a model beside {STATS}")],
        )
    scenario = re.sub(r"(^|,|:)(model|model_deployment)=[^,]*", lambda found: found[1] if found[1] == ":" else "", name).rstrip(
        ",:"
    )
    setting = _setting(adapter)
    shots = number(adapter.get("max_train_instances"))
    counts = {_split(one): number(one.get("mean")) for one in stats if _metric(one) == "num_instances" and not _perturbed(one)}
    splits = {_split(one) for one in stats if _metric(one) in SCORES}
    wanted = "test" if "test" in splits else "valid"
    items: list[ReportedResult] = []
    problems: list[BadCell] = []
    skipped: Counter[str] = Counter()
    for place, one in enumerate(stats):
        metric = _metric(one)
        reason = OTHER if metric not in SCORES else PERTURBED if _perturbed(one) else SPLITS if _split(one) != wanted else ""
        if reason:
            skipped[reason] += 1
            continue
        where = pointer(place, "mean")
        value = number(one.get("mean"))
        if value is None:
            problems.append(BadCell(file, None, where, shown(one.get("mean")), "a finite number"))
            continue
        label = f"helm: {scenario} {metric}" + ("" if wanted == "test" else f" [{wanted}]")
        names = [(label, setting)]
        if shots is not None:
            names = [(f"{label} {shots:g}-shot", setting), (label, ";".join(filter(None, [f"shots={shots:g}", setting])))]
        count = counts.get(wanted)
        n = int(count) if count is not None and count >= 1 else None
        items.append(ReportedResult(model, names, value, None, n, None, None, True, where, group=scenario, metric=metric))
    return Results(items, problems, dict(skipped))


def _metric(one: Any) -> str:
    name = one.get("name") if isinstance(one, dict) else None
    return str(name.get("name", "")) if isinstance(name, dict) else ""


def _split(one: dict[str, Any]) -> str:
    parts = [str(one["name"].get(key) or "") for key in ("split", "sub_split")]
    return "/".join(filter(None, parts))


def _perturbed(one: dict[str, Any]) -> bool:
    return bool(one["name"].get("perturbation"))


def _setting(adapter: dict[str, Any]) -> str:
    """What of the way of asking is not the plain way."""
    parts = [
        f"{key}={word(adapter[key])}"
        for key, usual in PLAIN_ADAPTER.items()
        if key in adapter and adapter[key] not in (usual, None)
    ]
    temperature = number(adapter.get("temperature"))
    parts += [f"temperature={temperature:g}"] if temperature else []
    parts += [f"limit={word(adapter['max_eval_instances'])}"] if adapter.get("max_eval_instances") not in (None, 1000) else []
    return ";".join(parts)
