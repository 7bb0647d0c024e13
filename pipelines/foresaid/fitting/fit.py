"""From a law and its rows to a fit: many starts, a cluster bootstrap, and an honest status.

A fit never raises for what the data did to it: it carries a status that is frozen and shown. Every replicate refits
everything that was fitted (imputation, components, curve), from the best optima of the full sample beside fresh starts,
because a single start hides that the optimum is not unique.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from foresaid.arrays import Array
from foresaid.fitting.bootstrap import cluster_weights, cr1_factor
from foresaid.fitting.data import TrainingTable
from foresaid.fitting.discrepancy import Discrepancy
from foresaid.fitting.identification import doubt, unmoving
from foresaid.fitting.imputation import Imputation
from foresaid.fitting.law import Design, Law, Parameter
from foresaid.fitting.least_squares import solve
from foresaid.fitting.problem import LeastSquaresProblem, Solution
from foresaid.reproducible import generator

STATUSES = {
    "converged": "the optimum is inside the bounds and the restarts agree on what it forecasts",
    "at_bound": "a parameter ended on a bound that means something: read the forecast with care",
    "unidentified": "the rows alone do not decide the forecast: curves that fit equally well differ, or a prior decides",
    "separable": "a step separates the training rows: slopes run to their bound and the width is an assumption",
    "no_threshold": "no threshold is shown by these rows, so none is reported and nothing is forecast",
    "non_monotone": "the series goes back by more than its noise: the law does not describe it",
    "too_few_points": "fewer rows than the law needs: nothing was fitted",
    "failed": "no start reached a minimum: nothing to forecast with",
}
NO_FORECAST = frozenset({"no_threshold", "too_few_points", "failed"})  # no curve, nothing to freeze or score
AGREEMENT = 1e-6  # relative: a start within this of the best objective found the same minimum
NEAR_OPTIMAL = 0.01  # optima within one per cent are not told apart by the data
NUMERICAL = 1e-6  # two optima of a perfect fit differ by rounding only
CLAIMED = 1.645  # standard deviations: the half-width of a 90 % interval
BLOCK = 128  # replicates in one batch
TRIED = 20_000  # random curves held against rows that all have one value
ALIKE = 0.01  # a score this close to another says no more than the other
PROFILE_POINTS = 33
PROFILE_STARTS = 16  # a fit with one parameter held gets stuck more easily than the free one


@dataclass(frozen=True)
class Profile:
    """How well each value of one parameter fits (rms residual, curve scale) and what it forecasts at the horizon's last row."""

    parameter: str
    values: Array
    rms: Array
    forecast: Array
    admissible: Array


@dataclass(frozen=True)
class Fit:
    """A fitted law: `point` (Q,) and `draws` (R, Q) on the raw covariates, and what must be known to trust it.

    `residual_scale` is on the curve's scale, or on the log scale for laws whose noise is multiplicative. `restarts_at_best` is the
    share of starts that found the best minimum of the full sample, `replicate_restarts_at_best` the same within the replicates, on
    average: low values say that the minimum is hard to find or not the only one. `cr1_factor` is how much too close together the
    draws lie for so few clusters (see fitting/bootstrap.py). `interval_recalibration` is the factor on the width of its intervals,
    learned from forecasts of `n_backtest_clusters` clusters of its own rows (see forecasting/recalibration.py); a `discrepancy`,
    where enough series teach one, takes its place.
    """

    table: TrainingTable
    status: str
    reason: str
    parameters: tuple[str, ...]
    point: Array
    draws: Array
    residual_scale: float
    restarts_at_best: float
    unconverged: int
    imputation: Imputation | None = None
    profile: Profile | None = None
    replicate_restarts_at_best: float = 0.0
    cr1_factor: float = 1.0
    interval_recalibration: float = 1.0
    n_backtest_clusters: int = 0
    discrepancy: Discrepancy | None = None


def random_starts(parameters: tuple[Parameter, ...], wanted: int, rng: np.random.Generator) -> Array:
    """Draw starts (wanted, P) uniformly from each parameter's range of starts."""
    lower = np.array([parameter.starts[0] for parameter in parameters])
    upper = np.array([parameter.starts[1] for parameter in parameters])
    return np.asarray(lower + (upper - lower) * rng.random((wanted, len(parameters))))


def problem_for(law: Law, design: Design, y: Array, parameters: tuple[Parameter, ...]) -> LeastSquaresProblem:
    """State the least-squares problem of a law on prepared features."""
    centre, weight = law.prior(parameters)
    return LeastSquaresProblem(
        model=law.curve,
        slope=law.jacobian,
        x=design.features,
        y=y,
        lower=np.array([parameter.lower for parameter in parameters]),
        upper=np.array([parameter.upper for parameter in parameters]),
        log=law.noise == "log",
        loss=law.residual_loss,
        prior_centre=centre,
        prior_weight=weight,
        columns=law.kernel,
        constants=law.constants(),
        learns=law.learns,
    )


def _first(design: Design) -> Design:
    """Return the design of the unweighted copy alone."""
    return Design(design.features[:1] if design.features.ndim == 3 else design.features, design.fold, design.imputation)


def _residual_scale(law: Law, fitted: Array, y: Array, parameters: int) -> float:
    if law.noise == "log":
        with np.errstate(invalid="ignore", divide="ignore"):
            residual = np.where(fitted > 0, np.log(np.where(fitted > 0, fitted, 1.0)) - np.log(y), np.nan)
    else:
        residual = fitted - y
    return float(np.sqrt(np.nansum(residual**2) / max(len(y) - parameters, 1)))


def _profile(
    law: Law,
    problem: LeastSquaresProblem,
    parameters: tuple[Parameter, ...],
    features: Array,
    starts: Array,
    resolution: float,
) -> Profile:
    """Fix one parameter at each value of a grid, fit the rest, and see what each fit forecasts."""
    horizon = law.horizon(features)
    index = next(i for i, parameter in enumerate(parameters) if parameter.name == law.profiled)
    chosen = law.profile_values(features)
    grid = law_grid(parameters[index]) if chosen is None else chosen
    lower, upper = (np.repeat(bound[None, :], len(grid), axis=0) for bound in (problem.lower, problem.upper))
    lower[:, index] = upper[:, index] = grid
    found = solve(replace(problem, x=features, lower=lower, upper=upper), np.ones((len(grid), len(problem.y))), starts)
    p = found.parameters[np.arange(len(grid)), found.best]
    miss = law.curve(p, features) - problem.y
    rms, worst = np.sqrt(np.mean(miss**2, axis=1)), np.abs(miss).max(axis=1)
    forecast = law.curve(p, horizon[-1:])[:, 0]
    objective = found.objective[np.arange(len(grid)), found.best]
    # The square root of the objective is what rms is for plain least squares, and means the same under a robust loss.
    admissible = (np.sqrt(objective) <= (1.0 + NEAR_OPTIMAL) * np.sqrt(objective.min())) | (worst <= resolution)
    return Profile(parameters[index].name, grid, rms, forecast, admissible)


def law_grid(parameter: Parameter) -> Array:
    """Return the values a profiled parameter is held at: even on the log scale where the range is positive.

    >>> law_grid(Parameter("beta", "", "", 0.5, 8.0, (0.5, 8.0)))[[0, 16, 32]].round(3).tolist()
    [0.5, 2.0, 8.0]
    """
    if parameter.lower > 0:
        return np.geomspace(parameter.lower, parameter.upper, PROFILE_POINTS)
    return np.linspace(parameter.lower, parameter.upper, PROFILE_POINTS)


def _status(
    law: Law,
    table: TrainingTable,
    design: Design,
    parameters: tuple[Parameter, ...],
    found: Solution,
    sigma: float,
    profile: Profile | None,
) -> tuple[str, str]:
    best = found.best[0]
    p = found.parameters[0, best]
    objective = found.objective[0]
    if not found.converged[0].any():
        return "failed", "no start converged"
    silent = unmoving(table)
    if silent:
        return "unidentified", silent
    before = law.pre_fit_status(table)
    if before:
        return before, STATUSES[before]
    after = law.post_fit_status(table, p)
    if after:
        return after, STATUSES[after]
    for parameter, value in zip(parameters, p, strict=True):
        width = max(abs(parameter.upper - parameter.lower), 1.0) if np.isfinite(parameter.upper - parameter.lower) else 1.0
        edge = min(abs(value - parameter.lower), abs(value - parameter.upper)) <= 1e-9 * width
        if edge and not parameter.natural:
            return "at_bound", f"{parameter.name} ended at {value:.4g}"
    near = objective <= (1.0 + NEAR_OPTIMAL) * objective[best] + 1e-15
    flat = design.features[0] if design.features.ndim == 3 else design.features
    horizon = law.horizon(flat)
    forecasts = law.curve(found.parameters[0, near], horizon)
    spread = float(np.ptp(forecasts, axis=0).max())
    what = "starts within 1 % of the best"
    if profile is not None and profile.admissible.any():
        of_profile = float(np.ptp(profile.forecast[profile.admissible > 0]))
        if of_profile > spread:
            spread, what = of_profile, f"values of {profile.parameter} that fit equally well"
    scale = float(np.abs(law.curve(p, horizon)).max()) if law.noise == "log" else 1.0
    claimed = max(CLAIMED * sigma * scale, law.resolution, NUMERICAL)
    if spread > claimed:
        return "unidentified", f"{what} forecast {spread:.3g} apart, claimed error {claimed:.3g}"
    unsure = doubt(law, table, parameters, p, flat, horizon)
    if unsure:
        return "unidentified", unsure
    return "converged", STATUSES["converged"]


def fit(law: Law, table: TrainingTable, root_seed: int, replicates: int) -> Fit:
    """Fit a law to a table: point, bootstrap draws by cluster, residual scale and status.

    The point is the best of the law's own and many random starts; each replicate starts from the three best different optima
    of the point, the law's own starts and fresh random ones. Rows are taken in the order of their names, so the
    order in which they arrive cannot matter.
    """
    table = table.take(np.argsort(np.array(table.subjects), kind="stable"))
    law = law.of(table.target)
    parameters = law.parameters(table.target, law.features(table.x.shape[1]))
    names = tuple(parameter.name for parameter in parameters)
    if table.n < len(parameters) + 1:
        reason = f"{table.n} rows for {len(parameters)} parameters; at least {len(parameters) + 1} are needed"
        return Fit(table, "too_few_points", reason, names, np.empty(0), np.empty((0, 0)), float("nan"), 0.0, 0)
    parameters = law.narrowed(parameters, table.y)
    rng = generator(root_seed, law.name, table.target.target_id, "bootstrap")
    weights = cluster_weights(table.clusters, replicates, rng)
    single = _first(law.design(table.x, weights[:1]))
    problem = problem_for(law, single, table.y, parameters)
    flat = single.features[0] if single.features.ndim == 3 else single.features
    own = law.starts(flat, table.y)
    starts = np.vstack([own, random_starts(parameters, law.random_starts, rng)])
    found = solve(problem, weights[:1], starts)
    if not np.isfinite(found.objective).any():
        return Fit(table, "failed", "no start has a finite value", names, np.empty(0), np.empty((0, 0)), float("nan"), 0.0, 0)
    best = found.best[0]
    order = np.argsort(found.objective[0], kind="stable")
    optima = _different(found.parameters[0, order], found.objective[0, order])
    fresh = max(law.replicate_starts - len(optima) - len(own), 1) if law.random_starts else 0
    again = np.vstack([optima, own, random_starts(parameters, fresh, rng)])
    point = found.parameters[0, best]
    fitted = law.curve(point, flat)
    sigma = _residual_scale(law, fitted, table.y, len(parameters))
    profile = None
    if law.profiled is not None:
        wide = np.vstack([optima, own, random_starts(parameters, PROFILE_STARTS, rng)])
        profile = _profile(law, problem, parameters, flat, wide, law.resolution)
    status, reason = _status(law, table, single, parameters, found, sigma, profile)
    if status in NO_FORECAST:
        return Fit(table, status, reason, names, np.empty(0), np.empty((0, 0)), sigma, 0.0, 0)
    centres = generator(root_seed, law.name, table.target.target_id, "prior centres")
    draws, unconverged, agreeing = _bootstrap(law, table, parameters, weights[1:], again, centres)
    if unmoving(table):
        allowed = _allowed(law, single, table.y, parameters, replicates, rng)
        draws = single.fold(allowed) if len(allowed) else draws
    return Fit(
        table, status, reason, law.folded_names(names, table.target), single.fold(point[None])[0], draws, sigma,
        _agreement(found.objective), unconverged, single.imputation, profile, agreeing,
        cr1_factor(table.n, len(set(table.clusters)), len(parameters)),
    )  # fmt: skip


def _agreement(objective: Array) -> float:
    """Return the share of starts within AGREEMENT of the best of their copy (R, S)."""
    lowest = objective.min(axis=1, keepdims=True)
    return float((objective <= (1.0 + AGREEMENT) * lowest + 1e-18).mean())


def _bootstrap(
    law: Law,
    table: TrainingTable,
    parameters: tuple[Parameter, ...],
    weights: Array,
    starts: Array,
    rng: np.random.Generator,
) -> tuple[Array, int, float]:
    """Refit every replicate, design and all; return draws (R, Q), how many did not converge, and the agreement of starts.

    The blocks have a fixed size: a library's last digit may depend on how much it is given at once. Each replicate draws the
    centre of the law's prior anew (see `Law.prior`), as a randomised posterior draw does: Bardsley and others 2014, SIAM Journal on
    Scientific Computing 36 (4), where rows and centre are drawn together.
    """
    folded, unconverged, agreeing = [], 0, 0.0
    centre, weight = law.prior(parameters)
    believed = np.where(weight > 0, law.typical_noise / np.sqrt(np.where(weight > 0, weight, 1.0)), 0.0)
    drawn = centre + believed * rng.standard_normal((len(weights), len(parameters)))
    for first in range(0, len(weights), BLOCK):
        block = weights[first : first + BLOCK]
        design = law.design(table.x, block)
        problem = problem_for(law, design, table.y, parameters)
        found = solve(replace(problem, prior_centre=drawn[first : first + BLOCK]), block, starts)
        lanes = np.arange(len(block))
        folded.append(design.fold(found.parameters[lanes, found.best]))
        unconverged += int((~found.converged[lanes, found.best]).sum())
        agreeing += len(block) * _agreement(found.objective)
    return np.vstack(folded) if folded else np.empty((0, 0)), unconverged, agreeing / max(len(weights), 1)


def _allowed(law: Law, design: Design, y: Array, parameters: tuple[Parameter, ...], wanted: int, rng: np.random.Generator) -> Array:
    """Return random parameters (at most `wanted`, P) between their bounds, whose curve stays within ALIKE of rows of one value.

    Such rows say where the curve is not yet, or no longer, moving, and nothing of when it will: any curve that agrees is as good.
    """
    ends = [(item.lower, item.upper) if np.isfinite(item.upper - item.lower) else item.starts for item in parameters]
    tried = random_starts(tuple(replace(item, starts=end) for item, end in zip(parameters, ends, strict=True)), TRIED, rng)
    fits = np.abs(law.curve(tried, design.features if design.features.ndim == 2 else design.features[0]) - y).max(axis=1)
    return np.asarray(tried[fits <= ALIKE * max(float(np.abs(y).max()), 1.0)][:wanted])


def _different(parameters: Array, objective: Array, wanted: int = 3) -> Array:
    """Keep the best `wanted` optima that are not the same point."""
    left, kept = np.isfinite(objective), np.zeros(len(objective), dtype=bool)
    while left.any() and kept.sum() < wanted:
        first = int(np.argmax(left))
        kept[first] = True
        other = parameters[first]
        left &= np.abs(parameters - other).max(axis=1) > 1e-4 * (1.0 + np.abs(other).max())
    return parameters[kept]
