"""The posterior of the emergence law: its density by hand, and what a sampled one says of a planted experiment."""

from __future__ import annotations

import numpy as np
import pytest

from foresaid.errors import UnreadableError
from foresaid.fitting.fit import fit
from foresaid.laws.emergence import Emergence
from foresaid.reproducible import generator
from foresaid.studies.emergence.posterior import FEW_SHOT, NAMES, log_posterior, posterior
from foresaid.studies.simulations.emergence import simulate

LAW = Emergence()


def test_the_density_is_the_likelihood_times_the_priors_by_hand() -> None:
    planted, table = simulate(LAW, generator(1, "posterior"), 0)
    here, there = np.append(planted, 0.03), np.append(planted, 0.02)
    there[0] += 0.1
    found = log_posterior(LAW, table, np.stack([here, there]))

    def by_hand(point: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
        miss = LAW.curve(point[:-1], table.x) - table.y
        normal = -0.5 * float((miss / point[-1]) @ (miss / point[-1])) - table.n * float(np.log(point[-1]))
        slope, _, few_shot, shift, bend, noise = point
        centre = float(np.median(table.x[:, 0]))
        return normal - 0.5 * float(
            slope**2 + ((few_shot - centre) / 0.5) ** 2 + shift**2 + (bend / 0.5) ** 2 + (noise / 0.05) ** 2
        )

    assert found[0] - found[1] == pytest.approx(by_hand(here) - by_hand(there))


@pytest.mark.parametrize("name", NAMES)
def test_outside_a_bound_nothing_is_possible(name: str) -> None:
    planted, table = simulate(LAW, generator(1, "posterior"), 0)
    point = np.append(planted, 0.02)
    point[NAMES.index(name)] = -100.0

    assert log_posterior(LAW, table, point[None])[0] == -np.inf


def test_without_the_library_the_way_to_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "emcee", None)
    planted, table = simulate(LAW, generator(1, "posterior"), 0)

    with pytest.raises(UnreadableError, match=r"pip install 'foresaid\[posterior\]'"):
        posterior(LAW, table, planted, 10, np.random.default_rng(0))


def test_the_posterior_of_a_planted_experiment_is_about_the_truth_and_the_same_every_time() -> None:
    pytest.importorskip("emcee", reason="emcee is an optional extra: pip install 'foresaid[posterior]'")
    planted, table = simulate(LAW, generator(1, "posterior"), 0)
    start = fit(LAW, table, 1, 2).point
    drawn = posterior(LAW, table, start, 600, np.random.default_rng(2))
    low, high = np.quantile(drawn[:, FEW_SHOT], [0.005, 0.995])
    print(f"planted {planted[2]:.3f}, posterior 99 % {low:.3f} to {high:.3f}")

    assert low <= planted[2] <= high
    assert drawn.tobytes() == posterior(LAW, table, start, 600, np.random.default_rng(2)).tobytes()
