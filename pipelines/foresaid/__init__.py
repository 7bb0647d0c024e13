"""Foresaid: a data-versioned forecasting registry for language-model capability, with a pre-registration ledger.

Importing the package fixes the kernels of the numerical libraries, which has to happen before they are loaded, and nothing else:
what the rooms export is loaded when it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from foresaid.reproducible import fix_kernels

__version__ = "0.1.0"

fix_kernels()


def exporting(package: str, names: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the `__getattr__` of a package whose names are loaded when they are asked for (PEP 562).

    `names` maps each exported name to the module below the package that defines it. Written as text, so that who reads the
    imports of a stage counts a module only where it is used.
    """

    def load(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{names[name]}"), name)

    return load
