"""The frozen curve: what `fit` writes, the ledger keeps, and `score` and `predict` apply.

A curve is the whole conditional forecast as data. Applying it needs no refit and no training rows: raw covariates, the
frozen rule for missing ones, the parameters and their draws, the noise, the bounds. Numbers are stored as decimal strings of
eight significant digits and used exactly as stored, so what is scored is what was frozen. A probe (three rows and what the
curve said of them) travels with it: if the code of a law ever changes its meaning, applying the curve is refused.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import msgspec
import numpy as np

from foresaid.arrays import Array
from foresaid.canonical_json import decimal, dump_line
from foresaid.errors import LedgerError, ParameterError
from foresaid.fitting.data import Covariate, TrainingTable
from foresaid.fitting.discrepancy import Discrepancy
from foresaid.fitting.fit import Fit
from foresaid.fitting.imputation import Imputation, apply_imputation
from foresaid.fitting.law import Law
from foresaid.fitting.transforms import transform_named
from foresaid.fitting.written_numbers import DIGITS, PLACES, as_written, written

PROBE_ROWS = 3
PROBE_TOLERANCE = 1e-6  # of the curve's scale: eight digits in, so six must come out


class CovariateRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One input of the curve."""

    quantity_id: str
    transform: str


class ImputationRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rank-one rule for missing covariates, one number a covariate."""

    centre: list[str]
    spread: list[str]
    mean: list[str]
    loading: list[str]
    lower: str
    upper: str


class DiscrepancyRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How wrong the law has been beyond its rows, over all series of its kind: see fitting/discrepancy.py."""

    bias: str
    scale: str
    growth: str
    floor: str
    edge: str
    progress: int
    series: int
    independent: int
    set_aside: list[str]


class TrainingRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which rows the curve was fitted on; the digest is over their sorted canonical lines."""

    as_of: str
    max_known_on: str
    rows: int
    clusters: int
    bytes: int
    sha256: str


class ProbeRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Covariates on the curve's scale, the value of the curve there, and the quantiles that were forecast there (all levels)."""

    x: list[list[str]]
    y: list[str]
    quantiles: list[list[str]] = []  # one list a row; none in a curve that is not meant to be frozen in a round


class CurveRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A frozen curve as it is written, in the ledger's profile of JSON: no floats."""

    law: str
    version: int
    settings: dict[str, Any]
    target_id: str
    quantity_id: str
    series: str
    resolver: str
    covariates: list[CovariateRecord]
    imputation: ImputationRecord | None
    offset: str
    span: str
    lower: str
    upper: str
    noise: str
    parameters: list[str]
    point: list[str]
    draws: list[list[str]]
    residual_scale: str
    interval_recalibration: str
    n_backtest_clusters: int
    status: str
    reason: str
    restarts_at_best: str
    unconverged: int
    training: TrainingRecord
    seed: int
    probe: ProbeRecord
    cr1_factor: str = ""  # see fitting/bootstrap.py; empty in a curve frozen before there was one: its draws are taken as they are
    discrepancy: DiscrepancyRecord | None = None  # None, as in every older curve: `interval_recalibration` is all that was learned
    items: int | None = None  # how many questions a share counts: no forecast is narrower than their binomial noise; None: no floor


@dataclass(frozen=True)
class Curve:
    """A frozen curve ready to be applied: the record, and its numbers as arrays."""

    record: CurveRecord
    point: Array
    draws: Array
    imputation: Imputation | None

    @property
    def covariates(self) -> tuple[Covariate, ...]:
        """The inputs, in order."""
        return tuple(Covariate(item.quantity_id, item.transform) for item in self.record.covariates)

    @property
    def discrepancy(self) -> Discrepancy | None:
        """How wrong the law has been beyond its rows, or None."""
        kept = self.record.discrepancy
        if kept is None:
            return None
        bias, scale, growth, floor, edge = (float(item) for item in (kept.bias, kept.scale, kept.growth, kept.floor, kept.edge))
        return Discrepancy(
            bias, scale, growth, floor, edge, kept.progress, kept.series, kept.independent, tuple(kept.set_aside)
        )  # fmt: skip

    def prepare(self, x: Array) -> Array:
        """Fill missing covariates (n, k) by the frozen rule; rows that cannot be filled stay NaN."""
        return x if self.imputation is None else apply_imputation(self.imputation, x)


def plain(value: object) -> Any:
    """Bring settings into the ledger's profile: floats become decimal strings, tuples lists, None an empty string.

    >>> plain({"a": 0.25, "b": (1, True), "c": None})
    {'a': '0.25', 'b': [1, True], 'c': ''}
    """
    if value is None:
        return ""
    if isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return decimal(round(value, 15), 15)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    raise TypeError(f"{value!r} has no place in the ledger's profile")


def _discrepancy_record(found: Discrepancy) -> DiscrepancyRecord:
    bias, scale, growth, floor, edge = written(np.array([found.bias, found.scale, found.growth, found.floor, found.edge]))
    return DiscrepancyRecord(
        bias, scale, growth, floor, edge, found.progress, found.series, found.independent, list(found.set_aside)
    )  # fmt: skip


def training_lines(table: TrainingTable) -> list[bytes]:
    """Return one canonical line a training row, sorted: subject, day, covariates and value as used.

    Their SHA-256 is what binds a forecast to the rows it was fitted on; anybody with the record can make them again.
    """
    lines = [
        dump_line(
            {
                "known_on": table.known_on[i].isoformat(),
                "subject_id": table.subjects[i],
                "target_id": table.target.target_id,
                "x": ["" if np.isnan(value) else decimal(round(float(value), 15), 12) for value in table.x[i]],
                "y": decimal(round(float(table.y[i]), 15), 12),
            }
        )
        for i in range(table.n)
    ]
    return sorted(lines)


def applied_curve(law: Law, fit: Fit, as_of: date, seed: int, items: int | None = None) -> Curve:
    """Return what `freeze_curve` makes as far as it can be applied: the same numbers, no text of them, no digest of rows, no probe.

    For what is forecast at once and never written, such as thousands of fits to earlier rows; `to_plain` refuses it.
    """
    table, target, rule = fit.table, fit.table.target, fit.imputation
    record = CurveRecord(
        law=law.name,
        version=law.version,
        settings={},
        target_id=target.target_id,
        quantity_id=target.quantity_id,
        series=target.series or "",
        resolver=target.resolver,
        covariates=[CovariateRecord(item.quantity_id, item.transform) for item in target.covariates],
        imputation=None,
        offset=decimal(target.offset, DIGITS),
        span=decimal(target.span, DIGITS),
        lower=decimal(target.lower, DIGITS),
        upper=decimal(target.upper, DIGITS),
        noise=law.noise,
        parameters=list(fit.parameters),
        point=[],
        draws=[],
        residual_scale=decimal(round(fit.residual_scale, PLACES), DIGITS) if np.isfinite(fit.residual_scale) else "",
        interval_recalibration=decimal(round(fit.interval_recalibration, PLACES), DIGITS),
        n_backtest_clusters=fit.n_backtest_clusters,
        status=fit.status,
        reason=fit.reason,
        restarts_at_best=decimal(round(fit.restarts_at_best, 4), 4),
        unconverged=fit.unconverged,
        training=TrainingRecord(
            as_of=as_of.isoformat(),
            max_known_on=max(table.known_on).isoformat() if table.known_on else "",
            rows=table.n,
            clusters=len(set(table.clusters)),
            bytes=0,
            sha256="",
        ),
        seed=seed,
        probe=ProbeRecord([], []),
        cr1_factor=decimal(round(fit.cr1_factor, PLACES), DIGITS),
        discrepancy=None if fit.discrepancy is None else _discrepancy_record(fit.discrepancy),
        items=items,
    )
    _check(record)
    filled = rule
    if rule is not None:
        parts = {name: as_written(getattr(rule, name)) for name in ("centre", "spread", "mean", "loading")}
        filled = Imputation(**parts, lower=float(decimal(rule.lower, DIGITS)), upper=float(decimal(rule.upper, DIGITS)))
    draws = as_written(fit.draws).reshape(len(fit.draws), len(fit.point))
    return Curve(record, as_written(fit.point), draws, filled)


def freeze_curve(law: Law, fit: Fit, settings: dict[str, Any], as_of: date, seed: int, items: int | None = None) -> Curve:
    """Turn a fit into a frozen curve; its numbers are rounded here, once, and never again.

    `items` is how many questions the quantity counts, where it is a share and the number is known: forecasts of the curve are then
    never narrower than their binomial noise (forecasting/floors.py).
    """
    table, rule, bare = fit.table, fit.imputation, applied_curve(law, fit, as_of, seed, items)
    body = b"".join(training_lines(table))
    record = msgspec.structs.replace(
        bare.record,
        settings=plain(settings),
        imputation=None
        if rule is None
        else ImputationRecord(
            written(rule.centre),
            written(rule.spread),
            written(rule.mean),
            written(rule.loading),
            decimal(rule.lower, DIGITS),
            decimal(rule.upper, DIGITS),
        ),
        point=written(fit.point),
        draws=[written(draw) for draw in fit.draws],
        training=msgspec.structs.replace(bare.record.training, bytes=len(body), sha256=hashlib.sha256(body).hexdigest()),
    )
    if fit.point.size:
        rows = np.linspace(0, table.n - 1, PROBE_ROWS).round().astype(int)
        probe = ProbeRecord([written(row) for row in bare.prepare(table.x[rows])], [])
        x = np.array([[float(value) for value in row] for row in probe.x])
        record = msgspec.structs.replace(record, probe=ProbeRecord(probe.x, written(law.curve(bare.point, x))))
    return replace(bare, record=record)


def with_quantiles(curve: Curve, quantiles: Array) -> Curve:
    """The curve whose probe also holds the quantiles (3, levels) forecast at its rows.

    The curve alone says nothing of its noise: fewer noise points would move the outer quantiles without a word.
    """
    probe = msgspec.structs.replace(curve.record.probe, quantiles=[written(row) for row in quantiles])
    return replace(curve, record=msgspec.structs.replace(curve.record, probe=probe))


def _check(record: CurveRecord) -> None:
    for item in record.covariates:
        transform_named(item.transform)
    if record.items is not None and (record.items < 1 or (float(record.lower), float(record.upper)) != (0.0, 1.0)):
        raise ParameterError(
            f"items: found {record.items} of a quantity from {record.lower} to {record.upper}, "
            "expected at least 1 of a share from 0 to 1, or null"
        )


def thaw_record(record: CurveRecord) -> Curve:
    """Read the numbers of a record into arrays.

    Raises ParameterError for a covariate on an unknown scale, and for `items` below one or of a quantity that is no share.
    """
    _check(record)
    rule = record.imputation
    return Curve(
        record,
        np.array([float(value) for value in record.point]),
        np.array([[float(value) for value in draw] for draw in record.draws]).reshape(len(record.draws), len(record.point)),
        None
        if rule is None
        else Imputation(
            np.array([float(value) for value in rule.centre]),
            np.array([float(value) for value in rule.spread]),
            np.array([float(value) for value in rule.mean]),
            np.array([float(value) for value in rule.loading]),
            float(rule.lower),
            float(rule.upper),
        ),
    )


def to_plain(curve: Curve) -> dict[str, Any]:
    """Return the record as plain JSON values, for a ledger line or a file of curves."""
    if len(curve.record.point) != len(curve.point):
        raise ValueError("found a curve made to be applied at once, expected one of freeze_curve: it has no text of its numbers")
    return dict(msgspec.to_builtins(curve.record))


def from_plain(value: dict[str, Any]) -> Curve:
    """Read a curve from plain JSON values; a field that is missing, unknown or of another kind is refused by name."""
    try:
        return thaw_record(msgspec.convert(value, CurveRecord, strict=True))
    except (msgspec.ValidationError, ParameterError, ValueError) as error:
        raise LedgerError(f"frozen curve: {error}") from None


def check_probe(law: Law, curve: Curve) -> None:
    """Refuse to apply a curve whose law no longer says what it said when the curve was frozen."""
    record = curve.record
    if (law.name, law.version) != (record.law, record.version):
        raise LedgerError(
            f"curve of {record.law} version {record.version}: found version {law.version} of the law; keep the old one"
        )
    if not record.probe.y:
        return
    x = np.array([[float(value) for value in row] for row in record.probe.x])
    then = np.array([float(value) for value in record.probe.y])
    now = law.curve(curve.point, x)
    worst = float(np.abs(now - then).max())
    if not worst <= PROBE_TOLERANCE * max(1.0, float(np.abs(then).max())):
        raise LedgerError(
            f"curve of {record.law}, {record.target_id}: the probe was frozen as {then.tolist()}, the law now says "
            f"{now.tolist()}; the law's code changed its meaning: give it a new version"
        )
