"""How a law reads the entries of its settings in params.yaml."""

from __future__ import annotations

import dataclasses
from typing import TypeVar

from foresaid.errors import ParameterError

Entry = TypeVar("Entry")


def read_entries(kind: type[Entry], mapping: object, where: str) -> dict[str, Entry]:
    """Read a mapping of params.yaml whose values are the fields of a small frozen record; lists become tuples.

    >>> read_entries(Covariate, {"a": {"quantity_id": "mmlu"}}, "laws, example, inputs")
    {'a': Covariate(quantity_id='mmlu', transform='identity')}
    """
    known = ", ".join(item.name for item in dataclasses.fields(kind))  # type: ignore[arg-type]  # records are dataclasses
    if not isinstance(mapping, dict):
        raise ParameterError(f"params.yaml, {where}: found {mapping!r}, expected quantity_id: {{{known}}}")
    made = {}
    for name, fields in mapping.items():
        values = {key: tuple(value) if isinstance(value, list) else value for key, value in (fields or {}).items()}
        try:
            made[str(name)] = kind(**values)
        except TypeError as error:
            raise ParameterError(f"params.yaml, {where}, {name}: {error}; known keys: {known}") from None
    return made
