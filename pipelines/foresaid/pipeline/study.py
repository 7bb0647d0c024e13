"""Stage `study`: what a page lays beside printed results and no other stage makes, fitted once and kept as a file.

It stands apart from `report` so that a page never fits anything, and from `hindcast` so that a change to a study leaves the
forecasts alone.
"""

from __future__ import annotations

import json
from pathlib import Path

from foresaid.files import rounded, write_bytes
from foresaid.params import Params
from foresaid.registry import database
from foresaid.studies.benchmark_space import study

BENCHMARK_SPACE = "benchmark_space.json"  # below build/
DIGITS = 10  # significant digits kept, as in the frames of the other stages


def run(params: Params, build: Path) -> bool:
    """Write build/benchmark_space.json: the principal-component space of benchmarks, or null where the record lacks its tables.

    Returns whether there was something to study.
    """
    found = None
    if study.SOURCE in params.sources:
        connection = database.open_database(build / "database")
        found = study.study(database.as_of(connection, study.DAY), params.seed)
        connection.close()
    plain = None if found is None else rounded(study.to_plain(found), DIGITS)
    write_bytes(build / BENCHMARK_SPACE, (json.dumps(plain, indent=1, sort_keys=True, allow_nan=False) + "\n").encode())
    return found is not None
