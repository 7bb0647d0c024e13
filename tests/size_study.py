"""How often the nominal 5 % tests reject what is true, when releases and makers are as dependent as they were measured to be.

`python -m tests.size_study 400` prints the table of docs/results-evaluation.md; tests/scoring/test_size.py runs a part of it. One
row is one model's score; a release has 5, 3, 3, 1 or 1 of them, in turn, as in the 2024 test; a maker has one to three releases.
Rows are standard normal with the given correlation within releases; a share of it belongs to the maker (measured: .32 of .75).
Two equally good forecasters differ by it, and it gives the PIT values and hits of a calibrated forecaster. The least number of
releases is lifted, because where it should lie is the question.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from unittest import mock

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from foresaid.scoring import calibration, significance

SEED, REPLICATES, LEVEL = 20240531, 199, 0.05
SIZES, MAKER_RELEASES = (5, 3, 3, 1, 1), (2, 1, 3, 1, 1)
CORRELATIONS, RELEASES, MAKER_SHARES = (0.3, 0.5, 0.75), (5, 10, 20, 40), (0.0, 0.32 / 0.75)
TESTS, UNITS = ("Diebold-Mariano", "ratio interval", "calibration", "coverage interval"), ("row", "release", "maker")


@dataclass(frozen=True)
class World:
    """Releases, correlation within a release, and the share of it that is the maker's."""

    releases: int
    correlation: float
    maker_share: float


def clusters(world: World) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Release of each row and maker of each release, as numbers."""
    release = np.repeat(np.arange(world.releases), np.resize(SIZES, world.releases))
    maker = np.repeat(np.arange(world.releases), np.resize(MAKER_RELEASES, world.releases))[: world.releases]
    return release, maker


def rejected(world: World, trials: int, effect: float = 0.0) -> dict[tuple[str, str], float]:
    """Share of trials in which each test rejects, by test and unit; `effect` shifts the difference, for power."""
    release, maker = clusters(world)
    names = {
        "row": [f"{i:03d}" for i in range(len(release))],
        "release": [f"{i:03d}" for i in release],
        "maker": [f"{i:03d}" for i in maker[release]],
    }
    parts = [world.correlation * world.maker_share, world.correlation * (1 - world.maker_share), 1 - world.correlation]
    count = {(test, unit): 0 for test in TESTS for unit in UNITS}
    rng = np.random.default_rng([SEED, world.releases, round(1000 * world.correlation), round(1000 * world.maker_share)])
    with mock.patch.object(significance, "FEWEST_RELEASES", 3), mock.patch.object(calibration, "FEWEST_RELEASES", 3):
        for _ in range(trials):
            drawn = [rng.normal(size=world.releases)[maker][release], rng.normal(size=world.releases)[release]]
            drawn.append(rng.normal(size=len(release)))
            z = sum(np.sqrt(part) * one for part, one in zip(parts, drawn, strict=True))
            first, second = np.exp(0.2 * (z - effect)), np.exp(-0.2 * (z - effect))
            hit = (np.abs(z) < norm.ppf(0.9)).astype(float)
            for unit, name in names.items():
                with np.errstate(over="ignore"):  # with three clusters an upper bound may be infinite
                    compared = significance.compare(first, second, name, rng, REPLICATES)
                covered = calibration.coverage_interval(hit, name)
                count["Diebold-Mariano", unit] += compared.p < LEVEL
                count["ratio interval", unit] += not compared.lower <= 1.0 <= compared.upper
                count["calibration", unit] += calibration.calibration_test(norm.cdf(z), name).p < LEVEL
                count["coverage interval", unit] += not covered.lower <= 0.8 <= covered.upper
    return {key: value / trials for key, value in count.items()}


def table(trials: int) -> None:
    """Print the shares as lines of Markdown, in per cent: by row / by release / by maker."""
    print("| maker's share | correlation | releases (makers) | " + " | ".join(TESTS) + " |")
    print("| --- " * (3 + len(TESTS)) + "|")
    for share in MAKER_SHARES:
        for correlation in CORRELATIONS:
            for releases in RELEASES:
                world = World(releases, correlation, share)
                found = rejected(world, trials)
                cells = [" / ".join(f"{100 * found[test, unit]:.0f}" for unit in UNITS) for test in TESTS]
                makers = len(np.unique(clusters(world)[1]))
                print(f"| {share:.2f} | {correlation} | {releases} ({makers}) | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    table(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
