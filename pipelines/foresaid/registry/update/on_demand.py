"""Sources whose licence does not allow a copy in registry/: read from the user's own download when they are switched on.

Their rows go below build/ and nowhere else. The day of recording is the one their card was made on, so that the same files give the
same bytes on any day.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from foresaid.registry import load as ingest
from foresaid.registry import source_card
from foresaid.registry.update.update import update


def missing(registry: Path, build: Path, sources: Sequence[str]) -> list[source_card.Source]:
    """The sources among these that are read on demand and have not been yet."""
    found = []
    for name in sources:
        path = registry / "sources" / name / "source.toml"
        if path.is_file():  # a source that is not there is named by ingest
            source = source_card.read(path, source_card.label(registry, "sources", name, "source.toml"), name)
            if not source.embedded and not (ingest.rows_folder(registry, build, source) / "observations.csv").exists():
                found.append(source)
    return found


def fetch(registry: Path, build: Path, sources: Sequence[str], mirror: Path | None) -> list[str]:
    """Read what is missing from a mirror, where there is one; return a line for each source read."""
    if mirror is None:
        return []
    lines = []
    for source in missing(registry, build, sources):
        change = update(source.name, mirror, registry, source.accessed, build=build)
        lines.append(f"{source.name}: {change.rows} rows read on demand, none of them into registry/")
    return lines
