"""Principal components of complete score tables, batched over resamples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foresaid.arrays import Array


@dataclass(frozen=True)
class Components:
    """Weighted principal components of each copy: `centre` (R, m), `loadings` (R, K, m), `explained` (R, m) shares."""

    centre: Array
    loadings: Array
    explained: Array

    def scores(self, values: Array) -> Array:
        """Project rows (R, n, m) onto the components: (R, n, K)."""
        return np.asarray((values - self.centre[:, None, :]) @ np.swapaxes(self.loadings, 1, 2))


def components(values: Array, weights: Array, wanted: int) -> Components:
    """Principal components of `values` (R, n, m) under `weights` (R, n), centred and not standardised.

    The sign of a component is fixed by its largest loading, so that a library's choice cannot change a stored number.

    >>> line = np.array([[[0.0, 0.0], [0.3, 0.4], [0.6, 0.8]]])
    >>> found = components(line, np.ones((1, 3)), 1)
    >>> found.loadings[0, 0].round(3).tolist(), round(float(found.explained[0, 0]), 6)
    ([0.6, 0.8], 1.0)
    """
    total = weights.sum(axis=1)[:, None]
    centre = (weights[:, None, :] @ values)[:, 0] / total
    offset = values - centre[:, None, :]
    variances, vectors = np.linalg.eigh(np.swapaxes(offset * weights[..., None], 1, 2) @ offset)
    variances, vectors = variances[:, ::-1].clip(min=0.0), vectors[:, :, ::-1]
    loadings = np.swapaxes(vectors[:, :, :wanted], 1, 2)
    largest = np.take_along_axis(loadings, np.abs(loadings).argmax(axis=-1)[..., None], axis=-1)
    whole = variances.sum(axis=1, keepdims=True)
    return Components(centre, loadings * np.sign(largest), variances / np.where(whole > 0, whole, 1.0))
