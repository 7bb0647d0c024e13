"""The hindcast of a round as it is kept beside the round file: what the methods were worth before anything was frozen.

Kept and not computed again with the pages: it belongs to the draft, and a record that grew later must not change what was known of
a method when its forecasts were frozen. `foresaid ledger draft --keep-hindcast` writes it.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from foresaid.errors import UnreadableError
from foresaid.files import write

SCHEMA = {
    **dict.fromkeys(("kind", "method"), pl.String),
    "primary": pl.Boolean,
    **dict.fromkeys(("reference", "origins"), pl.String),  # origins: days, parted by blanks
    **dict.fromkeys(("rows", "draws"), pl.Int64),
    "wis": pl.Float64,  # in points of 100 of a share, in points of a rating
    **dict.fromkeys(("skill", "skill_05", "skill_95"), pl.Float64),
    **dict.fromkeys(("coverage_50", "coverage_80", "coverage_95"), pl.Float64),
    **dict.fromkeys(("coverage_50_by_draw", "coverage_80_by_draw", "coverage_95_by_draw"), pl.Float64),
}
PLACES = 6


def path_of(registry: Path, round_id: str) -> Path:
    """Where the kept hindcast of a round stands."""
    return registry / "rounds" / f"{round_id}-hindcast.csv"


def read(registry: Path, round_id: str) -> pl.DataFrame:
    """The kept rows of a round, without a row where none are kept; UnreadableError for a file of other columns."""
    path = path_of(registry, round_id)
    if not path.is_file():
        return pl.DataFrame(schema=SCHEMA)
    try:
        found = pl.read_csv(path, schema_overrides=SCHEMA)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise UnreadableError(
            f"{path}: found {str(error).splitlines()[0]}, expected the hindcast of a round; draft it again"
        ) from None
    if list(found.columns) != list(SCHEMA):
        raise UnreadableError(
            f"{path}: found the columns {', '.join(found.columns)[:200]}, expected {', '.join(SCHEMA)}; draft it again"
        )
    return found


def keep(registry: Path, round_id: str, means: pl.DataFrame) -> Path:
    """Write the rows of `hindcast.table` beside the file of their round; return the file."""
    path = path_of(registry, round_id)
    write({path: means.with_columns(pl.col(pl.Float64).round(PLACES)).write_csv(line_terminator="\n").encode()})
    return path
