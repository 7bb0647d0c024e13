"""What a law is: its parameters, the rows it needs, and its curve. Nothing else.

Fitting, intervals, freezing, scoring and plotting are done once for all laws (fitting/fit.py, fitting/frozen_curve.py,
forecasting/predict.py). A law's file states its settings (the fields of a frozen dataclass, exactly its entry in params.yaml), its
parameters with meaning, unit and bounds, its targets, and one curve with its derivative, vectorised over leading axes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from foresaid.arrays import Array, Columns
from foresaid.fitting.data import Target, TrainingTable
from foresaid.fitting.imputation import Imputation
from foresaid.fitting.robust_loss import LINEAR, RobustLoss
from foresaid.registry.view import View


@dataclass(frozen=True)
class Parameter:
    """One number a law fits. `starts` is the range random starts are drawn from.

    A fit that ends on a bound is reported as `at_bound` unless the bound is `natural`: a place where the law simply
    becomes a simpler law (a floor of zero), which says nothing against the fit.
    """

    name: str
    meaning: str
    unit: str
    lower: float
    upper: float
    starts: tuple[float, float]
    natural: bool = False


@dataclass(frozen=True)
class Design:
    """What the fit sees in place of the raw covariates, for R weighted copies of the rows.

    `features` is (n, p), shared by all copies, or (R, n, p). `fold` turns fitted parameters (R, P) on the features into
    parameters (R, Q) on the raw covariates, so that the frozen curve needs no preprocessing but the imputation.
    """

    features: Array
    fold: Callable[[Array], Array] = field(default=lambda parameters: parameters)
    imputation: Imputation | None = None


class Law(ABC):
    """One family. Subclasses are frozen dataclasses; see laws/observational.py for the shape of a file."""

    name: ClassVar[str]
    title: ClassVar[str]
    version: ClassVar[int] = 1
    formula: ClassVar[str]
    reference: ClassVar[str]
    limitations: ClassVar[str]
    noise: ClassVar[str] = "natural"  # the scale on which errors are even: natural or log
    robust_loss: ClassVar[RobustLoss] = LINEAR  # of a residual on the noise scale
    validated_on: ClassVar[str] = "real data"
    experiment: ClassVar[str] = ""  # folder below registry/experiments whose results stand on the law's page
    profiled: ClassVar[str | None] = None  # the parameter whose profile is kept and shown
    replicate_starts: ClassVar[int] = 8  # starts of each bootstrap replicate
    typical_noise: ClassVar[float] = 0.0  # of one row, on the noise scale: what a prior's weight is measured in, see `prior`
    resolution: ClassVar[float] = 0.0  # half the last printed digit of the data, on the curve's scale
    axis_title: ClassVar[str] = "the law's own score of the model (logit): further right, more capable"  # see `axis`
    reads_same_items: ClassVar[bool] = False  # whether a covariate may be a score on the very questions of the target
    systems: str = "default"  # which systems are rows: see registry/systems.py `taken`; a setting of the laws that offer it
    learns: ClassVar[bool] = True  # whether fits use learned curvature (fitting/curvature.py); not where it is seen to lose starts
    columns: ClassVar[Any] = None  # Columns: the curve once more, for the compiled engine; see fitting/_compiled.py

    @property
    def random_starts(self) -> int:
        """Return how many random starts the full-sample fit tries beside the law's own."""
        return 200

    @property
    def residual_loss(self) -> RobustLoss:
        """Return the loss of a residual on the noise scale, where settings change it; `robust_loss` otherwise."""
        return self.robust_loss

    def features(self, covariates: int) -> int:
        """Return the number of feature columns the design makes of so many covariates."""
        return covariates

    def folded_names(self, names: tuple[str, ...], target: Target) -> tuple[str, ...]:
        """Return the names of the frozen curve's parameters, after `Design.fold`."""
        del target
        return names

    @abstractmethod
    def parameters(self, target: Target, columns: int) -> tuple[Parameter, ...]:
        """Return the parameters for this target and so many feature columns, in the order of the vector."""

    def narrowed(self, parameters: tuple[Parameter, ...], y: Array) -> tuple[Parameter, ...]:
        """Narrow bounds by the values seen (an irreducible loss lies below them all). Default: as they are."""
        del y
        return parameters

    @abstractmethod
    def curve(self, parameters: Array, x: Array) -> Array:
        """Evaluate the law: parameters (..., P) and x (..., n, k) give (..., n). Leading axes broadcast."""

    @abstractmethod
    def jacobian(self, parameters: Array, x: Array) -> Array:
        """Derivative of the curve by its parameters: (..., n, P)."""

    def constants(self) -> Array:
        """Return the settings that `columns` needs beside the parameters; none by default."""
        return np.empty(0)

    @property
    def kernel(self) -> Columns | None:
        """Return `columns` if they stand beside the curve: a subclass with a curve of its own must not inherit another's."""
        for kind in type(self).__mro__:
            if "curve" in vars(kind) or "jacobian" in vars(kind):
                return self.columns if "columns" in vars(kind) else None
        return None

    @abstractmethod
    def tables(self, view: View) -> list[TrainingTable]:
        """Return the rows of every target this law can be fitted to in this view, by target_id."""

    def asked(self, target: Target) -> bool:
        """Say whether a round asks for this target and rolling origins count it. Default: every target of the law."""
        del target
        return True

    def design(self, x: Array, weights: Array) -> Design:
        """Preprocess the training rows under each of R weight vectors (R, n). The default uses the covariates as they are."""
        del weights
        return Design(x)

    @abstractmethod
    def starts(self, x: Array, y: Array) -> Array:
        """Return starting points (S, P) worth trying beside the random ones; `x` is (n, p) of the unweighted design."""

    def prior(self, parameters: Sequence[Parameter]) -> tuple[Array, Array]:
        """Return centre and weight (P,) of a quadratic penalty 0.5 * weight * (parameter - centre)^2; none by default.

        The weight is (typical_noise / standard deviation of the belief)^2. Each replicate of the bootstrap draws its own centre
        with that deviation: with one centre for all, rows that say nothing would look like certainty.
        """
        return np.zeros(len(parameters)), np.zeros(len(parameters))

    def of(self, target: Target) -> Law:
        """Return the law as it is fitted to this target; where a prior was read off the very rows, without it. Default: itself."""
        del target
        return self

    def pre_fit_status(self, table: TrainingTable) -> str | None:
        """Say why these rows should not be fitted (a status such as `non_monotone`), or None. They are fitted all the same."""
        del table
        return None

    def post_fit_status(self, table: TrainingTable, point: Array) -> str | None:
        """Say a status that only the fitted curve can show (`no_threshold`, `separable`), or None."""
        del table, point
        return None

    @property
    def backtests(self) -> bool:
        """Say whether intervals are recalibrated by backtests on the law's own rows; not where a paper is repeated."""
        return True

    def place(self, x: Array, progress: int) -> Array | None:
        """Return where rows (n, k) stand along their series (n,); None where covariates do not say. Default: the first of them.

        A discrepancy grows with the distance beyond the last training row, so only laws that have a place can be given one.
        """
        return np.asarray(progress * x[:, 0])

    def along(self, table: TrainingTable) -> Array:
        """Return what grows (n,) as a series goes on: rows are held out along it. Default: their place."""
        place = self.place(table.x, table.target.progress)
        assert place is not None, f"{self.name}: a law without a place says itself what it holds out along"
        return place

    def axis(self, point: Array, x: Array) -> Array:
        """Where rows (n, k) stand on the one axis of a chart (n,), for a law with several covariates. Default: its linear score."""
        return np.asarray(point[0] + x @ point[1:-1])

    def horizon(self, x: Array) -> Array:
        """Covariates (m, k) at which two optima must agree for the fit to count as identified. Default: the rows themselves."""
        return x

    def profile_values(self, x: Array) -> Array | None:
        """Return the values the profiled parameter is held at, given the features; None: evenly between its bounds."""
        del x
        return None
