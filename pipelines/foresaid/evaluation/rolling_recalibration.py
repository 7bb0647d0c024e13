"""What earlier origins teach: weights of an ensemble, widths and centres of forecasts, from outcomes public before the origin.

Each law and ensemble is scored three times: as it was (`none`), with the width its own past would have wanted (`width`), and
moved by what it was off in the last twelve months (`centre`); three ensembles stand beside the laws. An outcome may teach at an
origin only when its forecast was made before that origin and it was public by then, which is the rule of the mode
(rolling_origin.py). Boards and units teach themselves only: a share says nothing of a rating.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foresaid.arrays import Array, list_column, list_values
from foresaid.evaluation.schema import UNITS
from foresaid.evaluation.units import complete
from foresaid.forecasting.combine import PRIOR_RELEASES, average, learn_width, median, shrunk, stack
from foresaid.forecasting.predict import rescale
from foresaid.scoring.levels import LEVELS
from foresaid.scoring.significance import FEWEST_RELEASES

ASK = [
    *("mode", "origin", "board", "unit", "target_id", "quantity_id", "subject_id", "cluster", "released_on", "public_on"),
    *UNITS,
]
ABOUT = [*ASK, "horizon", "trained_on", "lower", "upper", "observed", "latest"]
LEARNED_AT = (0.05, 0.25, 0.5, 0.75, 0.95)  # levels the weights are learned at: a linear programme of a quarter of the size
PLAIN, WIDTH, CENTRE = "none", "width", "centre"  # recalibrations
MEMORY = timedelta(days=365)  # how long an error is remembered by the running centre
EDGE = 0.01  # shares this close to a bound count as that far from it on the logit scale
ORDER = ["mode", "origin", "law", "recalibration", "target_id", "subject_id"]  # of the rows; no two agree in all
ENSEMBLES = ("ensemble_equal", "ensemble_median", "ensemble_stacked")


@dataclass(frozen=True)
class Asks:
    """What was asked of all methods of one board and unit in one mode.

    `rows` (N) are in time; `quantiles` holds for each method (N, 23), NaN where it has no forecast.
    """

    rows: pl.DataFrame
    quantiles: dict[str, Array]

    @cached_property
    def origins(self) -> dict[date, slice]:
        """Every origin in time, and the rows asked at it."""
        found = self.rows.group_by("origin", maintain_order=True).len().rows()
        ends = np.cumsum([count for _, count in found]).tolist()
        return {day: slice(end - count, end) for (day, count), end in zip(found, ends, strict=True)}

    @cached_property
    def observed(self) -> Array:
        """The outcome of each row."""
        return self.rows["observed"].to_numpy()

    @cached_property
    def releases(self) -> NDArray[np.intp]:
        """A number for the release of each row."""
        return np.asarray(np.unique(self.rows["release"].to_numpy(), return_inverse=True)[1], dtype=np.intp)

    @cached_property
    def bounds(self) -> tuple[Array, Array]:
        """Lower and upper bound of each row's quantity."""
        return self.rows["lower"].to_numpy(), self.rows["upper"].to_numpy()

    def past(self, origin: date) -> NDArray[np.intp]:
        """Rows that may teach at an origin: asked before, public by then; of each outcome the forecast of the middle origin."""
        if origin not in self._past:
            rows = self.rows.with_row_index("at").filter((pl.col("origin") < origin) & (pl.col("public_on") <= origin))
            middle = pl.col("at").sort_by("origin").get((pl.len() - 1) // 2)
            self._past[origin] = rows.group_by("target_id", "subject_id").agg(middle)["at"].sort().to_numpy().astype(np.intp)
        return self._past[origin]

    @cached_property
    def _past(self) -> dict[date, NDArray[np.intp]]:
        return {}


def asks(made: pl.DataFrame) -> Asks:
    """Lay the forecasts of one mode, board and unit side by side."""
    made = _with_units(made)
    rows = made.select(ABOUT).unique(subset=ASK).sort("origin", "target_id", "subject_id")
    quantiles = {}
    for (law,), part in made.group_by(["law"], maintain_order=True):
        joined = rows.join(part.select(*ASK, "quantiles"), on=ASK, how="left", nulls_equal=True, maintain_order="left")
        quantiles[str(law)] = list_values(joined["quantiles"], len(LEVELS))
    return Asks(rows, quantiles)


def _importance(found: Asks, at: NDArray[np.intp]) -> tuple[Array, int]:
    """What each of some rows counts, one over the rows of its release, and the number of releases."""
    _, release, count = np.unique(found.releases[at], return_inverse=True, return_counts=True)
    return 1.0 / count[release], len(count)


def weights_at(found: Asks, members: Sequence[str], origin: date) -> Array:
    """Weights (K,) of the members at an origin; equal ones, as long as fewer than ten releases have taught them."""
    at = found.past(origin)
    whole = np.stack([found.quantiles[name] for name in members])
    at = at[~np.isnan(whole[:, at]).any(axis=(0, 2))]
    importance, releases = _importance(found, at)
    equal = np.full(len(members), 1.0 / len(members))
    if releases < FEWEST_RELEASES:
        return equal
    columns = [LEVELS.index(level) for level in LEARNED_AT]
    learned = stack(whole[:, at][:, :, columns], LEARNED_AT, found.observed[at], importance)
    return shrunk(learned, releases)


def ensembles(found: Asks, members: Sequence[str]) -> dict[str, Array]:
    """The three ensembles of some members, (N, 23) each; NaN where fewer than two members have a forecast."""
    whole = np.stack([found.quantiles[name] for name in members])
    alone = (~np.isnan(whole[:, :, 0])).sum(axis=0) < 2
    stacked = np.full(whole.shape[1:], np.nan)
    for origin, now in found.origins.items():
        stacked[now] = average(whole[:, now], weights_at(found, members, origin))
    made = {ENSEMBLES[0]: average(whole, np.ones(len(members))), ENSEMBLES[1]: median(whole), ENSEMBLES[2]: stacked}
    return {name: np.where(alone[:, None], np.nan, values) for name, values in made.items()}


def recalibrated(found: Asks, quantiles: Array) -> Array:
    """Widen or narrow forecasts (N, 23), origin by origin, by the factor that would have served best on outcomes before it."""
    lower, upper = found.bounds
    made = np.full_like(quantiles, np.nan)
    for origin, now in found.origins.items():
        at = found.past(origin)
        at = at[~np.isnan(quantiles[at]).any(axis=1)]
        scale = 1.0
        if len(at):
            importance, releases = _importance(found, at)
            ends = (lower[at], upper[at])
            scale = learn_width(quantiles[at], LEVELS, found.observed[at], importance, ends, releases).scale
        made[now] = rescale(quantiles[now], scale, lower[now], upper[now])
    return made


def recentred(found: Asks, quantiles: Array) -> Array:
    """Move forecasts (N, 23), origin by origin, by their mean error of the last twelve months on the logit scale, shrunk.

    With s = (observed - lower) / (upper - lower) kept EDGE off 0 and 1, the shift is the mean over releases of logit(s) of the
    outcome less that of the median, times r / (r + PRIOR_RELEASES) for r releases. Only outcomes that became public in the year
    before the origin count, of forecasts made before it.
    """
    lower, upper = found.bounds
    span = (upper - lower)[:, None]

    def logit(values: Array) -> Array:
        share = np.clip((values - lower[:, None]) / span, EDGE, 1.0 - EDGE)
        return np.asarray(np.log(share / (1.0 - share)))

    public = found.rows["public_on"].to_numpy()
    observed = found.observed[:, None]
    error = (logit(observed) - logit(quantiles[:, [quantiles.shape[1] // 2]]))[:, 0]
    made = quantiles.copy()
    now_at = logit(quantiles)
    share = (quantiles - lower[:, None]) / span
    # What lies within EDGE of a bound has no place on the scale, and stays where it is.
    still = (share <= EDGE) | (share >= 1.0 - EDGE)
    for origin, now in found.origins.items():
        at = found.past(origin)
        at = at[~np.isnan(quantiles[at]).any(axis=1)]
        at = at[public[at] > np.datetime64(origin - MEMORY)]
        if not len(at):
            continue
        weight, releases = _importance(found, at)
        shift = float(weight @ error[at] / weight.sum()) * releases / (releases + PRIOR_RELEASES)
        moved = lower[now, None] + span[now] / (1.0 + np.exp(-(now_at[now] + shift)))
        made[now] = np.where(still[now], quantiles[now], moved)
    return np.maximum.accumulate(made, axis=1)


def _frame(found: Asks, law: str, role: str, quantiles: Array, own: pl.DataFrame | None, how: str) -> pl.DataFrame:
    """Rows of one method; what the method itself said of a row (status, distance) is kept from `own`."""
    gone = np.asarray(np.isnan(quantiles).any(axis=1))
    rows = found.rows.with_columns(
        law=pl.lit(law), role=pl.lit(role), recalibration=pl.lit(how), quantiles=list_column(quantiles, len(quantiles))
    ).with_columns(quantiles=pl.when(pl.Series(gone)).then(None).otherwise(pl.col("quantiles")))
    if own is None:
        centre = pl.Series(np.where(gone, np.nan, quantiles[:, LEVELS.index(0.5)])).fill_nan(None)
        return rows.with_columns(status=pl.lit("converged"), distance=pl.lit(None, pl.Float64), point=centre).filter(
            pl.col("quantiles").is_not_null()
        )
    return rows.join(own.select(*ASK, "status", "distance", "point"), on=ASK, how="inner", nulls_equal=True)


def _with_units(made: pl.DataFrame) -> pl.DataFrame:
    return complete(made.with_columns(split=pl.lit("released"), series=pl.lit(""))).drop("split", "series")


def boards(made: pl.DataFrame) -> list[pl.DataFrame]:
    """Part forecasts into those that teach each other: of one mode, board and unit."""
    return made.partition_by(["mode", "board", "unit"], maintain_order=True)


def _of_board(part: pl.DataFrame) -> list[pl.DataFrame]:
    found = asks(part)
    roles = dict(part.select("law", "role").unique().iter_rows())
    members = sorted(name for name, role in roles.items() if role == "law")
    whole = dict(found.quantiles)
    if len(members) > 1:
        whole |= ensembles(found, members)
    frames = []
    for law, quantiles in whole.items():
        own = part.filter(pl.col("law") == law) if law in roles else None
        role = roles.get(law, "ensemble")
        ways = {PLAIN: quantiles}
        if role != "baseline":  # a baseline's spread is its own record already
            ways |= {WIDTH: recalibrated(found, quantiles), CENTRE: recentred(found, quantiles)}
        frames += [_frame(found, law, role, made_so, own, how) for how, made_so in ways.items()]
    return frames


def learned(made: pl.DataFrame) -> pl.DataFrame:
    """All methods in each recalibration, with the ensembles of the laws: columns of `made`, UNITS and `recalibration`."""
    made = _with_units(made)
    frames = [frame for part in boards(made) for frame in _of_board(part)]
    if not frames:
        return made.with_columns(recalibration=pl.lit(PLAIN)).clear()
    return pl.concat(frames, how="diagonal").sort(ORDER)
