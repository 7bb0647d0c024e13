"""Leave one family out: how well a benchmark table is forecast for a family of which only its smallest models are known.

The protocol of the sloth paper (Maia Polo et al. 2024, arXiv 2412.06540), made strict: base and chat models have levels of
their own but are held out together, since a chat model gives its base model away; and every setting (number of skills, weight
of the own residual) is chosen by the same exercise played inside the training rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foresaid.law import Array
from foresaid.sigmoid import sigmoid
from foresaid.skills import fit_skills, scale_covariates

Mask = NDArray[np.bool_]
RANKS = (1, 2, 3, 4)
OWN = (0.0, 0.5, 1.0)  # weight of the residual of the family's own small models
POOLED = (0.25, 0.5, 0.75, 1.0)  # share of a level common to all families
COMPONENTS = 3  # of the other benchmarks, as in the observational law
CLIP = 0.02  # shares this near to 0 or 1 have no usable logit


@dataclass(frozen=True)
class Board:
    """A complete table of scores: `family` and `level` (n,) names, `size` and `tokens` (n,), `y` (n, J), `floor` (J,).

    `level` tells base from chat models within a family.
    """

    family: NDArray[np.str_]
    level: NDArray[np.str_]
    size: Array
    tokens: Array
    y: Array
    floor: Array

    def take(self, rows: Mask) -> Board:
        """Return these rows."""
        return Board(self.family[rows], self.level[rows], self.size[rows], self.tokens[rows], self.y[rows], self.floor)


def split(board: Board, family: str, small: int) -> tuple[Mask, Mask]:
    """Return which rows train and which are forecast when a family is held out but for the `small` smallest of each level.

    >>> names = np.array(["a", "a", "a", "b"])
    >>> board = Board(names, names, np.array([3.0, 1.0, 2.0, 1.0]), np.ones(4), np.ones((4, 1)), np.zeros(1))
    >>> [part.tolist() for part in split(board, "a", 1)]
    [[False, True, False, True], [True, False, True, False]]
    """
    held = board.family == family
    for level in np.unique(board.level[held]):
        rows = np.flatnonzero(board.level == level)
        held[rows[np.argsort(board.size[rows], kind="stable")[:small]]] = False
    return ~held, held


def eligible(board: Board, small: int) -> list[str]:
    """Return the families with a level of at least `small` + 2 models."""
    levels, counts = np.unique(board.level, return_counts=True)
    large = levels[counts >= small + 2]
    return sorted(set(board.family[np.isin(board.level, large)].tolist()))


Method = Callable[[Board, Mask, Mask], Array]


def _logit(y: Array, floor: Array) -> Array:
    share = np.clip((y - floor) / (1.0 - floor), CLIP, 1.0 - CLIP)
    return np.asarray(np.log(share / (1.0 - share)))


def _by_rank(known: Board, asked: Board, known_level: list[str], asked_level: list[str]) -> tuple[Array, Array]:
    """Return the logits (4, m, J) forecast by one to four skills, and the mean logits by which they missed the asked levels."""
    logits, own = [], []
    for rank in RANKS:
        x = scale_covariates(known.size, known.tokens)
        fitted = fit_skills(x, known_level, known.y, rank, known.floor)
        miss = _logit(known.y, known.floor) - _logit(fitted.predict(x, known_level), known.floor)
        logits.append(_logit(fitted.predict(scale_covariates(asked.size, asked.tokens), asked_level), asked.floor))
        own.append(np.stack([miss[known.level == level].mean(axis=0) for level in asked.level]))
    return np.stack(logits), np.stack(own)


def _scores(board: Board, logits: Array) -> Array:
    return np.asarray(board.floor + (1.0 - board.floor) * sigmoid(logits))


def by_skills(board: Board, train: Mask, test: Mask) -> Array:
    """Forecast by one to four latent skills and their mean, each with three weights of the family's own residual: (15, m, J).

    The own residual is the mean logit by which the skills missed the family's own small models, benchmark by benchmark.
    """
    known, asked = board.take(train), board.take(test)
    logits, own = _by_rank(known, asked, known.level.tolist(), asked.level.tolist())
    logits, own = (np.concatenate([part, part.mean(axis=0, keepdims=True)]) for part in (logits, own))
    return _scores(board, np.concatenate([logits + weight * own for weight in OWN]))


def by_pooled_skills(board: Board, train: Mask, test: Mask) -> Array:
    """Forecast by the mean of one to four skills, families between their own level and a common one: (12, m, J).

    A level learned from one small model takes up that model's noise; a common level knows nothing of the family. The logits of
    both are mixed with four shares, each with three weights of the own residual.
    """
    known, asked = board.take(train), board.take(test)
    everyone = ["all"] * len(known.y), ["all"] * len(asked.y)
    apart = [part.mean(axis=0) for part in _by_rank(known, asked, known.level.tolist(), asked.level.tolist())]
    alike = [part.mean(axis=0) for part in _by_rank(known, asked, *everyone)]
    made = []
    for share in POOLED:
        logits, own = ((1.0 - share) * one + share * other for one, other in zip(apart, alike, strict=True))
        made += [logits + weight * own for weight in OWN]
    return _scores(board, np.stack(made))


def by_compute(board: Board, train: Mask, test: Mask) -> Array:
    """Forecast each benchmark by a sigmoid of ln FLOPs with a level for each family: (1, m, J)."""
    return _one_by_one(board, train, test, np.log(board.size * board.tokens)[:, None], board.level)


def by_size(board: Board, train: Mask, test: Mask) -> Array:
    """Forecast each benchmark by a sigmoid of ln S, ln T and their product, families alike: (1, m, J)."""
    everyone = np.full(len(board.level), "all")
    return _one_by_one(board, train, test, scale_covariates(board.size, board.tokens), everyone)


def _one_by_one(board: Board, train: Mask, test: Mask, x: Array, level: NDArray[np.str_]) -> Array:
    columns = [
        fit_skills(x[train], level[train].tolist(), board.y[train][:, [j]], 1, board.floor[[j]]).predict(
            x[test], level[test].tolist()
        )
        for j in range(board.y.shape[1])
    ]
    return np.hstack(columns)[None]


def by_components(board: Board, train: Mask, test: Mask) -> Array:
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


def by_two_steps(board: Board, train: Mask, test: Mask) -> Array:
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


def by_other_benchmarks(board: Board, train: Mask, test: Mask) -> Array:
    """Forecast each benchmark by a sigmoid of three principal components of the others: the observational law, (1, m, J).

    It is told what the others are not: the forecast model's own scores on the other benchmarks. No family, no size.
    """
    made, everyone = [], np.full(len(board.level), "all")
    for j in range(board.y.shape[1]):
        others = np.delete(board.y, j, axis=1)
        middle = others[train].mean(axis=0)
        axes = np.linalg.svd(others[train] - middle, full_matrices=False)[2][:COMPONENTS]
        one = Board(board.family, board.level, board.size, board.tokens, board.y[:, [j]], board.floor[[j]])
        made.append(_one_by_one(one, train, test, (others - middle) @ axes.T, everyone)[0])
    return np.hstack(made)[None]


def family_value(board: Board, train: Mask, test: Mask) -> Array:
    """Forecast the scores of the largest model of the same level that trains: no fit, (1, m, J)."""
    rows = [
        max(np.flatnonzero(train & (board.level == board.level[i])), key=lambda row: float(board.size[row]))
        for i in np.flatnonzero(test)
    ]
    return board.y[rows][None]


def compute_value(board: Board, train: Mask, test: Mask) -> Array:
    """Forecast the scores of the training model with the most compute: no fit, (1, m, J)."""
    row = np.flatnonzero(train)[np.argmax((board.size * board.tokens)[train])]
    return np.repeat(board.y[row][None, None], int(test.sum()), axis=1)


def mean_value(board: Board, train: Mask, test: Mask) -> Array:
    """Forecast the mean scores of all models that train: no fit, (1, m, J)."""
    return np.repeat(board.y[train].mean(axis=0)[None, None], int(test.sum()), axis=1)


METHODS: dict[str, Method] = {
    "skills with family levels": by_skills,
    "skills, family levels partly pooled": by_pooled_skills,
    "FLOPs sigmoid + family": by_compute,
    "principal components + family": by_components,
    "size and tokens sigmoid, no family": by_size,
    "two steps (mean logit, then benchmark) + family": by_two_steps,
    "observational: told the other benchmarks": by_other_benchmarks,
    "no fit: largest known model of the family": family_value,
    "no fit: model with the most compute": compute_value,
    "no fit: mean of all models": mean_value,
}


def errors(board: Board, method: Method, family: str, small: int) -> Array:
    """Mean absolute error (K,) of each setting of a method on one family held out."""
    train, test = split(board, family, small)
    return np.asarray(np.abs(method(board, train, test) - board.y[test]).mean(axis=(1, 2)))


def chosen_within(board: Board, method: Method, small: int) -> int:
    """Choose the setting with the least mean error when each family of these rows is held out in turn."""
    return int(np.mean([errors(board, method, family, small) for family in eligible(board, small)], axis=0).argmin())


@dataclass(frozen=True)
class Result:
    """Mean absolute error averaged over families: with settings chosen within, and with the best one known afterwards."""

    families: int
    models: int
    within: float
    afterwards: float


def leave_one_out(board: Board, method: Method, small: int) -> Result:
    """Hold every eligible family out in turn; settings are chosen without the rows that are forecast."""
    families: Sequence[str] = eligible(board, small)
    table, picked, models = [], [], 0
    for family in families:
        train, test = split(board, family, small)
        found = errors(board, method, family, small)
        table.append(found)
        models += int(test.sum())
        picked.append(float(found[chosen_within(board.take(train), method, small) if len(found) > 1 else 0]))
    return Result(len(families), models, float(np.mean(picked)), float(np.mean(table, axis=0).min()))
