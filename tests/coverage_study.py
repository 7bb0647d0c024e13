"""How often the 80 % intervals of each law hold when the law is true: simulated rows from the planted curve of each.

`python -m tests.coverage_study 300` (`make coverage`) prints the table of docs/results-seed.md; tests/test_law_coverage.py runs a
small version. Two shares are counted: a fresh outcome in the forecast's interval, and the true curve in the band of the draws.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from tests.test_laws import CASES, DAY, made

from foresaid import laws, parallel
from foresaid.curve import freeze_curve
from foresaid.fitting import NO_FORECAST
from foresaid.forecast import LEVELS, locations, predict
from foresaid.seeds import generator
from foresaid.shards import Shard, fit_all

SEED, DRAWS = 20240531, 100
LEAST_NOISE = 0.002
LOW, HIGH = LEVELS.index(0.1), LEVELS.index(0.9)


@dataclass(frozen=True)
class Share:
    """One law: simulations that gave a forecast, of how many; share of fresh outcomes and of the curve within 80 % intervals."""

    law: str
    answered: int
    of: int
    outcomes: float
    curve: float


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
    outcomes, curve, answered = [], [], 0
    for found, later in zip(fit_all([Shard(law, one, SEED, draws) for one in tables]), fresh, strict=True):
        if found.status in NO_FORECAST:
            continue
        answered += 1
        frozen = freeze_curve(law, found, case.settings, DAY, SEED)
        quantiles = predict(law, frozen, table.x).quantiles
        outcomes.append(((quantiles[:, LOW] <= later) & (later <= quantiles[:, HIGH])).mean())
        ends = np.quantile(locations(law, frozen, frozen.prepare(table.x)), [0.1, 0.9], axis=0)
        curve.append(((ends[0] <= truth) & (truth <= ends[1])).mean())
    return Share(name, answered, simulations, float(np.mean(outcomes)), float(np.mean(curve)))


def table(names: Sequence[str], simulations: int, draws: int = DRAWS) -> list[str]:
    """Return the shares as lines of Markdown."""
    lines = ["| law | answered | fresh outcomes in 80 % | true curve in 80 % |", "| --- | --- | --- | --- |"]
    for name in names:
        one = simulate(name, simulations, draws)
        lines.append(f"| {one.law} | {one.answered} of {one.of} | {one.outcomes:.1%} | {one.curve:.1%} |")
        print(lines[-1], flush=True)
    return lines


if __name__ == "__main__":
    with parallel.using(-1, "threads", ""):
        print("\n".join(table(laws.names(), int(sys.argv[1]) if len(sys.argv) > 1 else 300)))
