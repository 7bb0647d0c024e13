"""Writing results so that equal results are equal bytes, and a broken run leaves what was there.

Every file is written beside its place and moved there when it is whole. JSON is sorted, indented and rounded: a last
digit that depends on the machine's arithmetic would show up as a change where nothing changed.
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foresaid.errors import UnreadableError

if TYPE_CHECKING:  # polars takes a fifth of a second to load, and who writes text does not need it
    import polars as pl

MODE = 0o644
DIGITS = 6  # significant digits of a number in a metrics file
FRAME_DIGITS = 10  # significant digits of a number in a Parquet file
SAME = 10.0 ** (1 - FRAME_DIGITS)  # two numbers this close, relatively, may be one number that was rounded to FRAME_DIGITS


def rounded(value: Any, digits: int = DIGITS) -> Any:
    """Round every float of a nested value to so many significant digits; what is not finite becomes null.

    >>> rounded({"a": [0.123456789, float("nan")], "b": 3})
    {'a': [0.123457, None], 'b': 3}
    """
    if isinstance(value, dict):
        return {str(key): rounded(item, digits) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item, digits) for item in value]
    if isinstance(value, float):
        return float(f"{value:.{digits}g}") if math.isfinite(value) else None
    return value


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Name the file in what the system says: a full disk names none."""
    try:
        yield
    except OSError as error:
        raise type(error)(error.errno, error.strerror or str(error), str(path)) from None


def write_bytes(path: Path, content: bytes, durable: bool = True) -> None:
    """Write a whole file or nothing; one that is not `durable` may be torn by a loss of power, which its reader has to notice."""
    write({path: content}, durable)


def write_json(path: Path, value: Any) -> None:
    """Write a metrics file: sorted keys, rounded numbers, a newline at the end."""
    text = json.dumps(rounded(value), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    write_bytes(path, (text + "\n").encode())


def write_lines(path: Path, lines: Iterable[bytes]) -> None:
    """Write a file of canonical JSON lines."""
    write_bytes(path, b"".join(lines))


def write_frame(path: Path, frame: pl.DataFrame) -> None:
    """Write a frame as Parquet, floats rounded to ten significant digits."""
    import polars as pl

    floats = [
        pl.col(name).round_sig_figs(FRAME_DIGITS) for name, kind in frame.schema.items() if kind in (pl.Float64, pl.Float32)
    ] + [
        pl.col(name).list.eval(pl.element().round_sig_figs(FRAME_DIGITS))
        for name, kind in frame.schema.items()
        if kind == pl.List(pl.Float64)
    ]
    buffer = io.BytesIO()
    frame.with_columns(floats).write_parquet(buffer, compression="zstd", statistics=False)
    write_bytes(path, buffer.getvalue())


@contextmanager
def reading_parquet(path: Path) -> Iterator[None]:
    """Turn whatever reading this Parquet file meets (missing, cut, another format) into UnreadableError with its name."""
    import polars as pl

    if not path.is_file():
        raise UnreadableError(f"{path}: found no file, expected the output of a stage; run `dvc repro`")
    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        said = (str(error).splitlines() or [""])[0][:120]
        raise UnreadableError(f"{path}: found {said}, expected a whole Parquet file; delete it and run `dvc repro`") from None


def read_json(path: Path, made_by: str = "dvc repro") -> Any:
    """Read a JSON file that a stage wrote; a `.jsonl` file is a list, one value a line. UnreadableError where it is damaged."""
    try:
        text = path.read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()] if path.suffix == ".jsonl" else json.loads(text)
    except OSError as error:
        raise UnreadableError(f"{path}: {error.strerror}, expected the output of a stage; run `{made_by}`") from None
    except ValueError as error:
        raise UnreadableError(f"{path}: found {error}, expected JSON as a stage wrote it; delete it and run `{made_by}`") from None


def read_frame(path: Path, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """Read a Parquet file that a stage wrote. Raises UnreadableError where it is missing or damaged."""
    import polars as pl

    with reading_parquet(path):
        return pl.read_parquet(path, columns=list(columns) if columns else None, memory_map=False)


@contextmanager
def beside(path: Path, content: bytes, durable: bool = True, prefix: str = "") -> Iterator[Path]:
    """A new file with this content in the folder of `path`, under a name that nothing reads; gone at the end unless it was renamed.

    Every atomic write goes through here. With `durable` the bytes are safely on disk before the file is handed over; the name it
    gets afterwards is not, until `flush_folder`. `prefix` begins the name, by default that of `path` behind a dot.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=prefix or f".{path.name}.")
    temporary = Path(name)
    try:
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(handle, rest) :]
            os.fchmod(handle, MODE)
            if durable:
                os.fsync(handle)
        finally:
            os.close(handle)  # a disk may report a failure as late as here
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def flush_folder(folder: Path) -> None:
    """Make the names in a folder safe on disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_csv(path: Path, expected: str) -> tuple[list[str], list[dict[str | Any, str | Any]]]:
    """Header and rows of a CSV file that a person brings: UTF-8, with or without the byte-order mark spreadsheets write.

    A cell too few is None, cells too many are a list under the key None. `expected` says in an error what the file should hold.
    Raises UnreadableError where it is missing, no UTF-8 or no CSV.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            return list(reader.fieldnames or []), list(reader)
    except OSError as error:
        raise UnreadableError(f"{path}: {error.strerror}, expected {expected}") from None
    except UnicodeDecodeError as error:
        byte = f"byte 0x{error.object[error.start]:02x} at {error.start}"
        raise UnreadableError(f"{path}: found {byte}, expected {expected}; save the file as UTF-8") from None
    except csv.Error as error:
        raise UnreadableError(f"{path}: found {error}, expected {expected}") from None


def write(contents: Mapping[Path, bytes], durable: bool = True) -> None:
    """Write several files, all or none: each beside its place first, then renamed into it."""
    with ExitStack() as open_files:
        waiting = []
        for path, content in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with _naming(path):
                waiting.append((open_files.enter_context(beside(path, content, durable)), path))
        for temporary, path in waiting:
            os.replace(temporary, path)
