"""One row a system and benchmark: who was measured, apart from how it was measured.

A setting says both. *Which system*: effort, thinking budget, tools, scaffold, second model, precision, host. *How it was measured*:
shots, prompt, form of the answer, context, sampling, suite, publication. The first make, with the model, the system; the
second belong to the protocol of the quantity. Nothing is dropped: a law says which systems and protocols it takes. A host is part
of the system because it chooses what it serves of a model with open weights: quantisation, context and template.

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

SYSTEM = ("effort", "budget", "agent", "editor", "tools", "precision", "provider", "served", "thinking")
NONE = frozenset({"none", "no-thinking", "nothinking", "non-thinking", "non-reasoning", "instant", "disabled"})
BUDGET = re.compile(r"(?:thinking-)?(\d+)k(?:-thinking)?")
ANCHORS = ((1_024, 2.0), (8_192, 3.0), (24_576, 4.0))  # tokens, effort
MOST = float(EFFORTS.index("max"))
COLUMNS = (
    *("system_id", "model_id", "maker", "line", "tier", "effort", "effort_word", "release", "released_on", "released_precision"),
    *("benchmark", "protocol", "value", "stderr", "chance", "resolution", "unit", "direction", "source_id", "known_on"),
)

EACH, HIGHEST, DEFAULT = "each", "highest_effort", "default"
TAKEN = (EACH, HIGHEST, DEFAULT)  # which systems a law may take


def models_of(column: str) -> pl.Expr:
    """Name the models of a column of systems: `confusables.model_of`."""
    return pl.col(column).str.split("[").list.first()


def taken(observations: pl.DataFrame, which: str) -> pl.DataFrame:
    """Return the observations of the systems a law takes, its settings reduced to the protocol.

    `default`: rows whose setting names no system and no protocol, subjects and settings as they are. `each`: one subject a system,
    spelt `model[effort=high]`. `highest_effort`: one subject a model, and of each of its quantities, protocols and sources the row
    with the highest effort (an unknown effort counts below all known ones; between equals the first name stands).

    >>> rows = pl.DataFrame({"subject_id": ["m", "m"], "quantity_id": ["q", "q"], "source_id": ["s", "s"],
    ...     "setting": ["effort=low;suite=a", "effort=high;suite=a"], "value": [0.1, 0.2]})
    >>> taken(rows, "each").select("subject_id", "setting").rows()
    [('m[effort=low]', 'suite=a'), ('m[effort=high]', 'suite=a')]
    >>> taken(rows, "highest_effort").select("subject_id", "value").rows()
    [('m', 0.2)]
    """
    if which == DEFAULT:
        return observations
    joined = observations.join(_parts(observations), on="setting", maintain_order="left")
    if which == EACH:
        joined = joined.with_columns(subject_id=_system_id("subject_id"))
    else:
        key = ["subject_id", "quantity_id", "source_id", "protocol"]
        joined = joined.sort("effort", "system", descending=[True, False], nulls_last=True, maintain_order=True)
        joined = joined.unique(key, keep="first", maintain_order=True).sort(*key)
    return joined.with_columns(setting=pl.col("protocol")).select(observations.columns)


def _system_id(model: str) -> pl.Expr:
    return pl.when(pl.col("system") == "").then(pl.col(model)).otherwise(pl.format("{}[{}]", model, "system"))


def _parts(observations: pl.DataFrame) -> pl.DataFrame:
    """One row a setting: system, protocol, effort as a word and as a number."""
    settings = observations["setting"].unique().sort()
    parts = [split(setting) for setting in settings]
    named = [dict(pair.split("=", 1) for pair in system.split(";") if pair) for system, _ in parts]
    words = [pairs.get("effort", pairs.get("thinking", "")) for pairs in named]
    return pl.DataFrame(
        {
            "setting": settings,
            "system": [system for system, _ in parts],
            "protocol": [protocol for _, protocol in parts],
            "effort_word": words,
            "effort": [effort_number(word) for word in words],
        },
        schema={"setting": pl.String, "system": pl.String, "protocol": pl.String, "effort_word": pl.String, "effort": pl.Float64},
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
    joined = (
        observations.filter(pl.col("kind") == "model")
        .join(_parts(observations), on="setting")
        .join(
            models.select("model_id", "line", "tier", "release", "released_precision", maker="organisation"),
            left_on="subject_id",
            right_on="model_id",
        )
        .join(quantities.select("quantity_id", "chance", "items", "unit", "direction"), on="quantity_id")
    )
    named = joined.with_columns(
        _system_id("subject_id").alias("system_id"),
        (1.0 / pl.col("items")).alias("resolution"),
        *([] if "stderr" in joined.columns else [pl.lit(None, dtype=pl.Float64).alias("stderr")]),
    ).rename({"subject_id": "model_id", "quantity_id": "benchmark"})
    return named.select(COLUMNS).sort("system_id", "benchmark", "protocol", "source_id")
