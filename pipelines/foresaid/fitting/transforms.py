"""The scales a covariate may enter a curve on, in one list: a new scale is one entry, and an unknown name is refused.

A frozen curve names its scale by a word. A word that is not in the list must never be read as the nearest one that is: a curve
applied on the wrong logarithm gives numbers that look like forecasts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from foresaid.arrays import Array, sigmoid
from foresaid.errors import ParameterError

LOGIT_EDGE = 0.01  # a share this close to 0 or 1 says no more than the edge itself


@dataclass(frozen=True)
class Transform:
    """A scale: `apply` brings raw values (n,) to it, `undo` brings them back, `axis` says where they stand on a chart.

    Values outside [lower, upper] (the open end 0 of a logarithm with them) have no place on the scale; `expected` says so in an
    error message. `undo` gives back what `apply` was given but for values that `apply` moved or made missing.
    """

    name: str
    apply: Callable[[Array], Array]
    undo: Callable[[Array], Array]
    axis: Callable[[Array], Array]
    expected: str
    bounds: tuple[float, float] = (-np.inf, np.inf)

    def outside(self, raw: Array) -> bool:
        """Say whether any raw value lies beyond the bounds; missing values do not."""
        return bool(((raw < self.bounds[0]) | (raw > self.bounds[1])).any())


def _same(values: Array) -> Array:
    return values


def _logarithm(function: Callable[[Array], Array]) -> Callable[[Array], Array]:
    def apply(values: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(values > 0, function(values), np.nan)

    return apply


def _logit(values: Array) -> Array:
    share = np.clip(values, LOGIT_EDGE, 1.0 - LOGIT_EDGE)
    return np.asarray(np.log(share / (1.0 - share)))


def _power_of_ten(values: Array) -> Array:
    return np.asarray(10.0**values)


_POSITIVE = "a finite number above 0"
TRANSFORMS = {
    item.name: item
    for item in (
        Transform("identity", _same, _same, _same, "a finite number"),
        Transform("ln", _logarithm(np.log), np.exp, np.exp, _POSITIVE),
        Transform("log10", _logarithm(np.log10), _power_of_ten, _power_of_ten, _POSITIVE),
        Transform("logit", _logit, sigmoid, _same, "a fraction in [0, 1]; divide percentages by 100", (0.0, 1.0)),
    )
}


def transform_named(name: str) -> Transform:
    """Return the scale of this name; one that is not in the list raises ParameterError.

    >>> transform_named("ln").undo(transform_named("ln").apply(np.array([4.0]))).round(12).tolist()
    [4.0]
    """
    if name not in TRANSFORMS:
        raise ParameterError(f"covariate, transform: found {name!r}, expected one of {', '.join(TRANSFORMS)}")
    return TRANSFORMS[name]
