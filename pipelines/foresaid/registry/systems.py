"""One row a system and benchmark: who was measured, apart from how it was measured.

A setting says both. *Which system*: effort, thinking budget, tools, scaffold, second model, precision. *How it was measured*:
shots, prompt, form of the answer, context, sampling, host, suite, publication. The first make, with the model, the system; the
second belong to the protocol of the quantity. Nothing is dropped: a law says which systems and protocols it takes.

Effort is an ordered number, so that a law can use its order. The words stand in the order in which makers offer them. A thinking
budget is placed on the same scale by the equivalents Google publishes for its own API (low 1,024, medium 8,192, high 24,576
tokens: ai.google.dev/gemini-api/docs/openai), by the logarithm of tokens between and beyond them. A source that says "thinking" or
"unknown", or nothing at all, gives no number: unknown is not none. Do not read distances between the numbers as amounts.
"""

from __future__ import annotations

import math
import re
from itertools import pairwise

import polars as pl

from foresaid.sources._settings import EFFORTS

SYSTEM = ("effort", "budget", "agent", "editor", "tools", "precision")
NONE = frozenset({"none", "no-thinking", "nothinking", "non-thinking", "non-reasoning", "instant", "disabled"})
BUDGET = re.compile(r"(?:thinking-)?(\d+)k(?:-thinking)?")
ANCHORS = ((1_024, 2.0), (8_192, 3.0), (24_576, 4.0))  # tokens, effort
MOST = float(EFFORTS.index("max"))
COLUMNS = (
    *("system_id", "model_id", "maker", "line", "tier", "effort", "effort_word", "release", "released_on", "released_precision"),
    *("benchmark", "protocol", "value", "stderr", "chance", "resolution", "unit", "direction", "source_id", "known_on"),
)


def effort_number(word: str) -> float | None:
    """Place an effort or thinking budget, as a setting spells it, on the ordered scale; None where it is not known.

    >>> [effort_number(word) for word in ("none", "low", "high", "high-16k", "24k", "unknown", "")]
    [0.0, 2.0, 4.0, 4.0, 4.0, None, None]
    >>> effort_number("16k") > effort_number("8k") > effort_number("1k")
    True
    """
    if word in NONE:
        return 0.0
    if word in EFFORTS:
        return float(EFFORTS.index(word))
    if match := BUDGET.fullmatch(word):
        return _of_tokens(1024 * int(match[1]))
    first, _, second = word.partition("-")
    if first in EFFORTS and BUDGET.fullmatch(second):  # both named in one word: the effort is what was asked for
        return float(EFFORTS.index(first))
    return None


def _of_tokens(tokens: int) -> float:
    if tokens <= 0:
        return 0.0
    pairs = list(pairwise(ANCHORS))
    (low, first), (high, second) = next((pair for pair in pairs if tokens <= pair[1][0]), pairs[-1])
    value = first + (second - first) * math.log(tokens / low) / math.log(high / low)
    return round(min(max(value, 1.0), MOST), 3)


def split(setting: str) -> tuple[str, str]:
    """Part a setting into what names the system and what belongs to the protocol, each in the order of the keys.

    >>> split("effort=high;shots=5;agent=codex;suite=2026")
    ('effort=high;agent=codex', 'shots=5;suite=2026')
    """
    pairs = [part for part in setting.split(";") if part]
    return tuple(  # type: ignore[return-value]
        ";".join(part for part in pairs if (part.split("=", 1)[0] in SYSTEM) == which) for which in (True, False)
    )


def frame(observations: pl.DataFrame, models: pl.DataFrame, quantities: pl.DataFrame) -> pl.DataFrame:
    """Return one row a system, benchmark, protocol and source, in the order of their names.

    `observations` is what was known on a day (View.observations with stderr where there is one), `models` and `quantities` are the
    tables of the record. `resolution` is the step between two possible scores (one item of a benchmark), null where the number of
    items is not known. Runs and checkpoints are no systems and are left out.
    """
    settings = observations["setting"].unique().sort()
    parts = [split(setting) for setting in settings]
    words = [dict(pair.split("=", 1) for pair in system.split(";") if pair) for system, _ in parts]
    effort_words = [word.get("effort", "") for word in words]
    table = pl.DataFrame(
        {
            "setting": settings,
            "system": [system for system, _ in parts],
            "protocol": [protocol for _, protocol in parts],
            "effort_word": effort_words,
            "effort": [effort_number(word) for word in effort_words],
        },
        schema={"setting": pl.String, "system": pl.String, "protocol": pl.String, "effort_word": pl.String, "effort": pl.Float64},
    )
    joined = (
        observations.filter(pl.col("kind") == "model")
        .join(table, on="setting")
        .join(
            models.select("model_id", "line", "tier", "release", "released_precision", maker="organisation"),
            left_on="subject_id",
            right_on="model_id",
        )
        .join(quantities.select("quantity_id", "chance", "items", "unit", "direction"), on="quantity_id")
    )
    plain = pl.col("system") == ""
    named = joined.with_columns(
        pl.when(plain).then(pl.col("subject_id")).otherwise(pl.format("{}[{}]", "subject_id", "system")).alias("system_id"),
        (1.0 / pl.col("items")).alias("resolution"),
        *([] if "stderr" in joined.columns else [pl.lit(None, dtype=pl.Float64).alias("stderr")]),
    ).rename({"subject_id": "model_id", "quantity_id": "benchmark"})
    return named.select(COLUMNS).sort("system_id", "benchmark", "protocol", "source_id")
