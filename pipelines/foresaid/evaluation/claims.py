"""What may be claimed: one verdict for each law and case, against a reference that was named before.

A claim compares a law with the reference of its kind of target (forecasting/methods.py) on every row the law was asked for: a
forecast it declined counts as the reference's own, so that nobody gains by leaving out what is hard, and is counted. The baseline
that turned out best, on the rows it shares with the law, stands beside it and carries no test: it was picked with the results in
view. p is adjusted over all claims handed over together (Holm), which are those of a page. Pages print these rows and decide
nothing.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from foresaid.evaluation.tables import COMPARED, best_baseline, measured, skill
from foresaid.forecasting.methods import reference, told
from foresaid.reproducible import generator
from foresaid.scoring.significance import compare, holm, verdict

HALF = pl.when(pl.col("released_on").dt.month() < 7).then(pl.lit("H1")).otherwise(pl.lit("H2"))
PERIOD = pl.format("{} {}", pl.col("released_on").dt.year(), HALF)
ROW = ["target_id", "subject_id"]
SCHEMA = {
    **dict.fromkeys(("evidence", "case", "unit", "law", "told", "reference"), pl.String()),
    "n_declined": pl.Int64(),
    **{name: kind for name, kind in COMPARED.items() if name not in ("evidence", "case", "law", "baseline")},
    "adjusted_p": pl.Float64(),
    "verdict": pl.String(),
    "best_baseline": pl.String(),
    **dict.fromkeys(("best_baseline_wis", "wis_beside_best", "relative_wis_best"), pl.Float64()),
    "n_best": pl.Int64(),
}


def claims(scored: pl.DataFrame, declined: pl.DataFrame, seed: int) -> pl.DataFrame:
    """One row a law, case and unit: comparison with the reference, verdict, and the best baseline in hindsight.

    `scored` has the column `unit`; `declined` (evidence, case, law, target_id, subject_id) are forecasts that were asked for and
    not made. Cases whose reference made no forecast have no claim. `wis` is the mean with declined rows counted as the reference.
    """
    found: list[tuple[dict[str, Any], Any]] = []
    for (evidence, case, unit), part in scored.group_by(["evidence", "case", "unit"], maintain_order=True):
        none = declined.filter((pl.col("evidence") == evidence) & (pl.col("case") == case))
        best = {row["law"]: row for row in best_baseline(skill(part)).iter_rows(named=True)}
        for law in sorted(set(part.filter(pl.col("role") == "law")["law"])):
            against = reference(part["split"][0], law)
            base = part.filter(pl.col("law") == against).select(*ROW, "release", "maker", base="wis")
            made = part.filter(pl.col("law") == law).select(*ROW, "wis")
            asked = pl.concat(
                [made, none.filter(pl.col("law") == law).select(*ROW).unique().with_columns(wis=pl.lit(None, pl.Float64))]
            )
            rows = asked.join(base, on=ROW, how="inner").sort(ROW)
            if not rows.height:
                continue
            ours, theirs = rows["wis"].fill_null(rows["base"]).to_numpy(), rows["base"].to_numpy()
            rng = generator(seed, "claims", str(evidence), str(case), str(unit), law)
            result = compare(ours, theirs, rows["release"].to_list(), rng, makers=rows["maker"].to_list())
            about = {"evidence": evidence, "case": case, "unit": unit, "law": law, "told": told(law), "reference": against}
            beside = best.get(law, {})
            found.append(
                (
                    {
                        **about,
                        "n_declined": rows["wis"].null_count(),
                        **measured(result, float(ours.mean()), float(theirs.mean())),
                        "best_baseline": beside.get("baseline"),
                        "best_baseline_wis": beside.get("baseline_wis"),
                        "wis_beside_best": beside.get("wis"),
                        "relative_wis_best": beside.get("relative_wis"),
                        "n_best": beside.get("n"),
                    },
                    result,
                )
            )
    adjusted = holm([result.p for _, result in found])
    rows_made = [{**row, "adjusted_p": p, "verdict": verdict(result, p)} for (row, result), p in zip(found, adjusted, strict=True)]
    made_frame = pl.DataFrame(rows_made, schema=SCHEMA, infer_schema_length=None)
    return made_frame.with_columns(pl.col(pl.Float64).fill_nan(None)).sort("evidence", "case", "unit", "law")


def broken_down(scored: pl.DataFrame, by: pl.Expr) -> pl.DataFrame:
    """Each law's means within the groups of a case, beside the reference's on the rows both forecast: one row a law and group.

    `by` is named `group`: the quantity, or PERIOD, the half-year of release. A pooled ratio hides where a law is no better and
    where it drifts: `bias` is the mean of forecast median minus outcome in the unit of the quantity. `relative_wis` is null where
    the reference is perfect or has no row. Nothing is tested here: these are the parts of one claim.
    """
    keys = ["evidence", "case", "unit", "law", "told", "reference", "group"]
    named = scored.filter(pl.col("role") == "law").with_columns(
        by.alias("group"),
        told=pl.col("law").map_elements(told, return_dtype=pl.String),
        reference=pl.struct("split", "law").map_elements(lambda row: reference(row["split"], row["law"]), return_dtype=pl.String),
    )
    base = scored.select("evidence", "case", *ROW, reference="law", base="wis")
    joined = named.join(base, on=["evidence", "case", *ROW, "reference"], how="left")
    beside = pl.col("base").is_not_null()
    theirs = pl.col("base").mean()
    return (
        joined.filter(pl.col("group").is_not_null())
        .group_by(keys)
        .agg(
            n=pl.len(),
            n_releases=pl.col("release").n_unique(),
            n_makers=pl.col("maker").n_unique(),
            wis=pl.col("wis").mean(),
            reference_wis=theirs,
            relative_wis=pl.when(theirs > 0).then(pl.col("wis").filter(beside).mean() / theirs),
            bias=(pl.col("median") - pl.col("value")).mean(),
            **{f"coverage_{level}": pl.col(f"covered_{level}").mean() for level in (50, 80, 95)},
        )
        .sort(keys)
    )
