"""What may be claimed: one verdict for each law and case, against a reference that was named before.

A claim compares a law with the reference of its kind of target (forecasting/methods.py) on every row the law was asked for: a
row without a forecast counts as the reference's own, so that nobody gains by leaving out what is hard, and is counted. The baseline
that turned out best, on the rows it shares with the law, stands beside it and carries no test: it was picked with the results in
view. p is adjusted over all claims handed over together (Holm), which are those of a page. Pages print these rows and decide
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from foresaid.evaluation import means
from foresaid.evaluation.modes import mode_of
from foresaid.evaluation.tables import COMPARED, best_baseline, measured, skill
from foresaid.forecasting.methods import reference, told
from foresaid.reproducible import generator
from foresaid.scoring.significance import REPLICATES, Comparison, compare, holm, verdict

ROW = ("target_id", "subject_id")
HALF = pl.when(pl.col("released_on").dt.month() < 7).then(pl.lit("H1")).otherwise(pl.lit("H2"))
PERIOD = pl.format("{} {}", pl.col("released_on").dt.year(), HALF)
SCHEMA = {
    **dict.fromkeys(("evidence", "case", "mode", "unit", "law", "told", "reference"), pl.String()),
    "n_no_forecast": pl.Int64(),
    **{name: kind for name, kind in COMPARED.items() if name not in ("evidence", "case", "law", "baseline")},
    "adjusted_p": pl.Float64(),
    "verdict": pl.String(),
    "best_baseline": pl.String(),
    **dict.fromkeys(("best_baseline_wis", "wis_beside_best", "relative_wis_best"), pl.Float64()),
    "n_best": pl.Int64(),
}


def claims(scored: pl.DataFrame, no_forecast: pl.DataFrame, seed: int) -> pl.DataFrame:
    """One row a law, case and unit: comparison with the reference, verdict, and the best baseline in hindsight.

    `scored` has the column `unit`; `no_forecast` (evidence, case, law, target_id, subject_id) are forecasts that were asked for and
    not made. Cases whose reference made no forecast have no claim. `wis` is the mean with those rows counted as the reference.
    """
    found: list[tuple[dict[str, Any], Comparison]] = []
    for (evidence, case, unit), part in scored.group_by(["evidence", "case", "unit"], maintain_order=True):
        none = no_forecast.filter((pl.col("evidence") == evidence) & (pl.col("case") == case))
        best = {row["law"]: row for row in best_baseline(skill(part)).iter_rows(named=True)}
        split = str(part["split"][0])
        for law in sorted(set(part.filter(pl.col("role") == "law")["law"])):
            made = against_reference(
                part,
                none.filter(pl.col("law") == law),
                law,
                split,
                ROW,
                generator(seed, "claims", str(evidence), str(case), str(unit), law),
            )
            if made is None:
                continue
            beside = best.get(law, {})
            row = {
                "evidence": evidence, "case": case, "mode": mode_of(str(evidence), split), "unit": unit, "law": law, **made[0],
                "best_baseline": beside.get("baseline"), "best_baseline_wis": beside.get("baseline_wis"),
                "wis_beside_best": beside.get("wis"), "relative_wis_best": beside.get("relative_wis"), "n_best": beside.get("n"),
            }  # fmt: skip
            found.append((row, made[1]))
    made_frame = pl.DataFrame(judged(found), schema=SCHEMA, infer_schema_length=None)
    return made_frame.with_columns(pl.col(pl.Float64).fill_nan(None)).sort("evidence", "case", "unit", "law")


def against_reference(
    part: pl.DataFrame,
    no_forecast: pl.DataFrame,
    law: str,
    split: str,
    row: Sequence[str],
    rng: np.random.Generator,
    replicates: int = REPLICATES,
) -> tuple[dict[str, Any], Comparison] | None:
    """Compare one law of a table with its reference on all rows asked; None where the reference forecast none of them.

    `row` names the columns that make a row of the table, `no_forecast` holds those of the rows the law was asked for and did not
    forecast. Returns what is said of the comparison, and the comparison.
    """
    against = reference(split, law)
    base = part.filter(pl.col("law") == against).select(*row, "release", "maker", base="wis")
    made = part.filter(pl.col("law") == law).select(*row, "wis")
    gone = no_forecast.select(row).unique().with_columns(wis=pl.lit(None, pl.Float64))
    rows = pl.concat([made, gone]).join(base, on=row, how="inner").sort(row)
    if not rows.height:
        return None
    ours, theirs = rows["wis"].fill_null(rows["base"]).to_numpy(), rows["base"].to_numpy()
    result = compare(ours, theirs, rows["release"].to_list(), rng, replicates, makers=rows["maker"].to_list())
    about = {"told": told(law), "reference": against, "n_no_forecast": rows["wis"].null_count()}
    return {**about, **measured(result, float(ours.mean()), float(theirs.mean()))}, result


def judged(found: Sequence[tuple[dict[str, Any], Comparison]]) -> list[dict[str, Any]]:
    """Adjust p over all claims handed over, which are those of one page, and give each its verdict."""
    adjusted = holm([result.p for _, result in found])
    return [{**row, "adjusted_p": p, "verdict": verdict(result, p)} for (row, result), p in zip(found, adjusted, strict=True)]


def broken_down(scored: pl.DataFrame, by: pl.Expr, row: Sequence[str] = ROW) -> pl.DataFrame:
    """Each law's means within the groups of a case, beside the reference's on the rows both forecast: one row a law and group.

    `by` is named `group`: the quantity, or PERIOD, the half-year of release; `row` names the columns that make a row. A pooled
    ratio hides where a law is no better and where it drifts: `bias` is the mean of forecast median minus outcome in the unit of the
    quantity. `relative_wis` is null where the reference is perfect or has no row. Nothing is tested here: these are parts of one
    claim.
    """
    keys = ["evidence", "case", "unit", "law", "told", "reference", "group"]
    named = scored.filter(pl.col("role") != "baseline").with_columns(
        by.alias("group"),
        told=pl.col("law").map_elements(told, return_dtype=pl.String),
        reference=pl.struct("split", "law").map_elements(lambda row: reference(row["split"], row["law"]), return_dtype=pl.String),
    )
    base = scored.select("evidence", "case", *row, reference="law", base="wis")
    joined = named.join(base, on=["evidence", "case", *row, "reference"], how="left")
    beside = pl.col("base").is_not_null()
    theirs = pl.col("base").mean()
    return (
        joined.filter(pl.col("group").is_not_null())
        .group_by(keys)
        .agg(
            **means.counts(),
            wis=pl.col("wis").mean(),
            reference_wis=theirs,
            relative_wis=pl.when(theirs > 0).then(pl.col("wis").filter(beside).mean() / theirs),
            bias=means.bias(),
            **means.coverage((0.5, 0.8, 0.95)),
        )
        .sort(keys)
    )
