"""What an author promises and takes back: forecasts open and sealed, openings, amendments, withdrawals, as strict records.

The frozen curve of a prediction is opaque here, since the ledger outlives the program that applies it.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import Any, ClassVar, TypeAlias

from msgspec import UNSET, UnsetType

from foresaid.ledger.entries.fields import (
    Count,
    Day,
    EntryFields,
    ForecastId,
    Hash,
    Id,
    Name,
    Number,
    RoundId,
    System,
    Text,
    Time,
    check_day,
    check_text,
    check_time,
)


@lru_cache(maxsize=256)
def _levels(levels: tuple[str, ...]) -> None:
    numbers = [Decimal(level) for level in levels]
    if not numbers or numbers[0] <= 0 or numbers[-1] >= 1:
        raise ValueError("`levels` must be one or more numbers between 0 and 1")
    if any(low >= high for low, high in pairwise(numbers)):
        raise ValueError("`levels` must ascend")


class Quantiles(EntryFields, tag_field="kind", tag="quantiles", frozen=True):
    """A predictive distribution by its quantiles."""

    levels: list[Number]
    values: list[Number]

    def __post_init__(self) -> None:
        _levels(tuple(self.levels))
        if len(self.values) != len(self.levels):
            raise ValueError(f"{len(self.levels)} levels and {len(self.values)} values")
        numbers = [Decimal(value) for value in self.values]
        if any(low > high for low, high in pairwise(numbers)):
            raise ValueError("`values` must not descend")


class CurvePrediction(EntryFields, tag_field="kind", tag="curve", frozen=True):
    """A conditional forecast: the frozen curve, applied to whatever a new model's covariates turn out to be.

    Where the curve states `items`, the number of questions its share counts, its central intervals are at least those of
    Binomial(items, median) / items, the median kept half an item off 0 and 1.
    """

    curve: dict[str, Any]


class Training(EntryFields, frozen=True):
    """What a forecast was fitted on: the vintage, the last day anything in it was known, and the rows by size and SHA-256."""

    as_of: Day
    max_known_on: Day
    rows: Count
    bytes: Count
    sha256: Hash

    def __post_init__(self) -> None:
        check_day(self.as_of)
        check_day(self.max_known_on)


class Sibling(EntryFields, frozen=True):
    """A further cell of a joint: another system of the same launch, by line, tier and settings, on one benchmark."""

    line: Id
    tier: Id
    system: System
    benchmark: Id

    def __post_init__(self) -> None:
        check_text("system", self.system)


class JointPrediction(EntryFields, tag_field="kind", tag="joint", frozen=True):
    """A forecast of a release as a joint Gaussian of all benchmarks, for each of several days: conditioning needs no refit.

    On the probit scale z = Phi^-1((score - chance) / (ceiling - chance)), scores in shares of one; `ceiling` is what a flawless
    system scores, 1 where nothing else is stated. Its cells are the `benchmarks` of the system that the target asks for, in order,
    and behind them the `siblings`. On `days[d]` the cells have mean `mean[d]` and the covariance matrix whose lower triangle is
    `covariance[d]`, row by row; between two days both are interpolated linearly by the day. A published score adds
    `noise_variance` and the binomial variance of those of its `items` (null: none) that can be solved, each of its benchmark, and
    every standard deviation is multiplied by `factor`. Forecast are the score unconditionally, given what else was published of
    the same system, and given what was published of its siblings too: three numbers that no mean mixes. See
    `laws/_capability_frozen.py`, which reads it.
    """

    days: list[Day]
    benchmarks: list[Id]
    chance: list[Number]
    ceiling: list[Number]
    items: list[Number | None]
    siblings: list[Sibling]
    mean: list[list[Number]]
    covariance: list[list[Number]]
    noise_variance: list[Number]
    factor: Number
    training: Training

    def __post_init__(self) -> None:
        for day in self.days:
            check_day(day)
        if not self.days or any(first >= second for first, second in pairwise(self.days)):
            raise ValueError("`days` must be one or more days that ascend")
        count = len(self.benchmarks)
        if not count or len(set(self.benchmarks)) != count:
            raise ValueError("`benchmarks` must name one or more, each once")
        cells = count + len(self.siblings)
        triangle = cells * (cells + 1) // 2
        by_benchmark = {len(self.chance), len(self.ceiling), len(self.items), len(self.noise_variance)} == {count}
        if not by_benchmark or set(map(len, self.mean)) != {cells} or {len(self.mean), len(self.covariance)} != {len(self.days)}:
            raise ValueError(f"expected {cells} numbers a day for {count} benchmarks and their siblings, and {len(self.days)} days")
        if any(len(row) != triangle for row in self.covariance):
            raise ValueError(f"`covariance` must have {triangle} numbers a day, the lower triangle for {cells} cells")
        if len(set(self.siblings)) != len(self.siblings) or not {one.benchmark for one in self.siblings} <= set(self.benchmarks):
            raise ValueError("`siblings` must be on some of the benchmarks, each once")
        if any(not Decimal(low) < Decimal(high) <= 1 for low, high in zip(self.chance, self.ceiling, strict=True)):
            raise ValueError("`ceiling` must be above `chance` and at most 1")
        if Decimal(self.factor) <= 0 or any(Decimal(one) < 0 for one in self.noise_variance):
            raise ValueError("`factor` must be above 0 and `noise_variance` not below it")


def _check_id(given: str, target: str, method: str) -> None:
    """An id is round, target and method; the round ends at the first slash."""
    if given != (expected := f"{given.split('/', 1)[0]}/{target}/{method}"):
        raise ValueError(f"`id` is {given}, expected {expected}")


Prediction: TypeAlias = Quantiles | CurvePrediction | JointPrediction


class ForecastEntry(EntryFields, tag_field="type", tag="forecast/v1", frozen=True):
    """One open prediction of one target by one method; `id` is <round>/<target>/<method>.

    The round stands in the id, where it ends at the first slash. The field `round` may repeat it, and must then agree.
    """

    COUNTED: ClassVar[str] = "forecasts"

    id: ForecastId
    target: Id
    method: Name
    primary: bool
    prediction: Prediction
    round: RoundId | UnsetType = UNSET

    def __post_init__(self) -> None:
        first = self.id.split("/", 1)[0]
        if self.round is not UNSET and self.round != first:
            raise ValueError(f"`round` is {self.round}, but `id` begins with {first}")
        _check_id(self.id, self.target, self.method)


class Sealed(EntryFields, tag_field="type", tag="sealed/v1", frozen=True):
    """A prediction bound by a hash, to be opened by `reveal_by`; the target is public, so that it can be counted."""

    COUNTED: ClassVar[str] = "sealed"

    id: ForecastId
    target: Id
    commit: Hash
    reveal_by: Time

    def __post_init__(self) -> None:
        check_time(self.reveal_by)
        _check_id(self.id, self.target, self.id.rsplit("/", 1)[1])


class Inner(EntryFields, tag_field="type", tag="forecast/v1", frozen=True):
    """The line that a seal hides: a forecast that also says whose it is and which log it is for."""

    author: Id
    id: ForecastId
    method: Name
    origin: Id
    prediction: Prediction
    primary: bool
    target: Id

    def __post_init__(self) -> None:
        _check_id(self.id, self.target, self.method)


class Reveal(EntryFields, tag_field="type", tag="reveal/v1", frozen=True):
    """The opening of one's own sealed forecast: the nonce, and the line that was hashed with it."""

    COUNTED: ClassVar[str] = "opened"

    opens: ForecastId
    nonce: Hash
    forecast: Inner

    def __post_init__(self) -> None:
        if self.opens != self.forecast.id:
            raise ValueError(f"`opens` is {self.opens}, but the line inside is {self.forecast.id}")


class Amendment(EntryFields, tag_field="type", tag="amendment/v1", frozen=True):
    """Another prediction for one's own earlier forecast; both are kept and both are scored."""

    COUNTED: ClassVar[str] = "amendments"

    amends: ForecastId
    reason: Text
    prediction: Prediction

    def __post_init__(self) -> None:
        check_text("reason", self.reason)


class Withdrawal(EntryFields, tag_field="type", tag="withdrawal/v1", frozen=True):
    """Notice that one's own earlier forecast is withdrawn; it stays in the ledger and in the denominator."""

    COUNTED: ClassVar[str] = "withdrawals"

    withdraws: ForecastId
    reason: Text

    def __post_init__(self) -> None:
        check_text("reason", self.reason)
