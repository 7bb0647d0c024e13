"""A frozen curve as its reader meets it: covariates in raw units by name, a forecast back, and the score of that forecast.

The record of a curve (fitting/frozen_curve.py) is data and knows no law; here it stands beside the law that reads it. Covariates
are refused by name, because a mistyped one would otherwise be a forecast of something else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
from numpy.typing import NDArray

from foresaid.arrays import Array
from foresaid.canonical_json import dump_line
from foresaid.errors import LedgerError, ParameterError
from foresaid.fitting.data import Covariate
from foresaid.fitting.frozen_curve import Curve, CurveRecord, from_plain, to_plain
from foresaid.fitting.law import Law
from foresaid.forecasting.predict import Forecast, predict
from foresaid.laws._loader import load
from foresaid.scoring.calibration import probability_integral_transform
from foresaid.scoring.rules import Resolution, bias, covered, weighted_interval_score

Raw = float | None | Sequence[float | None]


@dataclass(frozen=True)
class FrozenCurve:
    """A conditional forecast as data: `record` says what it forecasts, from which covariates, and what it was fitted on."""

    law: Law
    curve: Curve

    @property
    def record(self) -> CurveRecord:
        """Everything that is frozen: target, covariates, parameters, draws, noise, bounds, status, digest of the training rows."""
        return self.curve.record

    @property
    def covariates(self) -> tuple[Covariate, ...]:
        """What `predict` must be given, by `quantity_id`, in the units of registry/quantities.csv; the order does not matter."""
        return self.curve.covariates

    def predict(self, covariates: Mapping[str, Raw]) -> Forecast:
        """Forecast one subject, or n of them, from covariates in raw units: quantiles (n, 23) in the unit of the quantity.

        Each covariate is a number, or a sequence of n numbers; None says that it is unknown, which a curve with a rule for missing
        covariates fills. Raises ParameterError, by name, for a covariate that is missing, unknown to the curve, not a number, or
        without a place on the curve's scale (a logarithm of nothing). Not to be trusted far outside the training rows.
        """
        return predict(self.law, self.curve, self._scaled(covariates))

    def _scaled(self, given: Mapping[str, Raw]) -> Array:
        names = [item.quantity_id for item in self.covariates]
        for name in given:
            if name not in names:
                near = get_close_matches(str(name), names, n=1)
                hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(names)}"
                raise ParameterError(f"covariate {name}: found it, expected those of {self.record.target_id} alone; {hint}")
        missing = [name for name in names if name not in given]
        if missing:
            raise ParameterError(
                f"covariate {missing[0]}: found no value, expected one for each of {', '.join(names)}; "
                "give None (on the command line: unknown) where it is not known"
            )
        columns = [self._column(item, given[item.quantity_id]) for item in self.covariates]
        lengths = {len(column) for column in columns}
        if len(lengths) != 1:
            raise ParameterError(f"covariates: found {sorted(lengths)} values, expected as many of each")
        x = np.column_stack(columns)
        if np.isnan(self.curve.prepare(x)).any():
            raise ParameterError(
                f"covariates of {self.record.target_id}: found too few known values, expected more of {', '.join(names)}: "
                "the curve has no rule that fills these"
            )
        return x

    def _column(self, covariate: Covariate, given: Raw) -> Array:
        name = covariate.quantity_id
        each = list(given) if isinstance(given, Sequence) and not isinstance(given, str) else [given]
        try:
            raw = np.array([np.nan if value is None else float(value) for value in each])
        except (TypeError, ValueError):
            raise ParameterError(f"covariate {name}: found {given!r}, expected a number in raw units") from None
        said = np.array([value is not None for value in each])
        scaled = covariate.apply(raw)
        if covariate.scale.outside(raw) or not np.isfinite(scaled[said]).all():
            raise ParameterError(f"covariate {name}: found {given!r}, expected {covariate.scale.expected}")
        return np.asarray(scaled)

    def to_json(self) -> str:
        """The curve as one line of canonical JSON, as a ledger keeps it; `read_curve` reads it back."""
        return dump_line(to_plain(self.curve)).decode("ascii")


def read_curve(text: str | bytes) -> FrozenCurve:
    """Read a frozen curve from its JSON; a field that is missing, unknown or of another kind is refused (LedgerError).

    Reading a curve runs no code of its author: it names one of the laws of this package, which says what the numbers mean.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise LedgerError(f"frozen curve: found {type(error).__name__}, expected one JSON object") from None
    if not isinstance(value, dict):
        raise LedgerError("frozen curve: found no JSON object, expected one")
    return of_curve(from_plain(value))


def of_curve(curve: Curve) -> FrozenCurve:
    """Put a curve beside the law it names."""
    return FrozenCurve(load(curve.record.law, curve.record.settings), curve)


@dataclass(frozen=True)
class Score:
    """How n forecasts did, each array (n,): WIS and its three parts in the quantity's unit (lower is better), PIT in [0, 1]."""

    outcomes: Array
    wis: Array
    dispersion: Array
    overprediction: Array
    underprediction: Array
    absolute_error: Array  # of the median
    bias: Array
    pit: Array
    forecast: Forecast
    resolution: Resolution = 0.0

    def covered(self, coverage: float) -> NDArray[np.bool_]:
        """Whether each outcome lies in the central interval of this nominal coverage (0.5, 0.8, 0.95, ...), at its resolution."""
        return covered(self.forecast.quantiles, self.forecast.levels, self.outcomes, coverage, self.resolution)


def score(forecast: Forecast, outcomes: float | Sequence[float] | Array, resolution: Resolution = 0.0) -> Score:
    """Score forecasts against what was observed, one outcome a forecast, in the unit of the quantity.

    `resolution` is the step between two possible outcomes, one or one each: 1 / items for a share of so many items, the unit of the
    last printed digit elsewhere, 0 where outcomes are exact. Coverage, bias and PIT count an outcome within half of it as a hit.

    WIS and its parts: Bracher, Ray, Gneiting, Reich 2021 (arXiv 2005.12881); PIT: Dawid 1984. Raises ParameterError where the
    numbers differ, an outcome is not finite, or the resolution is negative.
    """
    observed = np.atleast_1d(np.asarray(outcomes, dtype=float))
    if observed.shape != (len(forecast.quantiles),) or not np.isfinite(observed).all():
        raise ParameterError(
            f"score: found outcomes {observed.tolist()!r:.80}, expected {len(forecast.quantiles)} finite numbers, one a forecast"
        )
    q, levels = forecast.quantiles, forecast.levels
    parts = weighted_interval_score(q, levels, observed)
    error = np.abs(observed - q[:, q.shape[1] // 2])
    pit = probability_integral_transform(q, levels, observed, resolution)
    return Score(
        observed, parts.wis, parts.dispersion, parts.overprediction, parts.underprediction, error,
        bias(q, levels, observed, resolution), pit, forecast, resolution,
    )  # fmt: skip
