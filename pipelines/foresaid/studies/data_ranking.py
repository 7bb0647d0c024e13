"""Is the better pre-training data found at one small size? Data sets ranked by small runs, judged on larger runs of the same data.

DataDecide (Magnusson et al. 2025, arXiv 2504.11393) finds that ranking by a single small size decides about four pairs of five as
the large size would. The DataComp-LM runs hold the same question on data of others: sets trained at 1.4 billion and at 6.9 billion
parameters with twenty tokens per parameter.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import polars as pl

from foresaid.arrays import Array
from foresaid.evaluation.modes import SAID, SCALE
from foresaid.params import Params
from foresaid.registry.view import View
from foresaid.reproducible import generator
from foresaid.studies.law_sections import LawSection, StudyTable

LAWS = ("error_loss", "cross_entropy_power")
SOURCE = "dclm"
SMALL, LARGE = 1_439_795_200, 6_889_410_560  # parameters
TOKENS_EACH = (19.5, 20.5)  # tokens per parameter
TASKS = ("dclm_core", "dclm_mmlu_fewshot", "dclm_hellaswag", "dclm_arc_challenge", "dclm_arc_easy", "dclm_piqa", "dclm_jeopardy")
LEAST = 8  # data sets in common
CLEAR = 0.01  # a difference between two large runs that is more than their noise
REPLICATES = 2000


def decisions(small: Array, large: Array, least: float = 0.0) -> float:
    """Return the share of pairs of data sets that the small runs (n,) order as the large runs (n,) do; ties count half.

    Only pairs count whose large runs differ by more than `least`; NaN where there are none.

    >>> decisions(np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0]))
    0.6666666666666666
    """
    first, second = np.triu_indices(len(small), 1)
    wide = np.abs(large[first] - large[second]) > least
    signs = np.sign(small[first] - small[second]) * np.sign(large[first] - large[second])
    return float((0.5 + 0.5 * signs[wide]).mean()) if wide.any() else float("nan")


def pairs(view: View, task: str) -> tuple[Array, Array]:
    """Return the scores of the data sets trained at both sizes, small and large (n,); several runs of one set are averaged."""
    wide = view.wide([task, "params_total", "training_tokens"], (SOURCE,)).drop_nulls(task)
    each = pl.col("training_tokens") / pl.col("params_total")
    wide = wide.filter(each.is_between(*TOKENS_EACH))
    sizes = [
        wide.filter(pl.col("params_total") == size).group_by("family").agg(pl.col(task).mean().alias(name))
        for size, name in ((SMALL, "small"), (LARGE, "large"))
    ]
    both = sizes[0].join(sizes[1], on="family").sort("family")
    return both["small"].to_numpy(), both["large"].to_numpy()


def section(as_of: Callable[[date], View], params: Params) -> LawSection | None:
    """Say how often one small size decides as the large one; None where the record lacks the runs."""
    view = as_of(params.fit_as_of)
    if TASKS[0] not in set(view.observations["quantity_id"].unique()):
        return None
    core, _ = pairs(view, TASKS[0])
    rows = []
    for task in TASKS:
        small, large = pairs(view, task)
        if len(small) < LEAST:
            continue
        rng = generator(params.seed, "data-ranking", task)
        drawn = [decisions(small[at], large[at]) for at in rng.integers(0, len(small), (REPLICATES, len(small)))]
        low, high = (float(end) for end in np.nanquantile(drawn, [0.05, 0.95]))
        best = float(np.mean(large > large[small.argmax()]))
        rows.append((task, len(small), decisions(small, large), low, high, decisions(small, large, CLEAR), best))
    if not rows:
        return None
    shares = [row[2] for row in rows]
    core_share, core_low, core_high = rows[0][2:5]
    said = (
        f"Data sets ranked by runs of {SMALL / 1e9:.1f} billion parameters and judged on runs of {LARGE / 1e9:.1f} billion "
        f"({len(core)} sets trained at both, twenty tokens per parameter): the small size orders {min(shares):.0%} to "
        f"{max(shares):.0%} of the pairs as the large one does, by task, {core_share:.0%} by the mean score Core (90 % range "
        f"{core_low:.0%} to {core_high:.0%} over data sets). One size needs no law: what a law adds must be more than this. Which "
        "sets were trained large was their authors’ choice, so they are no sample of sets.",
    )
    header = (
        "task",
        "data sets",
        "pairs ordered alike",
        "90 % from",
        "to",
        f"pairs apart by more than {CLEAR:g}",
        "sets above the choice",
    )
    table = StudyTable(
        "pairs", "Pairs of data sets that one small size orders as the large size does", header, tuple(rows), SAID[SCALE]
    )
    return LawSection("data-ranking", "Ranking data by one small size", LAWS, said, (table,), "foresaid study")
