"""What a fit promises whatever the law: seeds, order, statuses."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from foresaid.arrays import Array
from foresaid.fitting.bootstrap import cluster_weights
from foresaid.fitting.data import Covariate, Target, TrainingTable
from foresaid.fitting.fit import STATUSES, fit
from foresaid.laws import _loader as laws
from foresaid.reproducible import generator


def table(x: Array, y: Array, clusters: int = 6) -> TrainingTable:
    """Make rows of a target with one covariate."""
    n = len(y)
    target = Target("t", "T", "t", (Covariate("training_flops", "ln"),), 0.0, 1.0, 0.0, 1.0, "s")
    days = tuple([date(2024, 1, 1)] * n)
    names = tuple(f"m{i:02d}" for i in range(n))
    return TrainingTable(target, names, tuple(f"f{i % clusters}" for i in range(n)), days, days, x.reshape(n, 1), y)


LAW = laws.load("compute_sigmoid", {"sources": ["s"], "targets": {"t": {}}})


def _noisy(n: int = 24) -> TrainingTable:
    rng = np.random.default_rng(4)
    x = np.linspace(40, 56, n)
    return table(x, np.clip(1 / (1 + np.exp(-(x - 49) / 2)) + rng.normal(0, 0.03, n), 0, 1))


def test_planted_parameters_come_back() -> None:
    x = np.linspace(40, 56, 20)
    found = fit(LAW, table(x, 1 / (1 + np.exp(-(0.5 * x - 24.0)))), 1, 20)

    np.testing.assert_allclose(found.point, [-24.0, 0.5, 0.0], atol=1e-5)
    assert found.status == "converged"


def test_the_same_seed_gives_the_same_draws_and_another_does_not() -> None:
    first, again, other = fit(LAW, _noisy(), 1, 40), fit(LAW, _noisy(), 1, 40), fit(LAW, _noisy(), 2, 40)

    assert first.draws.tobytes() == again.draws.tobytes()
    assert first.draws.tobytes() != other.draws.tobytes()


def test_the_order_of_rows_does_not_matter() -> None:
    rows = _noisy()
    shuffled = rows.take(np.random.default_rng(0).permutation(rows.n))

    assert fit(LAW, rows, 1, 40).draws.tobytes() == fit(LAW, shuffled, 1, 40).draws.tobytes()


def test_too_few_points_is_a_status_and_not_an_exception() -> None:
    found = fit(LAW, _noisy().where(np.arange(24) < 3), 1, 10)

    assert found.status == "too_few_points"
    assert "3 rows for 3 parameters" in found.reason


def test_a_step_is_called_separable() -> None:
    x = np.linspace(40, 56, 20)

    assert fit(LAW, table(x, (x > 48).astype(float)), 1, 10).status == "separable"


def test_every_status_has_a_sentence() -> None:
    assert all(sentence and not sentence.endswith(".") for sentence in STATUSES.values())


def test_whole_clusters_are_drawn() -> None:
    weights = cluster_weights(["b", "a", "b", "c"], 300, np.random.default_rng(0))

    assert (weights[:, 0] == weights[:, 2]).all()
    assert set(weights[1:, 3].astype(int)) == {0, 1, 2, 3}
    # Three clusters drawn three times: each is expected once.
    assert weights[1:, 1].mean() == pytest.approx(1.0, abs=0.15)


def test_the_stream_of_a_name_stays_what_it_was_and_no_other_names() -> None:
    """As first released: a change of this mapping would move every published interval by its Monte Carlo error."""
    generator(7, "law", "other target").random(100)

    assert generator(7, "law", "target").random(2).tolist() == [0.8446354131992122, 0.6340001654141726]
    assert generator(7, "law", "other target").random(2).tolist() == [0.23872999801575567, 0.756818078267207]
