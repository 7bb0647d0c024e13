"""How a value was taken, in one spelling: effort, shots, scaffold, precision and the like are a `setting`, never a model.

A setting is `key=value` pairs in the order of KEYS, joined by semicolons, each value a slug; the plain way of a benchmark is
the empty setting. Leaderboards hide such things in the names of models; `peel` takes the known suffixes off a name.
"""

from __future__ import annotations

import re
import unicodedata

KEYS = (
    "effort",  # reasoning effort or thinking budget, as the source names it
    "budget",  # thinking budget, where the source names an effort beside it
    "shots",
    "prompt",
    "format",  # edit format, or the form of the answer
    "agent",  # scaffold or agent around the model
    "editor",  # second model that carries out the first one's answer
    "tools",
    "precision",
    "provider",
    "context",  # length of the input
    "sampling",  # more than one answer a question
    "suite",  # release of the benchmark
    "source",  # the publication a collector took the value from
    "record",  # the collector's own id, where nothing else tells two rows apart
)
LONGEST = 48


def slug(text: str) -> str:
    """Spell free text as a value of a setting.

    >>> slug("OpenHands + Claude 3.5 Sonnet"), slug("Q5_K_M (unsloth)")
    ('openhands-claude-3.5-sonnet', 'q5-k-m-unsloth')
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9.]+", "-", plain.lower()).strip("-.")[:LONGEST].strip("-.")


def setting(**parts: str) -> str:
    """Join the parts that say something, in the order of KEYS.

    >>> setting(shots="5-shot", effort="high", source="")
    'effort=high;shots=5-shot'
    """
    unknown = set(parts) - set(KEYS)
    if unknown:
        raise ValueError(f"setting {', '.join(sorted(unknown))}: expected one of {', '.join(KEYS)}")
    spelt = {key: slug(value) for key, value in parts.items()}
    return ";".join(f"{key}={spelt[key]}" for key in KEYS if spelt.get(key))


def peel(name: str, pattern: re.Pattern[str]) -> tuple[str, str]:
    """Take a suffix off a model's name: the name without it, and its group `value` (empty where there is none).

    >>> peel("gpt-5_high", re.compile(r"_(?P<value>low|high)"))
    ('gpt-5', 'high')
    """
    match = re.search(f"(?:{pattern.pattern})$", name, pattern.flags)
    return (name[: match.start()].rstrip(), match["value"]) if match else (name.rstrip(), "")


EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")  # in order; a source's other words stay as they are
_WORDS = {"no thinking": "none", "non-thinking": "none", "med": "medium", "x-high": "xhigh"}
_BUDGET = re.compile(r"(?:thinking[- ]?)?(\d+k)", re.IGNORECASE)


def effort_parts(text: str) -> dict[str, str]:
    """Part the words by which a source names a variant into effort and thinking budget.

    Both stand apart only where both are named; a budget alone is the effort, as it is on every older board.

    >>> effort_parts("high, 16k"), effort_parts("thinking 16k"), effort_parts("no thinking"), effort_parts("adaptive")
    ({'effort': 'high', 'budget': '16k'}, {'effort': '16k'}, {'effort': 'none'}, {'effort': 'adaptive'})
    """
    parts: dict[str, str] = {}
    budget = ""
    for piece in (piece.strip() for piece in text.lower().split(",")):
        if match := _BUDGET.fullmatch(piece):
            budget = match[1]
        else:
            parts["effort"] = _WORDS.get(piece, piece)
    if budget:
        parts["budget" if "effort" in parts else "effort"] = budget
    return parts
