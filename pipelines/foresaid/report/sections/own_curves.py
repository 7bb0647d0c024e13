"""Forecasts of a person's own curves as tables of a terminal and as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from foresaid.scoring.levels import LEVELS
from foresaid.studies.own_curves.forecasts import OwnForecast, scores
from foresaid.text import columns, number, percent


def lines(made: Sequence[OwnForecast]) -> list[str]:
    """Write the forecast of every held-out row, then the scores of what is known, the least WIS first."""
    rows = [["file", "series", "law", "sizes", "trained on", "median", "80 % from", "to", "observed", "status"]]
    for one in made:
        trained = f"{one.trained} ({one.of_record} of the record)" if one.of_record else str(one.trained)
        if one.quantiles is None:
            rows.append([one.file, one.series, one.law, "", trained, "no forecast", "", "", "", f"{one.status}: {one.reason}"])
            continue
        low, middle, high = (one.quantiles[:, LEVELS.index(level)] for level in (0.1, 0.5, 0.9))
        for i, sizes in enumerate(one.sizes):
            said = " × ".join(f"{size:.3g}" for size in sizes)
            cells = [number(float(value)) for value in (middle[i], low[i], high[i], one.outcomes[i])]
            rows.append([one.file, one.series, one.law, said, trained, *cells, one.status])
    made_lines = columns(rows, (0, 1, 2, 9))
    found = sorted(scores(made).items(), key=lambda item: (item[0][0], item[1]["wis"]))
    if found:
        shares = list(found[0][1])[4:]
        table = [["file", "law", "rows", "series", "WIS", "mean absolute error", *(f"coverage {share}" for share in shares)]]
        for (file, law), line in found:
            inside = [percent(line[share]) for share in shares]
            table.append([file, law, f"{line['n']:g}", f"{line['series']:g}", number(line["wis"]), number(line["mae"]), *inside])
        made_lines += ["", *columns(table, (0, 1))]
    return made_lines


def as_plain(made: Sequence[OwnForecast]) -> dict[str, Any]:
    """Turn forecasts and scores into what JSON holds; what is not known is null."""

    def finite(values: Any) -> list[float | None]:
        return [float(value) if np.isfinite(value) else None for value in values]

    each = [
        {
            "file": one.file, "series": one.series, "law": one.law, "status": one.status, "reason": one.reason,
            "trained": one.trained, "of_record": one.of_record, "sizes": one.sizes.tolist(), "observed": finite(one.outcomes),
            "point": finite(one.point), "quantiles": None if one.quantiles is None else one.quantiles.tolist(),
        }
        for one in made
    ]  # fmt: skip
    told = [{"file": file, "law": law, **line} for (file, law), line in scores(made).items()]
    return {"levels": list(LEVELS), "forecasts": each, "scores": told}
