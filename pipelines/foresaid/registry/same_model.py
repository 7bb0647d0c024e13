"""Every name of a model, led to the one id that stands: spellings of aliases.csv, and ids given up in merges.csv.

The leak guard, the check of training snapshots and the resolution of targets ask here, so that none of them knows fewer names.
"""

from __future__ import annotations

import csv
from pathlib import Path


def names(registry: Path) -> dict[str, str]:
    """From each spelling, and each id that was given up, to an id; a file that is not there has no names."""
    found: dict[str, str] = {}
    for file, name, kept in (("aliases.csv", "alias", "id"), ("merges.csv", "model_id", "kept_as")):
        if not (registry / file).is_file():
            continue
        with (registry / file).open(encoding="utf-8", newline="") as rows:
            found |= {row[name]: row[kept] for row in csv.DictReader(rows) if row.get("kind", "model") == "model"}
    return found
