"""What the small transformers of our own emergence experiment read: an easy language, a skill, and the questions about it.

Everything here is drawn with NumPy from the seed and names, so the rows are the same on every machine and whichever library
trains on them. Easy text is a stream of words; a skill row is a stream of (letter, digit) pairs from a fresh dictionary of
four pairs, so that a digit can only be foretold by looking up its letter in the row itself. The share of skill rows is what
differs between the pre-training data sets, their "quality".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from foresaid.reproducible import generator

Integers = np.ndarray[Any, np.dtype[np.int64]]

ROOT = 20261121  # root seed of the experiment
LETTERS, DIGITS = 26, 10
SPACE, DIGIT_ZERO, START = 26, 27, 37
VOCABULARY = 38
CONTEXT = 49  # tokens of a row: the start and 48 more, 24 pairs of a skill row
WORDS, SHORTEST, LONGEST = 2500, 2, 6
ZIPF = 1.0
SUCCESSORS, BIGRAM = 8, 0.5  # words that may follow a word, and how often the next word is one of them
PAIRS = 4
CHANCE = 1.0 / PAIRS
SHOWN = {"zero_shot": 4, "few_shot": 12}  # pairs before the question


class Language:
    """The easy language: 2,500 words of two to six letters under Zipf's law, with favoured successors.

    >>> language = Language()
    >>> language.rows(np.random.default_rng(0), 2).shape
    (2, 49)
    """

    def __init__(self) -> None:
        rng = generator(ROOT, "language")
        lengths = rng.integers(SHORTEST, LONGEST + 1, WORDS)
        self.words = [rng.integers(0, LETTERS, length) for length in lengths]
        weights = 1.0 / np.arange(1, WORDS + 1) ** ZIPF
        self.cumulative = np.cumsum(weights / weights.sum())
        self.successors = self._zipf(rng.random((WORDS, SUCCESSORS)))

    def _zipf(self, uniform: np.ndarray[Any, Any]) -> Integers:
        return np.minimum(np.searchsorted(self.cumulative, uniform), WORDS - 1).astype(np.int64)

    def rows(self, rng: np.random.Generator, count: int) -> Integers:
        """Draw rows (count, 49): the start token, then words parted by spaces, cut where the row ends."""
        steps = CONTEXT // (SHORTEST + 1) + 1
        fresh = self._zipf(rng.random((count, steps)))
        stay, which = rng.random((count, steps)) < BIGRAM, rng.integers(0, SUCCESSORS, (count, steps))
        rows = np.full((count, CONTEXT), START, dtype=np.int64)
        for row in range(count):
            word, place = int(fresh[row, 0]), 1
            for step in range(steps):
                if step:
                    word = int(self.successors[word, which[row, step]]) if stay[row, step] else int(fresh[row, step])
                letters = self.words[word][: CONTEXT - place]
                rows[row, place : place + len(letters)] = letters
                place += len(letters)
                if place >= CONTEXT:
                    break
                rows[row, place] = SPACE
                place += 1
                if place >= CONTEXT:
                    break
        return rows


def _dictionaries(rng: np.random.Generator, count: int) -> tuple[Integers, Integers]:
    """Draw four different letters and four different digits a row, each (count, 4)."""
    keys = np.argsort(rng.random((count, LETTERS)), axis=1)[:, :PAIRS]
    values = np.argsort(rng.random((count, DIGITS)), axis=1)[:, :PAIRS] + DIGIT_ZERO
    return keys, values


def skill_rows(rng: np.random.Generator, count: int) -> Integers:
    """Draw rows (count, 49) of the skill: the start token and 24 pairs of a fresh dictionary.

    >>> row = skill_rows(np.random.default_rng(0), 1)[0]
    >>> pairs = {(int(key), int(value)) for key, value in zip(row[1::2], row[2::2], strict=True)}
    >>> len(pairs)
    4
    """
    keys, values = _dictionaries(rng, count)
    which = rng.integers(0, PAIRS, (count, CONTEXT // 2))
    rows = np.full((count, CONTEXT), START, dtype=np.int64)
    rows[:, 1::2] = np.take_along_axis(keys, which, axis=1)
    rows[:, 2::2] = np.take_along_axis(values, which, axis=1)
    return rows


def prompts(rng: np.random.Generator, count: int, pairs: int) -> tuple[Integers, Integers, Integers]:
    """Draw questions: pairs that show the whole dictionary at least once, then a letter; which digit goes with it?

    Returns the prompts (count, 2 pairs + 2), the four digits to choose from (count, 4) and the place of the right one (count,).

    >>> asked, choices, answer = prompts(np.random.default_rng(0), 3, 4)
    >>> asked.shape, choices.shape
    ((3, 10), (3, 4))
    >>> place = 2 + 2 * np.argmax(asked[:, 1:9:2] == asked[:, 9:], axis=1)
    >>> bool((asked[np.arange(3), place] == choices[np.arange(3), answer]).all())
    True
    """
    keys, values = _dictionaries(rng, count)
    which = np.concatenate([np.tile(np.arange(PAIRS), (count, 1)), rng.integers(0, PAIRS, (count, pairs - PAIRS))], axis=1)
    which = np.take_along_axis(which, np.argsort(rng.random((count, pairs)), axis=1), axis=1)
    answer = rng.integers(0, PAIRS, count)
    asked = np.full((count, 2 * pairs + 2), START, dtype=np.int64)
    asked[:, 1:-1:2] = np.take_along_axis(keys, which, axis=1)
    asked[:, 2:-1:2] = np.take_along_axis(values, which, axis=1)
    asked[:, -1] = keys[np.arange(count), answer]
    return asked, values, answer


def batch(language: Language, rng: np.random.Generator, count: int, skill_share: float) -> Integers:
    """Draw one pre-training batch: each row is the skill with this probability, text otherwise."""
    skilled = rng.random(count) < skill_share
    return np.where(skilled[:, None], skill_rows(rng, count), language.rows(rng, count))
