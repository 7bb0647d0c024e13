"""Growth in time: a logistic trend of scores in the release date, the baseline of everybody who draws a line through a chart.

It knows nothing of a model but the day it comes out. Small and large models of a year stand far apart, so its intervals are
wide; a law that is to be of use has to beat it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

import polars as pl

from foresaid.fitting.data import Covariate, Target, TrainingTable
from foresaid.laws._sigmoid import SigmoidLaw, SigmoidTarget
from foresaid.registry.view import RELEASE_YEAR, View

TEXT = pl.Schema({"quantity_id": pl.String(), "source_id": pl.String()})
SCORES = ("benchmark", "index")  # kinds of quantity
ALIVE = timedelta(days=550)  # a board whose newest system is this much older than the newest of all measures no new ones


@dataclass(frozen=True)
class Growth(SigmoidLaw):
    """Score of a model from the date of its release.

        y = floor + (1 - floor) s(a + w t),   y = (score - lowest) / (highest - lowest)

    with t the release date in years (2024.5 is the beginning of July 2024) and the lowest value that of guessing, or the lower
    bound of the quantity where guessing has none. On a rating without a ceiling (LMArena, 0 to 3,000 points) the middle of the
    sigmoid is as good as a straight line. Models without a release date are left out. Draws resample whole model families.

    With `every` above 0 each benchmark and index of the law's sources that has at least so many dated systems under one protocol,
    one of them released in the last year and a half of the record, is a target too, read from its resolver alone. Such a target is
    fitted, shown and replayed; a round asks only for those that `targets` names, since most other boards will publish no more.

    The logistic curve is Verhulst 1838; as a trend of benchmark scores in time: Owen 2024, "How predictable is language model
    benchmark performance?" (arXiv 2401.04757), where it is the curve in compute.

    It speaks of whatever was measured: where only strong models are put on a board its trend is that of the choice, and a small
    model of tomorrow is not better because it is younger.

    >>> import numpy as np
    >>> law = Growth(sources=("s",), targets={"t": SigmoidTarget()})
    >>> law.curve(np.array([-2024.0, 1.0, 0.0]), np.array([[2024.0], [2025.0]])).round(3).tolist()
    [0.5, 0.731]
    """

    every: int = 0

    name: ClassVar[str] = "growth"
    title: ClassVar[str] = "Growth in time (logistic trend)"
    formula: ClassVar[str] = "score = lowest + (highest − lowest) · [floor + (1 − floor) · s(a + w · t)], t = release in years"
    reference: ClassVar[str] = "Verhulst 1838 (logistic curve); Owen 2024, arXiv 2401.04757"
    limitations: ClassVar[str] = (
        "It knows the date of a model and nothing else; its trend is that of the models somebody chose to measure, and a small "
        "model is not better for being younger."
    )

    def covariates(self, target: SigmoidTarget) -> tuple[Covariate, ...]:
        """The only covariate is the release date."""
        del target
        return (Covariate(RELEASE_YEAR),)

    def asked(self, target: Target) -> bool:
        """A target that `targets` names."""
        return target.quantity_id in self.targets and not target.protocol

    def tables(self, view: View) -> list[TrainingTable]:
        """One table for each named target that has any rows, and for each board that has `every` dated systems."""
        made = super().tables(view) + [self.table(view, name, protocol) for name, protocol in self._boards(view)]
        return sorted(made, key=lambda table: table.target.target_id)

    def _boards(self, view: View) -> list[tuple[str, str]]:
        """Quantity and protocol of every board that `targets` does not name and that has enough dated systems at its resolver."""
        if not self.every:
            return []
        resolvers = {name: card.resolver for name, card in view.quantities.items() if card.kind in SCORES}
        mine = pl.DataFrame({"quantity_id": list(resolvers), "source_id": list(resolvers.values())}, TEXT)
        rows = (
            view.of(self.systems)
            .observations.filter(
                (pl.col("kind") == "model") & pl.col("released_on").is_not_null() & pl.col("source_id").is_in(list(self.sources))
            )
            .join(mine, on=["quantity_id", "source_id"], how="semi")
        )
        boards = rows.group_by("quantity_id", "setting").agg(pl.len(), newest=pl.col("released_on").max())
        kept = boards.filter((pl.col("len") >= self.every) & (pl.col("newest") >= pl.col("newest").max() - ALIVE))
        named = {(name, "") for name in self.targets}
        return sorted(set(kept.select("quantity_id", "setting").iter_rows()) - named)
