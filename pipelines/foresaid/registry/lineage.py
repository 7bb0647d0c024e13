"""Product line, tier and release of a model: a proposal read off its name, for a person to confirm in models.csv.

A maker's line (claude, gpt, gemini, ...) goes on from version to version; a tier is its place among its siblings (opus, mini,
flash, 70b). A release is one launch of one maker: all that came out with it, whatever size, tier or preview. Laws read what
models.csv says, never this rule: it is applied once, when a model is added, and what a person decides stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

SIZE = re.compile(r"(?<![a-z0-9.])(\d+x)?\d+(\.\d+)?b(-a\d+(\.\d+)?b)?(?![a-z0-9])|(?<![a-z0-9])e\db(?![a-z0-9])")
PLAIN = "plain"  # the tier of a model whose name has no tier word


@dataclass(frozen=True)
class Rule:
    """One line: how its names begin, and the words that are tiers of it, the longest first."""

    line: str
    name: str
    tiers: tuple[str, ...] = ()


RULES = (
    Rule("claude-instant", r"claude-instant"),
    Rule("claude", r"claude", ("haiku", "sonnet", "opus", "fable", "mythos")),
    Rule("gpt-oss", r"gpt-oss"),
    Rule("openai-o", r"o\d(?![a-z0-9.])", ("mini", "pro", "preview", "deep-research")),
    Rule(
        "gpt",
        r"(chat)?gpt-?\d",
        (
            *("codex-spark", "codex-mini", "codex-max", "codex", "mini", "nano", "pro", "turbo", "chat", "instant"),
            *("cyber", "luna", "sol", "terra", "astra"),
        ),
    ),
    Rule("gemini", r"gemini", ("flash-lite", "deep-think", "flash-thinking", "flash", "pro", "ultra", "nano", "argon")),
    Rule("gemma", r"(diffusion)?gemma"),
    Rule("palmyra", r"palmyra", ("fin", "med")),
    Rule("palm", r"palm"),
    Rule("grok", r"(early-)?grok", ("code-fast", "fast", "mini", "heavy", "multi-agent", "build")),
    Rule("deepseek-r", r"deepseek-r\d", ("distill", "zero")),
    Rule("deepseek-coder", r"deepseek-coder", ("lite",)),
    Rule("deepseek-v", r"deepseek-v\d", ("flash", "pro", "lite", "speciale", "exp", "base")),
    Rule("qwq", r"qwq"),
    Rule("qwen-coder", r"(codeqwen|qwen[\d.]*-coder)", ("next", "plus", "flash")),
    Rule("qwen-vl", r"qwen[\d.]*-vl", ("max", "plus")),
    Rule("qwen", r"qwen", ("omni-flash", "omni-plus", "omni", "max-thinking", "max", "plus", "flash", "turbo", "next")),
    Rule("glm", r"glm|chatglm", ("flashx", "flash", "airx", "air", "turbo", "plus")),
    Rule("kimi", r"kimi", ("code", "thinking", "linear")),
    Rule("minimax", r"minimax", ("her", "text", "vl")),
    Rule("mistral-large", r"mistral-large"),
    Rule("mistral-medium", r"mistral-medium"),
    Rule("mistral-small", r"mistral-small"),
    Rule("magistral", r"magistral", ("medium", "small")),
    Rule("codestral", r"codestral"),
    Rule("devstral", r"devstral", ("medium", "small")),
    Rule("ministral", r"ministral"),
    Rule("mixtral", r"mixtral"),
    Rule("mistral", r"(open-)?mistral"),
    Rule("codellama", r"codellama"),
    Rule("nemotron", r".*nemotron", ("ultra", "super", "nano-omni", "nano", "cascade")),
    Rule("llama", r"(meta-)?llama-?\d|llama-(7|13|30|65)b", ("maverick", "scout")),
    Rule("muse", r"muse", ("spark", "glimmer")),
    Rule("nova", r"(amazon[.-])?nova", ("premier", "pro", "lite", "micro", "experimental-chat")),
    Rule("command", r"(c4ai-)?command", ("r-plus", "a-plus", "r7b", "r", "a", "light")),
    Rule("phi", r"phi", ("mini", "small", "medium", "vision", "reasoning-plus", "reasoning")),
    Rule("olmo", r"olmo"),
    Rule("ernie", r"ernie"),
    Rule("hunyuan", r"hunyuan|hy\d|tencent-hy", ("turbos", "turbo", "large", "standard", "t1", "vision", "lite")),
    Rule("step", r"step", ("flash", "turbo")),
    Rule("mimo", r"mimo", ("pro", "omni", "flash")),
    Rule("doubao-seed", r"(doubao-|dola-)?seed|doubao", ("pro", "lite", "mini", "thinking")),
    Rule("sonar", r"sonar", ("reasoning-pro", "reasoning", "pro")),
    Rule("reka", r"reka", ("core", "edge", "flash")),
    Rule("yi", r"yi", ("lightning", "large", "vision")),
    Rule("granite", r"granite", ("small", "micro", "tiny")),
    Rule("ling", r"ling", ("flash", "mini", "lite", "plus")),
    Rule("ring", r"ring", ("flash", "mini", "lite")),
    Rule("longcat", r"longcat", ("flash",)),
    Rule("mercury", r"mercury", ("edit", "coder")),
    Rule("trinity", r"trinity", ("large", "mini", "nano")),
    Rule("fugu", r"fugu", ("ultra",)),
    Rule("laguna", r"laguna", ("m", "xs")),
    Rule("jamba", r"jamba", ("large", "mini")),
    Rule("dbrx", r"dbrx"),
)


def propose(model_id: str, family: str) -> tuple[str, str]:
    """Propose the line and the tier of a model by its id; where no rule knows the name, the line is its family without digits.

    >>> propose("anthropic/claude-opus-4-5-20251101", "Claude 4.5"), propose("openai/gpt-5.4-mini", "GPT-5.4")
    (('claude', 'opus'), ('gpt', 'mini'))
    >>> propose("meta-llama/llama-3.3-70b-instruct", "Llama-3.3"), propose("openai/gpt-5.5", "GPT-5.5")
    (('llama', '70b'), ('gpt', 'plain'))
    """
    name = model_id.rsplit("/", 1)[-1].lower()
    for rule in RULES:
        if re.match(rule.name, name):
            words = [tier for tier in rule.tiers if re.search(rf"(?<![a-z]){re.escape(tier)}(?![a-z])", name[1:])]
            size = SIZE.search(name)
            return rule.line, words[0] if words else size[0] if size else PLAIN
    size = SIZE.search(name)
    plain = re.sub(r"[^a-z]+", "-", re.sub(r"\d[\w.]*", "", family.lower())).strip("-")
    return plain or re.sub(r"[^a-z0-9]+", "-", name).strip("-"), size[0] if size else PLAIN


def maker(organisation: str) -> str:
    """The name of a maker as launches and targets spell it: the first organisation, in lower case.

    >>> maker("Google DeepMind, Google"), maker("01.AI")
    ('google-deepmind', '01-ai')
    """
    return re.sub(r"[^a-z0-9]+", "-", organisation.split(",")[0].split("(")[0].lower()).strip("-")


def release(organisation: str, line: str, released_on: date | None, precision: str) -> str:
    """Propose the name of the launch a model came out with: maker and day, or maker, month and line where only a month is known.

    >>> release("OpenAI", "gpt", date(2026, 3, 5), "day"), release("Upstage", "solar", date(2026, 1, 1), "month")
    ('openai/2026-03-05', 'upstage/2026-01/solar')
    """
    name = maker(organisation)
    if released_on is None or not name:
        return ""
    return f"{name}/{released_on}" if precision == "day" else f"{name}/{released_on:%Y-%m}/{line}"


def unconfirmed(rows: Iterable[tuple[str, str]]) -> list[str]:
    """The models whose lineage nobody has confirmed: `rows` are (model_id, line_source)."""
    return [model for model, source in rows if source == "rule"]
