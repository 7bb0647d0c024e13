"""One page of the site: its address, template, and what the template is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


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
