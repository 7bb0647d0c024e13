"""How often intervals hold when the law is NOT true: `python -m tests.misspecification_study 40`.

Series of losses are drawn from three truths (the law itself, one that bends, one that breaks beyond half of the rows), all fitted
by the plain power law. Its intervals for the quarter of sizes held out are set in three ways: by the bootstrap alone, by one
factor a fit, and by the discrepancy the series teach each other. Parameters are drawn anew for each series, of the size of those
of real fine-tunings.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from foresaid.arrays import Array
from foresaid.fitting.data import Covariate, Target, TrainingTable
from foresaid.fitting.fit import Fit
from foresaid.fitting.frozen_curve import freeze_curve
from foresaid.forecasting.predict import predict
from foresaid.forecasting.recalibration import (
    FitRequest,
    backtested_fits,
    one_factor,
    taught_by_each_other,
    with_discrepancy,
)
from foresaid.laws import _loader as laws
from foresaid.scoring.levels import LEVELS
from foresaid.scoring.rules import covered, weighted_interval_score

DAY = date(2024, 1, 1)
SIZES = 200.0 * 2.0 ** np.arange(14)  # as in the fine-tunings: 200 to 1,638,400 examples
TRAINED = 11
NOISE = 0.005  # of ln loss
RULES = ("bootstrap", "one factor", "discrepancy")


def truth(kind: str, rng: np.random.Generator) -> Array:
    """Return the loss at SIZES of one series: `power`, `bend` (a law with what was learned before) or `break` (a second slope)."""
    floor, scale, slope = rng.uniform(0.3, 1.0), rng.uniform(2.0, 4.0), rng.uniform(0.1, 0.25)
    if kind == "power":
        return np.asarray(floor + scale * 4.0 * SIZES**-slope)
    if kind == "bend":
        before = np.exp(rng.uniform(np.log(2e3), np.log(2e5)))
        return np.asarray(floor + scale * (1.0 + SIZES / before) ** -rng.uniform(0.4, 0.8))
    at = np.exp(rng.uniform(np.log(2e4), np.log(4e5)))
    return np.asarray(floor + scale * 4.0 * SIZES**-slope * (1.0 + (SIZES / at) ** 2.0) ** -rng.uniform(0.05, 0.15))


@dataclass(frozen=True)
class Held:
    """By rule: mean WIS of ln loss times the loss, and the shares of held-out losses in 50, 80 and 95 % intervals."""

    wis: dict[str, float]
    share: dict[str, tuple[float, ...]]


def simulate(kind: str, series: int, replicates: int, seed: int) -> Held:
    """Draw so many series of a truth, fit the plain power law to all, and score the three rules on what was held out."""
    rng = np.random.default_rng(seed)
    law = laws.load("cross_entropy_power", {"sources": ["s"], "series": {}})
    requests, ahead = [], []
    x = np.log(SIZES)[:, None]
    for i in range(series):
        y = truth(kind, rng) * np.exp(rng.normal(0.0, NOISE, len(SIZES)))
        target = Target(f"t{i:02d}", "T", "t", (Covariate("d", "ln"),), 0.0, 1.0, 0.0, 20.0, "s", f"m{i:02d}")
        names = tuple(f"m{i:02d}/{j:02d}" for j in range(TRAINED))
        days = (DAY,) * TRAINED
        requests.append(FitRequest(law, TrainingTable(target, names, names, days, days, x[:TRAINED], y[:TRAINED]), {}))
        ahead.append(y[TRAINED:])
    answers = backtested_fits(requests, seed, replicates, None)
    taught = taught_by_each_other([one.question for one in answers], [one.backtest for one in answers])
    fits: dict[str, list[Fit]] = {
        "bootstrap": [one.fit for one in answers],
        "one factor": [one_factor(one).fit for one in answers],
        "discrepancy": [
            one.fit if found is None else with_discrepancy(one, found).fit for one, found in zip(answers, taught, strict=True)
        ],
    }
    wis, share = {}, {}
    for rule in RULES:
        scores, held = [], []
        for fitted, y in zip(fits[rule], ahead, strict=True):
            made = predict(law, freeze_curve(law, replace(fitted), {}, DAY, seed), x[TRAINED:])
            scores.append(weighted_interval_score(made.quantiles, LEVELS, y).wis)
            held.append(np.stack([covered(made.quantiles, LEVELS, y, coverage) for coverage in (0.5, 0.8, 0.95)]))
        wis[rule] = float(np.mean(np.concatenate(scores)))
        share[rule] = tuple(np.hstack(held).mean(axis=1).tolist())
    return Held(wis, share)


def main() -> None:
    """Print the table of the three truths."""
    series = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    print("| truth | rule | WIS | 50 / 80 / 95 % hold |\n| --- | --- | --- | --- |")
    for kind in ("power", "bend", "break"):
        found = simulate(kind, series, 100, 5)
        for rule in RULES:
            held = " / ".join(f"{100 * share:.0f}" for share in found.share[rule])
            print(f"| {kind} | {rule} | {found.wis[rule]:.4f} | {held} |", flush=True)


if __name__ == "__main__":
    main()
