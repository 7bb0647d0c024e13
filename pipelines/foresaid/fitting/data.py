"""What a law is fitted to: covariates on their scales, the target, and the rows of one target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from foresaid.arrays import Array
from foresaid.fitting.transforms import Transform, transform_named

if TYPE_CHECKING:
    import polars as pl

Excluded: TypeAlias = tuple[tuple[str, int], ...]  # reason and number of rows that were left out for it


@dataclass(frozen=True)
class Covariate:
    """One input of a curve: a quantity and the name of the scale it enters on (see fitting/transforms.py).

    The logit of a share is taken after pulling it LOGIT_EDGE off 0 and 1: beyond, a few items decide the value. A name that is
    no scale raises ParameterError.
    """

    quantity_id: str
    transform: str = "identity"

    def __post_init__(self) -> None:
        transform_named(self.transform)

    @property
    def scale(self) -> Transform:
        """The scale itself."""
        return transform_named(self.transform)

    def apply(self, values: Array) -> Array:
        """Bring raw values to the scale of the curve; what has no logarithm becomes missing.

        >>> Covariate("training_tokens", "log10").apply(np.array([1e9, 0.0])).tolist()
        [9.0, nan]
        >>> Covariate("mmlu", "logit").apply(np.array([0.5, 1.0])).round(3).tolist()
        [0.0, 4.595]
        """
        return self.scale.apply(values)


@dataclass(frozen=True)
class Target:
    """What is forecast: a quantity, for subjects described by the covariates.

    The curve runs on `(value - offset) / span`, so that chance is 0 and perfect is 1 where the quantity has a chance level.
    `series` is the one family of runs the curve is about; None means any subject the sources publish.
    `protocol` is the setting under which the quantity was measured, empty for the quantity's own. `lower_is_better` is for scores
    of which less is better (Brier's): the best of several is then the least.
    `progress` is +1 when the first covariate grows as training goes on (tokens) and -1 when it falls (loss).
    """

    target_id: str
    title: str
    quantity_id: str
    covariates: tuple[Covariate, ...]
    offset: float
    span: float
    lower: float
    upper: float
    resolver: str
    series: str | None = None
    progress: int = 1
    protocol: str = ""
    lower_is_better: bool = False


@dataclass(frozen=True)
class TrainingTable:
    """The rows of one target, one a subject, by subject name.

    `x` is (n, k) on the covariates' scales, NaN where unknown; `y` is (n,) on the curve's scale; `clusters` names the family
    or run that is resampled as one. `excluded_rows` counts, by reason, the rows the law cannot use.
    """

    target: Target
    subjects: tuple[str, ...]
    clusters: tuple[str, ...]
    released_on: tuple[date | None, ...]
    known_on: tuple[date, ...]
    x: Array
    y: Array
    excluded_rows: Excluded = ()

    @classmethod
    def of_rows(
        cls, target: Target, rows: pl.DataFrame, clusters: str | Sequence[str], x: Array, y: Array, excluded: Excluded = ()
    ) -> TrainingTable:
        """Take subjects and days from the wide rows of a view, clusters from a column of them or as given, one a row.

        `excluded` says by reason how many rows the law could not use; a reason without a row is left out.
        """
        return cls(
            target,
            tuple(rows["subject_id"]),
            tuple(rows[clusters] if isinstance(clusters, str) else clusters),
            tuple(rows["released_on"]),
            tuple(rows["known_on"]),
            x,
            y,
            tuple(reason for reason in excluded if reason[1]),
        )

    def take(self, rows: NDArray[np.intp]) -> TrainingTable:
        """Return these rows, in this order."""
        places = rows.tolist()
        return TrainingTable(
            self.target,
            tuple([self.subjects[i] for i in places]),
            tuple([self.clusters[i] for i in places]),
            tuple([self.released_on[i] for i in places]),
            tuple([self.known_on[i] for i in places]),
            self.x[rows],
            self.y[rows],
            self.excluded_rows,
        )

    def where(self, keep: NDArray[np.bool_]) -> TrainingTable:
        """Return the rows for which `keep` is true."""
        return self.take(np.flatnonzero(keep))

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.subjects)
