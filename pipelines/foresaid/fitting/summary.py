"""A fit in numbers: parameters with ranges, status and residuals, as metrics and pages show them."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from foresaid.arrays import Array
from foresaid.fitting.bootstrap import inflate_for_few_clusters
from foresaid.fitting.fit import Fit
from foresaid.fitting.law import Law


def parameter_ranges(law: Law, fitted: Fit, share: float = 0.9) -> Array:
    """Return the ends (2, Q) of the ranges that hold a `share` of each frozen parameter, its draws inflated as the curve's are.

    No range runs beyond a bound where the law becomes a simpler law, such as a loss of nought that no data remove.
    """
    draws, target = fitted.draws, fitted.table.target
    if not draws.size:
        return np.full((2, len(fitted.point)), np.nan)
    ends = np.quantile(
        inflate_for_few_clusters(draws, fitted.cr1_factor, len(set(fitted.table.clusters))),
        [(1.0 - share) / 2.0, (1.0 + share) / 2.0],
        axis=0,
    )
    bounds = {item.name: item for item in law.parameters(target, law.features(len(target.covariates))) if item.natural}
    for at, name in enumerate(fitted.parameters[: draws.shape[1]]):
        if name in bounds:
            ends[:, at] = np.clip(
                ends[:, at], min(bounds[name].lower, draws[:, at].min()), max(bounds[name].upper, draws[:, at].max())
            )
    return ends


def unmeasured(fitted: Fit) -> frozenset[str]:
    """Benchmarks a law may read that no training row was measured on, such as a board of a source that is read on demand."""
    table = fitted.table
    return frozenset(
        item.quantity_id for at, item in enumerate(table.target.covariates) if table.n and np.isnan(table.x[:, at]).all()
    )


def describe(law: Law, fitted: Fit) -> dict[str, Any]:
    """Say of a fit what a page shows: status and reason, rows, parameters with 90 % ranges, and the profile if there is one.

    The weight of a benchmark that no row was measured on is no figure of the fit, whatever it is, and left out.
    """
    target, empty = fitted.table.target, unmeasured(fitted)
    ends = parameter_ranges(law, fitted)
    profile = fitted.profile
    return {
        "target_id": target.target_id,
        "quantity_id": target.quantity_id,
        "series": target.series or "",
        "title": target.title,
        "status": fitted.status,
        "reason": fitted.reason,
        "rows": fitted.table.n,
        "clusters": len(set(fitted.table.clusters)),
        "excluded_rows": [{"reason": reason, "rows": count} for reason, count in fitted.table.excluded_rows],
        "parameters": [
            {"name": name, "point": float(value), "lower_90": float(low), "upper_90": float(high)}
            for name, value, low, high in zip(fitted.parameters, fitted.point, ends[0], ends[1], strict=False)
            if name not in empty
        ],
        "residual_scale": fitted.residual_scale,
        "cr1_factor": fitted.cr1_factor,
        "interval_recalibration": fitted.interval_recalibration,
        "n_backtest_clusters": fitted.n_backtest_clusters,
        "discrepancy": None if fitted.discrepancy is None else dataclasses.asdict(fitted.discrepancy),
        "restarts_at_best": fitted.restarts_at_best,
        "replicate_restarts_at_best": fitted.replicate_restarts_at_best,
        "unconverged": fitted.unconverged,
        "profile": None
        if profile is None
        else {
            "parameter": profile.parameter,
            "values": profile.values.tolist(),
            "rms": profile.rms.tolist(),
            "forecast": profile.forecast.tolist(),
            "admissible": [bool(item) for item in profile.admissible],
        },
    }
