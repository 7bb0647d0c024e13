"""How Epoch names a model and its variants: a version with prefixes and suffixes, and the words of a row's own name.

Apart from the tables because both sources of the hub and anyone who looks up what it states of models part names in one way.
"""

from __future__ import annotations

import re

EFFORT = re.compile(r"_(none|minimal|low|medium|high|xhigh|max|unknown|thinking|\d+[Kk])$| \((\d+K thinking)\)$")
EARLY = re.compile(r"-pre-release$")
WEB_APP = re.compile(r"(?<=\d{4}-\d\d-\d\d)-(web-app)$")  # after a day: the same model as its maker's page serves it
HOST = re.compile(r"^([\w-]+)/(?=\S)|^(parasail)-")
# Makers' names for their own hosting of weights that they published.
HOSTED = {
    "open-mistral-nemo-2407": ("Mistral-Nemo-Instruct-2407", "mistral"),
    "open-mixtral-8x22b": ("Mixtral-8x22B-Instruct-v0.1", "mistral"),
    "open-mixtral-8x7b": ("Mixtral-8x7B-Instruct-v0.1", "mistral"),
    "kimi-k2-0711-preview": ("Kimi-K2-Instruct", "moonshot"),
}
PRECISION = re.compile(r"-(FP8)$")
# Efforts as the names of rows spell them.
WORDS = {
    "none": "none",
    "non-thinking": "none",
    "minimal": "minimal",
    "low": "low",
    "med": "medium",
    "medium": "medium",
    "high": "high",
    "xhigh": "xhigh",
    "x-high": "xhigh",
    "max": "max",
}


def identify(version: str) -> tuple[str, dict[str, str]]:
    """Part a model version into the model and how it was run.

    >>> identify("gpt-5.2-2025-12-11_high"), identify("chutes/GLM-4.5-FP8")
    (('gpt-5.2-2025-12-11', {'effort': 'high'}), ('GLM-4.5', {'provider': 'chutes', 'precision': 'FP8'}))
    >>> identify("gpt-5.5-pre-release_xhigh")
    ('gpt-5.5', {'effort': 'xhigh'})
    """
    name, parts = version.strip(), {}
    if match := EFFORT.search(name):
        name, parts["effort"] = name[: match.start()], match[1] or match[2]
    name = EARLY.sub("", name)
    if match := WEB_APP.search(name):
        name, parts["agent"] = name[: match.start()], match[1]
    if match := HOST.match(name):
        name, parts["provider"] = name[match.end() :], match[1] or match[2]
    if name in HOSTED:
        name, parts["provider"] = HOSTED[name]
    if match := PRECISION.search(name):
        name, parts["precision"] = name[: match.start()], match[1]
    return name, parts


def named(name: str, version: dict[str, str]) -> dict[str, str]:
    """Effort and thinking budget of a row whose name says them; what the model version says stands where the name is silent.

    >>> named("Claude Opus 4.6 (120K, High)", {"effort": "120K"}), named("Claude Opus 4 (Thinking)", {"effort": "unknown"})
    ({'effort': 'high', 'budget': '120K'}, {'effort': 'thinking'})
    >>> named("claude-opus-4-6-thinking-max", {"effort": "max"}), named("GPT-5 Pro", {"effort": "unknown"})
    ({'effort': 'max'}, {'effort': 'unknown'})
    """
    bracket = re.search(r"\(([^()]*)\)?$", name)
    words = re.split(r"[ ,]+", bracket[1].lower()) if bracket else []
    effort = next((WORDS[word] for word in words if word in WORDS), "")
    thinks = "thinking" in words or re.search(r"-thinking(-\w+)?$", name) is not None
    before = version.get("effort", "")
    budget = before if re.fullmatch(r"\d+[Kk]", before) else ""
    if effort:
        return {"effort": effort} | ({"budget": budget} if budget else {})
    if thinks and before in ("", "unknown"):
        return {"effort": "thinking"}
    return {"effort": before} if before else {}


def same(model: str) -> str:
    """One spelling of names that differ in case or by the mark of the Hugging Face format."""
    return model.lower().removesuffix("-hf")
