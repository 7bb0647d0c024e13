"""How often the tests reject where there is nothing to find: `python -m tests.size_study` writes the table into the documents.

Scores of two equally good forecasters are drawn with the dependence measured on the record: intraclass correlation of the log score
ratio .32 (within families) and .75 (within release days), levels that differ from release to release, and clusters of equal size,
of the sizes of the 2024 test (5, 3, 3, 1, 1 models, repeated) or of one release that holds most rows. A nominal 5 % test should
reject 3 to 7 %. PIT values come from a calibrated forecaster with the same correlations. Beside our tests stand the ones that were
not chosen.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, ttest_rel

from foresaid.arrays import Array
from foresaid.scoring.calibration import calibration_test
from foresaid.scoring.significance import FEWEST_RELEASES, compare, diebold_mariano

Whole = NDArray[np.intp]
PAGE = Path(__file__).parents[1] / "docs" / "results-evaluation.md"
BEGIN, END = "<!-- size study -->", "<!-- end of the size study -->"
SIZES: dict[str, Callable[[int], Whole]] = {
    "equal": lambda count: np.full(count, 8),
    "as in the 2024 test": lambda count: np.array([(15, 9, 9, 3, 3)[i % 5] for i in range(count)]),
    "one large": lambda count: np.array([40] + [15] * max(1, count // 5 - 1) + [3] * (count - 1 - max(1, count // 5 - 1))),
}
INTRACLASS, COUNTS = (0.32, 0.75), (5, 10, 20, 40)
TRIALS, REPLICATES = 2000, 399


def dependent(rng: np.random.Generator, member: Whole, intraclass: float) -> Array:
    """Standard normal numbers (n,) whose correlation within a cluster is `intraclass`."""
    shared = rng.normal(size=int(member.max()) + 1)[member]
    return np.asarray(np.sqrt(intraclass) * shared + np.sqrt(1.0 - intraclass) * rng.normal(size=len(member)))


def rejected(count: int, sizes: str, intraclass: float, trials: int, seed: int) -> dict[str, float]:
    """Share of trials in which each test rejects equal forecasters; for the PIT test, a calibrated one."""
    rng = np.random.default_rng([seed, count, round(100 * intraclass), len(sizes)])
    member = np.repeat(np.arange(count), SIZES[sizes](count))
    names = [f"{i:03d}" for i in member]
    found = {"wild bootstrap (used)": 0, "PIT (used)": 0, "Diebold-Mariano": 0, "row by row": 0}
    for _ in range(trials):
        level = np.exp(0.5 * dependent(rng, member, 0.5))
        lead = 0.3 * dependent(rng, member, intraclass)
        first, second = level * np.exp(lead), level * np.exp(-lead)
        found["wild bootstrap (used)"] += int(compare(first, second, names, rng, REPLICATES).p < 0.05)
        found["PIT (used)"] += int(calibration_test(norm.cdf(dependent(rng, member, intraclass)), names, rng, REPLICATES).p < 0.05)
        found["Diebold-Mariano"] += int(diebold_mariano(first - second, names)[1] < 0.05)
        found["row by row"] += int(ttest_rel(first, second).pvalue < 0.05)
    return {name: value / trials for name, value in found.items()}


def table(trials: int, seed: int = 14) -> list[str]:
    """The table in Markdown: rejections in per cent of a nominal 5 % test."""
    lines: list[str] = []
    for sizes in SIZES:
        for intraclass in INTRACLASS:
            for count in COUNTS:
                shares = rejected(count, sizes, intraclass, trials, seed)
                if not lines:
                    lines = [
                        "| sizes of releases | intraclass | releases | " + " | ".join(shares) + " |",
                        "| --- " * (3 + len(shares)) + "|",
                    ]
                said = [
                    "too few" if "used" in name and count < FEWEST_RELEASES else f"{100 * share:.1f}"
                    for name, share in shares.items()
                ]
                lines.append(f"| {sizes} | {intraclass} | {count} | " + " | ".join(said) + " |")
    return lines


def main() -> None:
    """Write the table between its marks in docs/results-evaluation.md."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--trials", type=int, default=TRIALS)
    trials = parser.parse_args().trials
    lines = table(trials)
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    error = 100 * np.sqrt(0.05 * 0.95 / trials)
    caption = f"Rejections in per cent of {trials:,} trials, nominal 5 (standard error {error:.1f}); {REPLICATES} replicates."
    PAGE.write_text(before + "\n".join([BEGIN, caption, "", *lines, END]) + after, encoding="utf-8")


if __name__ == "__main__":
    main()
