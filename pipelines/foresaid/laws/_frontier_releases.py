"""Frontier by simulated releases: the capability law asked of models that do not exist yet, and the best of them taken.

The releases of the coming year are drawn from those of the past twelve months (launches with replacement, their number Poisson,
their day uniform), each with its lines and tiers. A future model stands on a board as often as models of its line did in that year.
Scores come from the law's joint Gaussian, so models of one launch and of one line rise together; a Student t factor common to a
board's draws, but not to the noise of a score, gives the heavy tails of boards that take off. The frontier is the best of what is
there and what came.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from foresaid.arrays import Array
from foresaid.laws._capability_kernel import Settings as CapabilitySettings
from foresaid.laws._capability_model import Model, fit, joint
from foresaid.laws._capability_rows import SCHEMA, Systems, cells, years
from foresaid.laws._frontier_rows import LEVELS, MONTH, Board, Question

YEAR = 12.0 * MONTH  # days


@dataclass(frozen=True)
class Settings:
    """Draws: schedules of releases and scores drawn for each; degrees of freedom of a board's common factor (None: normal)."""

    schedules: int = 25
    draws: int = 40
    degrees: float | None = 4.0
    pull: float = 2.0  # models of all lines that a line's own share on a board is shrunk towards
    since: date = date(2023, 1, 1)
    fewest: int = 3


@dataclass(frozen=True)
class Launch:
    """Models that came out together: line, tier and maker of each, and the boards each stands on."""

    models: tuple[tuple[str, str, str], ...]


def launches(frame: pl.DataFrame, origin: float) -> list[Launch]:
    """Launches of the twelve months before the origin, from a frame of cells, in order of name."""
    about = (
        frame.filter(pl.col("released_on") > date.fromordinal(int(origin - YEAR))).unique("model_id").sort("release", "model_id")
    )
    return [
        Launch(tuple(part.select("line", "tier", "maker").iter_rows()))
        for _, part in sorted(about.group_by("release"), key=lambda pair: str(pair[0][0]))
    ]


def shares_on(frame: pl.DataFrame, origin: float, name: str, pull: float) -> dict[str, float]:
    """Share of last year's models of each line that stand on the board; "" holds that of all lines. Shrunk by `pull` models."""
    year = frame.filter(pl.col("released_on") > date.fromordinal(int(origin - YEAR)))
    every = year.unique("model_id")
    on = set(year.filter(pl.col("benchmark") == name)["model_id"])
    overall = len(on) / max(len(every), 1)
    found = {"": overall}
    for (line,), part in every.group_by("line"):
        there = sum(model in on for model in part["model_id"])
        found[str(line)] = (there + pull * overall) / (len(part) + pull)
    return found


def _future(schedule: Sequence[tuple[float, Launch]]) -> tuple[Systems, Array]:
    """Describe the models of a schedule as systems nobody has measured, with their days."""
    lines, tiers, makers, releases, days = [], [], [], [], []
    for number, (day, one) in enumerate(schedule):
        for line, tier, maker in one.models:
            lines.append(line)
            tiers.append(tier)
            makers.append(maker)
            releases.append(f"\0future {number}")
            days.append(day)
    names = tuple(f"\0future model {i}" for i in range(len(lines)))
    when = np.array([years(date.fromordinal(int(day))) for day in days])
    systems = Systems(names, names, tuple(makers), tuple(lines), tuple(tiers), tuple(releases), when, np.full(len(lines), np.nan))
    return systems, np.array(days)


def _draw_scores(model: Model, systems: Systems, q: int, settings: Settings, rng: np.random.Generator) -> Array:
    """Draw published shares (draws, systems) on one benchmark: joint Gaussian, a common heavy-tailed factor, normal noise."""
    codes = np.arange(systems.n, dtype=np.intp)
    found = joint(model, systems, codes, np.full(systems.n, q, dtype=np.intp))
    noise = found.noise + found.benchmarks.item_variance(found.q, found.mean)
    root = np.linalg.cholesky(0.5 * (found.covariance + found.covariance.T) + 2e-9 * np.eye(systems.n))
    z = rng.standard_normal((settings.draws, systems.n)) @ root.T
    if settings.degrees is not None:
        z *= np.sqrt(settings.degrees / rng.chisquare(settings.degrees, (settings.draws, 1)))
    z += np.sqrt(noise) * rng.standard_normal(z.shape)
    drawn = found.benchmarks.to_share(np.tile(found.q, settings.draws), (found.mean + z).ravel()).reshape(z.shape)
    chance, ceiling = found.benchmarks.chance[q], found.benchmarks.ceiling[q]
    return np.asarray(np.clip((drawn - chance) / (ceiling - chance), 0.0, 1.0))


def forecast(
    boards: Sequence[Board],
    origin: float,
    questions: Sequence[Question],
    frame: pl.DataFrame,
    rng: np.random.Generator,
    settings: Settings | None = None,
    capability: CapabilitySettings | None = None,
) -> Array:
    """Quantiles (n, 200) of each question by simulated releases; `frame` holds cells (SCHEMA) with the boards' names.

    Cells of models released after the origin are dropped here, before anything is fitted. Nothing comes on a board with fewer than
    `fewest` cells since `since`: the law knows nothing of it, and it stays where it is.
    """
    settings = settings or Settings()
    today = date.fromordinal(int(origin))
    frame = frame.select(*SCHEMA).filter(pl.col("released_on").is_between(settings.since, today))
    enough = frame.group_by("benchmark").len().filter(pl.col("len") >= settings.fewest)["benchmark"].to_list()
    frame = frame.filter(pl.col("benchmark").is_in(enough))
    model = fit(cells(frame), capability)
    past = launches(frame, origin)
    place = {name: q for q, name in enumerate(model.cells.benchmarks.names)}
    names = sorted({one.board for one in questions})
    standing = {one.name: one for one in boards}
    shares = {name: shares_on(frame, origin, name, settings.pull) for name in names}
    draws: dict[Question, list[Array]] = {one: [] for one in questions}
    for _ in range(settings.schedules):
        count = int(rng.poisson(len(past)))
        picks, when = rng.integers(0, max(len(past), 1), count), np.sort(rng.uniform(0.0, YEAR, count))
        systems, days = _future([(origin + float(day), past[int(pick)]) for pick, day in zip(picks, when, strict=True)])
        for name in names:
            chances = np.array([shares[name].get(line, shares[name][""]) for line in systems.lines])
            there = np.flatnonzero((rng.uniform(size=systems.n) < chances) & (name in place))
            scores = np.empty((settings.draws, 0))
            if there.size:
                scores = _draw_scores(model, systems.take(there), place[name], settings, rng)
            now = np.tile(standing[name].value, (settings.draws, 1))
            for one in (question for question in questions if question.board == name):
                inside = days[there] <= origin + one.months * MONTH
                every = np.sort(np.hstack([now, scores[:, inside]]), axis=1)
                draws[one].append(every[:, -one.top :].mean(axis=1))
    return np.array([np.quantile(np.concatenate(draws[one]), LEVELS) for one in questions])
