"""How a reader is found: by the name of its source, which is the name of its file."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from pathlib import Path

from foresaid.errors import ForesaidError, RecordError, UnreadableError
from foresaid.sources._reading import Reader, Reading


def names() -> list[str]:
    """The sources that have a reader, as their folders are called.

    >>> "olmo-ladder" in names()
    True
    """
    found = (module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]))
    return sorted(name.replace("_", "-") for name in found if not name.startswith("_"))


def find(name: str) -> Reader:
    """Return the reader of a source, or say which sources have one.

    >>> find("gadre").__module__
    'foresaid.sources.gadre'
    """
    if name not in names():
        near = difflib.get_close_matches(name, names(), n=1)
        advice = f"did you mean {near[0]}?" if near else "one file below pipelines/foresaid/sources/ adds it"
        raise UnreadableError(f"source {name}: found no reader, expected one of {', '.join(names())}; {advice}")
    reader: Reader = importlib.import_module(f"{__package__}.{name.replace('-', '_')}").read
    return reader


def read(name: str, reader: Reader, folder: Path) -> Reading:
    """Run a reader on files nobody vouches for: what it did not foresee is a refusal, not a traceback."""
    try:
        return reader(folder)
    except ForesaidError:
        raise
    except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError, RecursionError, AssertionError) as error:
        said = f"{type(error).__name__}: {error}".splitlines()[0][:120]
        raise RecordError(
            f"{folder.name}: the reader of {name} stopped at {ascii(said)[1:-1]}, expected the upstream's usual format; "
            "compare the files with an earlier download"
        ) from None
