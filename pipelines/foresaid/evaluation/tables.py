"""Forecast beside outcome: scored rows, means over them, and skill against the baselines.

Pure functions over frames. Two rules keep the numbers honest. Means are compared only on the rows both sides forecast, and
the count stands beside every mean. Twenty benchmarks of one release are one draw: next to the number of rows stands the
number of releases (of series, where runs were held out by scale).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl

from foresaid.arrays import Array
from foresaid.evaluation.schema import COVERAGES, KEY, SCORED
from foresaid.registry.systems import models_of
from foresaid.reproducible import generator
from foresaid.scoring.calibration import calibration_test, coverage_interval, probability_integral_transform
from foresaid.scoring.levels import LEVELS, is_symmetric
from foresaid.scoring.rules import IntervalScore, bias, pinball, weighted_interval_score
from foresaid.scoring.significance import compare, holm, pairwise_skill, verdict


def score_rows(forecasts: pl.DataFrame, levels: Sequence[float] = LEVELS) -> pl.DataFrame:
    """Score forecasts whose outcome is known: KEY, value, status, distance, point, quantiles (null for a bare point).

    A bare point is scored as a point mass, whose WIS is its absolute error; it has no interval, so its coverage is null. Rows
    for which nothing could be forecast are left out here and counted by the caller. With other `levels`, what needs a level that
    is not among them is null; levels that are not symmetric about 0.5 have a WIS (twice the mean pinball loss) and no parts.
    """
    if not forecasts.height:
        return pl.DataFrame(schema=SCORED)
    point = forecasts["point"].to_numpy().astype(float)
    bare = np.array([row is None for row in forecasts["quantiles"]], dtype=bool)
    level = list(levels)
    quantiles = np.array([[p] * len(level) if row is None else row for row, p in zip(forecasts["quantiles"], point, strict=True)])
    value = forecasts["value"].to_numpy().astype(float)
    nothing = np.full(len(value), np.nan)
    if is_symmetric(level):
        interval, leaning = weighted_interval_score(quantiles, level, value), bias(quantiles, level, value)
    else:
        whole = 2.0 * pinball(quantiles, level, value).mean(axis=1)
        interval, leaning = IntervalScore(whole, nothing, nothing, nothing), nothing

    def at(wanted: float) -> Array:
        return quantiles[:, level.index(wanted)] if wanted in level else nothing

    def edge(wanted: float) -> pl.Series:
        return pl.Series(np.where(bare, np.nan, at(wanted))).fill_nan(None)

    def inside(nominal: float) -> pl.Series:
        ends = [round((1.0 - nominal) / 2.0, 4), round((1.0 + nominal) / 2.0, 4)]
        hit = (at(ends[0]) <= value) & (value <= at(ends[1]))
        none = bare | (not set(ends) <= set(level))
        return pl.Series([None if no else bool(item) for no, item in zip(none, hit, strict=True)], dtype=pl.Boolean)

    median = at(0.5)
    scored = forecasts.select(*KEY, "value", "point", "status", "distance").with_columns(
        median=pl.Series(median).fill_nan(None),
        lower_80=edge(0.1),
        upper_80=edge(0.9),
        lower_95=edge(0.025),
        upper_95=edge(0.975),
        wis=pl.Series(interval.wis),
        dispersion=pl.Series(interval.dispersion).fill_nan(None),
        overprediction=pl.Series(interval.overprediction).fill_nan(None),
        underprediction=pl.Series(interval.underprediction).fill_nan(None),
        ae_median=pl.Series(np.abs(median - value)).fill_nan(None),
        se_point=pl.Series((point - value) ** 2).fill_nan(None),
        bias=pl.Series(leaning).fill_nan(None),
        pit=pl.Series(np.where(bare, np.nan, probability_integral_transform(quantiles, level, value))).fill_nan(None),
        **{f"covered_{round(100 * nominal)}": inside(nominal) for nominal in COVERAGES},
    )
    return scored.select(list(SCORED)).cast(dict(SCORED))  # type: ignore[arg-type]  # a schema is a mapping of types


def _release() -> pl.Expr:
    return pl.when(pl.col("split") == "larger").then(pl.col("series")).otherwise(models_of("subject_id"))


def summarise(scored: pl.DataFrame, by: Sequence[str] = ()) -> pl.DataFrame:
    """Mean scores of each method in each case: counts, WIS, errors, bias of the error, and coverage.

    `bias` is the mean of forecast median minus outcome, in the quantity's unit.
    """
    keys = ["evidence", "case", "law", "role", *by]
    return (
        scored.group_by(keys)
        .agg(
            n=pl.len(),
            n_releases=_release().n_unique(),
            n_families=pl.col("cluster").n_unique(),
            wis=pl.col("wis").mean(),
            mae=pl.col("ae_median").mean(),
            mse=pl.col("se_point").mean(),
            bias=(pl.col("median") - pl.col("value")).mean(),
            **{f"coverage_{round(100 * level)}": pl.col(f"covered_{round(100 * level)}").mean() for level in COVERAGES},
        )
        .sort(keys)
    )


def compared(scored: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Is each law better than each baseline? Ratio of mean WIS on common rows, its 95 % interval, p by release, verdict.

    Releases (or series held out by scale) are the draws: see scoring/significance.py. `adjusted_p` is Holm's within one case, and
    the verdict goes by it; with few releases there is none.
    """
    keys = ["evidence", "case", "target_id", "subject_id"]
    columns = [*keys, "law", "role", "wis"]
    draws = scored.with_columns(release=_release()).select(*columns, "release")
    rows: list[dict[str, object]] = []
    for (evidence, case), part in draws.group_by(["evidence", "case"], maintain_order=True):
        found = []
        for law in sorted(set(part.filter(pl.col("role") == "law")["law"])):
            one = part.filter(pl.col("law") == law)
            for baseline in sorted(set(part.filter(pl.col("role") == "baseline")["law"])):
                other = part.filter(pl.col("law") == baseline).select(*keys, baseline_wis="wis")
                pairs = one.join(other, on=keys, how="inner").sort(keys)
                if pairs.height:
                    rng = generator(seed, "compared", str(case), law, baseline)
                    clusters = pairs["release"].to_list()
                    result = compare(pairs["wis"].to_numpy(), pairs["baseline_wis"].to_numpy(), clusters, rng)
                    found.append((law, baseline, result))
        for (law, baseline, result), adjusted in zip(found, holm([item.p for *_, item in found]), strict=True):
            rows.append(
                {
                    "evidence": evidence, "case": case, "law": law, "baseline": baseline, "n": result.n,
                    "n_releases": result.n_releases, "relative_wis": result.ratio, "lower_95": result.lower,
                    "upper_95": result.upper, "p": result.p, "adjusted_p": adjusted, "verdict": verdict(result, adjusted),
                }
            )  # fmt: skip
    schema = {
        **dict.fromkeys(("evidence", "case", "law", "baseline"), pl.String()), "n": pl.Int64(), "n_releases": pl.Int64(),
        **dict.fromkeys(("relative_wis", "lower_95", "upper_95", "p", "adjusted_p"), pl.Float64()), "verdict": pl.String(),
    }  # fmt: skip
    made = pl.DataFrame(rows, schema=schema, infer_schema_length=None)
    return made.with_columns(pl.col(pl.Float64).fill_nan(None)).sort("evidence", "case", "law", "baseline")


def calibrated(scored: pl.DataFrame) -> pl.DataFrame:
    """Coverage at four levels with 95 % bounds by release, and a test of the PIT, for each law of each case."""
    rows: list[dict[str, object]] = []
    draws = scored.filter((pl.col("role") == "law") & pl.col("pit").is_not_null()).with_columns(release=_release())
    for (evidence, case, law), part in draws.group_by(["evidence", "case", "law"], maintain_order=True):
        clusters = part["release"].to_list()
        row: dict[str, object] = {"evidence": evidence, "case": case, "law": law}
        for level in COVERAGES:
            name = f"covered_{round(100 * level)}"
            found = coverage_interval(part[name].cast(pl.Float64).to_numpy(), clusters)
            row |= {name: found.share, f"{name}_lower": found.lower, f"{name}_upper": found.upper}
        tested = calibration_test(part["pit"].to_numpy(), clusters)
        row |= {"n": part.height, "n_releases": len(set(clusters)), "place": tested.place, "width": tested.width, "p": tested.p}
        rows.append({**row, "verdict": tested.verdict})
    bounds = [f"covered_{round(100 * level)}{end}" for level in COVERAGES for end in ("", "_lower", "_upper")]
    schema = {
        **dict.fromkeys(("evidence", "case", "law"), pl.String()), **dict.fromkeys(bounds, pl.Float64()),
        **dict.fromkeys(("n", "n_releases"), pl.Int64()), **dict.fromkeys(("place", "width", "p"), pl.Float64()),
        "verdict": pl.String(),
    }  # fmt: skip
    made = pl.DataFrame(rows, schema=schema)
    return made.with_columns(pl.col(pl.Float64).fill_nan(None)).sort("evidence", "case", "law")


def pairwise(scored: pl.DataFrame, baseline: str) -> pl.DataFrame:
    """Relative skill of every method of each case by pairwise comparison, scaled to one baseline (see scoring/significance.py)."""
    rows: list[dict[str, object]] = []
    named = scored.with_columns(row=pl.concat_str("target_id", "subject_id", separator="/"))
    for (evidence, case), part in named.group_by(["evidence", "case"], maintain_order=True):
        scores = {law: dict(part.filter(pl.col("law") == law).select("row", "wis").iter_rows()) for law in sorted(set(part["law"]))}
        if baseline in scores:
            for law, (value, shared) in pairwise_skill(scores, baseline).items():
                rows.append({"evidence": evidence, "case": case, "law": law, "relative_skill": value, "n": shared})
    schema = {**dict.fromkeys(("evidence", "case", "law"), pl.String()), "relative_skill": pl.Float64(), "n": pl.Int64()}
    made = pl.DataFrame(rows, schema=schema).with_columns(pl.col("relative_skill").fill_nan(None))
    return made.sort("evidence", "case", "relative_skill", "law")


def skill(scored: pl.DataFrame) -> pl.DataFrame:
    """Mean WIS and absolute error of each method over each baseline's, on the rows that both forecast.

    Below one the method was better. The number of rows and releases of the common set stands beside each ratio. The compute
    and size laws count as baselines here too.
    """
    keys = ["evidence", "case", "target_id", "subject_id"]
    reference = scored.filter((pl.col("role") == "baseline") | pl.col("law").is_in(["compute_sigmoid", "size_sigmoid"]))
    pairs = scored.select(*keys, "law", "split", "series", "wis", "ae_median").join(
        reference.select(*keys, baseline="law", baseline_wis="wis", baseline_ae="ae_median"), on=keys, how="inner"
    )
    return (
        pairs.filter(pl.col("law") != pl.col("baseline"))
        .group_by("evidence", "case", "law", "baseline")
        .agg(
            n=pl.len(),
            n_releases=_release().n_unique(),
            relative_wis=pl.col("wis").mean() / pl.col("baseline_wis").mean(),
            relative_mae=pl.col("ae_median").mean() / pl.col("baseline_ae").mean(),
        )
        .sort("evidence", "case", "law", "baseline")
    )


def by_unit(scored: pl.DataFrame, measure: Callable[[pl.DataFrame], pl.DataFrame]) -> pl.DataFrame:
    """Apply a measure to the rows of each unit (column `unit`) apart: nats and fractions never share a mean."""
    units = scored["unit"].unique().sort().to_list()
    parts = [measure(scored.filter(pl.col("unit") == unit)).with_columns(unit=pl.lit(unit)) for unit in units]
    return pl.concat(parts) if parts else measure(scored)
