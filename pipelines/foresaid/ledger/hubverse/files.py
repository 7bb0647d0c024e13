"""The tables of a hub on disk: written so that equal hubs are equal bytes, read with every cell as text.

A file that is read may be anybody's: nothing is guessed from it, so that `01` stays a location and `0.10` a level. What cannot be
read is UnreadableError with the file's name.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from foresaid import parquet
from foresaid.errors import ParameterError, UnreadableError
from foresaid.files import write
from foresaid.ledger.hubverse.configuration import CONFIG, OUTPUT, TARGET_DATA, TASKS, VALUES
from foresaid.ledger.hubverse.export import Hub
from foresaid.ledger.hubverse.tasks import ROUND, SUBJECT, TARGET, TARGET_DATE, TASK_IDS

if TYPE_CHECKING:
    import polars as pl

Observation = tuple[date, str, str, date, float]  # target_date (day of release), target, subject, as_of, observation
READABLE = ("csv", "parquet")


def write_hub(hub: Hub, history: Iterable[Observation], folder: Path, ending: str) -> dict[str, int]:
    """Write every file of a hub, all or none; return the rows of each table. A folder that holds something else is refused."""
    import polars as pl

    if folder.is_dir() and any(folder.iterdir()) and not (folder / CONFIG / TASKS).is_file():
        raise ParameterError(f"{folder}: found a folder that is no hub, expected a new or empty one, or a hub to write again")
    order = [TARGET, SUBJECT, TARGET_DATE]
    dates = {ROUND: pl.Date, TARGET_DATE: pl.Date, "as_of": pl.Date}
    kinds = dict.fromkeys(("output_type_id", "value", "observation", "oracle_value"), pl.Float64)

    def table(columns: Sequence[str], rows: Iterable[tuple[object, ...]], by: Sequence[str]) -> pl.DataFrame:
        schema = {name: dates.get(name) or kinds.get(name) or pl.String for name in columns}
        return pl.DataFrame(list(rows), schema=schema, orient="row").sort(by, maintain_order=True)

    made: dict[str, pl.DataFrame] = {}
    for (model, day), rows in hub.forecasts.items():
        made[f"{OUTPUT}/{model}/{day}-{model}"] = table((*TASK_IDS, *VALUES), rows, order)
    about = (TARGET_DATE, TARGET, SUBJECT, "as_of")
    made[f"{TARGET_DATA}/time-series"] = table((*about, "observation"), history, [*order, "as_of"])
    made[f"{TARGET_DATA}/oracle-output"] = table((*about, "oracle_value"), hub.outcomes, order)
    contents = {folder / path: text.encode() for path, text in hub.texts.items()}
    contents |= {folder / f"{path}.{ending}": dump(frame, ending) for path, frame in made.items()}
    write(contents, durable=False)
    return {path: frame.height for path, frame in made.items()}


def dump(frame: pl.DataFrame, ending: str) -> bytes:
    """A table as CSV or Parquet."""
    buffer = io.BytesIO()
    if ending == "csv":
        frame.write_csv(buffer)
    else:
        frame.write_parquet(buffer, compression="zstd", statistics=False)
    return buffer.getvalue()


def read_table(path: Path) -> pl.DataFrame:
    """A table of forecasts with every cell as text, its column `row` counting from 1 (in CSV, behind the header).

    A missing cell is the empty text. Raises UnreadableError where the file is missing, cut, or of another format.
    """
    import polars as pl

    try:
        if path.suffix == ".csv":
            frame = pl.read_csv(io.BytesIO(path.read_bytes().decode("utf-8-sig").encode()), infer_schema=False).fill_null("")
        else:
            frame = parquet.read(path)
            frame = frame.select(pl.col(name).cast(pl.String).fill_null("") for name in frame.columns)
    except parquet.ParquetError as error:
        raise UnreadableError(f"{path}: {error}") from None
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, UnicodeDecodeError, OSError) as error:
        said = (str(error).splitlines() or [""])[0][:120]
        raise UnreadableError(f"{path}: found {said}, expected a whole {path.suffix.removeprefix('.')} file") from None
    return frame.with_row_index("row", offset=1).with_columns(pl.col("row").cast(pl.Int64)) if "row" not in frame.columns else frame


def listed(folder: Path, outputs: str) -> Mapping[str, Path]:
    """The files below the folder of forecasts by their path in it, sorted; README files and hidden ones are none."""
    place = folder / outputs
    if not place.resolve().is_relative_to(folder.resolve()):
        raise UnreadableError(f"{folder}: found model_output_dir {outputs}, expected a folder of the hub")
    found = sorted(path for path in place.rglob("*") if path.is_file()) if place.is_dir() else []
    return {path.relative_to(place).as_posix(): path for path in found if not path.name.startswith((".", "README"))}
