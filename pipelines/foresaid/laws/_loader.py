"""How a law is found by its name in params.yaml: the name is that of its file, and nothing else has to be edited to add one."""

from __future__ import annotations

import dataclasses
from difflib import get_close_matches
from typing import Any

from foresaid import laws, project
from foresaid.errors import ParameterError
from foresaid.fitting.law import Law
from foresaid.laws._settings import check_types


def names() -> list[str]:
    """Return the names of all law modules, sorted, the project's own among them; a file named `_...` holds what laws share."""
    return list(project.module_files(laws))


def law_class(name: str) -> type[Law]:
    """Return the class of a law by its name, or say which name is meant."""
    if name not in names():
        near = get_close_matches(name, names(), n=1)
        hint = f"did you mean {near[0]}?" if near else f"known laws: {', '.join(names())}"
        raise ParameterError(f"laws: found {name}, expected a law of foresaid or a file laws/{name}.py beside params.yaml; {hint}")
    module = project.load_module(laws, name)
    found = [
        item
        for item in vars(module).values()
        if isinstance(item, type) and issubclass(item, Law) and item.__module__ == module.__name__
    ]
    if not found:
        raise ParameterError(f"{module.__file__}: found no law, expected a class that is a foresaid.fitting.Law")
    return found[0]


def reads_same_items(name: str) -> bool:
    """Whether the law of this name says that it reads a score on the questions of its target; no law, no such saying."""
    return name in names() and law_class(name).reads_same_items


def load(name: str, settings: dict[str, Any]) -> Law:
    """Make a law from its entry in params.yaml; an unknown key is refused with the nearest right one."""
    kind = law_class(name)
    known = [item.name for item in dataclasses.fields(kind)]  # type: ignore[arg-type]  # laws are dataclasses
    for key in settings:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known keys: {', '.join(known)}"
            raise ParameterError(f"params.yaml, laws, {name}: found the key {key}, expected one of its settings; {hint}")
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()}
    read = getattr(kind, "read_settings", None)
    try:
        made = read(values) if read else values
        check_types(kind, made, f"laws, {name}")
        return kind(**made)
    except (TypeError, AttributeError, ValueError) as error:
        raise ParameterError(f"params.yaml, laws, {name}: {error}") from None
