"""Whether the rows alone say what a curve forecasts: no certainty from a prior, from one value, or from one size.

A prior enters every replicate of the bootstrap with the same centre, so where the rows are silent the draws agree, and agreement
looks like knowledge. Starts that agree at the training rows say nothing either when the rows leave a direction open. Both are
seen in the information of the rows, J'J, before any prior is added.
"""

from __future__ import annotations

import numpy as np

from foresaid.arrays import Array
from foresaid.fitting.data import TrainingTable
from foresaid.fitting.law import Law, Parameter

OPEN = 1e-9  # of the largest singular value of J with columns of unit length: a direction that the rows leave open
DECIDED = 10.0  # a variance at the horizon so many times larger without the prior: nine tenths of what is known is the prior


def unmoving(table: TrainingTable) -> str | None:
    """Say that all rows have one value, or None."""
    if table.n > 1 and float(np.ptp(table.y)) == 0.0:
        return f"all {table.n} rows have the value {table.y[0]:.4g}: they cannot say where it changes"
    return None


def doubt(
    law: Law, table: TrainingTable, parameters: tuple[Parameter, ...], point: Array, features: Array, horizon: Array
) -> str | None:
    """Say why the rows (n, p) do not identify the forecasts at `horizon` (m, p), or None.

    The reasons, in this order: all rows have one value; the rows leave a direction of the parameters open (rank of J, parameters on
    their bounds held); the variance at the horizon is more than DECIDED times larger without the prior,

        h' (J'J)^-1 h > DECIDED h' (J'J + W)^-1 h,   h the derivative of the curve at the horizon, W the prior's weight

    all on the noise scale of the law and linear about `point` (P,): not to be trusted where the curve bends within its own error.
    """
    silent = unmoving(table)
    if silent:
        return silent
    lower, upper = (np.array([getattr(item, end) for item in parameters]) for end in ("lower", "upper"))
    reach = np.where(np.isfinite(upper - lower), np.maximum(upper - lower, 1.0), 1.0)
    free = np.minimum(np.abs(point - lower), np.abs(point - upper)) > 1e-9 * reach
    rows, ahead = (_slope(law, point, x)[:, free] for x in (features, horizon))
    length = np.sqrt((rows**2).sum(axis=0))
    if (length == 0.0).any():
        named = np.array([item.name for item in parameters])[free][length == 0.0]
        return f"the rows do not depend on {', '.join(named)}"
    _, singular, directions = np.linalg.svd(rows / length, full_matrices=False)
    if len(singular) < free.sum() or singular[-1] <= OPEN * singular[0]:
        return "a direction of the parameters changes no training row"
    weight = law.prior(parameters)[1][free]
    if not weight.any():
        return None
    scaled = ahead / length
    alone = (((scaled @ directions.T) / singular) ** 2).sum(axis=1)
    both = np.linalg.inv((rows / length).T @ (rows / length) + np.diag(weight / length**2))
    held = np.einsum("mi,ij,mj->m", scaled, both, scaled)
    ratio = float(np.max(alone / np.where(held > 0, held, np.inf)))
    if ratio > DECIDED:
        return f"without the prior the variance at the horizon is {ratio:.2g} times larger: the prior decides, not the rows"
    return None


def _slope(law: Law, point: Array, x: Array) -> Array:
    slope = law.jacobian(point, x)
    if law.noise != "log":
        return slope
    value = law.curve(point, x)[:, None]
    return np.asarray(np.where(value > 0, slope / np.where(value > 0, value, 1.0), 0.0))
