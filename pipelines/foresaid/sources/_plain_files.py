"""Files of an upstream, taken only if they are what they should be: plain files below their folder, of a size that can be held.

A mirror is somebody else's folder. A link may lead out of it, a pipe never ends, a device has no size, and a small compressed
file may unfold to more than the machine has. All of that is refused before a byte is read.
"""

from __future__ import annotations

import stat
from pathlib import Path

from foresaid.errors import RecordError

FILE_BYTES = 500_000_000  # the largest file of any upstream so far has a fifth of it


def check(folder: Path, name: str) -> Path:
    """The path of an upstream file, if it is a plain one below the folder and not too large.

    Raises OSError where there is none, RecordError where it is something else.
    """
    path, label = folder / name, f"{folder.name}/{name}"
    if not path.resolve().is_relative_to(folder.resolve()):
        raise RecordError(f"{label}: found a link out of the folder, expected a file below it; copy the file there")
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise RecordError(f"{label}: found no plain file; copy the bytes into one")
    if status.st_size > FILE_BYTES:
        raise RecordError(f"{label}: found {status.st_size:,} bytes, expected at most {FILE_BYTES:,}; cut it into parts")
    return path
