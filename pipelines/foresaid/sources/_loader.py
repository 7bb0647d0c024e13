"""How a reader is found: by the name of its source, which is the name of its file."""

from __future__ import annotations

import difflib
from pathlib import Path

from foresaid import project, sources
from foresaid.errors import ForesaidError, RecordError, UnreadableError
from foresaid.sources._reading import Reader, Reading


def names() -> list[str]:
    """The sources that have a reader, as their folders are called, the project's own among them.

    >>> "olmo-ladder" in names()
    True
    """
    return sorted(name.replace("_", "-") for name in project.module_files(sources))


def find(name: str) -> Reader:
    """Return the reader of a source, or say which sources have one.

    >>> find("gadre").__module__
    'foresaid.sources.gadre'
    """
    if name not in names():
        near = difflib.get_close_matches(name, names(), n=1)
        advice = f"did you mean {near[0]}?" if near else f"one file sources/{name.replace('-', '_')}.py beside params.yaml adds it"
        raise UnreadableError(f"source {name}: found no reader, expected one of {', '.join(names())}; {advice}")
    module = project.load_module(sources, name.replace("-", "_"))
    reader: Reader | None = getattr(module, "read", None)
    if reader is None:
        raise UnreadableError(f"{module.__file__}: found no function read, expected read(folder) -> Reading")
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
