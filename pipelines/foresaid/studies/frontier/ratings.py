"""Ratings without a ceiling (time horizons in log2 minutes, index points) asked at cut-offs: the record 3, 6 and 12 months later.

One series has few rows and they overlap, so tables give no interval and resolve nothing. A re-fitted index is another series in
each download: `refit` says how far the values of the same models moved between two, which a forecast of its next value must bear.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from foresaid.arrays import Array
from foresaid.errors import RecordError, UnreadableError
from foresaid.laws._frontier_rows import LEVELS, MONTH
from foresaid.laws._rating_line import bend, line, no_change
from foresaid.laws._rating_trend import trend
from foresaid.scoring.rules import crps_of_draws

MONTHS = (3, 6, 12)
FEWEST = 6  # models known at a cut-off before anything is asked
MEAN = "mean of line, bend and trend"
METR = {50: "p50_horizon_length", 80: "p80_horizon_length"}


def horizons(path: Path, percent: int) -> tuple[Array, Array]:
    """Days and log2 minutes of METR's horizon at 50 or 80 % from a benchmark_results file, in order of day.

    Raises UnreadableError for a file that is missing or no YAML and RecordError where a model lacks the day or the figure.
    """
    try:
        results = yaml.safe_load(path.read_text(encoding="utf-8"))["results"]
    except (OSError, yaml.YAMLError, UnicodeDecodeError, TypeError, KeyError) as error:
        raise UnreadableError(f"{path}: {type(error).__name__}; expected METR's benchmark_results_1_1.yaml") from None
    found = []
    for name, row in sorted(results.items()):
        try:
            day, minutes = date.fromisoformat(str(row["release_date"])), float(row["metrics"][METR[percent]]["estimate"])
        except (KeyError, TypeError, ValueError):
            raise RecordError(f"{path}, {name}: expected release_date and metrics.{METR[percent]}.estimate") from None
        if minutes > 0:
            found.append((float(day.toordinal()), float(np.log2(minutes))))
    days, values = zip(*sorted(found), strict=True)
    return np.array(days), np.array(values)


def forecasts(day: Array, value: Array, origin: float, at: float) -> dict[str, Array]:
    """Quantiles (200) of the record on day `at` by every form, from the models released by the origin, and the mean of three."""
    seen = day <= origin
    day, value = day[seen], value[seen]
    found = {"line": line(day, value, at), "bend": bend(day, value, at), "local trend": trend(day, value, at, origin)}
    return {"no change": no_change(day, value, at), **found, MEAN: np.mean(list(found.values()), axis=0)}


def ask_series(day: Array, value: Array, cutoffs: Sequence[date], last: date) -> list[dict[str, Any]]:
    """One row a cut-off, span and form: CRPS, and whether the outcome lay above or below the 80 % band.

    Asked where FEWEST models were known at the cut-off, the span ends by `last` and a model came out within it.
    """
    rows: list[dict[str, Any]] = []
    for cutoff in cutoffs:
        origin = float(cutoff.toordinal())
        for months in MONTHS:
            at = origin + months * MONTH
            if (day <= origin).sum() < FEWEST or at > last.toordinal() + 1 or not ((day > origin) & (day <= at)).any():
                continue
            outcome = float(value[day <= at].max())
            for form, quantiles in forecasts(day, value, origin, at).items():
                low, high = np.interp([0.1, 0.9], LEVELS, quantiles)
                rows.append(
                    {
                        "cutoff": cutoff,
                        "months": months,
                        "form": form,
                        "crps": float(crps_of_draws(quantiles[:, None], np.array([outcome]))[0]),
                        "above": outcome > high + 1e-9,
                        "below": outcome < low - 1e-9,
                    }
                )
    return rows


def refit(earlier: Mapping[str, float], later: Mapping[str, float]) -> tuple[int, float, float, float]:
    """How far values of the same models moved: their number, mean move, its standard deviation and the largest move (absolute).

    >>> refit({"a": 1.0, "b": 2.0}, {"a": 1.5, "b": 2.5, "c": 3.0})
    (2, 0.5, 0.0, 0.5)
    """
    moves = np.array([later[name] - earlier[name] for name in sorted(set(earlier) & set(later))])
    if not len(moves):
        return 0, float("nan"), float("nan"), float("nan")
    return len(moves), float(moves.mean()), float(moves.std()), float(np.abs(moves).max())
