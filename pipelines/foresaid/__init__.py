"""Foresaid: a data-versioned forecasting registry for language-model capability, with a pre-registration ledger.

Importing the package fixes the kernels of the numerical libraries, which has to happen before they are loaded, and nothing else:
what the rooms export is loaded when it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from foresaid.reproducible import fix_kernels

if TYPE_CHECKING:
    from foresaid.evaluation.project import (
        LawWithSettings,
        Project,
        TargetFit,
        fit,
        freeze,
        load_law,
        open_project,
        verify,
    )
    from foresaid.forecasting.frozen import FrozenCurve, Score, read_curve, score
    from foresaid.forecasting.predict import Forecast
    from foresaid.ledger.verify.verify import Result as VerificationResult
    from foresaid.registry.view import View

__version__ = "0.1.0"
__all__ = [
    "Forecast",
    "FrozenCurve",
    "LawWithSettings",
    "Project",
    "Score",
    "TargetFit",
    "VerificationResult",
    "View",
    "__version__",
    "fit",
    "freeze",
    "load_law",
    "open_project",
    "read_curve",
    "score",
    "verify",
]

fix_kernels()


def exporting(package: str, names: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the `__getattr__` of a package whose names are loaded when they are asked for (PEP 562).

    `names` maps each exported name to the module below the package that defines it, with `module:name` where the name there is
    another. Written as text, so that who reads the imports of a stage counts a module only where it is used.

    A name is not exported where a module of the package is called the same (`fitting.fit`, `registry.export`): the attribute would
    mean one or the other, depending on what was imported before.
    """

    def load(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module, _, other = names[name].partition(":")
        return getattr(import_module(f"{package}.{module}"), other or name)

    return load


def __dir__() -> list[str]:
    return sorted(__all__)


__getattr__ = exporting(
    __name__,
    {
        **dict.fromkeys(
            ("LawWithSettings", "Project", "TargetFit", "fit", "freeze", "load_law", "open_project", "verify"), "evaluation.project"
        ),
        **dict.fromkeys(("FrozenCurve", "Score", "read_curve", "score"), "forecasting.frozen"),
        "Forecast": "forecasting.predict",
        "VerificationResult": "ledger.verify.verify:Result",
        "View": "registry.view",
    },
)
