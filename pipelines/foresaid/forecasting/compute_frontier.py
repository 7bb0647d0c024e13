"""Quantile frontier in compute: straight lines through quantiles of the probit score in ln training compute, where it is known.

Koenker and Bassett's (1978) quantile regression at every level, as capability frontiers in compute are drawn. It says nothing of a
release whose compute is not published, which since 2025 is nearly every release at the frontier.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foresaid.arrays import Array

FEWEST = 8


def frontier(log_compute: Array, z: Array, at: float, levels: Sequence[float]) -> Array | None:
    """Quantiles (L,), sorted, of the probit score at ln compute `at`, from n training models; None below FEWEST."""
    if len(z) < FEWEST or np.ptp(log_compute) < 1e-9:
        return None
    from sklearn.linear_model import QuantileRegressor  # takes half a second to load, and most stages never ask

    x, here = (log_compute - log_compute.mean())[:, None], np.array([[at - log_compute.mean()]])
    found = [QuantileRegressor(quantile=level, alpha=0.0, solver="highs").fit(x, z).predict(here)[0] for level in levels]
    return np.sort(np.array(found))
