"""Every verdict recomputed by a second hand: a few lines of NumPy that share no code with the product.

Two cases, forecasts and outcomes as `foresaid hindcast` wrote them (tests/data/referee): models released after May 2024, by
the observational law and by the best known value, and the largest fine-tuning runs, by the rectified law and by the last
value. Each figure is computed twice, from its formula in the paper here and by `foresaid.scoring`, and must agree to 1e-9. The
bootstrap is the one random step: both sides take the same drawn weights. The numbers of releases are below what a verdict
needs in the first case, so the least number is lowered there: the arithmetic is under test, not the verdict.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import stats
from tests.conftest import ROOT

from foresaid.arrays import Array
from foresaid.scoring import calibration, rules, significance

SEED, REPLICATES = 20240531, 999
CASES = {"obsscaling-2024-05": ("observational", "best_known"), "finetuning-larger": ("rectified", "last_value")}
BOTH = [(case, unit) for case in CASES for unit in ("release", "maker")]
NOMINAL = (0.5, 0.8, 0.95)


@dataclass(frozen=True)
class Rows:
    """Forecasts of one law: quantiles (n, L) at levels (L,), outcomes (n,) and the clusters by unit."""

    levels: Array
    quantiles: Array
    outcomes: Array
    clusters: dict[str, list[str]]
    quantity: list[str]


def read(case: str, law: str) -> Rows:
    """Read the forecasts of one law, in the order of quantity and subject."""
    with (ROOT / "tests" / "data" / "referee" / f"{case}.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["law"] == law]
    columns = [name for name in rows[0] if name.startswith("q0")]
    return Rows(
        np.array([float(name[1:]) for name in columns]),
        np.array([[float(row[name]) for name in columns] for row in rows]),
        np.array([float(row["value"]) for row in rows]),
        {unit: [row[unit] for row in rows] for unit in ("release", "maker")},
        [row["quantity_id"] for row in rows],
    )


def wis(rows: Rows) -> Array:
    """Bracher et al. 2021, equation 1, interval by interval: (sum w_k IS_k + |y - m| / 2) / (K + 1/2)."""
    total = 0.5 * np.abs(rows.outcomes - rows.quantiles[:, len(rows.levels) // 2])
    for k in range(len(rows.levels) // 2):
        alpha, low, high = 2 * rows.levels[k], rows.quantiles[:, k], rows.quantiles[:, -1 - k]
        outside = np.where(rows.outcomes < low, low - rows.outcomes, 0) + np.where(rows.outcomes > high, rows.outcomes - high, 0)
        total = total + alpha / 2 * ((high - low) + 2 / alpha * outside)
    return np.asarray(total / (len(rows.levels) // 2 + 0.5))


def inside(rows: Rows, nominal: float) -> Array:
    """Outcomes between the two quantiles of a central interval, ends included."""
    ends = [int(np.abs(rows.levels - tail).argmin()) for tail in ((1 - nominal) / 2, (1 + nominal) / 2)]
    return np.array([float(q[ends[0]] <= y <= q[ends[1]]) for q, y in zip(rows.quantiles, rows.outcomes, strict=True)])


def sums(values: Array, clusters: list[str]) -> Array:
    """Sum by cluster, in the order of names."""
    return np.array([sum(v for v, c in zip(values, clusters, strict=True) if c == name) for name in sorted(set(clusters))])


def by_sums(differences: Array, clusters: list[str]) -> tuple[float, float]:
    """Diebold and Mariano 1995 on one sum a cluster: the t test of SciPy."""
    found = stats.ttest_1samp(sums(differences, clusters), 0.0)
    return float(found.statistic), float(found.pvalue)


def percentile_t(first: Array, second: Array, clusters: list[str], weights: Array) -> tuple[float, float, float]:
    """Ratio of means with its 95 % percentile-t interval on the log scale: Cameron, Gelbach and Miller 2008, section III."""
    a, b = sums(first, clusters), sums(second, clusters)
    count = len(a)

    def log_ratio(w: Array) -> tuple[float, float]:
        above, below = float((w * a).sum()), float((w * b).sum())
        influence = a / above - b / below
        return float(np.log(above / below)), float(np.sqrt(count / (count - 1) * (w * influence**2).sum()))

    centre, error = log_ratio(np.ones(count))
    pivots = []
    for w in weights:
        value, scale = log_ratio(w)
        pivots.append((value - centre) / scale if scale > 0 else 0.0)
    low, high = np.quantile(pivots, [0.025, 0.975])
    return a.sum() / b.sum(), float(np.exp(centre - high * error)), float(np.exp(centre - low * error))


def korn_graubard(hit: Array, clusters: list[str]) -> tuple[float, float, float]:
    """Share inside with Clopper and Pearson's 95 % bounds for the effective number: Korn and Graubard 1998."""
    n, share, count = len(hit), hit.mean(), len(set(clusters))
    effective = float(count)
    if 0 < share < 1:
        variance = count / (count - 1) * (sums(hit - share, clusters) ** 2).sum() / n**2
        design = variance / (share * (1 - share) / (n - 1))
        effective = min(n, n / design * (stats.t.ppf(0.975, n - 1) / stats.t.ppf(0.975, count - 1)) ** 2)
    hits = share * effective
    low = 0.0 if share == 0 else stats.beta.ppf(0.025, hits, effective - hits + 1)
    high = 1.0 if share == 1 else stats.beta.ppf(0.975, hits + 1, effective - hits)
    return float(share), float(low), float(high)


def holm(p: list[float]) -> list[float]:
    """Holm 1979: the largest of (m - j + 1) p_(j) over all j up to the rank, at most one."""
    ordered = sorted(p)
    return [min(1.0, max((len(p) - j) * ordered[j] for j in range(ordered.index(value) + 1))) for value in p]


@pytest.mark.parametrize(("case", "law"), [(case, law) for case, laws in CASES.items() for law in laws])
def test_wis_and_hits_row_by_row(case: str, law: str) -> None:
    rows = read(case, law)

    np.testing.assert_allclose(
        rules.weighted_interval_score(rows.quantiles, list(rows.levels), rows.outcomes).wis, wis(rows), rtol=1e-9, atol=1e-12
    )
    for nominal in NOMINAL:
        found = rules.covered(rows.quantiles, list(rows.levels), rows.outcomes, nominal)
        np.testing.assert_array_equal(found.astype(float), inside(rows, nominal))


@pytest.mark.parametrize(("case", "unit"), BOTH)
def test_coverage_and_its_interval(case: str, unit: str) -> None:
    rows = read(case, CASES[case][0])
    for nominal in NOMINAL:
        hit = inside(rows, nominal)
        found = calibration.coverage_interval(hit, rows.clusters[unit])

        np.testing.assert_allclose((found.share, found.lower, found.upper), korn_graubard(hit, rows.clusters[unit]), rtol=1e-9)


@pytest.mark.parametrize(("case", "unit"), BOTH)
def test_diebold_mariano_and_the_interval_of_the_ratio(case: str, unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(significance, "FEWEST_RELEASES", 2)
    law, baseline = (read(case, name) for name in CASES[case])
    first, second, clusters = wis(law), wis(baseline), law.clusters[unit]
    assert (law.clusters, law.quantity) == (baseline.clusters, baseline.quantity)
    count = len(set(clusters))
    weights = np.random.default_rng(SEED).multinomial(count, np.full(count, 1.0 / count), size=REPLICATES).astype(float)

    found = significance.compare(first, second, clusters, np.random.default_rng(SEED), REPLICATES)

    np.testing.assert_allclose((found.ratio, found.lower, found.upper), percentile_t(first, second, clusters, weights), rtol=1e-9)
    np.testing.assert_allclose(significance.diebold_mariano(first - second, clusters), by_sums(first - second, clusters), rtol=1e-9)
    assert (found.n, found.n_releases) == (len(first), count)
    assert found.p == pytest.approx(by_sums(first - second, clusters)[1], rel=1e-9)


@pytest.mark.parametrize("case", CASES)
def test_holm_over_the_quantities(case: str) -> None:
    law, baseline = (read(case, name) for name in CASES[case])
    difference = wis(law) - wis(baseline)
    p = []
    for quantity in sorted(set(law.quantity)):
        keep = [i for i, name in enumerate(law.quantity) if name == quantity]
        p.append(by_sums(difference[keep], [law.clusters["release"][i] for i in keep])[1])

    np.testing.assert_allclose(significance.holm(p), holm(p), rtol=1e-9)
