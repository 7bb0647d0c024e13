"""Every known trap of the upstream files: what catches it, and whether it does on the real files.

The traps are those that the mirror's SOURCES.yaml lists, in its order. Each entry names the check and its rule; where the trap
sits in certain rows, those rows are found without the reader and set beside what the reader and the gate made of them.
`docs/traps.md` is written from this and compared by a test.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from foresaid.errors import UnreadableError
from foresaid.registry import load as ingest
from foresaid.registry.known_defects.defects import TRAPS
from foresaid.registry.known_defects.files import Files, Found
from foresaid.registry.known_defects.open_defects import OPEN
from foresaid.sources import _loader as sources

# The source of the record that holds each entry of SOURCES.yaml; the others carry their own name.
SOURCE = {
    "obsscaling-2024-05": "obsscaling",
    "gadre-scaling": "gadre",
    "pythia-evals": "pythia",
    "dclm-models": "dclm",
    "chinchilla-points": "chinchilla",
    "nmt-learning-curves": "nmt-curves",
    "koehn-knowles-2017": "koehn-knowles",
    "monkeys-power": "pass-at-k",
    "o1-mini-aime": "o1-mini",
    "epoch-hub-2026-03": "epoch-hub-external",
    "epoch-stitching-2025-12": "epoch-hub-external",
    "epoch-models-2026-01": "epoch-models",
    "livebench-2026-06": "livebench",
    "metr-horizon-2026-01": "metr-horizon",
    "lmarena-2025-08": "lmarena",
    "lmarena-history": "lmarena",
    "epoch-eci-2026-08": "epoch-eci",
    "epoch-hub-2026-04-11": "epoch-hub-external",
    "epoch-hub-2026-04-19": "epoch-hub-external",
    "epoch-hub-2026-05": "epoch-hub-external",
    "eci-2026-07": "epoch-hub",
    "weirdml-vintages": "weirdml-board",
    "forecastbench-vintages": "forecastbench",
    "benchpress-2026-06": "benchpress",
    "epoch-models-2026-07": "epoch-models",
    "models-dev-2026-07": "models-dev",
    "lmarena-2025-12": "arena-catalog",
    "arena-daily-2026-04": "arena-daily",
    "metr-runs-2025-02": "metr-runs",
}
LISTED = {**TRAPS, **OPEN}


def _said(entry: Mapping[str, Any]) -> list[str]:
    """The traps of an entry of SOURCES.yaml, whichever of the two keys they stand under."""
    return [*entry.get("traps", []), *entry.get("open_traps", [])]


def table(mirror: Path, registry: Path) -> tuple[str, int]:
    """Write the page of all traps from the real files; return it with the number of rows missed."""
    listed = yaml.safe_load((mirror / "SOURCES.yaml").read_text(encoding="utf-8"))["sources"]
    catalogue, problems = ingest.read_catalogue(registry)
    if problems:
        raise UnreadableError(f"{registry.name}: {problems[0]}")
    lines = [
        "# Known traps of the upstream files",
        "",
        "Written by `foresaid traps --from MIRROR` from the real files; a test compares. *Rows* are the real rows (values,",
        "cells, names or files) the trap sits in, found without the reader; *caught* those that the check handled by its",
        "rule; *false alarms* others it hit. A dash: the trap is a fact about the data, and the rule says what follows.",
        "",
        "| Source | Trap | Check | Rule | Rows | Caught | False alarms |",
        "| --- | --- | --- | --- | ---: | ---: | ---: |",
    ]
    missed = 0
    for entry in listed:
        name = SOURCE.get(entry["id"], entry["id"])
        ready = name in sources.names() and (registry / "sources" / name / "source.toml").is_file()
        files = Files(mirror, registry, entry["directory"], name, catalogue)
        for said, trap in zip(_said(entry), LISTED.get(entry["id"], ()), strict=True):
            figures = ("–", "–", "–")
            if trap.measure is not None and ready:
                found = trap.measure(files)
                missed += found.rows - found.caught
                figures = (f"{found.rows:,}", f"{found.caught:,}", f"{found.false_alarms:,}")
            elif trap.measure is not None:
                figures = ("no reader yet", "", "")
            text = " ".join(said.split()).replace("|", "\\|")
            lines.append(f"| {entry['id']} | {text} | {trap.check} | {trap.rule} | " + " | ".join(figures) + " |")
    return "\n".join([*lines, ""]), missed


def measured(mirror: Path, registry: Path, entry: str) -> list[Found | None]:
    """The figures of one entry of SOURCES.yaml, for tests."""
    listed = {item["id"]: item for item in yaml.safe_load((mirror / "SOURCES.yaml").read_text(encoding="utf-8"))["sources"]}
    catalogue, _ = ingest.read_catalogue(registry)
    files = Files(mirror, registry, listed[entry]["directory"], SOURCE.get(entry, entry), catalogue)
    return [trap.measure(files) if trap.measure else None for trap in LISTED[entry]]


def unlisted(mirror: Path) -> list[str]:
    """Entries whose number of traps differs between SOURCES.yaml and this module."""
    listed = yaml.safe_load((mirror / "SOURCES.yaml").read_text(encoding="utf-8"))["sources"]
    return [entry["id"] for entry in listed if len(_said(entry)) != len(LISTED.get(entry["id"], ()))]
