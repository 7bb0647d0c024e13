"""The training rows behind a batch, kept beside the ledger so that anybody can look at them again.

A snapshot is a file of canonical lines, one training row each, named by the SHA-256 of those lines and compressed with gzip:
`gzip -dc NAME.jsonl.gz | sha256sum` prints its name. The header of a batch states its size, so that reading stops there however
far a hostile file would unfold. It is written before the batch that names it: a kill in between leaves a snapshot that nobody
names, never a batch whose rows are gone.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from foresaid.errors import LedgerError, UnreadableError
from foresaid.files import write

SUFFIX = ".jsonl.gz"
LEVEL = 9
LINE_BYTES = 1 << 20  # no training row is longer


def path_of(folder: Path, name: str) -> Path:
    """Where the snapshot with this SHA-256 stands.

    >>> path_of(Path("registry/snapshots"), "ab" * 32).name[:8]
    'abababab'
    """
    return folder / f"{name}{SUFFIX}"


def keep(folder: Path, content: bytes) -> str:
    """Write a snapshot unless it is there, and return its name; one that is there is read back and compared.

    Raises LedgerError where a file of that name holds other rows.
    """
    name = sha256(content).hexdigest()
    path = path_of(folder, name)
    if path.exists():
        try:
            found = b"".join(lines(path, len(content)))
        except LedgerError:
            found = b""
        if found != content:
            raise LedgerError(f"{path}: found other rows than its name says; remove the file and run `foresaid freeze` again")
    else:
        write({path: gzip.compress(content, LEVEL, mtime=0)})
    return name


def lines(path: Path, size: int) -> Iterator[bytes]:
    """The lines of a snapshot, newline included, up to the size that its batch states; `.jsonl` is read as it is.

    Raises LedgerError where there is more than `size` bytes or the file cannot be unfolded, UnreadableError where it is none.
    """
    if not path.is_file():
        raise UnreadableError(f"{path}: found no plain file")
    read = 0
    try:
        with gzip.open(path) if path.name.endswith(SUFFIX) else path.open("rb") as file:
            while line := file.readline(LINE_BYTES + 1):
                read += len(line)
                if read > size or len(line) > LINE_BYTES:
                    raise LedgerError(
                        f"{path.name}: found more than the {size} bytes that the batch states, or a longer line than a row"
                    )
                yield line
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise LedgerError(f"{path.name}: cannot be unfolded: {error}") from None
    except OSError as error:
        raise UnreadableError(f"{path}: cannot be read: {error.strerror}") from None


def find(folder: Path | None, name: str) -> Path | None:
    """The snapshot with this name in a folder, compressed or not; None where it is absent."""
    places = [] if folder is None else [path_of(folder, name), folder / f"{name}.jsonl"]
    return next((path for path in places if path.is_file()), None)
