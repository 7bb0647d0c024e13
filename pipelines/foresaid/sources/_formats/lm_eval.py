"""Result files of the LM Evaluation Harness (https://github.com/EleutherAI/lm-evaluation-harness): results_*.json.

Both layouts are read: values named "metric,filter" (version 0.4 on) and plain "metric" (before). Entries of groups stand in
`results` and again in `groups`; both must agree, and count once. The number of examples shown is part of the name of a
quantity where aliases.csv knows that name, and otherwise a setting; so is a run cut short by --limit, which is never the
whole benchmark. A revision or an adapter makes another model: it is part of the model's name, to be resolved by a person.

Whatever else makes another measurement is a setting, so that two ways of asking never meet in one key: the chat template, examples
as turns, a system instruction, arguments of generation, thinking, which file and subfolder of a repository was loaded, and the
version of the task, which the harness raises when its scoring changes (the first is not named).
"""

from __future__ import annotations

import hashlib
from typing import Any

from foresaid.errors import BadCell
from foresaid.sources._formats.results import ReportedResult, Results, number, pointer, shown, word

NAME = "lm-eval"
MISSING = ("N/A", "", None)
NOT_METRICS = ("alias", "samples", "name", "sample_len", "sample_count")
PRECISIONS = ("load_in_8bit", "load_in_4bit", "gptq", "autogptq", "gptqmodel", "quantization", "kv_cache_dtype", "dtype")
WEIGHTS = ("gguf_file", "subfolder", "variant", "delta")  # which weights of a repository
THINKING = ("enable_thinking", "think_end_token", "reasoning_effort", "thinking")
TOKENS = ("add_bos_token", "tokenizer", "max_length", "max_model_len", "truncation", "prefix_token_id")  # what the model is shown
UNCHANGED = {"add_bos_token": ("False",), "truncation": ("False",)}
FIRST_VERSIONS = ("0", "1", "0.0", "1.0", "N/A", "Yaml", "None", "")
PLAIN_DTYPES = ("auto", "bfloat16", "float16", "torch.bfloat16", "torch.float16", "half")


def detect(tree: Any) -> bool:
    """Whether a JSON document means to be such a file."""
    found = isinstance(tree, dict) and isinstance(tree.get("results"), dict) and ("config" in tree or "versions" in tree)
    return found and not any(str(task).count("|") == 2 for task in tree["results"])  # those are of the Open LLM Leaderboard


def from_tree(tree: Any, file: str) -> Results:
    """Read one file that is parsed (`results.parse`): all its values, and a problem for each that is refused."""
    if not detect(tree):
        return Results([], [BadCell(file, None, "/results", shown(tree), "results of tasks beside a config or versions")])
    model, setting = _model(tree)
    setting = ";".join(part for part in (setting, _asked(tree)) if part)
    if not model:
        expected = "model_name, or config.model_args with pretrained= or model="
        return Results([], [BadCell(file, None, "/config/model_args", "no model", expected)])
    items: list[ReportedResult] = []
    problems: list[BadCell] = []
    seen: dict[tuple[str, str], float] = {}
    for part in ("results", "groups"):
        tasks = tree.get(part)
        if tasks is None and part == "groups":
            continue
        if not isinstance(tasks, dict):
            problems.append(BadCell(file, None, pointer(part), shown(tasks), "an object with one entry a task"))
            continue
        for task, metrics in tasks.items():
            if not isinstance(metrics, dict):
                problems.append(BadCell(file, None, pointer(part, task), shown(metrics), "an object with one entry a metric"))
                continue
            for metric, value in metrics.items():
                if _is_value(metric, value):
                    found = _value(tree, (part, task, metric), model, setting, file)
                    if isinstance(found, BadCell):
                        problems.append(found)
                    elif (task, metric) not in seen:
                        seen[task, metric] = found.value
                        items.append(found)
                    elif seen[task, metric] != found.value:
                        expected = f"{seen[task, metric]!r} as in {pointer('results', task, metric)}"
                        problems.append(BadCell(file, None, found.pointer, repr(found.value), expected))
    return Results(items, problems)


def _is_value(metric: str, value: Any) -> bool:
    name = metric.partition(",")[0]
    return name not in NOT_METRICS and not name.endswith("_stderr") and value not in MISSING


def _value(tree: dict[str, Any], keys: tuple[str, str, str], model: str, setting: str, file: str) -> ReportedResult | BadCell:
    part, task, metric = keys
    place = pointer(*keys)
    metrics = tree[part][task]
    value = number(metrics[metric])
    if value is None:
        return BadCell(file, None, place, shown(metrics[metric]), "a finite number", "leave the task out if it was not measured")
    name, comma, kind = metric.partition(",")
    error_key = f"{name}_stderr{comma}{kind}"
    stderr = None if metrics.get(error_key) in MISSING else number(metrics[error_key])
    if stderr is None and metrics.get(error_key) not in MISSING:
        return BadCell(file, None, pointer(part, task, error_key), shown(metrics[error_key]), "a finite number or N/A")
    label = f"lm-eval: {task} {name}" + (f" [{kind}]" if kind not in ("", "none") else "")
    count, limited = _samples(tree, task)
    rest = [setting, limited]
    shots, version = _shots(tree, task), _version(tree, task)
    shot = f" {shots}-shot" if shots is not None else ""
    spelt: list[tuple[str, list[str]]] = [(f"{label}{shot}", [])] + ([(label, [f"shots={shots}"])] if shot else [])
    if version:  # a spelling with the version is the more exact one
        versioned = [(f"{spelling} v{version}", parts) for spelling, parts in spelt]
        spelt = [*versioned, *((spelling, [*parts, f"version={word(version)}"]) for spelling, parts in spelt)]
    names = [(spelling, ";".join(part for part in (*parts, *rest) if part)) for spelling, parts in spelt]
    return ReportedResult(model, names, value, stderr, count, None, None, _higher(tree, task, name), place, group=task, metric=name)


def _model(tree: dict[str, Any]) -> tuple[str, str]:
    """The model's name, and what of its precision was not the usual."""
    config = tree.get("config") if isinstance(tree.get("config"), dict) else {}
    given = config.get("model_args")  # type: ignore[union-attr]
    pairs = given if isinstance(given, dict) else dict(_pair(part) for part in str(given or "").split(",") if "=" in part)
    arguments = {str(key): str(value) for key, value in pairs.items()}
    name = arguments.get("pretrained") or arguments.get("model") or str(tree.get("model_name") or "")
    if (revision := arguments.get("revision", "main")) not in ("main", "None", ""):
        name += f"@{revision}"
    for key in ("peft", "lora_local_path"):
        if adapter := arguments.get(key):
            name += f"+{adapter}"
    odd = [(key, arguments[key]) for key in (*WEIGHTS, *THINKING) if arguments.get(key, "None") not in ("None", "")]
    odd += [(key, arguments[key]) for key in TOKENS if arguments.get(key, "None") not in ("None", "", *UNCHANGED.get(key, ()))]
    odd += [(key, arguments[key]) for key in PRECISIONS if arguments.get(key, "False") not in ("False", "None", *PLAIN_DTYPES)]
    return name.strip(), ";".join(f"{key}={word(value)}" for key, value in odd)


def _asked(tree: dict[str, Any]) -> str:
    """How the model was asked, where that was not the plain way: texts by the first digits of their SHA-256."""
    parts = []
    for key in ("chat_template", "system_instruction"):
        given = tree.get(key)
        if given not in (None, "", False):
            told = str(tree.get(f"{key}_sha") or hashlib.sha256(str(given).encode("utf-8", "replace")).hexdigest())
            parts.append(f"{key}={word(told)[:12]}")
    if tree.get("fewshot_as_multiturn") is True:
        parts.append("multiturn=true")
    generation = _inner(tree, "config", "gen_kwargs")
    if generation not in (None, "", {}, []):
        text = (
            ",".join(f"{key}={value}" for key, value in sorted(generation.items())) if isinstance(generation, dict) else generation
        )
        parts.append(f"generation={word(text)}")
    return ";".join(parts)


def _version(tree: dict[str, Any], task: str) -> str:
    """The version of a task after its first, or nothing."""
    found = str(_inner(tree, "versions", task) or "")
    return "" if found in FIRST_VERSIONS else found.removesuffix(".0")


def _pair(text: str) -> tuple[str, str]:
    key, _, value = text.partition("=")
    return key.strip(), value.strip()


def _inner(tree: dict[str, Any], *keys: str) -> Any:
    node: Any = tree
    for key in keys:
        if not isinstance(node, dict):
            return None
        node = node.get(key)
    return node


def _shots(tree: dict[str, Any], task: str) -> int | None:
    for found in (
        _inner(tree, "n-shot", task),
        _inner(tree, "configs", task, "num_fewshot"),
        _inner(tree, "config", "num_fewshot"),
    ):
        shots = number(found)
        if shots is not None and 0 <= shots < 1000 and shots == int(shots):
            return int(shots)
    return None


def _samples(tree: dict[str, Any], task: str) -> tuple[int | None, str]:
    """The number of items answered, and a setting where that is not all of them."""
    original, effective = (number(_inner(tree, "n-samples", task, key)) for key in ("original", "effective"))
    count = None if effective is None or not 1 <= effective < 1e12 else int(effective)
    if original is not None and count is not None and count < original:
        return count, f"limit={count}"
    limit = number(_inner(tree, "config", "limit"))
    return count, f"limit={limit:g}" if limit is not None and count is None else ""


def _higher(tree: dict[str, Any], task: str, metric: str) -> bool | None:
    found = _inner(tree, "higher_is_better", task, metric)
    return found if isinstance(found, bool) else None
