"""The methods that forecast a family held out of a benchmark table: skills, sigmoids, components, and no fit at all.

Each takes a board, the rows that train and the rows to forecast, and returns its forecasts by the name of its row in the
table, one set for each of its settings. Fits that only rank settings end early: sixty steps rank them as a thousand do.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from foresaid.arrays import Array, sigmoid
from foresaid.studies.held_out_families.latent_skills import ITERATIONS, fit_skills, scale_covariates
from foresaid.studies.held_out_families.mixed_effects import by_effects
from foresaid.studies.held_out_families.protocol import TOLD, Exercise, Forecasts, Leaderboard, Mask, Method

RANKS = (1, 2, 3, 4)
OWN = (0.0, 0.5, 1.0)  # weight of the residual of the family's own small models
POOLED = (0.25, 0.5, 0.75, 1.0)  # share of a level common to all families
COMPONENTS = 3  # of the other benchmarks, as in the observational law
CLIP = 0.02  # shares this near to 0 or 1 have no usable logit
NESTED = 60  # steps of a fit that only ranks settings
SKILLS, PARTLY = "skills with family levels", "skills, family levels partly pooled"


def _logit(y: Array, floor: Array) -> Array:
    share = np.clip((y - floor) / (1.0 - floor), CLIP, 1.0 - CLIP)
    return np.asarray(np.log(share / (1.0 - share)))


def _by_rank(
    known: Leaderboard, asked: Leaderboard, known_level: list[str], asked_level: list[str], steps: int
) -> tuple[Array, Array]:
    """Return the logits (4, m, J) forecast by one to four skills, and the mean logits by which they missed the asked levels."""
    logits, own = [], []
    for rank in RANKS:
        x = scale_covariates(known.size, known.tokens)
        fitted = fit_skills(x, known_level, known.y, rank, known.floor, iterations=steps)
        miss = _logit(known.y, known.floor) - _logit(fitted.predict(x, known_level), known.floor)
        logits.append(_logit(fitted.predict(scale_covariates(asked.size, asked.tokens), asked_level), asked.floor))
        own.append(np.stack([miss[known.level == level].mean(axis=0) for level in asked.level]))
    return np.stack(logits), np.stack(own)


def _scores(board: Leaderboard, logits: Array) -> Array:
    return np.asarray(board.floor + (1.0 - board.floor) * sigmoid(logits))


def by_skills(exercise: Exercise) -> dict[str, Forecasts]:
    """Forecast by latent skills whose families have levels of their own, and by the same with the levels partly pooled.

    Own levels, 15 settings: one to four skills and their mean, each with three weights of the family's own residual, the mean
    logit by which the skills missed the family's own small models. Partly pooled, 12: a level learned from one small model takes
    up that model's noise, a common level knows nothing of the family; the logits of both (of the mean of one to four skills) are
    mixed with four shares, each with three weights of the own residual.
    """
    known, asked = exercise.known, exercise.asked
    steps = NESTED if exercise.nested else ITERATIONS
    everyone = ["all"] * len(known.y), ["all"] * len(asked.y)
    apart = _by_rank(known, asked, known.level.tolist(), asked.level.tolist(), steps)
    alike = [part.mean(axis=0) for part in _by_rank(known, asked, *everyone, steps)]
    logits, own = (np.concatenate([part, part.mean(axis=0, keepdims=True)]) for part in apart)
    levels = np.concatenate([logits + weight * own for weight in OWN])
    mixed = []
    for share in POOLED:
        middle, miss = ((1.0 - share) * one[-1] + share * other for one, other in zip((logits, own), alike, strict=True))
        mixed += [middle + weight * miss for weight in OWN]
    return {SKILLS: Forecasts(_scores(known, levels)), PARTLY: Forecasts(_scores(known, np.stack(mixed)))}


def by_compute(board: Leaderboard, train: Mask, test: Mask) -> Array:
    """Forecast each benchmark by a sigmoid of ln FLOPs with a level for each family: (1, m, J)."""
    return _one_by_one(board, train, test, np.log(board.size * board.tokens)[:, None], board.level)


def by_size(board: Leaderboard, train: Mask, test: Mask) -> Array:
    """Forecast each benchmark by a sigmoid of ln S, ln T and their product, families alike: (1, m, J)."""
    everyone = np.full(len(board.level), "all")
    return _one_by_one(board, train, test, scale_covariates(board.size, board.tokens), everyone)


def _one_by_one(board: Leaderboard, train: Mask, test: Mask, x: Array, level: NDArray[np.str_]) -> Array:
    columns = [
        fit_skills(x[train], level[train].tolist(), board.y[train][:, [j]], 1, board.floor[[j]]).predict(
            x[test], level[test].tolist()
        )
        for j in range(board.y.shape[1])
    ]
    return np.hstack(columns)[None]


def by_components(board: Leaderboard, train: Mask, test: Mask) -> Array:
    """Forecast by one to four principal components, each a line in ln FLOPs with a level for each family: (4, m, J)."""
    y, x = board.y[train], np.log(board.size * board.tokens)
    middle = y.mean(axis=0)
    axes = np.linalg.svd(y - middle, full_matrices=False)[2]
    levels = sorted(set(board.level[train].tolist()))
    member = np.array([[float(name == level) for level in levels] for name in board.level])
    columns = np.column_stack([x - x[train].mean(), member])
    made = []
    for rank in RANKS:
        weights = np.linalg.lstsq(columns[train], (y - middle) @ axes[:rank].T, rcond=None)[0]
        made.append(np.clip(middle + columns[test] @ weights @ axes[:rank], 0.0, 1.0))
    return np.stack(made)


def by_two_steps(board: Leaderboard, train: Mask, test: Mask) -> Array:
    """Forecast the mean logit of all benchmarks by sizes and family, then each benchmark by a sigmoid of it: (1, m, J).

    The ladder of Bhagia et al. 2024 for tables that have no task losses: the mean logit stands where the loss would.
    """
    whole = _logit(board.y, board.floor).mean(axis=1)
    x = scale_covariates(board.size, board.tokens)
    levels = sorted(set(board.level[train].tolist()))
    member = np.array([[float(name == level) for level in levels] for name in board.level])
    spread = x[train].std(axis=0)
    columns = np.column_stack([(x - x[train].mean(axis=0)) / np.where(spread > 0, spread, 1.0), member])
    ridge = 1e-6 * np.eye(columns.shape[1])
    weights = np.linalg.solve(columns[train].T @ columns[train] + ridge, columns[train].T @ whole[train])
    skill = np.where(train, whole, columns @ weights)[:, None]
    return _one_by_one(board, train, test, skill, np.full(len(board.level), "all"))


def by_other_benchmarks(board: Leaderboard, train: Mask, test: Mask) -> Array:
    """Forecast each benchmark by a sigmoid of three principal components of the others: the observational law, (1, m, J).

    It is told what the others are not: the forecast model's own scores on the other benchmarks. No family, no size.
    """
    made, everyone = [], np.full(len(board.level), "all")
    for j in range(board.y.shape[1]):
        others = np.delete(board.y, j, axis=1)
        middle = others[train].mean(axis=0)
        axes = np.linalg.svd(others[train] - middle, full_matrices=False)[2][:COMPONENTS]
        one = Leaderboard(board.family, board.level, board.size, board.tokens, board.y[:, [j]], board.floor[[j]])
        made.append(_one_by_one(one, train, test, (others - middle) @ axes.T, everyone)[0])
    return np.hstack(made)[None]


def family_value(board: Leaderboard, train: Mask, test: Mask) -> Array:
    """Forecast the scores of the largest model of the same level that trains: no fit, (1, m, J)."""
    rows = [
        max(np.flatnonzero(train & (board.level == board.level[i])), key=lambda row: float(board.size[row]))
        for i in np.flatnonzero(test)
    ]
    return board.y[rows][None]


def compute_value(board: Leaderboard, train: Mask, test: Mask) -> Array:
    """Forecast the scores of the training model with the most compute: no fit, (1, m, J)."""
    row = np.flatnonzero(train)[np.argmax((board.size * board.tokens)[train])]
    return np.repeat(board.y[row][None, None], int(test.sum()), axis=1)


def mean_value(board: Leaderboard, train: Mask, test: Mask) -> Array:
    """Forecast the mean scores of all models that train: no fit, (1, m, J)."""
    return np.repeat(board.y[train].mean(axis=0)[None, None], int(test.sum()), axis=1)


SINGLE: dict[str, Callable[[Leaderboard, Mask, Mask], Array]] = {
    "FLOPs sigmoid + family": by_compute,
    "principal components + family": by_components,
    "size and tokens sigmoid, no family": by_size,
    "two steps (mean logit, then benchmark) + family": by_two_steps,
    TOLD: by_other_benchmarks,
    "no fit: largest known model of the family": family_value,
    "no fit: model with the most compute": compute_value,
    "no fit: mean of all models": mean_value,
}


def single(name: str) -> Method:
    """Return the method of one row of SINGLE."""
    return lambda exercise: {name: Forecasts(SINGLE[name](exercise.board, exercise.train, exercise.test))}


def methods() -> tuple[Method, ...]:
    """Return every method of the table."""
    return (by_effects, by_skills, *map(single, SINGLE))
