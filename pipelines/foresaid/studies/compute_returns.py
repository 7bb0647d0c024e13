"""What more compute still buys: the best split of a budget, the loss it reaches, and what ten times the budget takes off it.

For a loss in parameters and tokens the curve is walked along lines of equal compute, C = 6 N D, and the lowest point taken,
for the fit and for every one of its draws; so every law with these two sizes is asked alike, and one whose loss falls to one
end of the line is said to have no best split. For an accuracy in test-time compute the forecast is walked upwards until it
has gained what was asked, or until a millionfold, which counts as not reachable.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import polars as pl

from foresaid.arrays import Array
from foresaid.fitting.bootstrap import inflate_for_few_clusters
from foresaid.fitting.frozen_curve import Curve, CurveRecord
from foresaid.fitting.law import Law
from foresaid.forecasting.predict import predict
from foresaid.scoring.levels import LEVELS
from foresaid.text import number

STEPS = (-2, -1, 0, 1, 2)  # powers of ten about the largest compute that was fitted
SPLIT = np.linspace(-9.0, 9.0, 181)  # ln N against an even split of C / 6
USUAL = 20.0  # tokens per parameter where a law has no best split
LOW, HIGH = 0.05, 0.95
FARTHEST, RUNGS = 1e6, 140  # times the compute beyond which nothing is asked, and steps on the way


@dataclass(frozen=True)
class Budget:
    """One budget spent best: FLOPs, parameters, tokens, the loss, and the loss that ten times as much takes off, with 90 % range.

    `inner` is false where the law has no best split; the sizes are then those of twenty tokens per parameter.
    """

    flops: float
    parameters: float
    parameters_low: float
    parameters_high: float
    tokens: float
    loss: float
    gain: float
    gain_low: float
    gain_high: float
    inner: bool


def best_split(law: Law, points: Array, flops: float) -> tuple[Array, Array, Array]:
    """Return ln N and loss at the lowest point of the line 6 N D = `flops` for each of (R, Q) points, and where it lies within.

    A parabola through the lowest of 181 points and its neighbours places it between them.

    >>> from foresaid import laws
    >>> point = np.array([[1.8172, np.log(477.84), 0.34731, np.log(2143.86), 0.36718]])
    >>> law = laws.load("chinchilla", {"sources": ["s"]})
    >>> ln_n, loss, inner = best_split(law, point, 5.76e23)
    >>> round(float(np.exp(ln_n[0])) / 1e9), round(float(loss[0]), 3), bool(inner[0])
    (73, 1.974, True)
    """
    half = np.log(flops / 6.0) / 2.0
    x = np.column_stack([half + SPLIT, half - SPLIT])
    losses = law.curve(points, x)
    lowest = losses.argmin(axis=1)
    inner = (lowest > 0) & (lowest < len(SPLIT) - 1) & (np.ptp(losses, axis=1) > 1e-9)
    at = np.clip(lowest, 1, len(SPLIT) - 2)
    left, here, right = (np.take_along_axis(losses, at[:, None] + shift, axis=1)[:, 0] for shift in (-1, 0, 1))
    bend = left - 2.0 * here + right
    shift = np.where(bend > 0, 0.5 * (left - right) / np.where(bend > 0, bend, 1.0), 0.0)
    ln_n = half + SPLIT[at] + np.clip(shift, -1.0, 1.0) * (SPLIT[1] - SPLIT[0])
    ln_n = np.where(inner, ln_n, half - 0.5 * np.log(USUAL))
    rows = np.stack([ln_n, 2.0 * half - ln_n], axis=-1)[:, None, :]
    return ln_n, law.curve(points, rows)[:, 0], np.asarray(inner)


def _ends(draws: Array, point: float, record: CurveRecord) -> tuple[float, float]:
    apart = inflate_for_few_clusters(draws[:, None], float(record.cr1_factor or 1), record.training.clusters)[:, 0]
    low, high = np.quantile(apart, [LOW, HIGH])
    middle, scale = float(np.median(draws)), float(record.interval_recalibration)
    return min(point, middle + scale * (float(low) - middle)), max(point, middle + scale * (float(high) - middle))


def budgets(law: Law, curve: Curve, most_flops: float) -> list[Budget]:
    """Return budgets from a hundredth to a hundred times `most_flops`, the largest compute of the fitted rows, each spent best.

    Ranges hold 90 % of the curve's draws, inflated for few clusters and recalibrated as its forecasts are. They speak of the curve,
    not of a single run.
    Where some draws have no best split and the fit has, those draws count with the split they would have at the usual ratio.
    """
    points = np.vstack([curve.point[None], curve.draws]) if len(curve.draws) else curve.point[None]
    made = []
    for step in STEPS:
        flops = most_flops * 10.0**step
        ln_n, loss, inner = best_split(law, points, flops)
        gain = loss - best_split(law, points, 10.0 * flops)[1]
        low, high = _ends(gain[1:] if len(gain) > 1 else gain, float(gain[0]), curve.record)
        n_low, n_high = _ends(ln_n[1:] if len(ln_n) > 1 else ln_n, float(ln_n[0]), curve.record)
        parameters = float(np.exp(ln_n[0]))
        sizes = (parameters, float(np.exp(n_low)), float(np.exp(n_high)), flops / (6.0 * parameters))
        made.append(Budget(flops, *sizes, float(loss[0]), float(gain[0]), low, high, bool(inner[0])))
    return made


def is_surface(curve: Curve) -> bool:
    """Say whether a frozen curve is a loss in parameters and tokens alone."""
    return [item.quantity_id for item in curve.covariates] == ["params_total", "training_tokens"] and curve.record.noise == "log"


def of_drawing(law: Law, curve: Curve, drawing: pl.DataFrame) -> list[Budget]:
    """Return the budgets of one target from what `fit` left of it: its curve, and its rows at log10 FLOPs."""
    rows = drawing.filter((pl.col("target_id") == curve.record.target_id) & (pl.col("kind") == "point"))
    return budgets(law, curve, 10.0 ** float(rows["x"].max()))  # type: ignore[arg-type]  # a column of numbers


def by_target(law: Law, curves: Iterable[Curve], drawing: pl.DataFrame) -> dict[str, list[Budget]]:
    """Return the budgets of every curve that is a loss in parameters and tokens, by target; other curves have none."""
    return {curve.record.target_id: of_drawing(law, curve, drawing) for curve in curves if is_surface(curve)}


FRAME = {
    "target_id": pl.String(),
    **dict.fromkeys(("flops", "parameters", "parameters_low", "parameters_high", "tokens", "loss"), pl.Float64()),
    **dict.fromkeys(("gain", "gain_low", "gain_high"), pl.Float64()),
    "inner": pl.Boolean(),
}


def as_frame(found: Mapping[str, Sequence[Budget]]) -> pl.DataFrame:
    """Write budgets as a frame, a row each, in the order of their targets."""
    rows = [{"target_id": target_id, **asdict(one)} for target_id, budgets in found.items() for one in budgets]
    return pl.DataFrame(rows, schema=FRAME)


def from_frame(frame: pl.DataFrame) -> dict[str, list[Budget]]:
    """Read what `as_frame` wrote."""
    found: dict[str, list[Budget]] = {}
    for row in frame.iter_rows(named=True):
        found.setdefault(row.pop("target_id"), []).append(Budget(**row))
    return found


@dataclass(frozen=True)
class Reach:
    """How many times the compute a gain takes: by the curve, at the earliest, and almost surely; infinite is not reachable."""

    times: float
    earliest: float
    surely: float

    def said(self) -> str:
        """Say it in words.

        >>> Reach(4.2, 2.04, np.inf).said()
        '4.2 times (90 % range 2.0 times to not reachable)'
        >>> Reach(np.inf, np.inf, np.inf).said()
        'not reachable'
        """
        each = [
            "not reachable" if not np.isfinite(one) else f"{number(one, 2)} times"
            for one in (self.times, self.earliest, self.surely)
        ]
        return each[0] if not np.isfinite(self.earliest) else f"{each[0]} (90 % range {each[1]} to {each[2]})"


def compute_for(law: Law, curve: Curve, largest: float, gain: float = 0.1) -> Reach:
    """Return how many times the compute a forecast needs to rise by `gain` (ten points) above the curve at ln compute `largest`.

    `earliest` is where the upper end of the 90 % forecast gets there, `surely` where the lower end does. Multiples up to a
    million are tried. For one covariate on the scale ln. Not to be trusted further out than the rows were wide.
    """
    ladder = np.linspace(0.0, np.log(FARTHEST), RUNGS)
    made = predict(law, curve, (largest + ladder)[:, None])
    wanted = made.point[0] + gain

    def first(values: Array) -> float:
        there = np.flatnonzero(values >= wanted)
        return float(np.exp(ladder[there[0]])) if len(there) else float("inf")

    high, low = (made.quantiles[:, LEVELS.index(level)] for level in (HIGH, LOW))
    return Reach(first(made.point), first(high), first(low))
