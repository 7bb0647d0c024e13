"""How a law reads the entries of its settings in params.yaml."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, TypeVar, get_args, get_type_hints

import msgspec

from foresaid.errors import ParameterError

Entry = TypeVar("Entry")

LARGEST = 2**53  # the largest whole number below which a float holds every one
AtLeastOne = Annotated[int, msgspec.Meta(ge=1)]
NotNegative = Annotated[float, msgspec.Meta(ge=0.0)]
Positive = Annotated[float, msgspec.Meta(gt=0.0)]


def check_types(kind: type, values: Mapping[str, Any], where: str) -> None:
    """Refuse settings whose value is not of the kind its field says: a word for a number, a number for a list.

    Numbers may stand as decimal strings and nothing as an empty string, as in the settings of a frozen curve. A range stands beside
    the type of the field: `AtLeastOne`, `Positive`.

    >>> from foresaid.fitting.data import Covariate
    >>> check_types(Covariate, {"quantity_id": 5}, "laws, example")
    Traceback (most recent call last):
    foresaid.errors.ParameterError: params.yaml, laws, example, quantity_id: found 5, expected `str`, got `int`
    """
    hints = get_type_hints(kind, include_extras=True)
    for key, value in values.items():
        if key not in hints or (value == "" and type(None) in get_args(hints[key])):
            continue
        if (strange := next(_strange(value), None)) is not None:
            raise ParameterError(f"params.yaml, {where}, {key}: found {strange!r:.80}, expected a number of at most {LARGEST:.0e}")
        try:
            msgspec.convert(value, hints[key], strict=False, from_attributes=True)
        except msgspec.ValidationError as error:
            said = str(error).removeprefix("Expected").strip()
            raise ParameterError(f"params.yaml, {where}, {key}: found {value!r:.80}, expected {said}") from None


def _strange(value: object) -> Iterator[object]:
    """The numbers in a value that no setting can mean: not a number, and whole ones that no float holds exactly."""
    if isinstance(value, dict):
        yield from _strange(list(value.values()))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strange(item)
    elif (isinstance(value, float) and math.isnan(value)) or (isinstance(value, int) and abs(value) > LARGEST):
        yield value


PRESETS = ("default", "authors", "without_prior")  # of the laws that can be fitted as their paper did


def check_preset(values: Mapping[str, Any]) -> None:
    """Refuse a preset that no law knows.

    >>> check_preset({"preset": "author"})
    Traceback (most recent call last):
    foresaid.errors.ParameterError: params.yaml, laws, preset: found 'author', expected one of default, authors, without_prior
    """
    if values.get("preset", "default") not in PRESETS:
        raise ParameterError(f"params.yaml, laws, preset: found {values['preset']!r}, expected one of {', '.join(PRESETS)}")


def read_entries(kind: type[Entry], mapping: object, where: str) -> dict[str, Entry]:
    """Read a mapping of params.yaml whose values are the fields of a small frozen record; lists become tuples.

    >>> from foresaid.fitting.data import Covariate
    >>> read_entries(Covariate, {"a": {"quantity_id": "mmlu"}}, "laws, example, inputs")
    {'a': Covariate(quantity_id='mmlu', transform='identity')}
    """
    known = ", ".join(item.name for item in dataclasses.fields(kind))  # type: ignore[arg-type]  # records are dataclasses
    if not isinstance(mapping, dict):
        raise ParameterError(f"params.yaml, {where}: found {mapping!r}, expected quantity_id: {{{known}}}")
    made = {}
    for name, fields in mapping.items():
        if not isinstance(fields, dict | None):
            raise ParameterError(f"params.yaml, {where}, {name}: found {fields!r:.80}, expected keys among {known}")
        values = {key: tuple(value) if isinstance(value, list) else value for key, value in (fields or {}).items()}
        check_types(kind, values, f"{where}, {name}")
        try:
            made[str(name)] = kind(**values)
        except TypeError as error:
            raise ParameterError(f"params.yaml, {where}, {name}: {error}; known keys: {known}") from None
    return made
