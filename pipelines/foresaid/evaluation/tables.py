"""Forecast beside outcome: scored rows, means over them, and relative WIS against the baselines.

Pure functions over frames. Means are compared only on the rows both sides forecast, and the count stands beside every mean: rows,
releases and makers (see units.py). What these numbers let one claim is said in claims.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl

from foresaid.arrays import Array, list_values
from foresaid.evaluation import means
from foresaid.evaluation.schema import COVERAGES, KEY, SCORED, UNITS
from foresaid.evaluation.units import complete
from foresaid.forecasting.methods import is_baseline
from foresaid.reproducible import generator
from foresaid.scoring.calibration import calibration_test, coverage_interval
from foresaid.scoring.levels import LEVELS, position
from foresaid.scoring.row_scores import MEANS, ROW_SCORES, ScoredRows
from foresaid.scoring.significance import Comparison, compare, pairwise_relative_wis
from foresaid.scoring.significance import skill as skill_score


def score_rows(forecasts: pl.DataFrame, levels: Sequence[float] = LEVELS) -> pl.DataFrame:
    """Score forecasts whose outcome is known: KEY, observed, status, distance, point, quantiles (null for a bare point).

    A bare point is scored as a point mass, whose WIS is its absolute error; it has no interval, so its coverage is null. Rows
    for which nothing could be forecast are left out here and counted by the caller. Coverage, bias and PIT count an outcome within
    half its `resolution` as hit (see units.py; exact where the frame has no such column). ParameterError for an outcome that is no
    number.

    WIS is a mean over levels: one distribution scores .256, .140 or .009 at three choices of them. At other levels than LEVELS it
    is null, as is what needs a level that is not among them; absolute error and coverage stay.
    """
    if not forecasts.height:
        return pl.DataFrame(schema=SCORED)
    forecasts = complete(forecasts)
    point = forecasts["point"].to_numpy().astype(float)
    bare = forecasts["quantiles"].is_null().to_numpy()
    level = list(levels)
    quantiles = np.where(bare[:, None], point[:, None], list_values(forecasts["quantiles"], len(level)))
    observed = forecasts["observed"].to_numpy().astype(float)
    step = forecasts["resolution"].to_numpy().astype(float)
    rows = ScoredRows(quantiles, level, point, observed, step, bare)

    def column(values: Array) -> pl.Series:
        return pl.Series(values).fill_nan(None)

    def edge(wanted: float) -> pl.Series:
        return column(np.where(bare, np.nan, rows.at(wanted)))

    def inside(nominal: float) -> pl.Series:
        ends = [(1.0 - nominal) / 2.0, (1.0 + nominal) / 2.0]
        hit = (rows.at(ends[0]) - step / 2.0 <= observed) & (observed <= rows.at(ends[1]) + step / 2.0)
        none = bare | any(position(level, end) is None for end in ends)
        return pl.select(pl.when(pl.Series(none)).then(None).otherwise(pl.Series(hit))).to_series().cast(pl.Boolean)

    scored = forecasts.select(*KEY, *UNITS, "observed", "point", "status", "distance").with_columns(
        median=column(rows.at(0.5)),
        lower_80=edge(0.1),
        upper_80=edge(0.9),
        lower_95=edge(0.025),
        upper_95=edge(0.975),
        **{one.name: column(one.of(rows)) for one in ROW_SCORES},
        **{f"covered_{round(100 * nominal)}": inside(nominal) for nominal in COVERAGES},
    )
    return scored.select(list(SCORED)).cast(dict(SCORED))  # type: ignore[arg-type]  # a schema is a mapping of types


def summarise(scored: pl.DataFrame, by: Sequence[str] = ()) -> pl.DataFrame:
    """Mean scores of each method in each case: counts, WIS, errors, bias of the error, and coverage.

    `bias` is the mean of forecast median minus outcome, in the quantity's unit.
    """
    keys = ["evidence", "case", "law", "role", *by]
    return (
        scored.group_by(keys)
        .agg(
            **means.counts(),
            **{one.mean: pl.col(one.name).mean() for one in MEANS},
            bias=means.bias(),
            **means.coverage(COVERAGES),
        )
        .sort(keys)
    )


def compared(scored: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Every law against every baseline: relative WIS and skill on common rows, with 95 % intervals by release and by maker.

    Compute and size laws are laws here and baselines for the others (forecasting/methods.py). These are measurements and no claims:
    p is not adjusted and there is no verdict; see claims.py.
    """
    keys = ["evidence", "case", "target_id", "subject_id"]
    draws = scored.select(*keys, "law", "role", "wis", "release", "maker")
    rows: list[dict[str, object]] = []
    for (evidence, case), part in draws.group_by(["evidence", "case"], maintain_order=True):
        for law in sorted(set(part.filter(pl.col("role") == "law")["law"])):
            one = part.filter(pl.col("law") == law)
            for baseline in sorted(set(part.filter(is_baseline() & (pl.col("law") != law))["law"])):
                other = part.filter(pl.col("law") == baseline).select(*keys, baseline_wis="wis")
                pairs = one.join(other, on=keys, how="inner").sort(keys)
                if pairs.height:
                    rng = generator(seed, "compared", str(case), law, baseline)
                    ours, theirs = pairs["wis"].to_numpy(), pairs["baseline_wis"].to_numpy()
                    found = compare(ours, theirs, pairs["release"].to_list(), rng, makers=pairs["maker"].to_list())
                    about = {"evidence": evidence, "case": case, "law": law, "baseline": baseline}
                    rows.append({**about, **measured(found, float(ours.mean()), float(theirs.mean()))})
    made = pl.DataFrame(rows, schema=COMPARED, infer_schema_length=None)
    return made.with_columns(pl.col(pl.Float64).fill_nan(None)).sort("evidence", "case", "law", "baseline")


COMPARED = {
    **dict.fromkeys(("evidence", "case", "law", "baseline"), pl.String()),
    **dict.fromkeys(("n", "n_releases", "n_makers"), pl.Int64()),
    **dict.fromkeys(("wis", "baseline_wis", "relative_wis", "skill", "lower_95", "upper_95"), pl.Float64()),
    **dict.fromkeys(("maker_lower_95", "maker_upper_95", "p", "maker_p"), pl.Float64()),
}


def measured(found: Comparison, wis: float, reference: float) -> dict[str, object]:
    """Spell a comparison as columns; a ratio to a perfect baseline does not exist, its two means stand beside it."""
    numbers = {
        "relative_wis": found.ratio, "skill": skill_score(wis, reference), "lower_95": found.lower, "upper_95": found.upper,
        "maker_lower_95": found.maker_lower, "maker_upper_95": found.maker_upper, "p": found.p, "maker_p": found.maker_p,
    }  # fmt: skip
    return {
        "n": found.n,
        "n_releases": found.n_releases,
        "n_makers": found.n_makers,
        "wis": wis,
        "baseline_wis": reference,
        **{name: value if np.isfinite(value) else None for name, value in numbers.items()},
    }


def calibrated(scored: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Coverage at four levels with 95 % bounds by release, and a test of the PIT, for each law of each case."""
    rows: list[dict[str, object]] = []
    draws = scored.filter((pl.col("role") == "law") & pl.col("pit").is_not_null())
    for (evidence, case, law), part in draws.group_by(["evidence", "case", "law"], maintain_order=True):
        clusters = part["release"].to_list()
        row: dict[str, object] = {"evidence": evidence, "case": case, "law": law}
        for level in COVERAGES:
            name, hit = f"coverage_{round(100 * level)}", f"covered_{round(100 * level)}"
            found = coverage_interval(part[hit].cast(pl.Float64).to_numpy(), clusters)
            row |= {name: found.share, f"{name}_lower": found.lower, f"{name}_upper": found.upper}
        tested = calibration_test(part["pit"].to_numpy(), clusters, generator(seed, "calibrated", str(case), str(law)))
        row |= {"n": part.height, "n_releases": len(set(clusters)), "place": tested.place, "width": tested.width, "p": tested.p}
        rows.append({**row, "verdict": tested.verdict})
    bounds = [f"coverage_{round(100 * level)}{end}" for level in COVERAGES for end in ("", "_lower", "_upper")]
    schema = {
        **dict.fromkeys(("evidence", "case", "law"), pl.String()), **dict.fromkeys(bounds, pl.Float64()),
        **dict.fromkeys(("n", "n_releases"), pl.Int64()), **dict.fromkeys(("place", "width", "p"), pl.Float64()),
        "verdict": pl.String(),
    }  # fmt: skip
    made = pl.DataFrame(rows, schema=schema)
    return made.with_columns(pl.col(pl.Float64).fill_nan(None)).sort("evidence", "case", "law")


def pairwise(scored: pl.DataFrame, baseline: str) -> pl.DataFrame:
    """Relative WIS of every method of each case by pairwise comparison, scaled to one baseline (see scoring/significance.py)."""
    rows: list[dict[str, object]] = []
    named = scored.with_columns(row=pl.concat_str("target_id", "subject_id", separator="/"))
    for (evidence, case), part in named.group_by(["evidence", "case"], maintain_order=True):
        scores = {law: dict(part.filter(pl.col("law") == law).select("row", "wis").iter_rows()) for law in sorted(set(part["law"]))}
        if baseline in scores:
            for law, (value, shared) in pairwise_relative_wis(scores, baseline).items():
                rows.append({"evidence": evidence, "case": case, "law": law, "pairwise_relative_wis": value, "n": shared})
    schema = {
        **dict.fromkeys(("evidence", "case", "law"), pl.String()), "pairwise_relative_wis": pl.Float64(), "n": pl.Int64(),
    }  # fmt: skip
    made = pl.DataFrame(rows, schema=schema).with_columns(pl.col("pairwise_relative_wis").fill_nan(None))
    return made.sort("evidence", "case", "pairwise_relative_wis", "law")


def skill(scored: pl.DataFrame) -> pl.DataFrame:
    """Relative WIS and absolute error of each method against each baseline, on the rows that both forecast, and the skill.

    Skill is 1 - relative WIS: positive is better. Against a baseline whose mean is zero the ratio does not exist and is null,
    unless the method is perfect too; `baseline_wis` stands beside it. The number of rows and releases of the common set stands
    beside each.
    """
    keys = ["evidence", "case", "target_id", "subject_id"]
    pairs = scored.select(*keys, "law", "release", "maker", "wis", "absolute_error").join(
        scored.filter(is_baseline()).select(*keys, baseline="law", other_wis="wis", other_ae="absolute_error"), on=keys, how="inner"
    )

    def over(name: str, other: str) -> pl.Expr:
        mine, theirs = pl.col(name).mean(), pl.col(other).mean()
        return pl.when(theirs > 0).then(mine / theirs).when(mine == 0).then(1.0)

    return (
        pairs.filter(pl.col("law") != pl.col("baseline"))
        .group_by("evidence", "case", "law", "baseline")
        .agg(
            **means.counts(),
            wis=pl.col("wis").mean(),
            baseline_wis=pl.col("other_wis").mean(),
            relative_wis=over("wis", "other_wis"),
            relative_mae=over("absolute_error", "other_ae"),
        )
        .with_columns(skill=1.0 - pl.col("relative_wis"))
        .sort("evidence", "case", "law", "baseline")
    )


def best_baseline(table: pl.DataFrame) -> pl.DataFrame:
    """Of `skill` or `compared`, for each law the row of the baseline that was best on the rows both forecast; hindsight's choice.

    A perfect baseline (mean WIS of zero) is the best one.
    """
    rank = pl.when(pl.col("baseline_wis") == 0).then(float("inf")).otherwise(pl.col("relative_wis"))
    keys = [name for name in ("evidence", "case", "unit", "law") if name in table.columns]
    ordered = table.with_columns(rank=rank).sort(*keys, "rank", "baseline", descending=[False] * len(keys) + [True, False])
    return ordered.unique(keys, keep="first", maintain_order=True).drop("rank")


def by_unit(scored: pl.DataFrame, measure: Callable[[pl.DataFrame], pl.DataFrame]) -> pl.DataFrame:
    """Apply a measure to the rows of each unit (column `unit`) apart: nats and fractions never share a mean."""
    units = scored["unit"].unique().sort().to_list()
    parts = [measure(scored.filter(pl.col("unit") == unit)).with_columns(unit=pl.lit(unit)) for unit in units]
    return pl.concat(parts) if parts else measure(scored)
