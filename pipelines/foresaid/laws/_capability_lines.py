"""Product line, tier and launch of a model, proposed from its name and maker by rule.

What a forecaster reads off a name such as `claude-sonnet-4-5-20250929`: the line (claude), the tier (sonnet) and, with the day of
release, the launch it belongs to. The rule only proposes: a record that states line and tier by hand overrides it. It looks at
words of the name alone, never at scores, so it can be applied to a model nobody has measured.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Words that set one model of a launch apart from another, in the order in which they are printed in a tier.
TIERS = (
    *("nano", "micro", "mini", "lite", "small", "flash", "air", "fast", "turbo", "haiku", "instant", "medium", "sonnet", "plus"),
    *(
        "large",
        "max",
        "opus",
        "pro",
        "ultra",
        "heavy",
        "preview",
        "deep",
        "codex",
        "coder",
        "code",
        "math",
        "thinking",
        "think",
        "reasoning",
    ),
    *("scout", "maverick", "distill", "base"),
)
# Words that say how a model is hosted or which build it is: neither line nor tier.
IGNORED = frozenset(
    (
        *(
            "exp",
            "experimental",
            "latest",
            "beta",
            "instruct",
            "chat",
            "it",
            "hf",
            "version",
            "vision",
            "multimodal",
            "webapp",
            "web",
        ),
        *(
            "app",
            "customtools",
            "speciale",
            "text",
            "fp8",
            "bf16",
            "meta",
            "open",
            "amazon",
            "moe",
            "v",
            "vl",
            "tools",
            "the",
            "model",
        ),
    )
)
# `preview`, `thinking` and the like say how a model is run or how finished it is: kept out of the tier.
UNTIERED = frozenset({"preview", "thinking", "think", "reasoning", "base"})
# Spellings of one line.
SAME_LINE = {"chatgpt": "gpt", "chatglm": "glm"}
SIZE = re.compile(r"^(?:(\d+)x)?(\d+(?:[._p]\d+)?)b$")
SIZE_CLASSES = ((4.5, "under5b"), (16.0, "5to16b"), (48.0, "16to48b"), (130.0, "48to130b"), (float("inf"), "over130b"))


@dataclass(frozen=True)
class Lineage:
    """The product line and the tier of a model; an empty tier is the plain model of the line."""

    line: str
    tier: str


def propose_lineage(name: str, maker: str = "") -> Lineage:
    """Propose line and tier from the words of a model name.

    The line is the first word of letters that is no tier word (`claude-opus-4-6`: claude); the tier is every tier word in a
    fixed order (`gpt-5.1-codex-mini`: mini codex), or, where weights are named by size, the class of the size
    (`Qwen2.5-72B`: 48to130b). OpenAI's o-series is one line, `o`. A name without a usable word gets its maker as the line.

    >>> propose_lineage("gpt-4.1-nano-2025-04-14"), propose_lineage("claude-3-5-haiku-20241022")
    (Lineage(line='gpt', tier='nano'), Lineage(line='claude', tier='haiku'))
    >>> propose_lineage("o4-mini-2025-04-16"), propose_lineage("Llama-3.1-405B-Instruct")
    (Lineage(line='o', tier='mini'), Lineage(line='llama', tier='over130b'))
    """
    tokens = [token for token in re.split(r"[\s/()+:,-]+|_(?!\d)", name.strip().lower()) if token]
    if re.match(r"^o\d", tokens[0] if tokens else ""):
        return Lineage("o", _tier(tokens[1:]))
    line = ""
    rest: list[str] = []
    for token in tokens:
        word = re.sub(r"^amazon\.|^c4ai$", "", token)
        letters = re.match(r"^[a-z_]+[a-z]|^[a-z]", word)
        if not line and letters and letters[0] not in TIERS and letters[0] not in IGNORED:
            line = letters[0]
            rest += [] if word == line else [word[len(line) :]]
        else:
            rest.append(word)
    line = SAME_LINE.get(line, line) or ("gpt" if "codex" in rest else "")
    if line == "gpt" and "oss" in rest:
        line = "gpt-oss"
    if line == "deepseek" and ({"r1", "reasoner"} & set(rest)):
        line = "deepseek-r"
    return Lineage(line or maker.lower() or "unnamed", _tier(rest))


def propose_lines(models: dict[str, str]) -> dict[str, Lineage]:
    """Propose line and tier for many models: model name -> maker gives model name -> lineage, in sorted order."""
    return {name: propose_lineage(name, models[name]) for name in sorted(models)}


def launch(line: str, released_on: str) -> str:
    """Name the launch: the models of one line that came out on one day are one release.

    >>> launch("gpt", "2025-08-07")
    'gpt@2025-08-07'
    """
    return f"{line}@{released_on}"


def _tier(tokens: list[str]) -> str:
    words = {token for token in tokens if token in TIERS and token not in UNTIERED}
    sizes = [
        float(found[2].replace("p", ".").replace("_", ".")) * (float(found[1]) if found[1] else 1.0)
        for token in tokens
        if (found := SIZE.match(token))
    ]
    tier = " ".join(word for word in TIERS if word in words)
    if sizes:
        tier = f"{tier} {next(name for top, name in SIZE_CLASSES if max(sizes) < top)}".strip()
    return tier
