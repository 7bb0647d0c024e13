"""The comparison with preregistered results, as a table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foresaid.studies.preregistration import Comparison


def markdown(lines: Sequence[Comparison]) -> list[str]:
    """Return the table as Markdown."""
    made = [
        "| task | forecaster | rows (releases) | MAE | WIS (90 % interval) | coverage of the 80 % interval |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for one in lines:
        share = "no interval" if np.isnan(one.coverage) else f"{one.coverage:.0%}"
        spread = f"{one.wis:.4f} ({one.low:.4f} to {one.high:.4f})"
        made.append(f"| {one.task} | {one.forecaster} | {one.rows} ({one.releases}) | {one.mae:.4f} | {spread} | {share} |")
    return made
