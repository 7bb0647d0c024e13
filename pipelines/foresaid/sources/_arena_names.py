"""Names on the boards of the Arena (lmarena.ai, arena.ai): the model, and how it was run.

One place for both readers of its later boards. A name is parted only where the maker offers one model in several modes; names
such as kimi-k2-thinking-turbo or qwen3-235b-a22b-thinking-2507 are models of their own.
"""

from __future__ import annotations

import re

from foresaid.sources._settings import effort_parts, setting

TOOLS = re.compile(r"-(search|grounding)(?P<rest>-non-reasoning)?$")
BRACKET = re.compile(r" \((?P<value>[^()]+)\)$")
PRECISION = re.compile(r"-(?P<value>bf16|fp8)$")
BUDGET = re.compile(r"-thinking-(?P<value>\d+k)$")
EFFORT = re.compile(r"(?<=^)(?P<model>(?:gpt-|o\d|grok-3-mini|ppl-sonar).*?)-(?P<value>minimal|low|medium|high|xhigh)$")
MODES = re.compile(
    r"(?P<model>(?:claude-|deepseek-v3\.|gemini-|grok-4|kimi-k2\.5|qwen3-235b-a22b(?=-no-)).*?)"
    r"-(?P<value>no-thinking|thinking|instant|non-reasoning|reasoning)"
)
MODE = {"no-thinking": "none", "instant": "none", "non-reasoning": "none", "reasoning": "thinking"}


def identify(name: str) -> tuple[str, str]:
    """Part a name into the model and its setting.

    >>> identify("claude-sonnet-4-5-20250929-thinking-32k"), identify("gpt-5.4-high (codex-harness)")
    (('claude-sonnet-4-5-20250929', 'effort=32k'), ('gpt-5.4', 'effort=high;agent=codex-harness'))
    >>> identify("kimi-k2-thinking-turbo")
    ('kimi-k2-thinking-turbo', '')
    >>> identify("gpt-5.2-search-non-reasoning"), identify("gemini-3-flash (thinking-minimal)")
    (('gpt-5.2', 'effort=none;tools=search'), ('gemini-3-flash', 'effort=minimal'))
    >>> identify("gemini-3-pro-grounding")
    ('gemini-3-pro', 'tools=grounding')
    """
    parts: dict[str, str] = {}
    if match := BRACKET.search(name):
        name, said = name[: match.start()], match["value"]
        parts |= {"agent": said} if said.endswith("-harness") else effort_parts(said.removeprefix("thinking-"))
    if match := TOOLS.search(name):
        name = name[: match.start()] + (match["rest"] or "")
        parts["tools"] = match[1]
        if match["rest"]:
            name, parts["effort"] = name.removesuffix(match["rest"]), "none"
    if match := PRECISION.search(name):
        name, parts["precision"] = name[: match.start()], match["value"]
    if match := BUDGET.search(name):
        name, parts["effort"] = name[: match.start()], match["value"]
    elif match := EFFORT.fullmatch(name):
        name, parts["effort"] = match["model"], match["value"]
    elif match := MODES.fullmatch(name):
        name, parts["effort"] = match["model"], MODE.get(match["value"], match["value"])
    return name, setting(**parts)
