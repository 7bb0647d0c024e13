"""A simulation study on a law's page: numbers, shares with their uncertainty, lists of records, and one drawn example.

A study is whatever the law left in its metrics; this module knows shapes of values, not the law that made them.
"""

from __future__ import annotations

from typing import Any

from foresaid import text
from foresaid.report.charts import example
from foresaid.text import number


def shown(result: Any) -> dict[str, Any] | None:
    """A simulation study as the law left it: its single numbers, and each list of records as a table."""
    if not result:
        return None
    words, grids = [], []
    drawn = None
    if {"example_points", "example_curves"} <= set(result):
        what = "The first simulation: simulated scores and the fitted law"
        drawn = example(result["example_points"], result["example_curves"], what, "pre-training loss (nats per token)")
    for key, value in result.items():
        label = str(key).replace("_", " ")
        if str(key) in ("example_points", "example_curves"):
            continue
        if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
            header = list(value[0])
            cells = [[_cell(row.get(name)) for name in header] for row in value]
            grids.append({"title": label, "header": [name.replace("_", " ") for name in header], "rows": cells})
        elif isinstance(value, dict) and {"count", "of", "share", "lower_95", "upper_95"} == set(value):
            ends = f"{text.percent(value['lower_95'])} to {text.percent(value['upper_95'])}"
            said = f"{value['count']:,} of {value['of']:,}, {text.percent(value['share'])} (95 % range {ends})"
            words.append((label, said))
        elif isinstance(value, dict):
            words += [(f"{label}, {str(inner).replace('_', ' ')}", _cell(one)) for inner, one in value.items()]
        else:
            words.append((label, _cell(value)))
    return {"words": words, "grids": grids, "drawing": drawn}


def _cell(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: text.DASH}[value]
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return number(value)
    if isinstance(value, list):
        return ", ".join(_cell(one) for one in value)
    return str(value)
