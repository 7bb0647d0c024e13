"""What a law is: its parameters, the rows it needs, and its curve. Nothing else.

Fitting, intervals, freezing, scoring and plotting are done once for all laws (fitting.py, curve.py, forecast.py). A law's
file states its settings (the fields of a frozen dataclass, exactly its entry in params.yaml), its parameters with
meaning, unit and bounds, its targets, and one curve with its derivative, vectorised over leading axes.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from foresaid.errors import ParameterError
from foresaid.registry.view import View

Array = NDArray[np.float64]
Columns = Callable[[Array, Array, Array, Array, Array], None]  # parameters, constants, x by columns; fills curve and Jacobian
Entry = TypeVar("Entry")


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


LOGIT_EDGE = 0.01  # a share this close to 0 or 1 says no more than the edge itself


@dataclass(frozen=True)
class Covariate:
    """One input of a curve: a quantity and the scale it enters on (`identity`, `ln`, `log10` or `logit`).

    The logit of a share is taken after pulling it LOGIT_EDGE off 0 and 1: beyond, a few items decide the value.
    """

    quantity_id: str
    transform: str = "identity"

    def apply(self, values: Array) -> Array:
        """Bring raw values to the scale of the curve; what has no logarithm becomes missing.

        >>> Covariate("training_tokens", "log10").apply(np.array([1e9, 0.0])).tolist()
        [9.0, nan]
        >>> Covariate("mmlu", "logit").apply(np.array([0.5, 1.0])).round(3).tolist()
        [0.0, 4.595]
        """
        if self.transform == "identity":
            return values
        if self.transform == "logit":
            share = np.clip(values, LOGIT_EDGE, 1.0 - LOGIT_EDGE)
            return np.asarray(np.log(share / (1.0 - share)))
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.log(values) if self.transform == "ln" else np.log10(values)
        return np.where(values > 0, logs, np.nan)


@dataclass(frozen=True)
class Target:
    """What is forecast: a quantity, for subjects described by the covariates.

    The curve runs on `(value - offset) / span`, so that chance is 0 and perfect is 1 where the quantity has a chance level.
    `series` is the one family of runs the curve is about; None means any subject the sources publish.
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


@dataclass(frozen=True)
class Table:
    """The rows of one target, one a subject, by subject name.

    `x` is (n, k) on the covariates' scales, NaN where unknown; `y` is (n,) on the curve's scale; `clusters` names the family
    or run that is resampled as one. `left_out` counts, by reason, the rows the law had to decline.
    """

    target: Target
    subjects: tuple[str, ...]
    clusters: tuple[str, ...]
    released_on: tuple[date | None, ...]
    known_on: tuple[date, ...]
    x: Array
    y: Array
    left_out: tuple[tuple[str, int], ...] = ()

    def take(self, rows: NDArray[np.intp]) -> Table:
        """Return these rows, in this order."""
        return Table(
            self.target,
            tuple(self.subjects[i] for i in rows),
            tuple(self.clusters[i] for i in rows),
            tuple(self.released_on[i] for i in rows),
            tuple(self.known_on[i] for i in rows),
            self.x[rows],
            self.y[rows],
            self.left_out,
        )

    def where(self, keep: NDArray[np.bool_]) -> Table:
        """Return the rows for which `keep` is true."""
        return self.take(np.flatnonzero(keep))

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.subjects)


@dataclass(frozen=True)
class Imputation:
    """The frozen rule for missing covariates: rank one, in standardised units (see preprocess.py). Each is (k,)."""

    centre: Array
    spread: Array
    mean: Array
    loading: Array
    lower: float
    upper: float


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
    distrust: ClassVar[str]
    noise: ClassVar[str] = "natural"  # the scale on which errors are even: natural or log
    huber_delta: ClassVar[float | None] = None  # None: plain least squares; else on the noise scale
    validated_on: ClassVar[str] = "real data"
    experiment: ClassVar[str] = ""  # folder below registry/experiments whose results stand on the law's page
    profiled: ClassVar[str | None] = None  # the parameter whose profile is kept and shown
    replicate_starts: ClassVar[int] = 8  # starts of each bootstrap replicate
    resolution: ClassVar[float] = 0.0  # half the last printed digit of the data, on the curve's scale
    axis_title: ClassVar[str] = "the law's own score of the model (logit): further right, more capable"  # see `axis`
    columns: ClassVar[Any] = None  # Columns: the curve once more, for the compiled engine; see kernels.py

    @property
    def random_starts(self) -> int:
        """Return how many random starts the full-sample fit tries beside the law's own."""
        return 200

    @property
    def delta(self) -> float | None:
        """Return where Huber's loss turns from square to straight, on the noise scale; None is plain least squares."""
        return self.huber_delta

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
    def tables(self, view: View) -> list[Table]:
        """Return the rows of every target this law can be fitted to in this view, by target_id."""

    def design(self, x: Array, weights: Array) -> Design:
        """Preprocess the training rows under each of R weight vectors (R, n). The default uses the covariates as they are."""
        del weights
        return Design(x)

    @abstractmethod
    def starts(self, x: Array, y: Array) -> Array:
        """Return starting points (S, P) worth trying beside the random ones; `x` is (n, p) of the unweighted design."""

    def prior(self, parameters: Sequence[Parameter]) -> tuple[Array, Array]:
        """Return centre and weight (P,) of a quadratic penalty 0.5 * weight * (parameter - centre)^2; none by default."""
        return np.zeros(len(parameters)), np.zeros(len(parameters))

    def objection(self, table: Table) -> str | None:
        """Say why these rows should not be fitted (a status such as `non_monotone`), or None. They are fitted all the same."""
        del table
        return None

    def verdict(self, table: Table, point: Array) -> str | None:
        """Say a status that only the fitted curve can show (`no_threshold`, `separable`), or None."""
        del table, point
        return None

    @property
    def plays_its_past(self) -> bool:
        """Say whether intervals are widened by what the law missed on its own earlier rows; not where a paper is repeated."""
        return True

    def along(self, table: Table) -> Array:
        """Return what grows (n,) as a series goes on: rows are held out along it. Default: the first covariate."""
        return np.asarray(table.target.progress * table.x[:, 0])

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

    def study(self, seed: int, replicates: int) -> dict[str, object] | None:
        """Return what a simulation shows of a law for which no real data are public; None for the others."""
        del seed, replicates
        return None


def read_entries(kind: type[Entry], mapping: object, where: str) -> dict[str, Entry]:
    """Read a mapping of params.yaml whose values are the fields of a small frozen record; lists become tuples.

    >>> read_entries(Covariate, {"a": {"quantity_id": "mmlu"}}, "laws, example, inputs")
    {'a': Covariate(quantity_id='mmlu', transform='identity')}
    """
    known = ", ".join(item.name for item in dataclasses.fields(kind))  # type: ignore[arg-type]  # records are dataclasses
    if not isinstance(mapping, dict):
        raise ParameterError(f"params.yaml, {where}: found {mapping!r}, expected quantity_id: {{{known}}}")
    made = {}
    for name, fields in mapping.items():
        values = {key: tuple(value) if isinstance(value, list) else value for key, value in (fields or {}).items()}
        try:
            made[str(name)] = kind(**values)
        except TypeError as error:
            raise ParameterError(f"params.yaml, {where}, {name}: {error}; known keys: {known}") from None
    return made
