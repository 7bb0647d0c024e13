"""How to split compute between pre-training and inference, by the difficulty of a problem, on seven models of one family.

Snell et al. 2024 (arXiv 2408.03314, section 7) set a small model that samples often against a model M times larger that answers
once, at equal FLOPs in all. The seven Pythia models were sampled 10,000 times on the same 128 problems, so any split among them can
be read off. Coverage is what a perfect verifier would pick from the samples: no answer that has to be chosen reaches it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from foresaid.arrays import Array
from foresaid.errors import RecordError
from foresaid.reproducible import generator
from foresaid.studies.inference_compute.problem_bootstrap import BINS, Counts
from foresaid.studies.inference_compute.series import coverage_of
from foresaid.studies.law_sections import LawSection, StudyTable

RATIOS = (0.16, 0.79, 22.0)  # tokens at inference for each token of pre-training, as in the paper
PREFIX = "pass-at-k/original/pythia-"
UNIT = {"m": 1e6, "b": 1e9}
REPLICATES = 1000
ENDS = (0.05, 0.95)


@dataclass(frozen=True)
class Split:
    """One fifth of the problems at one ratio: the size chosen, its samples, coverage of it and of the largest model at one sample.

    `low` and `high` hold 90 % of the gain over resamples of the problems of the fifth.
    """

    fifth: int
    ratio: float
    size: str
    samples: int
    coverage: float
    largest: float
    low: float
    high: float


def matched_samples(times: float, ratio: float) -> float:
    """Return how many samples a model may draw for the FLOPs of one answer by a model `times` larger, pre-training counted.

        6 N D_pre + k 2 N D_inf = M (6 N D_pre + 2 N D_inf)   =>   k = M + 3 (D_pre / D_inf) (M - 1)

    `ratio` is D_inf / D_pre, all tokens at inference with one sample a question for each token of pre-training, above 0; `times` is
    M, 1 or more. Snell et al. 2024, arXiv 2408.03314, section 7; both models are trained on as many tokens.

    >>> matched_samples(1.0, 0.16), round(matched_samples(14.0, 22.0), 2)
    (1.0, 15.77)
    """
    return times + 3.0 / ratio * (times - 1.0)


def sizes(counts: Mapping[str, Counts]) -> dict[str, tuple[float, Counts]]:
    """Return parameters and counts of the models sampled alike, the largest first; raises RecordError where there are none."""
    found = {}
    for name, each in counts.items():
        match = re.fullmatch(re.escape(PREFIX) + r"([\d.]+)([mb])", name)
        if match:
            found[f"{match[1]}{match[2].upper()}"] = (float(match[1]) * UNIT[match[2]], each)
    if len(found) < 2:
        raise RecordError(f"pass-at-k: found {len(found)} models named {PREFIX}SIZE, expected two sizes of one family or more")
    return dict(sorted(found.items(), key=lambda item: -item[1][0]))


def halves(counts: Counts, rng: np.random.Generator) -> tuple[Counts, Counts]:
    """Deal the samples of each problem into two halves at random, right ones by the hypergeometric distribution."""
    samples, correct = (one.astype(np.int64) for one in counts)
    half = samples // 2
    first = rng.hypergeometric(correct, samples - correct, half)
    return (half.astype(float), first.astype(float)), ((samples - half).astype(float), (correct - first).astype(float))


def splits(counts: Mapping[str, Counts], seed: int) -> list[Split]:
    """Choose for each fifth and ratio the size with the highest coverage at equal FLOPs, and measure it on other samples.

    Difficulty (the mean solve rate over all models) and the choice use one half of the samples, coverage the other.
    """
    family = sizes(counts)
    rng = generator(seed, "compute-split")
    dealt = {name: halves(each, rng) for name, (_, each) in family.items()}
    chosen_on, measured_on = ({name: pair[at] for name, pair in dealt.items()} for at in (0, 1))
    rate = np.mean([correct / samples for samples, correct in chosen_on.values()], axis=0)
    largest = next(iter(family))
    made = []
    for fifth, rows in enumerate(np.array_split(np.argsort(rate, kind="stable"), BINS), start=1):
        for ratio in RATIOS:
            drawn = {name: _samples(family[largest][0] / size, ratio, measured_on[name]) for name, (size, _) in family.items()}
            best = max(drawn, key=lambda name: coverage_of(*_rows(chosen_on[name], rows), drawn[name]))
            ours, theirs = (_each(_rows(measured_on[name], rows), k) for name, k in ((best, drawn[best]), (largest, 1)))
            again = rng.integers(0, len(rows), (REPLICATES, len(rows)))
            low, high = np.quantile((ours - theirs)[again].mean(axis=1), ENDS)
            made.append(Split(fifth, ratio, best, drawn[best], float(ours.mean()), float(theirs.mean()), float(low), float(high)))
    return made


def _samples(times: float, ratio: float, counts: Counts) -> int:
    return int(min(matched_samples(times, ratio), counts[0].min()))


def _rows(counts: Counts, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Counts:
    return counts[0][rows], counts[1][rows]


def _each(counts: Counts, k: int) -> Array:
    return np.array([coverage_of(counts[0][i : i + 1], counts[1][i : i + 1], k) for i in range(len(counts[0]))])


def section(found: list[Split], family: Mapping[str, object]) -> LawSection:
    """Say which split serves problems of each difficulty."""
    largest = next(iter(family))
    helped = {ratio: [one.fifth for one in found if one.ratio == ratio and one.low > 0.0] for ratio in RATIOS}
    named = "; ".join(
        f"D_inf / D_pre {ratio:g}: fifths {', '.join(map(str, fifths)) or 'none'}" for ratio, fifths in helped.items()
    )
    said = (
        f"A smaller model that samples often against the {largest} model that answers once, at equal FLOPs of pre-training and "
        f"inference. Fifths of the problems (1 the hardest) where sampling gains surely (90 % range above 0): {named}. Coverage "
        "takes a perfect verifier for granted, so every gain is an upper bound.",
    )
    header = ("fifth", "D_inf / D_pre", "best size", "samples", "coverage", f"{largest}, one sample", "gain, 90 % from", "to")
    rows = tuple((one.fifth, one.ratio, one.size, one.samples, one.coverage, one.largest, one.low, one.high) for one in found)
    table = StudyTable("splits", "The size that serves best at equal compute, by difficulty", header, rows)
    return LawSection("compute-split", "Pre-training or inference", ("coverage", "beta_coverage"), said, (table,), "")
