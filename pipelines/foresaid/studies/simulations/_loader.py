"""How the simulation study of a law is found: by the law's name."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import Any

from foresaid.fitting.law import Law


def study(law: Law, seed: int, replicates: int) -> dict[str, Any] | None:
    """Run the simulation study of a law, or return None for a law that has none, as most do: their data are public."""
    names = {module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)])}
    if law.name not in names or law.name.startswith("_"):
        return None
    found: dict[str, Any] = importlib.import_module(f"{__package__}.{law.name}").study(law, seed, replicates)
    return found
