"""The upstream files as the readers see them: each source's card, its folder in the mirror, and what was read, once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from tests.conftest import ROOT

from foresaid.registry import source_card
from foresaid.sources import _loader as sources
from foresaid.sources._reading import Reading

REGISTRY = ROOT / "registry"


def source(name: str) -> source_card.Source:
    """The card of an embedded source."""
    return source_card.read(REGISTRY / "sources" / name / "source.toml", f"{name}/source.toml", name)


def folder_of(mirror: Path, name: str, vintage: int = -1) -> Path:
    """Where a vintage of a source lies, the last one unless another is named."""
    return mirror / source(name).vintages[vintage].directory


@cache
def reading(mirror: Path, name: str, vintage: int = -1) -> Reading:
    """What the source's reader makes of a vintage."""
    return sources.find(name)(folder_of(mirror, name, vintage))
