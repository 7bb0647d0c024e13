"""Marginal returns to compute by several laws at once, and the return that a held-out budget really brought.

One law's range holds what its rows leave open if it is right; between laws that fit alike the return differs by more. And a
return is checked where a budget was held out: the loss of the best run beyond the fitted ones against the best fitted run's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from foresaid.evaluation.modes import SAID, SCALE
from foresaid.scoring.levels import LEVELS
from foresaid.studies.compute_returns import STEPS, Budget
from foresaid.studies.law_sections import LawSection, StudyTable

CASE = "gadre-most-compute"
HERE = STEPS.index(0)
ENSEMBLES = ("ensemble_median", "ensemble_stacked")


def across(budgets: Mapping[str, Mapping[str, Sequence[Budget]]]) -> LawSection | None:
    """Lay the tenfold steps of every law of one target side by side; None where no target has two laws.

    The step before, the step from the largest run, and the step after: the loss each takes off by law, least, median and most.
    """
    targets = sorted({target for found in budgets.values() for target in found})
    rows: list[tuple[str | float | int, ...]] = []
    shrinks: list[float] = []
    for target in targets:
        each = {law: found[target] for law, found in budgets.items() if target in found}
        if len(each) < 2:
            continue
        gains = {step: np.array([found[HERE + step].gain for found in each.values()]) for step in (-1, 0, 1)}
        own = [found[HERE].gain_high - found[HERE].gain_low for found in each.values()]
        spread = float(np.ptp(gains[0]))
        here = next(iter(each.values()))[HERE].flops
        middle = [float(np.median(gains[step])) for step in (-1, 0, 1)]
        rows.append(
            (
                target,
                len(each),
                here,
                middle[0],
                float(gains[0].min()),
                middle[1],
                float(gains[0].max()),
                middle[2],
                float(np.median(own)),
                spread,
            )
        )
        shrinks.append(middle[2] / middle[1])
    if not rows:
        return None
    wider = sum(float(row[9]) > float(row[8]) for row in rows)
    least, most = min(float(row[5]) for row in rows), max(float(row[5]) for row in rows)
    said = (
        f"Ten times the compute of the largest run takes off a median of {least:.2f} to {most:.2f} nats by target, and the tenfold "
        f"step after it {min(shrinks):.0%} to {max(shrinks):.0%} of that: what a step brings shrinks across laws, not within one.",
        f"The spread between laws is wider than the median law’s own 90 % range in {wider} of {len(rows)} targets; where it is, "
        "the choice of the law says more about the return than its rows do.",
    )
    header = (
        "target", "laws", "largest run, FLOPs", "step before, median", "step from it, least", "median", "most",
        "step after, median", "own 90 % range, median width", "spread between laws",
    )  # fmt: skip
    table = StudyTable("targets", "Loss that ten times the compute takes off, by all laws of a target", header, tuple(rows))
    return LawSection(
        "returns-across", "Returns by all laws together", tuple(sorted(budgets)), said, (table,), "foresaid returns --across"
    )


def held_out(forecasts: pl.DataFrame, drawings: Mapping[str, pl.DataFrame]) -> LawSection | None:
    """Check the return of the budget that CASE holds out; `drawings` holds by law the rows at log10 FLOPs. None without the case.

    The gain is the loss of the best run that was fitted less that of the best run held out; its forecast takes the observed loss of
    the first and the law's distribution of the second, which knew parameters and tokens of it.
    """
    rows: list[tuple[str | float, ...]] = []
    inside = 0
    part = forecasts.filter((pl.col("case") == CASE) & pl.col("point").is_not_null() & pl.col("law").is_in([*drawings, *ENSEMBLES]))
    for (law, target), found in sorted(part.group_by("law", "target_id"), key=lambda item: tuple(map(str, item[0]))):
        drawing = drawings.get(str(law), next(iter(drawings.values())))
        runs = drawing.filter((pl.col("target_id") == target) & (pl.col("kind") == "point")).select("subject_id", "x", "observed")
        fitted = runs.filter(~pl.col("subject_id").is_in(found["subject_id"].to_list())).sort("observed")
        best = found.sort("observed").row(0, named=True)
        place = runs.filter(pl.col("subject_id") == best["subject_id"])
        if fitted.is_empty() or place.is_empty():
            continue
        before, start = float(fitted["observed"][0]), float(fitted["x"][0])
        levels = dict(zip(LEVELS, best["quantiles"], strict=True))
        gain = before - float(best["observed"])
        low, middle, high = (before - float(levels[level]) for level in (0.9, 0.5, 0.1))
        inside += low <= gain <= high
        rows.append((str(target), str(law), 10.0**start, 10.0 ** float(place["x"][0]), middle, low, high, gain))
    if not rows:
        return None
    errors: dict[str, list[float]] = {}
    for row in rows:
        errors.setdefault(str(row[1]), []).append(abs(float(row[4]) - float(row[7])))
    ranked = sorted(errors, key=lambda name: float(np.mean(errors[name])))
    listed = "; ".join(f"{name} {np.mean(errors[name]):.3f}" for name in ranked)
    least, most = min(float(row[7]) for row in rows), max(float(row[7]) for row in rows)
    said = (
        f"Did the return come? Best held-out run against best fitted run, {len({row[0] for row in rows})} corpora: the 80 % "
        f"interval of the gain holds {inside} of {len(rows)} (a law and corpus each; corpora are few and laws share their rows). "
        f"Mean absolute error of the gain in nats: {listed}. The gains that came are {least:.2f} to {most:.2f}.",
    )
    header = (
        "target",
        "law",
        "best fitted run, FLOPs",
        "best held-out run, FLOPs",
        "gain, median",
        "80 % from",
        "to",
        "gain observed",
    )
    caption = "The return of a budget that was held out, in nats per token"
    table = StudyTable("gains", caption, header, tuple(sorted(rows, key=str)), SAID[SCALE])
    return LawSection(
        "returns-held-out",
        "The return of a held-out budget",
        tuple(sorted(drawings)),
        said,
        (table,),
        "foresaid returns --held-out",
    )
