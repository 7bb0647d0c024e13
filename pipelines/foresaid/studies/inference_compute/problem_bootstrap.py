"""What else the test-time protocols say: other problems of the same kind, by difficulty, and the compute multiple for +0.10.

Points of one coverage curve are sums over the same problems, so resampling points says too little. Here whole problems are
resampled, the curve made anew from each resample, and the law fitted to each: what another set of problems would have
given. Difficulty is the share of all samples that solve a problem, in fifths of the problems of each run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from foresaid.arrays import Array
from foresaid.fitting.fit import NO_FORECAST, Fit, problem_for
from foresaid.fitting.frozen_curve import freeze_curve
from foresaid.fitting.law import Law
from foresaid.fitting.least_squares import solve
from foresaid.forecasting.predict import Forecast, predict
from foresaid.forecasting.recalibration import FitRequest, recalibrated_fits
from foresaid.reproducible import generator
from foresaid.studies.compute_returns import Reach, compute_for
from foresaid.studies.inference_compute.series import FAR, NO_DAY, Held, Scored, coverage_of

Counts = tuple[Array, Array]  # samples and right ones (P,) of each problem of one run
BINS = 5
SHOWN = (1, 10, 100, 1_000, FAR)


def over_problems(law: Law, found: Fit, counts: Counts, seed: int, replicates: int) -> Fit:
    """Replace a fit's draws by fits to curves of resampled problems; the width learned from points goes, the point stays.

    Each resample is fitted from the optimum and the law's own starts. `found` must have been fitted to coverage at KS.
    """
    samples, correct = counts
    table = found.table
    rng = generator(seed, law.name, table.target.target_id, "problems")
    ones = np.ones((1, table.n))
    design = law.design(table.x, ones)
    problem = problem_for(law, design, table.y, law.narrowed(law.parameters(table.target, law.features(1)), table.y))
    ks = np.exp(table.x[:, 0]).round().astype(int)
    draws = []
    for _ in range(replicates):
        chosen = rng.integers(0, len(samples), len(samples))
        y = np.array([coverage_of(samples[chosen], correct[chosen], int(k)) for k in ks])
        solved = solve(replace(problem, y=y), ones, law.starts(design.features, y))
        draws.append(design.fold(solved.parameters[:, solved.best[0]])[0])
    return replace(found, draws=np.array(draws), interval_recalibration=1.0, n_backtest_clusters=0, discrepancy=None)


def problems_resampled(
    held: Sequence[Held], counts: Mapping[str, Counts], laws: Sequence[Law], seed: int, replicates: int
) -> dict[str, Scored]:
    """Forecast coverage at FAR of every run with draws over problems, by each law."""
    made: dict[str, Scored] = {}
    for law in laws:
        found = [one.fit for one in recalibrated_fits([FitRequest(law, one.train, {}) for one in held], seed, 2, None)]
        parts: list[tuple[Forecast, Held]] = []
        for fitted, one in zip(found, held, strict=True):
            if fitted.status not in NO_FORECAST:
                again = over_problems(law, fitted, counts[one.train.target.target_id], seed, replicates)
                parts.append((predict(law, freeze_curve(law, again, {}, NO_DAY, seed), one.test.x), one))
        if parts:
            made[f"{law.name}, problems resampled"] = Scored(
                np.vstack([forecast.quantiles for forecast, _ in parts]),
                np.concatenate([forecast.point for forecast, _ in parts]),
                np.concatenate([one.test.y for _, one in parts]),
                tuple(one.train.target.target_id for _, one in parts),
            )
    return made


def by_difficulty(counts: Mapping[str, Counts]) -> Array:
    """Coverage (BINS, len(SHOWN)) of each fifth of the problems, hardest first, averaged over runs.

    Fifths are of the share of all samples that solve a problem (the oracle difficulty of Snell et al. 2024, arXiv
    2408.03314, section 3.2, there from 2,048 samples); equal shares are split in the order of the file.

    >>> samples, right = np.full(10, 10_000.0), np.arange(10) * 100.0
    >>> by_difficulty({"run": (samples, right)})[:, 0].round(3).tolist()
    [0.005, 0.025, 0.045, 0.065, 0.085]
    """
    made = []
    for samples, correct in counts.values():
        order = np.argsort(correct / samples, kind="stable")
        fifths = np.array_split(order, BINS)
        made.append([[coverage_of(samples[fifth], correct[fifth], k) for k in SHOWN] for fifth in fifths])
    return np.asarray(np.mean(made, axis=0))


def whole(one: Held) -> Held:
    """Put the held-out budget back among the rows to be fitted."""
    train, test = one.train, one.test
    table = replace(
        train,
        subjects=(*train.subjects, *(f"{name}/largest" for name in test.subjects)),
        clusters=(*train.clusters, *(f"{name}/largest" for name in test.clusters)),
        released_on=(*train.released_on, *test.released_on),
        known_on=(*train.known_on, *test.known_on),
        x=np.vstack([train.x, test.x]),
        y=np.concatenate([train.y, test.y]),
    )
    return Held(table, test)


def ten_points(held: Sequence[Held], law: Law, seed: int, replicates: int) -> dict[str, Reach]:
    """Say for each series, all its budgets fitted, how many times the largest budget a gain of 0.10 would take."""
    tables = [whole(one).train for one in held]
    found = recalibrated_fits([FitRequest(law, table, {}) for table in tables], seed, replicates, None)
    return {
        table.target.target_id: compute_for(law, freeze_curve(law, one.fit, {}, NO_DAY, seed), float(table.x.max()))
        for table, one in zip(tables, found, strict=True)
        if one.fit.point.size
    }
