"""The settings of a mixed-effects model, as one vector of real numbers: how effects are shared by benchmarks, and the noise.

Each effect has a covariance across J benchmarks of low rank plus a diagonal. In the form `alike` all its loadings are positive
and one number says how alike benchmarks are; in the form `signed` a loading may have either sign (a benchmark on which larger
models do worse) and each benchmark has a variance of its own. Weak normal priors keep what the data do not decide near the start.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from foresaid.arrays import Array

LENGTH, LENGTH_WIDTH = 0.3, 0.7  # ln of a length, in standard deviations of ln size and ln tokens
NOISE, NOISE_WIDTH = -4.0, 1.0  # ln of the noise of a score: about two points


@dataclass(frozen=True)
class Settings:
    """How to read a vector of settings for some effects on some benchmarks.

    >>> settings = Settings(signed=False, effects=1, benchmarks=2)
    >>> settings.across(settings.start).round(3).tolist()
    [[[0.16, 0.1], [0.1, 0.16]]]
    """

    signed: bool
    effects: int
    benchmarks: int

    @property
    def _tail(self) -> int:
        return 2 + self.benchmarks

    def _vector(self, signed: tuple[float, float], alike: tuple[float, float, float], length: float, noise: float) -> Array:
        many = self.effects * self.benchmarks
        parts = (
            [np.full(many, value) for value in signed]
            if self.signed
            else [np.full(count, value) for count, value in zip((many, self.effects, self.effects), alike, strict=True)]
        )
        return np.concatenate([*parts, np.full(2, length), np.full(self.benchmarks, noise)])

    @property
    def start(self) -> Array:
        """Return the centre of the priors, where every search starts."""
        return self._vector((0.3, np.log(0.25)), (0.0, np.log(0.4), 0.5), LENGTH, NOISE)

    @property
    def widths(self) -> Array:
        """Return the standard deviations of the priors."""
        return self._vector((0.5, 1.0), (0.5, 1.5, 1.5), LENGTH_WIDTH, NOISE_WIDTH)

    def lengths(self, theta: Array) -> Array:
        """Return the two lengths of the surface, in standard deviations of ln size and ln tokens."""
        return np.exp(theta[-self._tail : -self.benchmarks])

    def noise(self, theta: Array) -> Array:
        """Return the noise (J,) of the scores, as fractions."""
        return np.exp(theta[-self.benchmarks :])

    def across(self, theta: Array) -> Array:
        """Return the covariance of each effect across benchmarks, (C, J, J)."""
        C, J = self.effects, self.benchmarks
        eye = np.eye(J)
        first = theta[: C * J].reshape(C, J)
        if self.signed:
            variance = np.exp(2.0 * theta[C * J : 2 * C * J]).reshape(C, J)
            return np.asarray(first[:, :, None] * first[:, None, :] + variance[:, :, None] * eye)
        amplitude, alike = theta[C * J : C * J + C], expit(theta[C * J + C : C * J + 2 * C])
        loading = np.exp(first + amplitude[:, None])
        shared = alike[:, None, None] + (1.0 - alike)[:, None, None] * eye
        return np.asarray(loading[:, :, None] * loading[:, None, :] * shared)

    def pulled_back(self, theta: Array, slope: Array, lengths: Array, noise: Array) -> Array:
        """Return the gradient in the settings from those in the covariances (C, J, J), ln lengths (2,) and ln noises (J,)."""
        C, J = self.effects, self.benchmarks
        if self.signed:
            first = theta[: C * J].reshape(C, J)
            variance = np.exp(2.0 * theta[C * J : 2 * C * J]).reshape(C, J)
            parts = [2.0 * np.einsum("cjk,ck->cj", slope, first).ravel(), 2.0 * (np.einsum("cjj->cj", slope) * variance).ravel()]
        else:
            by_cell = slope * self.across(theta)
            own, total = np.einsum("cjj->c", by_cell), by_cell.sum(axis=(1, 2))
            alike = expit(theta[C * J + C : C * J + 2 * C])
            parts = [2.0 * by_cell.sum(axis=2).ravel(), 2.0 * total, (total - own) * (1.0 - alike)]
        return np.concatenate([*parts, lengths, noise])
