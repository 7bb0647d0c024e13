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


def by_skills(board: Board, train: Mask, test: Mask) -> Array:
    """Forecast by one to four latent skills and their mean, each with three weights of the family's own residual: (15, m, J).

    The own residual is the mean logit by which the skills missed the family's own small models, benchmark by benchmark.
    """
    known, asked = board.take(train), board.take(test)
    logits, own = [], []
    for rank in RANKS:
        levels = known.level.tolist()
        fitted = fit_skills(scale_covariates(known.size, known.tokens), levels, known.y, rank, known.floor)
        there = _logit(fitted.predict(scale_covariates(known.size, known.tokens), levels), known.floor)
        logits.append(_logit(fitted.predict(scale_covariates(asked.size, asked.tokens), asked.level.tolist()), asked.floor))
        miss = _logit(known.y, known.floor) - there
        own.append(np.stack([miss[known.level == level].mean(axis=0) for level in asked.level]))
    logits.append(np.mean(logits, axis=0))
    own.append(np.mean(own, axis=0))
    made = [base + weight * miss for base, miss in zip(logits, own, strict=True) for weight in OWN]
    return board.floor + (1.0 - board.floor) * sigmoid(np.stack(made))


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


METHODS: dict[str, Method] = {
    "skills with family levels": by_skills,
    "FLOPs sigmoid + family": by_compute,
    "principal components + family": by_components,
    "size and tokens sigmoid, no family": by_size,
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
