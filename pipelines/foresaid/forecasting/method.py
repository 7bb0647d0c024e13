"""What a method of a table says of itself: the type, and the words for what a method is told of the model it forecasts."""

from __future__ import annotations

from dataclasses import dataclass

NOTHING, FAMILY, MAKER, LINE, SCALE, COMPUTE, SIZE, DATE = (
    "nothing", "family", "maker and effort", "line, tier and effort", "scale of the run", "training compute", "size and tokens",
    "release date",
)  # fmt: skip
LINEAGE = "maker, line, tier, effort and release date"
SCORES = "other scores"
SAME, COVARIATES = "what its laws were told", "its covariates"


@dataclass(frozen=True)
class Method:
    """One method: `role` is law, baseline or ensemble; `told` is what it knows of the model or run it forecasts."""

    name: str
    title: str
    sentence: str
    role: str
    told: str
