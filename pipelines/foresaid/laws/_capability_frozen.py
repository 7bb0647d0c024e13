"""A frozen capability forecast: numbers that still answer in ten years, without the training rows and without a fit.

For the target "first release of line L, tier T at effort E" it keeps, for the first of each month, the joint Gaussian of all
benchmarks of that release on the probit scale: a mean vector and a covariance matrix, with what brings them back to shares
(chance levels, ceilings, items, noise, the factor on the standard deviation). The unconditional forecast is read off; the
conditional one is one Gaussian conditioning on whatever scores of the release are known. Behind the benchmarks of that system may
stand cells of its siblings: the same model at another effort, or another tier of the launch. Between months mean and covariance
are interpolated linearly.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from scipy.special import ndtri

from foresaid.arrays import Array
from foresaid.errors import RecordError
from foresaid.laws._capability_model import NEW, Joint, Model, joint, predictive, told
from foresaid.laws._capability_rows import Benchmarks, Codes, Systems, years
from foresaid.registry import systems

FORMAT = "capability/1"


@dataclass(frozen=True)
class Sibling:
    """A cell of another system of the launch: line, tier, settings as the record spells them, benchmark."""

    line: str
    tier: str
    system: str
    benchmark: str

    @property
    def effort(self) -> float:
        """The effort of its settings as an ordered number; NaN where they state none."""
        words = dict(part.split("=", 1) for part in systems.split(self.system)[0].split(";") if "=" in part)
        found = systems.effort_number(words.get("effort", words.get("thinking", "")))
        return float("nan") if found is None else found


@dataclass(frozen=True)
class Frozen:
    """The joint forecast of one target on a grid of days, noise-free, on the probit scale.

    Mean (D, C) and covariance (D, C, C) of C cells: the Q benchmarks of the system asked for, then its siblings.
    """

    line: str
    tier: str
    effort: float | None
    days: tuple[date, ...]
    benchmarks: Benchmarks
    mean: Array
    covariance: Array
    noise: Array
    factor: float
    siblings: tuple[Sibling, ...] = ()

    @property
    def codes(self) -> Codes:
        """The benchmark of each cell (C,)."""
        names = self.benchmarks.names
        return np.array([*range(len(names)), *(names.index(one.benchmark) for one in self.siblings)], dtype=np.intp)

    def at(self, day: date) -> Joint:
        """Return the joint Gaussian of all benchmarks for a release on `day`; RecordError outside the grid."""
        if not self.days[0] <= day <= self.days[-1]:
            raise RecordError(f"frozen capability forecast: found release day {day}, expected {self.days[0]} to {self.days[-1]}")
        place = [known.toordinal() for known in self.days]
        right = max(1, int(np.searchsorted(place, day.toordinal(), side="left"))) if len(place) > 1 else 0
        left = max(right - 1, 0)
        share = (day.toordinal() - place[left]) / (place[right] - place[left]) if right > left else 0.0
        mean = (1.0 - share) * self.mean[left] + share * self.mean[right]
        covariance = (1.0 - share) * self.covariance[left] + share * self.covariance[right]
        return Joint(np.zeros_like(self.codes), self.codes, mean, covariance, self.noise[self.codes], self.benchmarks)

    def quantiles(
        self,
        day: date,
        levels: Sequence[float],
        known: Mapping[str, float] | None = None,
        siblings: Mapping[Sibling, float] | None = None,
    ) -> Array:
        """Quantiles (Q, L) in shares of one for a release on `day`, given the published scores `known` (benchmark -> share).

        `siblings` are published scores of the siblings; RecordError for one that the forecast does not hold.
        """
        found, count = self.at(day), len(self.benchmarks.names)
        for one in siblings or {}:
            if one not in self.siblings:
                raise RecordError(f"frozen capability forecast: found the sibling {one}, expected one of its {len(self.siblings)}")
        beside = {count + self.siblings.index(one): value for one, value in (siblings or {}).items()}
        mean, covariance = told(found, known or {}, beside)
        mean, sd = predictive(found, mean, np.diag(covariance))
        z = mean[:, None] + self.factor * sd[:, None] * ndtri(np.asarray(levels))[None, :]
        return self.benchmarks.to_share(found.q, z)[:count]


def months(first: date, last: date) -> tuple[date, ...]:
    """The first of each month from the month of `first` to the first that is not before `last`.

    >>> [str(day) for day in months(date(2026, 11, 5), date(2027, 1, 1))]
    ['2026-11-01', '2026-12-01', '2027-01-01']
    """
    found = [first.replace(day=1)]
    while found[-1] < last:
        year, month = divmod(found[-1].year * 12 + found[-1].month, 12)
        found.append(date(year, month + 1, 1))
    return tuple(found)


def freeze(
    model: Model,
    line: str,
    tier: str,
    maker: str,
    effort: float | None,
    days: Sequence[date],
    factor: float,
    siblings: Sequence[Sibling] = (),
) -> Frozen:
    """Freeze the joint forecast of the first release of a line and tier at an effort, on the given days in order.

    With it the cells of `siblings` of that launch, so that their scores can be conditioned on once they are published.
    """
    if not days or list(days) != sorted(set(days)):
        raise RecordError(f"frozen capability forecast: found days {[str(day) for day in days]}, expected at least one, ascending")
    names = model.cells.benchmarks.names
    own = [Sibling(line, tier, "", name) for name in names]
    cells = [*own, *siblings]
    q = np.array([names.index(one.benchmark) for one in cells], dtype=np.intp)
    stated = [np.nan if effort is None else effort] * len(own) + [one.effort for one in siblings]
    ids = [NEW] * len(own) + [f"{NEW}{number}" for number in range(1, len(siblings) + 1)]
    models = [f"{NEW}{one.line}/{one.tier}" for one in cells]  # of one line and tier a launch has one model

    def on(day: date) -> Joint:
        launch = Systems(
            tuple(ids), tuple(models), (maker,) * len(cells), tuple(one.line for one in cells), tuple(one.tier for one in cells),
            (NEW,) * len(cells), np.full(len(cells), years(day)), np.array(stated),
        )  # fmt: skip
        return joint(model, launch, np.arange(len(cells), dtype=np.intp), q)

    found = [on(day) for day in days]
    means, covariances = np.stack([one.mean for one in found]), np.stack([one.covariance for one in found])
    noise = model.sizes.noise
    return Frozen(line, tier, effort, tuple(days), model.cells.benchmarks, means, covariances, noise, factor, tuple(siblings))


def to_json(frozen: Frozen) -> str:
    """Write a frozen forecast as JSON, keys sorted, numbers to 12 significant digits (1e-12 on the probit scale says nothing)."""
    triangle = np.tril_indices(len(frozen.codes))

    def plain(values: Array) -> list[float | None]:
        return [None if not np.isfinite(value) else float(f"{value:.12g}") for value in values]

    record = {
        "format": FORMAT,
        "line": frozen.line,
        "tier": frozen.tier,
        "effort": frozen.effort,
        "days": [day.isoformat() for day in frozen.days],
        "benchmarks": list(frozen.benchmarks.names),
        "chance": plain(frozen.benchmarks.chance),
        "ceiling": plain(frozen.benchmarks.ceiling),
        "items": plain(frozen.benchmarks.items),
        "siblings": [[one.line, one.tier, one.system, one.benchmark] for one in frozen.siblings],
        "mean": [plain(row) for row in frozen.mean],
        "covariance_lower": [plain(matrix[triangle]) for matrix in frozen.covariance],
        "noise_variance": plain(frozen.noise),
        "factor": frozen.factor,
    }
    return json.dumps(record, sort_keys=True, indent=1, allow_nan=False) + "\n"


def from_json(text: str) -> Frozen:
    """Read what `to_json` wrote; RecordError for another format or a part that does not fit the others."""
    try:
        record = json.loads(text)
    except json.JSONDecodeError as error:
        raise _unread(error) from None
    return from_plain(record)


def from_plain(record: Mapping[str, Any]) -> Frozen:
    """The same of what the JSON holds, as plain values."""
    try:
        if record.get("format") != FORMAT:
            raise RecordError(f"frozen capability forecast: found format {record.get('format')!r}, expected {FORMAT!r}")
        names = tuple(str(name) for name in record["benchmarks"])
        count, days = len(names), tuple(date.fromisoformat(day) for day in record["days"])
        siblings = tuple(Sibling(*map(str, one)) for one in record["siblings"])
        cells = count + len(siblings)
        items = np.array([np.nan if value is None else float(value) for value in record["items"]])
        mean, lower = np.array(record["mean"], dtype=float), np.array(record["covariance_lower"], dtype=float)
        if mean.shape != (len(days), cells) or lower.shape != (len(days), cells * (cells + 1) // 2) or len(items) != count:
            raise RecordError("frozen capability forecast: the sizes of days, benchmarks, mean and covariance do not agree")
        covariance = np.zeros((len(days), cells, cells))
        rows, columns = np.tril_indices(cells)
        covariance[:, rows, columns] = lower
        covariance[:, columns, rows] = lower
        chance, ceiling = (np.array(record[name], dtype=float) for name in ("chance", "ceiling"))
        if not chance.shape == ceiling.shape == (count,) or not (chance < ceiling).all():
            raise RecordError("frozen capability forecast: chance and ceiling do not fit the benchmarks, or a ceiling is not above")
        benchmarks = Benchmarks(names, chance, items, ceiling)
        effort = None if record["effort"] is None else float(record["effort"])
        noise, factor = np.array(record["noise_variance"], dtype=float), float(record["factor"])
        if noise.shape != (count,) or not np.isfinite([*noise, factor]).all():
            raise RecordError("frozen capability forecast: noise_variance does not fit the benchmarks, or is no number")
        return Frozen(str(record["line"]), str(record["tier"]), effort, days, benchmarks, mean, covariance, noise, factor, siblings)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _unread(error) from None


def _unread(error: Exception) -> RecordError:
    return RecordError(f"frozen capability forecast: {error}; expected JSON of format {FORMAT!r}")
