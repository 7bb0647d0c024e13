"""What the capability law says of one release, by what it was told of it: nothing, other benchmarks, or its siblings too.

    unconditional   nothing of the release but line, tier, effort and day
    conditional     its scores on other benchmarks; the asked benchmark is hidden for the whole release
    siblings        every other cell of the release, also other efforts and models of it on the asked benchmark

All three are exact conditionings of one joint Gaussian of the release's cells given the training cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from foresaid.arrays import Array
from foresaid.laws._capability_model import Model, given, joint, predictive
from foresaid.laws._capability_rows import Benchmarks, Cells, Codes

TOLD = ("unconditional", "conditional", "siblings")


@dataclass(frozen=True)
class Predicted:
    """Predictive normal distributions on the probit scale of the cells of a release: mean and standard deviation, each (k,)."""

    mean: Array
    sd: Array

    def quantiles(self, benchmarks: Benchmarks, q: Codes, levels: Sequence[float], factor: float = 1.0) -> Array:
        """Quantiles (k, L) in shares of one, the standard deviation multiplied by `factor`."""
        z = self.mean[:, None] + factor * self.sd[:, None] * ndtri(np.asarray(levels))[None, :]
        return benchmarks.to_share(q, z)


def forecast_release(model: Model, release: Cells) -> dict[str, Predicted]:
    """Forecast each of the k cells of one release from the training cells and from what TOLD allows of its other cells.

    `release` must be coded by the model's own benchmarks. One triangular solve against the training cells serves all three.
    """
    found = joint(model, release.systems, release.s, release.q)
    size = release.n
    answers: dict[str, Predicted] = {}
    mean, sd = predictive(found, found.mean, np.diag(found.covariance))
    answers["unconditional"] = Predicted(mean, sd)
    for told in ("conditional", "siblings"):
        means, variances = np.empty(size), np.empty(size)
        groups = [release.q == q for q in np.unique(release.q)] if told == "conditional" else list(np.eye(size, dtype=bool))
        for asked in groups:
            at, covariance = given(found, ~asked, release.z, release.item_variance)
            means[asked], variances[asked] = at[asked], np.diag(covariance)[asked]
        mean, sd = predictive(found, means, variances)
        answers[told] = Predicted(mean, sd)
    return answers
