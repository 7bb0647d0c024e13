"""How the covariance K of all cells is inverted without ever being made: exact, by what ties the cells together.

What a benchmark measures of its own and the noise tie cells of one benchmark only: D, a block of size n_q for each benchmark. All
that ties benchmarks together goes through the abilities of S systems and the grand mean: W A W', with one row of W (n, S + 1) a
cell, its loading at its system and one in the last column. By the matrix inversion lemma (Woodbury 1950), with M = W' D^-1 W and
C = (1 + A M)^-1 A,

    K^-1 = D^-1 - D^-1 W C W' D^-1    ln|K| = ln|D| + ln|1 + A M|

The numbers are those of K itself; the cost is S^3 + sum n_q^3 in place of n^3, the memory S^2 + sum n_q^2 in place of n^2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack, lu_factor, lu_solve

from foresaid.arrays import Array
from foresaid.laws._capability_rows import Codes


@dataclass(frozen=True)
class Block:
    """The n_q cells of one benchmark: its code, their places and systems, its loading and the inverse of their block of D."""

    code: int
    rows: Codes
    systems: Codes
    loading: float
    inverse: Array


@dataclass(frozen=True)
class Inverse:
    """K^-1 in parts: systems (n,) and loadings (n,) of the cells, the blocks of D, M and C (S + 1, S + 1), and ln|K|."""

    s: Codes
    w: Array
    blocks: tuple[Block, ...]
    M: Array
    C: Array
    log_determinant: float

    @property
    def systems(self) -> int:
        """S, the number of systems; the last row of M and C belongs to the grand mean."""
        return len(self.M) - 1

    def within(self, values: Array) -> Array:
        """D^-1 times values (n, k)."""
        found = np.empty_like(values)
        for block in self.blocks:
            found[block.rows] = block.inverse @ values[block.rows]
        return found

    def gathered(self, values: Array) -> Array:
        """W' times values (n, k): summed by system with loadings as weights, and plainly in the last row: (S + 1, k)."""
        found = np.zeros((self.systems + 1, values.shape[1]))
        np.add.at(found, self.s, self.w[:, None] * values)
        found[-1] = values.sum(axis=0)
        return found

    def times(self, values: Array) -> Array:
        """K^-1 times values (n, k)."""
        plain = self.within(values)
        pulled = self.C @ self.gathered(plain)
        return plain - self.within(self.w[:, None] * pulled[self.s] + pulled[-1])

    def product(self, values: Array) -> Array:
        """values' K^-1 values for values (n, k): symmetric (k, k)."""
        plain = self.within(values)
        crossed = self.gathered(plain)
        found = values.T @ plain - crossed.T @ self.C @ crossed
        return 0.5 * (found + found.T)


def cholesky(matrix: Array) -> Array | None:
    """Return the lower factor of a symmetric matrix (n, n); None where it is not positive definite."""
    factor, bad = lapack.dpotrf(matrix, lower=1, clean=1, overwrite_a=0)
    return None if bad else np.asarray(factor)


def _inverse(factor: Array) -> Array:
    """Inverse of the matrix whose lower factor is given."""
    half = np.asarray(lapack.dpotri(factor, lower=1)[0])  # above its diagonal stand the zeros of the factor
    return np.asarray(half + half.T - np.diag(np.diag(half)))


def invert(s: Codes, q: Codes, loadings: Array, ability: Array, grand_mean: float, residual: Array, own: Array) -> Inverse | None:
    """Invert K of cells of systems `s` and benchmarks `q` (n,): None if K is not positive definite.

    `loadings` (Q,), covariance of the systems' abilities and of their residuals on one benchmark (S, S), variance of the grand
    mean, and what a cell has of its own, `own` (n,): noise and items.
    """
    count, blocks, log_determinant = len(ability), [], 0.0
    A, M = np.zeros((count + 1, count + 1)), np.zeros((count + 1, count + 1))
    A[:count, :count], A[count, count] = ability, grand_mean
    for code in np.unique(q):
        rows = np.flatnonzero(q == code)
        D = residual[np.ix_(s[rows], s[rows])]
        D[np.diag_indices(len(rows))] += own[rows]
        L = cholesky(D)
        if L is None:
            return None
        block = Block(int(code), rows, s[rows], float(loadings[code]), _inverse(L))
        blocks.append(block)
        log_determinant += 2.0 * float(np.log(np.diag(L)).sum())
        M[np.ix_(block.systems, block.systems)] += block.loading**2 * block.inverse
        M[block.systems, count] += block.loading * block.inverse.sum(axis=1)
        M[count, count] += block.inverse.sum()
    M[count, :count] = M[:count, count]
    lu = lu_factor(np.eye(count + 1) + A @ M, check_finite=False)
    diagonal = np.abs(np.diag(lu[0]))
    if not np.isfinite(diagonal).all() or not diagonal.all():
        return None
    C = lu_solve(lu, A, check_finite=False)
    return Inverse(s, loadings[q], tuple(blocks), M, 0.5 * (C + C.T), log_determinant + float(np.log(diagonal).sum()))
