"""Stage `study`: what pages lay beside printed results and no other stage makes, fitted once and kept as files.

It stands apart from `report` so that a page never fits anything, and from `hindcast` so that a change to a study leaves the
forecasts alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path

from foresaid.files import rounded, write_bytes
from foresaid.params import Params
from foresaid.registry import database
from foresaid.registry.view import View
from foresaid.studies import data_ranking, direct_power, law_sections, no_law
from foresaid.studies.benchmark_space import agents, study
from foresaid.studies.law_sections import LawSection
from foresaid.studies.transfer import section as transfer

BENCHMARK_SPACE = "benchmark_space.json"  # below build/
LAW_STUDIES = "law_studies.json"  # below build/
DIGITS = 10  # significant digits kept, as in the frames of the other stages
STUDIES: tuple[Callable[[Callable[[date], View], Params], LawSection | None], ...] = (
    agents.section,
    transfer.section,
    data_ranking.section,
    no_law.section,
    direct_power.section,
)


def run(params: Params, build: Path) -> bool:
    """Write build/benchmark_space.json (null where the record lacks the paper's tables) and build/law_studies.json.

    Returns whether there was something to study.
    """
    connection = database.open_database(build / "database")
    found = study.study(database.as_of(connection, study.DAY), params.seed) if study.SOURCE in params.sources else None
    as_of = partial(database.as_of, connection)
    sections = [one for make in STUDIES if (one := make(as_of, params)) is not None]
    connection.close()
    _write(build / BENCHMARK_SPACE, None if found is None else rounded(study.to_plain(found), DIGITS))
    _write(build / LAW_STUDIES, [law_sections.to_plain(one) for one in sections])
    return found is not None or bool(sections)


def _write(path: Path, plain: object) -> None:
    write_bytes(path, (json.dumps(plain, indent=1, sort_keys=True, allow_nan=False) + "\n").encode())
