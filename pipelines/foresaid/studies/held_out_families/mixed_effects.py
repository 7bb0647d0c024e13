"""A mixed-effects model of a benchmark table: families are drawn from a population of families and pooled as far as the data say.

Each score is a sigmoid of a latent value above the score of guessing. The latent values of all cells are one Gaussian process:
a surface in ln size and ln tokens that all share, and what a family, its base or chat models, a set of pre-trained weights and a
single model add to it. All settings are found by the marginal likelihood of the rows that train, so nothing is chosen on what is
forecast. The sigmoid is linearised about the fit, and the settings found again (Lindstrom and Bates 1990).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs
from scipy.optimize import Bounds, minimize
from scipy.special import expit, ndtri

from foresaid.arrays import Array
from foresaid.scoring.levels import LEVELS
from foresaid.studies.held_out_families.covariance import Settings
from foresaid.studies.held_out_families.protocol import Exercise, Forecasts, Leaderboard, eligible, split

EFFECTS = 5  # surface, family, level (base or chat), pre-trained weights, model
PASSES = 3  # linearisations of the sigmoid, the settings found anew after each
STEPS = 30  # of each search for settings
REACH = 4.0  # a setting stays within so many prior standard deviations
FIXED = 3.0  # prior standard deviation of the straight parts of the surface: vague on a logit scale
SHARE = 0.05  # the first linearisation is at shares between this and one less this
STEEP = 0.02  # least slope of the sigmoid at which it is linearised
POINTS = 99  # of latent values, and of noise, when quantiles are made
JITTER = 1e-8
NAME = "mixed effects (families partly pooled)"


def _place(board: Leaderboard, like: Leaderboard) -> Array:
    """Return ln size and ln tokens on the scale of the rows `like`, (n, 2)."""
    x, of = (np.log(np.column_stack([each.size, each.tokens])) for each in (board, like))
    return np.asarray((x - of.mean(axis=0)) / np.maximum(of.std(axis=0), 1e-9))


def _straight(x: Array, chat: Array) -> Array:
    return np.column_stack([np.ones(len(x)), x, x[:, 0] * x[:, 1], chat, chat * x[:, 0]])


@dataclass(frozen=True)
class _Kinship:
    """How models a (n) and b (m) are related: `straight` (n, m), `apart` (2, n, m) squared distances, `groups` (4, n, m)."""

    straight: Array
    apart: Array
    groups: Array

    def effects(self, lengths: Array) -> Array:
        """Return the relation under each effect, (C, n, m)."""
        surface = np.exp(-0.5 * np.tensordot(1.0 / lengths**2, self.apart, axes=1))
        return np.concatenate([surface[None], self.groups])

    def covariance(self, settings: Settings, theta: Array) -> Array:
        """Return the covariance of all cells, benchmark by benchmark: (J n, J m)."""
        J, (n, m) = settings.benchmarks, self.straight.shape
        whole = np.tensordot(settings.across(theta), self.effects(settings.lengths(theta)), axes=(0, 0))
        whole[np.arange(J), np.arange(J)] += self.straight
        return np.asarray(whole.transpose(0, 2, 1, 3).reshape(J * n, J * m))


def _kinship(a: Leaderboard, b: Leaderboard, like: Leaderboard, itself: bool) -> _Kinship:
    x, z = _place(a, like), _place(b, like)
    family, level = (one[:, None] == other[None, :] for one, other in ((a.family, b.family), (a.level, b.level)))
    weights = family & (a.size[:, None] == b.size) & (a.tokens[:, None] == b.tokens)
    one_model = np.eye(len(x), len(z), dtype=bool) & itself
    straight = FIXED**2 * _straight(x, a.chat) @ _straight(z, b.chat).T
    groups = np.stack([family, level, weights, one_model]).astype(float)
    return _Kinship(straight, (x.T[:, :, None] - z.T[:, None, :]) ** 2, groups)


def _score(latent: Array, floor: Array) -> Array:
    return np.asarray(floor + (1.0 - floor) * expit(latent))


def objective(theta: Array, settings: Settings, kin: _Kinship, z: Array, steep: Array) -> tuple[float, Array, Array, Array]:
    """Return the negative log posterior of the settings, its gradient, the inverse covariance and its product with the cells.

    -ln N(z; 0, K + diag(noise_j / steep_ij)^2) and a normal prior, for linearised cells `z` (J n,) and slopes `steep` (J, n) of the
    sigmoid: Rasmussen and Williams 2006, equations 5.8 and 5.9.
    """
    J, n = steep.shape
    K = kin.covariance(settings, theta)
    extra = (settings.noise(theta)[:, None] / steep) ** 2
    K[np.diag_indices(J * n)] += extra.ravel() + JITTER
    root, failed = dpotrf(K, lower=1)
    if failed:  # not positive definite to rounding: the search steps back
        return np.inf, np.zeros_like(theta), K, z
    weights = np.asarray(dpotrs(root, z, lower=1)[0])
    value = 0.5 * float(z @ weights) + float(np.log(np.diagonal(root)).sum()) + 0.5 * len(z) * np.log(2.0 * np.pi)
    lower = np.tril(dpotri(root, lower=1)[0])
    inverse = lower + np.tril(lower, -1).T
    slope = 0.5 * (inverse - np.outer(weights, weights))
    cells = slope.reshape(J, n, J, n).transpose(0, 2, 1, 3).reshape(J * J, n * n)
    lengths = settings.lengths(theta)
    relations = kin.effects(lengths).reshape(EFFECTS, -1)
    surface = (settings.across(theta)[0].ravel() @ cells) * relations[0]
    gradient = settings.pulled_back(
        theta,
        (relations @ cells.T).reshape(EFFECTS, J, J),
        kin.apart.reshape(2, -1) @ surface / lengths**2,
        2.0 * (np.diagonal(slope).reshape(J, n) * extra).sum(axis=1),
    )
    away = (theta - settings.start) / settings.widths
    return value + 0.5 * float(away @ away), gradient + away / settings.widths, inverse, weights


def _posterior(theta: Array, settings: Settings, kin: _Kinship, z: Array, steep: Array) -> tuple[float, Array]:
    return objective(theta, settings, kin, z, steep)[:2]


@dataclass(frozen=True)
class Effects:
    """A fitted model: its rows, settings `theta`, linearised cells `z` (J n,), their inverse covariance, and its product with z."""

    board: Leaderboard
    settings: Settings
    theta: Array
    z: Array
    inverse: Array
    weights: Array

    def latent(self, asked: Leaderboard) -> tuple[Array, Array]:
        """Return mean and variance (m, J) of the latent values of other models."""
        J, m = self.settings.benchmarks, len(asked.size)
        k = _kinship(asked, self.board, self.board, False).covariance(self.settings, self.theta)
        own = np.diagonal(_kinship(asked, asked, self.board, True).covariance(self.settings, self.theta))
        variance = np.maximum(own - np.einsum("ab,ab->a", k @ self.inverse, k), JITTER)
        return (k @ self.weights).reshape(J, m).T, variance.reshape(J, m).T

    def predict(self, asked: Leaderboard) -> Array:
        """Forecast the median scores (m, J)."""
        return _score(self.latent(asked)[0], self.board.floor)

    def quantiles(self, asked: Leaderboard) -> Array:
        """Forecast 23 quantiles of each score, (m, J, 23): latent uncertainty through the sigmoid, then the noise of the score."""
        mean, variance = self.latent(asked)
        steps = ndtri((np.arange(POINTS) + 0.5) / POINTS)
        values = _score(mean[:, None, :] + steps[:, None] * np.sqrt(variance)[:, None, :], self.board.floor)
        made = values[:, :, None, :] + steps[:, None] * self.settings.noise(self.theta)
        found = np.quantile(made.reshape(len(mean), -1, len(self.board.floor)), LEVELS, axis=1, method="hazen")
        return np.clip(found.transpose(1, 2, 0), 0.0, 1.0)

    def without(self, held: NDArray[np.bool_]) -> Array:
        """Forecast the scores (h, J) of rows of its own as if they had not been there, the settings left as they are.

        The mean without a group g is z_g - (inverse_gg)^-1 (inverse z)_g: Rasmussen and Williams 2006, section 5.4.2.
        """
        cells = np.tile(held, self.settings.benchmarks)
        mean = self.z[cells] - np.linalg.solve(self.inverse[np.ix_(cells, cells)], self.weights[cells])
        return _score(mean.reshape(self.settings.benchmarks, -1).T, self.board.floor)


def fit_effects(board: Leaderboard, signed: bool = False) -> Effects:
    """Fit the mixed-effects model to a board: scores of models that share families, with sizes and training tokens.

        y_ij = c_j + (1 - c_j) s(f_ij) + noise_j
        f_ij = b_j'h(x_i) + u_j(x_i) + a_j,family(i) + l_j,level(i) + w_j,weights(i) + m_ij

    x = (ln S, ln T), h = (1, ln S, ln T, ln S ln T, chat, chat ln S) with vague coefficients, u a Gaussian process with a
    squared-exponential covariance, the others drawn anew for each group; each has a covariance across benchmarks
    (studies/held_out_families/covariance.py). Partial pooling of groups: Gelman and Hill 2007, chapter 12; effects shared by
    outputs: Alvarez, Rosasco and Lawrence 2012, arXiv 1106.6251, section 4.2. Not to be trusted beyond the sizes seen, nor for a
    family unlike all others: its intervals hold the spread of the families that train. Some fifty to seventy settings are fixed at
    their best, and their doubt is not in the intervals.

    >>> size, names = np.array([1e9, 2e9, 4e9, 8e9]), np.array(["a", "a", "b", "b"])
    >>> scores = expit(np.outer(np.log(size) - 21.5, [0.5, 1.0]))
    >>> board = Leaderboard(names, names, size, 20.0 * size, scores, np.zeros(2))
    >>> bool(np.abs(fit_effects(board).predict(board) - scores).max() < 0.02)
    True
    """
    settings, kin = Settings(signed, EFFECTS, len(board.floor)), _kinship(board, board, board, True)
    share = np.clip((board.y - board.floor) / (1.0 - board.floor), SHARE, 1.0 - SHARE)
    latent = np.log(share / (1.0 - share))
    theta = settings.start
    bounds = Bounds(settings.start - REACH * settings.widths, settings.start + REACH * settings.widths)
    for _ in range(PASSES):
        s = expit(latent)
        steep = np.maximum((1.0 - board.floor) * s * (1.0 - s), STEEP).T
        z = (latent.T + (board.y - _score(latent, board.floor)).T / steep).ravel()
        rest = (settings, kin, z, steep)
        theta = minimize(
            _posterior,
            theta,
            rest,
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": STEPS, "ftol": 1e-6, "gtol": 1e-3},
        ).x
        inverse, weights = objective(theta, *rest)[2:]
        noise = (settings.noise(theta)[:, None] / steep) ** 2
        latent = (z - (noise.ravel() + JITTER) * weights).reshape(steep.shape).T
    return Effects(board, settings, theta, z, inverse, weights)


def by_effects(exercise: Exercise) -> dict[str, Forecasts]:
    """Forecast by the model with loadings alike, with signed loadings, and by the mean of both: three settings.

    One of them is chosen by leaving out each training family in turn, but for its smallest models, with the covariances as they
    were found: exact for a Gaussian process and without a refit, so the exercise costs nothing.
    """
    known, asked = exercise.known, exercise.asked
    fits = [fit_effects(known, signed) for signed in (False, True)]
    points, quantiles = (_with_mean([getattr(fit, what)(asked) for fit in fits]) for what in ("predict", "quantiles"))
    missed = []
    for family in eligible(known, exercise.small):
        held = split(known, family, exercise.small)[1]
        missed.append(np.abs(_with_mean([fit.without(held) for fit in fits]) - known.y[held]).mean(axis=(1, 2)))
    chosen = int(np.mean(missed, axis=0).argmin())
    return {NAME: Forecasts(points, chosen, quantiles[chosen])}


def _with_mean(each: list[Array]) -> Array:
    return np.stack([*each, np.mean(each, axis=0)])
