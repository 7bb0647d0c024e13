"""One number a system from the fitted capability law: its reference index and its rank, with what is not known of both.

The reference index is the mean over the benchmarks of the fit of the noise-free probit score,

    index_s = mean_q (m + w_q theta_s + r_{s,q}),

a linear function of the joint Gaussian, so its mean and covariance given all cells are exact. It asks how high the system would
stand on the whole basket, measured there or not: a system measured on one board has a wide interval. It is a figure of one basket
and one vintage; figures of two vintages are not to be subtracted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foresaid.arrays import Array
from foresaid.laws._capability_kernel import GRAND_MEAN_VARIANCE, total
from foresaid.laws._capability_model import Model

DRAWS = 4000
JITTER = 1e-9  # on the variances, so that the factor of their covariance exists


@dataclass(frozen=True)
class Index:
    """Reference index (probit units) and rank (1 is best) of the S systems of a fit, each with its standard error: all (S,)."""

    value: Array
    error: Array
    rank: Array
    rank_error: Array


def reference_index(model: Model, rng: np.random.Generator) -> Index:
    """Return the posterior mean and standard error of every system's reference index, and the same of its rank.

    mean = C K^-1 z and covariance = C_0 - C K^-1 C' (Rasmussen and Williams 2006, equations 2.25 and 2.26) with C the covariance
    of index and cells. Ranks are counted in DRAWS draws of the joint posterior, since ranks of neighbours are dependent.
    """
    cells, sizes, settings = model.cells, model.sizes, model.settings
    systems, count = cells.systems, len(cells.benchmarks.names)
    ability = total(settings.ability, sizes.ability, systems, systems, sizes.lengths)
    residual = total(settings.residual, sizes.residual, systems, systems, sizes.lengths)
    mean_loading = float(sizes.loadings.mean())
    cross = GRAND_MEAN_VARIANCE + mean_loading * sizes.loadings[cells.q] * ability[:, cells.s] + residual[:, cells.s] / count
    own = GRAND_MEAN_VARIANCE + mean_loading**2 * ability + residual / count
    covariance = own - model.inverse.product(cross.T)
    covariance = 0.5 * (covariance + covariance.T) + JITTER * np.eye(systems.n)
    value = cross @ model.alpha
    drawn = value + rng.standard_normal((DRAWS, systems.n)) @ np.linalg.cholesky(covariance).T
    ranks = np.empty_like(drawn)
    np.put_along_axis(ranks, np.argsort(-drawn, axis=1, kind="stable"), np.arange(1.0, systems.n + 1.0)[None, :], axis=1)
    return Index(value, np.sqrt(np.diag(covariance)), ranks.mean(axis=0), ranks.std(axis=0))


def ability_residuals(model: Model) -> Array:
    """Published probit score minus the fit by grand mean and ability alone: (n,). Shared structure left in it is the residual's."""
    cells, sizes, settings = model.cells, model.sizes, model.settings
    ability = total(settings.ability, sizes.ability, cells.systems, cells.systems, sizes.lengths)
    w = sizes.loadings[cells.q]
    fitted = GRAND_MEAN_VARIANCE * float(model.alpha.sum()) + w * (ability[:, cells.s] @ (w * model.alpha))[cells.s]
    return np.asarray(cells.z - fitted)
