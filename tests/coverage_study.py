"""How often the 80 % intervals of each law hold when the law is true: simulated rows from the planted curve of each.

`python -m tests.coverage_study 300` (`make coverage`) prints the table of docs/results-seed.md; tests/test_law_coverage.py runs a
small version. Three shares are counted: a fresh outcome in the forecast's interval, the true curve in the band of the draws, and
each planted parameter in its range, without those planted on a bound, which no range leaves out, and those that never vary.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from tests.laws.test_every_law import CASES, DAY, made

from foresaid import parallel
from foresaid.fitting.cache import Shard, fit_all
from foresaid.fitting.data import TrainingTable
from foresaid.fitting.fit import NO_FORECAST
from foresaid.fitting.frozen_curve import freeze_curve
from foresaid.fitting.law import Law, Parameter
from foresaid.fitting.summary import parameter_ranges
from foresaid.forecasting.predict import locations, predict
from foresaid.laws import _loader as laws
from foresaid.reproducible import generator
from foresaid.scoring.levels import LEVELS

SEED, DRAWS = 20240531, 100
LEAST_NOISE = 0.002
LOW, HIGH = LEVELS.index(0.1), LEVELS.index(0.9)


@dataclass(frozen=True)
class Share:
    """One law: simulations that gave a forecast, of how many; shares of fresh outcomes, curve and parameters within 80 %."""

    law: str
    answered: int
    of: int
    outcomes: float
    curve: float
    parameters: dict[str, float]


def parameters(law: Law, table: TrainingTable) -> tuple[Parameter, ...]:
    """What the law fits to these rows."""
    return law.parameters(table.target, law.features(table.x.shape[1]))


def simulate(name: str, simulations: int, draws: int = DRAWS) -> Share:
    """Simulate, fit and count, on the rows of the law's case (their own values without noise are the truth)."""
    case = CASES[name]
    law, table = made(name)
    truth = table.y
    tables, fresh = [], []
    for number in range(simulations):
        rng = generator(SEED, name, "coverage", str(number))
        error = rng.normal(0.0, max(case.noise, LEAST_NOISE), (2, table.n))
        seen, later = truth * np.exp(error) if law.noise == "log" else truth + error
        target = replace(table.target, target_id=f"simulation/{number}")
        tables.append(replace(table, y=seen, target=target))
        fresh.append(np.clip(later, target.lower, target.upper))
    outcomes, curve, held, answered = [], [], [], 0
    fixed = np.ones(len(case.planted), dtype=bool)
    for found, later in zip(fit_all([Shard(law, one, SEED, draws) for one in tables]), fresh, strict=True):
        if found.status in NO_FORECAST:
            continue
        answered += 1
        frozen = freeze_curve(law, found, case.settings, DAY, SEED)
        quantiles = predict(law, frozen, table.x).quantiles
        outcomes.append(((quantiles[:, LOW] <= later) & (later <= quantiles[:, HIGH])).mean())
        ends = np.quantile(locations(law, frozen, frozen.prepare(table.x)), [0.1, 0.9], axis=0)
        curve.append(((ends[0] <= truth) & (truth <= ends[1])).mean())
        low, high = parameter_ranges(law, found, 0.8)[:, : len(case.planted)]
        held.append((low <= case.planted) & (case.planted <= high))
        fixed &= low == high
    names = law.folded_names(tuple(item.name for item in parameters(law, table)), table.target)
    bounds = {item.name: (item.lower, item.upper) for item in parameters(law, table)}
    shares = zip(names, case.planted, np.mean(held, axis=0), fixed, strict=False)
    inside = {which: float(share) for which, planted, share, same in shares if not same and planted not in bounds.get(which, ())}
    return Share(name, answered, simulations, float(np.mean(outcomes)), float(np.mean(curve)), inside)


def table(names: Sequence[str], simulations: int, draws: int = DRAWS) -> list[str]:
    """Return the shares as lines of Markdown."""
    lines = ["| law | answered | fresh outcomes in 80 % | true curve in 80 % | each planted parameter in 80 % |"]
    lines.append("| --- | --- | --- | --- | --- |")
    for name in names:
        one = simulate(name, simulations, draws)
        each = ", ".join(f"{which} {share:.0%}" for which, share in one.parameters.items())
        lines.append(f"| {one.law} | {one.answered} of {one.of} | {one.outcomes:.1%} | {one.curve:.1%} | {each} |")
        print(lines[-1], flush=True)
    return lines


if __name__ == "__main__":
    with parallel.using(-1, "threads", ""):
        print("\n".join(table(laws.names(), int(sys.argv[1]) if len(sys.argv) > 1 else 300)))
