"""Results of upstream files that the record does not hold, kept in registry/protocols: where, and how they are written and read.

A study that reads such files is made by its command with --write; pages and tests read what was kept, numbers to six digits.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from foresaid.errors import UnreadableError
from foresaid.files import write_json


def place(registry: Path, name: str) -> Path:
    """Return where the result of that name is kept."""
    return registry / "protocols" / f"{name}.json"


def write(registry: Path, name: str, plain: Any) -> Path:
    """Keep a result made of dictionaries, lists, text and numbers."""
    path = place(registry, name)
    write_json(path, plain)
    return path


def read(registry: Path, name: str) -> Any:
    """Return a kept result, or None where there is none. Raises UnreadableError for a file that is no JSON."""
    path = place(registry, name)
    if not path.is_file():
        return None
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UnreadableError(f"{path}: found {error}, expected JSON; make it anew with --write") from None
