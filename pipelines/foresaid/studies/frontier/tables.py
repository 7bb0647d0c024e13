"""The tables of the frontier question: all forms on the same rows, by level, by cut-off, by board and without young boards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from foresaid.arrays import Array
from foresaid.reproducible import generator
from foresaid.studies.frontier.forms import REFERENCE
from foresaid.studies.frontier.protocol import CUTOFFS, SATURATED, scored, skill

HEAD = ("form", "CRPS", "skill", "5 %", "95 %", "root mean square error", "80 % holds", "above", "below")
BELOW = pl.col("now") < SATURATED
SETS = {
    f"all cut-offs, below {SATURATED}": BELOW,
    f"cut-offs {CUTOFFS[3]} and {CUTOFFS[4]}, below {SATURATED}": BELOW & (pl.col("cutoff") >= CUTOFFS[3]),
    **{f"cut-off {cutoff}, below {SATURATED}": BELOW & (pl.col("cutoff") == cutoff) for cutoff in CUTOFFS},
    "below .1 at the cut-off": pl.col("now") < 0.1,
    "from .1 to .5": pl.col("now").is_between(0.1, 0.5, closed="left"),
    f"from .5 to {SATURATED}": pl.col("now").is_between(0.5, SATURATED, closed="left"),
    f"saturated: {SATURATED} and above": ~BELOW,
}


def table(rows: pl.DataFrame, quantiles: Mapping[str, Array], keep: pl.Expr, seed: int) -> list[list[str]]:
    """One line a form on the rows of `keep`: HEAD, skill over REFERENCE with bounds by board family."""
    reference = scored(rows, quantiles[REFERENCE]).filter(keep)
    lines = [list(HEAD)]
    for name, found in quantiles.items():
        scores = scored(rows, found).filter(keep)
        gain, low, high = skill(scores, reference, generator(seed, "frontier", "bootstrap"))
        error = float(scores.select(pl.col("squared_error").mean()).item()) ** 0.5
        shares = [f"{100 * scores.select(pl.col(column).mean()).item():.0f}" for column in ("held", "above", "below")]
        crps = scores.select(pl.col("crps").mean()).item()
        lines.append([name, f"{crps:.4f}", f"{gain:+.2f}", f"{low:+.2f}", f"{high:+.2f}", f"{error:.3f}", *shares])
    return lines


def by_board(rows: pl.DataFrame, quantiles: Mapping[str, Array]) -> list[list[str]]:
    """CRPS of every form by board over all cut-offs, with the number of rows."""
    scores = {
        name: scored(rows, found).group_by("board").agg(pl.col("crps").mean()).sort("board") for name, found in quantiles.items()
    }
    count = rows.group_by("board").len().sort("board")
    return [["board", "rows", *scores]] + [
        [board, str(size), *(f"{scores[name]['crps'][i]:.3f}" for name in scores)]
        for i, (board, size) in enumerate(count.iter_rows())
    ]


def tables(rows: pl.DataFrame, quantiles: Mapping[str, Array], seed: int) -> Iterator[tuple[str, list[list[str]]]]:
    """Every table with its title; a set without rows is left out."""
    for title, keep in SETS.items():
        inside = rows.filter(keep)
        if not inside.is_empty():
            counts = f"{inside.height} rows, {inside['board'].n_unique()} boards, {inside['family'].n_unique()} families"
            yield f"{title} ({counts})", table(rows, quantiles, keep, seed)
    yield "CRPS by board, all cut-offs", by_board(rows, quantiles)
