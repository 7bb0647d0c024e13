"""What the commands about submissions say, as plain values: the types from which their JSON Schemas are read."""

from __future__ import annotations

from typing import TypedDict


class PlainObjection(TypedDict):
    """An objection: its code, error or warning, where, what was found and what was expected."""

    code: str
    severity: str
    where: str
    found: str
    expected: str


class TargetRow(TypedDict):
    """What a program needs to know to forecast a target; numbers are decimal strings in the unit of the target."""

    name: str
    open: bool
    closed_because: str | None
    answer_until: str
    asks: str
    rule: str
    benchmark: str
    unit: str
    min: str
    max: str
    record: str | None
    direction: str
    opens: str
    closes: str
    levels: list[str]
    forecasts: int


class PlainFileVerdict(TypedDict):
    """The verdict on a file: what it is, whose, how many forecasts it brings, and what is to be said of it."""

    path: str
    kind: str
    author: str | None
    forecasts: int
    objections: list[PlainObjection]


class PlainVerdict(TypedDict):
    """The verdict on a submission, accepted or refused, by file; `objections` are those of no one file."""

    schema: str
    verdict: str
    forecasts: int
    files: list[PlainFileVerdict]
    objections: list[PlainObjection]


class StatedForecast(TypedDict):
    """A forecast as it is frozen: its id, whether it is the author's primary one, and its quantiles in the unit of the target."""

    id: str
    primary: bool
    levels: list[str]
    values: list[str]


class StatedForecasts(TypedDict):
    """What was stated: the author, the batch ("" where nothing was frozen), the forecasts, and what there is to know of them."""

    author: str
    batch: str
    forecasts: list[StatedForecast]
    warnings: list[PlainObjection]
