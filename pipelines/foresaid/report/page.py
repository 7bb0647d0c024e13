"""What a page is, and how a page module declares itself.

A page module is a file `report/NAME_page.py` with one `PAGES = PageSet(...)`: its title in the navigation, its first address, what
builds its pages and its downloads. The site collects the modules by name, so a new page is one such file and one template.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foresaid.errors import ForesaidError

if TYPE_CHECKING:
    import polars as pl

    from foresaid.report.inputs import Material


@dataclass(frozen=True)
class Page:
    """One page: its address below the site, its template, what it says."""

    path: str
    template: str
    values: dict[str, Any]

    @property
    def root(self) -> str:
        """The way from this page back to the top of the site."""
        return "../" * self.path.count("/")


def no_downloads(material: Material) -> Mapping[str, pl.DataFrame]:
    """Offer no table: for a page set whose tables other pages offer."""
    return {}


def no_files(material: Material) -> Mapping[Path, bytes]:
    """Write nothing beside the pages."""
    return {}


@dataclass(frozen=True)
class PageSet:
    """The pages of one subject: where its first page stands, what the navigation calls it, and what builds pages and tables.

    `order` is its place in the navigation; equal places are refused, so that the order never depends on the names of files. A page
    set with an empty `title` has no place in the navigation. `downloads` gives tables by the name of their file below data/,
    `files` whatever else stands beside the pages.
    """

    address: str
    title: str
    order: int
    pages: Callable[[Material], Sequence[Page]]
    downloads: Callable[[Material], Mapping[str, pl.DataFrame]] = no_downloads
    files: Callable[[Material], Mapping[Path, bytes]] = no_files


def page_sets() -> list[PageSet]:
    """Return the page sets of all page modules, in the order of the navigation.

    Raises ForesaidError for a page module that declares none and for two that ask for one place.
    """
    found = []
    for name in sorted(module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)])):
        if name.endswith("_page"):
            declared = getattr(importlib.import_module(f"foresaid.report.{name}"), "PAGES", None)
            if not isinstance(declared, PageSet):
                raise ForesaidError(f"report/{name}.py: found no page set, expected PAGES = PageSet(...)")
            found.append(declared)
    places = [one.order for one in found]
    if len(set(places)) < len(places):
        raise ForesaidError(f"report: found the places {sorted(places)} in the navigation, expected each once; change one `order`")
    return sorted(found, key=lambda one: one.order)
