"""Intervals that hold as often as they say, on simulated rows of every law; and nothing found where there is nothing.

The full study is `make coverage` (300 simulations a law, a quarter of an hour on two cores of one's own). Here eight a law
catch what is broken: a share that is far off, not one that is a little off.
"""

from __future__ import annotations

import numpy as np
import pytest
from tests.conftest import Built
from tests.coverage_study import simulate

from foresaid.fitting.data import TrainingTable
from foresaid.fitting.frozen_curve import freeze_curve
from foresaid.forecasting import baselines
from foresaid.forecasting.predict import predict
from foresaid.forecasting.recalibration import UNDATED, FitRequest, recalibrated_fits
from foresaid.laws import _loader as laws
from foresaid.scoring.levels import LEVELS
from foresaid.scoring.rules import weighted_interval_score


@pytest.mark.parametrize("name", laws.names())
def test_four_in_five_fresh_outcomes_lie_in_the_80_percent_interval(name: str) -> None:
    found = simulate(name, 8, 40)
    print(found)

    assert found.answered == found.of
    assert 0.62 <= found.outcomes <= 0.95
    assert np.mean(list(found.parameters.values())) >= 0.5


def _shuffled(table: TrainingTable, seed: int) -> TrainingTable:
    y = np.random.default_rng(seed).permutation(table.y)
    return TrainingTable(table.target, table.subjects, table.clusters, table.released_on, table.known_on, table.x, y)


def test_shuffled_labels_give_wide_intervals_and_no_skill(built: Built) -> None:
    settings = built.params.laws["observational"]
    law = laws.load("observational", settings)
    table = next(t for t in law.tables(built.as_of("2024-05-31")) if t.target.quantity_id == "gsm8k_cot")
    families = sorted(set(table.clusters))
    held = np.isin(np.array(table.clusters), families[::3])
    ours: list[float] = []
    theirs: list[float] = []
    our_width: list[float] = []
    their_width: list[float] = []
    for seed in range(4):
        mixed = _shuffled(table, seed)
        train, test = mixed.where(~held), mixed.where(held)
        fitted = recalibrated_fits([FitRequest(law, train, settings)], seed, 60, None)[0].fit
        made = predict(law, freeze_curve(law, fitted, settings, UNDATED, seed), test.x).quantiles
        plain = baselines.forecast(baselines.FOR_RELEASES["training_mean"], train, test).quantiles
        outcome = test.target.offset + test.target.span * test.y
        for quantiles, scores, widths in ((made, ours, our_width), (plain, theirs, their_width)):
            scores.append(float(weighted_interval_score(quantiles, LEVELS, outcome).wis.mean()))
            widths.append(float((quantiles[:, LEVELS.index(0.9)] - quantiles[:, LEVELS.index(0.1)]).mean()))
    skill = 1.0 - np.mean(ours) / np.mean(theirs)
    print(f"shuffled: skill {skill:.3f}, widths {np.mean(our_width):.3f} against {np.mean(their_width):.3f}")

    assert skill <= 0.02  # not above zero, but for the chance of four shuffles
    assert np.mean(our_width) > 0.75 * np.mean(their_width)
