"""What was made before from the same is read back: parts of pages, charts, downloads, each under the digest of all it comes from.

An entry cannot be out of date, only unused, as those of fitting/cache.py: whoever names one digests what it depends on, code and
libraries included. It carries its own digest, and one that is torn or altered is made anew. What a run did not ask for is removed
at its end, so that the folder does not grow; the whole folder may be deleted at any time. It is no output of the pipeline: DVC
removes outputs before a run, and what is only faster with it than without it is nothing to share or to check.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import msgspec

from foresaid.files import write_bytes
from foresaid.fitting.dependencies import reached

PACKAGE = Path(__file__).parents[1]
Parts = dict[str, bytes]


class Kept:
    """A folder of entries; without a folder, nothing is kept and everything is made."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._used: set[str] = set()

    def of(self, name: str, make: Callable[[], Parts]) -> Parts:
        """The entry of this name; made, and kept, where there is none that is whole."""
        if self.folder is None:
            return make()
        self._used.add(name)
        found = _read(self.folder / name, name)
        if found is None:
            found = make()
            content = msgspec.msgpack.encode(found)
            write_bytes(self.folder / name, _digest(name, content) + content, durable=False)
        return found

    def has(self, name: str) -> bool:
        """Whether there is an entry of this name, whole or not; it is not dropped, even if nobody reads it."""
        self._used.add(name)
        return self.folder is not None and (self.folder / name).is_file()

    def drop_unused(self) -> None:
        """Remove what nobody asked for."""
        for path in self.folder.glob("*") if self.folder is not None else ():
            if path.name not in self._used:
                path.unlink(missing_ok=True)


def _digest(name: str, content: bytes) -> bytes:
    return sha256(name.encode() + content).digest()


def _read(path: Path, name: str) -> Parts | None:
    try:
        whole = path.read_bytes()
    except OSError:
        return None
    if _digest(name, whole[32:]) != whole[:32]:
        return None
    return msgspec.msgpack.decode(whole[32:], type=Parts)


def name_of(*stated: bytes) -> str:
    """The name of what was made from these: each part ends where its length says, so that no two lists of parts share a name.

    >>> name_of(b"ab", b"c") == name_of(b"a", b"bc")
    False
    """
    digest = sha256()
    for part in stated:
        digest.update(len(part).to_bytes(8) + part)
    return digest.hexdigest()


@cache
def program(files: tuple[str, ...], libraries: tuple[str, ...]) -> bytes:
    """Digest of these files of the package, all they import, and the versions of the libraries that they make something with."""
    paths = sorted(reached(PACKAGE, [PACKAGE / one for one in files]))
    texts = [part for path in paths for part in (path.relative_to(PACKAGE).as_posix().encode(), path.read_bytes())]
    return name_of(*texts, *(f"{one} {version(one)}".encode() for one in libraries)).encode()


NOTHING = Kept(None)
