"""Epoch's index file of 2026-08-11, read once for all tests of the frontier study."""

from __future__ import annotations

from functools import cache

import polars as pl
from tests.studies.capability.mirror import ECI_2026_08, mirror

from foresaid.laws._frontier_rows import Board
from foresaid.studies.frontier.boards import read


@cache
def index_file() -> tuple[list[Board], pl.DataFrame]:
    return read(mirror() / ECI_2026_08)


def boards() -> list[Board]:
    return index_file()[0]


def index_cells() -> pl.DataFrame:
    return index_file()[1]
