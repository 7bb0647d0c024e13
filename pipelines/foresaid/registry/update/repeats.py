"""Several runs of one system in the files of one import: refused, kept apart, or brought together as their mean.

Two values of one key are no two facts of the record: without a word from the user they stop the import. Equal values are one run
that stands in two files.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from statistics import fmean, stdev

from foresaid.errors import BadCell, ParameterError, RecordError
from foresaid.sources._reading import Score

WAYS = ("refuse", "apart", "mean")


def combined(scores: Iterable[Score], how: str) -> list[Score]:
    """One score a key: `apart` numbers the runs of a key in its setting, `mean` takes their mean.

    The standard error of a mean of k runs is the standard deviation of the runs over the square root of k, and `n` the number of
    items of all of them where each says its own.

    >>> runs = [Score("m", "q", "", value, 0.02, 100, file="f") for value in (0.4, 0.5, 0.6)]
    >>> [(one.value, round(one.stderr, 4), one.n, one.note) for one in combined(runs, "mean")]
    [(0.5, 0.0577, 300, 'mean of 3 runs')]
    >>> [one.setting for one in combined(runs, "apart")]
    ['record=run-1', 'record=run-2', 'record=run-3']
    """
    if how not in WAYS:
        raise ParameterError(f"import: found --repeats {how}, expected one of {', '.join(WAYS)}")
    groups: dict[tuple[str, str, str], list[Score]] = {}
    for score in scores:
        group = groups.setdefault((score.subject, score.quantity_id, score.setting), [])
        # The same value with another error is another run; from another file, the same run told twice.
        if all((score.value, score.stderr) != (other.value, other.stderr) or score.file == other.file for other in group):
            group.append(score)
    problems = []
    made: list[Score] = []
    for (subject, quantity, _), group in groups.items():
        if len(group) == 1:
            made += group
        elif how == "refuse":
            found = ", ".join(f"{score.value!r}" for score in group[:4])
            advice = "give --repeats mean or --repeats apart, or name in the mapping what tells them apart"
            expected = f"one value of {quantity} for {subject}"
            problems.append(BadCell(group[1].file, group[1].row, "value", f"{len(group)} runs: {found}", expected, advice))
        elif how == "apart":
            made += [
                replace(score, setting=";".join(filter(None, [score.setting, f"record=run-{place}"])))
                for place, score in enumerate(group, start=1)
            ]
        else:
            made.append(_mean(group))
    if problems:
        raise RecordError.collect(problems)
    return made


def _mean(group: list[Score]) -> Score:
    values = [score.value for score in group]
    counts = [score.n for score in group if score.n is not None]
    note = "; ".join(filter(None, [group[0].note, f"mean of {len(group)} runs"]))
    stderr = stdev(values) / math.sqrt(len(values))
    return replace(group[0], value=fmean(values), stderr=stderr, n=sum(counts) if len(counts) == len(group) else None, note=note)
