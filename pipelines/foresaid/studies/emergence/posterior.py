"""A posterior of the emergence law by Monte Carlo, beside the cluster bootstrap: the paper's own kind of band.

The sampler is emcee's, an optional library (`foresaid[posterior]`): the pipeline needs no posterior. The likelihood takes
scores as independent; that checkpoints share noise is what the bootstrap by checkpoint sees and this does not, and neither
knows that the law may be wrong. How both fared on simulations is in docs/results-seed.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from foresaid.arrays import Array
from foresaid.errors import UnreadableError
from foresaid.fitting.data import TrainingTable

if TYPE_CHECKING:
    from foresaid.laws.emergence import Emergence

SLOPE_SPREAD, SHIFT_SPREAD, BEND_SPREAD, NOISE_SPREAD = 1.0, 1.0, 0.5, 0.05  # of half-normal, half-normal, normal, half-normal
EMERGENCE_SPREAD = 0.5  # nats, about the median loss seen
WALKERS = 32
NAMES = ("slope", "base", "few_shot", "shift", "ln_alpha", "noise")
FEW_SHOT = NAMES.index("few_shot")


def library() -> Any:
    """Return emcee, or say how to get it."""
    try:
        import emcee
    except ImportError:
        raise UnreadableError("emcee: found no such library, expected it; run `pip install 'foresaid[posterior]'`") from None
    return emcee


def log_posterior(law: Emergence, table: TrainingTable, points: Array) -> Array:
    """Return the log posterior density (m,), up to a constant, of points (m, 6) in the order of `NAMES`.

    Normal errors; slope and shift half-normal with scale 1, ln alpha normal with 0.5, the few-shot emergence normal with 0.5 nats
    about the median loss seen, the noise half-normal with 0.05; base even within 0.03 of chance. Minus infinity outside the
    law's bounds. laws.md L2.2 after Snell et al., arXiv 2411.16035; the paper's own priors could not be read.

    >>> from datetime import date
    >>> from foresaid.laws.emergence import Emergence
    >>> from foresaid.studies.simulations.emergence import simulate
    >>> law = Emergence()
    >>> planted, table = simulate(law, np.random.default_rng(0), 0)
    >>> here = np.append(planted, 0.02)
    >>> far = here + np.array([0.0, 0.0, 0.5, 0.0, 0.0, 0.0])
    >>> near, off, outside = log_posterior(law, table, np.stack([here, far, -here]))
    >>> bool(near > off), float(outside)
    (True, -inf)
    """
    bounds = law.parameters(table.target, 2)
    low = np.array([*(one.lower for one in bounds), 1e-4])
    high = np.array([*(one.upper for one in bounds), 1.0])
    inside = ((points >= low) & (points <= high)).all(axis=1)
    safe = np.clip(points, low, high)
    noise = safe[:, -1]
    miss = law.curve(safe[:, :-1], table.x) - table.y
    likelihood = -0.5 * (miss**2).sum(axis=1) / noise**2 - table.n * np.log(noise)
    centre = float(np.median(table.x[:, 0]))
    prior = -0.5 * (
        (safe[:, 0] / SLOPE_SPREAD) ** 2
        + ((safe[:, FEW_SHOT] - centre) / EMERGENCE_SPREAD) ** 2
        + (safe[:, 3] / SHIFT_SPREAD) ** 2
        + (safe[:, 4] / BEND_SPREAD) ** 2
        + (noise / NOISE_SPREAD) ** 2
    )
    return np.asarray(np.where(inside, likelihood + prior, -np.inf))


def posterior(law: Emergence, table: TrainingTable, start: Array, steps: int, rng: np.random.Generator) -> Array:
    """Draw from the posterior (draws, 6), columns as `NAMES`; the few-shot emergence in nats is the third.

    `start` (5,) is the fitted point; walkers begin scattered about it and the first half of the `steps` is thrown away. Goodman and
    Weare 2010 by emcee (Foreman-Mackey et al. 2013). Not to be trusted where chains are short beside their autocorrelation,
    nor on data the law does not describe. Raises UnreadableError without emcee.
    """
    emcee = library()
    bounds = law.parameters(table.target, 2)
    low = np.array([*(one.lower for one in bounds), 1e-3])
    high = np.array([*(one.upper for one in bounds), 0.5])
    scatter = np.array([0.05, 0.005, 0.05, 0.05, 0.2, 0.005])
    first = np.clip(np.append(start, 0.02), low + scatter / 10.0, high - scatter / 10.0)
    walkers = np.clip(first + scatter * rng.normal(size=(WALKERS, len(NAMES))), low, high)
    sampler = emcee.EnsembleSampler(WALKERS, len(NAMES), lambda points: log_posterior(law, table, points), vectorize=True)
    state = np.random.RandomState(int(rng.integers(2**31)))  # the generator emcee knows
    sampler.random_state = state.get_state()
    sampler.run_mcmc(walkers, steps)
    return np.asarray(sampler.get_chain(discard=steps // 2, thin=5, flat=True))
