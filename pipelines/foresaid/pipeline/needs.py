"""Stage `needs`: for every stage that reads the database, one file of all that decides its result but other stages' outputs.

It joins what stage `inputs` says of the stage's settings and code to the digests of the tables. DVC looks at each dependency of
each stage each time it is asked, so one file in place of two spares a thirtieth of an answer that there is nothing to do.
"""

from __future__ import annotations

import json
from pathlib import Path

from foresaid.errors import UnreadableError
from foresaid.files import read_json, write_bytes

BEFORE = ("ingest.json", "database.json")  # the stages that make the database


def run(build: Path) -> int:
    """Write `build/needs` from `build/inputs` and the digests of the database, a file for a file; return how many there are.

    Raises UnreadableError where one of the two was not made.
    """
    record, folder = read_json(build / "database" / "digests.json"), build / "inputs"
    names = [path.relative_to(folder) for path in sorted(folder.rglob("*.json"))]
    if not names:
        raise UnreadableError(f"{folder}: found no file, expected the output of `foresaid inputs`; run `dvc repro`")
    later = [name for name in names if name.as_posix() not in BEFORE]
    for name in later:
        text = json.dumps({**read_json(folder / name), "record": record}, indent=1, sort_keys=True, ensure_ascii=False)
        write_bytes(build / "needs" / name, (text + "\n").encode())
    return len(later)
