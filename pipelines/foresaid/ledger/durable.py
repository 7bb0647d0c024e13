"""Writing that a kill, a full disk or another writer cannot tear: one writer at a time, and a name only for what is whole.

Every file is first written under a name that nothing reads, checked, flushed and read back, and then takes its name in one
step; after that its folder is flushed. What a killed writer left under such a name is removed by the next.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from foresaid.errors import LedgerError
from foresaid.files import beside, flush_folder
from foresaid.ledger import layout
from foresaid.ledger.layout import STRAY, is_evidence
from foresaid.ledger.log import anchors


@contextmanager
def writing(ledger: Path) -> Iterator[None]:
    """Be the only writer; first remove what a killed writer left. The lock goes away with the process."""
    try:
        folder = os.open(ledger, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise LedgerError(f"{ledger}: no ledger here: {error.strerror}; `create` makes one") from None
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            for stray in [
                *ledger.glob(f"batches/??/{STRAY}*"),
                *ledger.glob(f"log/**/{STRAY}*"),
                *ledger.glob(f"*/{STRAY}*"),
                *ledger.glob(f"*/*/{STRAY}*"),
            ]:
                stray.unlink(missing_ok=True)
            complete_sums(ledger)
            yield
        finally:
            os.close(folder)  # a disk may report a failure as late as here
    except OSError as error:
        raise LedgerError(f"{error.filename or ledger}: cannot be written: {error.strerror}; try again") from error


def complete_sums(ledger: Path, replacing: Collection[str] = ()) -> None:
    """Write down the sums of evidence that a killed writer added without its sum; sums that stand there are not touched.

    Of files that are about to be `replaced` the sum is dropped, so that a kill in between leaves one without and not one with
    a false sum, which nobody could tell from corruption.
    """
    sums = ledger / layout.SUMS
    lines = sums.read_bytes().splitlines(keepends=True) if sums.exists() else []
    written = {line[66:-1].decode("utf-8", "replace"): line for line in lines}
    places = ("policy.txt", "tsa/*", "receipts/*/*", "signatures/*", f"{layout.FOLDER}/*/*")
    paths = [path for place in places for path in ledger.glob(place) if path.is_file() and not path.is_symlink()]
    names = [name for path in paths if is_evidence(name := path.relative_to(ledger).as_posix())]
    summed = {name: line for name, line in written.items() if name not in replacing}
    summed |= {name: anchors.sums({name: (ledger / name).read_bytes()}) for name in names if name not in written}
    if summed != written:
        replace_file(sums, b"".join(summed[name] for name in sorted(summed)))


@contextmanager
def _temporary(path: Path, data: bytes) -> Iterator[Path]:
    """A file with these bytes, safely on disk and read back, under a name that the verifier knows for a killed writer's."""
    with beside(path, data, prefix=STRAY) as temporary:
        if temporary.read_bytes() != data:
            raise LedgerError(f"{temporary}: reads back other bytes than were written; check the disk")
        yield temporary


def add(path: Path, data: bytes) -> None:
    """Write a file that must not exist yet; if it does, it must have these bytes already."""
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True)
        flush_folder(path.parent.parent)
        flush_folder(path.parent.parent.parent)
    with _temporary(path, data) as temporary:
        try:
            os.link(temporary, path)
        except FileExistsError:
            if path.read_bytes() != data:
                raise LedgerError(f"{path}: exists with other bytes") from None
        except OSError:  # a file system without hard links; the lock keeps other writers out
            if path.exists():
                raise
            os.rename(temporary, path)
    flush_folder(path.parent)


def replace_file(path: Path, data: bytes) -> None:
    """Write a file in the place of the one that is there, in one step."""
    with _temporary(path, data) as temporary:
        os.replace(temporary, path)
    flush_folder(path.parent)
