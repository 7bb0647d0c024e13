"""BenchPress's completion of a score matrix: biases of models and benchmarks plus a product of rank two, on the logit scale.

The published competitor of the capability law (arXiv 2606.24020: logit transform, bias ALS, rank 2, ridge .1). It knows no dates,
makers or efforts. Written from its description, not from its code; the mean over several random starts is what brings its
printed error on its own folds (docs/results-capability.md says what other readings of the description gave).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from foresaid.arrays import Array

EDGE = 0.005  # a share this close to 0 or 1 is pulled to the edge before the logit
START = 0.1  # standard deviation of the factors at a start


@dataclass(frozen=True)
class Settings:
    """Rank of the product, ridge penalty on factors and biases alike, sweeps over both sides, random starts averaged."""

    rank: int = 2
    ridge: float = 0.1
    sweeps: int = 20
    starts: int = 10


def _half_step(left: Array, known: Array, factors: Array, bias: Array, ridge: float) -> tuple[Array, Array]:
    """Ridge regression of every row's known values, less the other side's bias, on the other side's factors and a one."""
    inputs = np.column_stack([factors, np.ones(len(factors))])
    size = inputs.shape[1]
    gram = np.einsum("mb,br,bs->mrs", known, inputs, inputs) + (ridge + 1e-9) * np.eye(size)
    found = np.linalg.solve(gram, (((left - bias) * known) @ inputs)[:, :, None])[:, :, 0]
    return found[:, :-1], found[:, -1]


@dataclass(frozen=True)
class Completion:
    """A fitted completion: centre and scale (B,) of the columns and, of each start, the factors and biases of both sides."""

    centre: Array
    scale: Array
    rows: tuple[tuple[Array, Array], ...]  # U (M, rank) and bias (M,)
    columns: tuple[tuple[Array, Array], ...]  # V (B, rank) and bias (B,)
    ridge: float

    def table(self) -> Array:
        """Every cell on the logit scale, mean over the starts: (M, B)."""
        parts = [a[:, None] + b + U @ V.T for (U, a), (V, b) in zip(self.rows, self.columns, strict=True)]
        return np.asarray(self.centre + self.scale * np.mean(parts, axis=0))

    def new_rows(self, z: Array) -> Array:
        """Complete rows the fit has not seen, from what is known of them on the logit scale: (m, B) from (m, B), NaN unknown.

        One ridge regression on the columns' factors for each row; the columns stay as they are.
        """
        known = np.isfinite(z).astype(float)
        left = np.where(known > 0, (z - self.centre) / self.scale, 0.0)
        parts = []
        for V, b in self.columns:
            U, a = _half_step(left, known, V, b, self.ridge)
            parts.append(a[:, None] + b + U @ V.T)
        return np.asarray(self.centre + self.scale * np.mean(parts, axis=0))


def fit_logits(z: Array, settings: Settings, rng: np.random.Generator) -> Completion:
    """Complete z (M, B), NaN where unknown, by alternating least squares: model bias + benchmark bias + U V'.

    Every column is first brought to mean 0 and deviation 1 of its known values, so that one ridge fits all.
    """
    known = np.isfinite(z).astype(float)
    count = known.sum(axis=0)
    filled = np.where(known > 0, z, 0.0)
    centre = filled.sum(axis=0) / np.maximum(count, 1.0)
    left = np.where(known > 0, z - centre, 0.0)
    scale = np.sqrt((left**2).sum(axis=0) / np.maximum(count, 1.0))
    scale = np.where((count > 1) & (scale > 1e-6), scale, 1.0)
    left /= scale
    first, second = [], []
    for _ in range(settings.starts):
        V, columns = rng.normal(0.0, START, (z.shape[1], settings.rank)), np.zeros(z.shape[1])
        for _ in range(settings.sweeps):
            U, rows = _half_step(left, known, V, columns, settings.ridge)
            V, columns = _half_step(left.T, known.T, U, rows, settings.ridge)
        first.append((U, rows))
        second.append((V, columns))
    return Completion(centre, scale, tuple(first), tuple(second), settings.ridge)


def to_logit(shares: Array) -> Array:
    """Logit of shares pulled EDGE off 0 and 1; NaN stays NaN."""
    return np.where(np.isfinite(shares), logit(np.clip(np.nan_to_num(shares, nan=0.5), EDGE, 1.0 - EDGE)), np.nan)


def complete_matrix(shares: Array, rng: np.random.Generator, settings: Settings | None = None) -> Array:
    """Complete a table of shares (M, B), NaN where unknown: the fit on the logit scale brought back, (M, B)."""
    return np.asarray(expit(fit_logits(to_logit(shares), settings or Settings(), rng).table()))
