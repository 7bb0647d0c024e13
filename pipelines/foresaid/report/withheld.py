"""Keep what a publisher forbids to copy off the pages, wherever it came into the material.

A source that is read on demand may stand in params.yaml of a user: its figures are fitted and scored on that machine. Where the
publisher forbids a copy of them, no page and no download shows them or tables made from them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import polars as pl

NAMES = ("quantity_id", "target_id", "quantity", "benchmark", "other", "name")  # what a column or key calls a quantity or a target
Item = TypeVar("Item")


def without(item: Item, forbidden: Collection[str]) -> Item:
    """The same frame, list, mapping or dataclass without rows, entries and keys of these quantities.

    >>> without([{"target_id": "arc/plain"}, {"target_id": "gpqa"}], {"arc"})
    [{'target_id': 'gpqa'}]
    """
    return _walked(item, frozenset(forbidden)) if forbidden else item


def _named(value: object, forbidden: frozenset[str]) -> bool:
    return isinstance(value, str) and (value in forbidden or value.split("/", 1)[0] in forbidden)


def _refused(item: object, forbidden: frozenset[str]) -> bool:
    """Whether an entry is about one of them."""
    if isinstance(item, dict):
        return any(_named(item.get(name), forbidden) for name in NAMES)
    if item is None or isinstance(item, float | int | list):
        return False
    return any(_named(getattr(item, name, None), forbidden) for name in NAMES) or (isinstance(item, str) and item in forbidden)


def _walked(item: Any, forbidden: frozenset[str]) -> Any:
    if isinstance(item, pl.DataFrame):
        for name in NAMES:
            if item.schema.get(name) == pl.String:
                first = pl.col(name).str.split("/").list.first()
                item = item.filter(~(pl.col(name).is_in(list(forbidden)) | first.is_in(list(forbidden))).fill_null(value=False))
        return item
    if isinstance(item, dict):
        kept = {
            key: value
            for key, value in item.items()
            if not _named(key, forbidden) and (isinstance(value, str) or not _refused(value, forbidden))
        }
        return {key: _walked(value, forbidden) for key, value in kept.items()}
    if isinstance(item, list):
        return [_walked(one, forbidden) for one in item if not _refused(one, forbidden)]
    if is_dataclass(item) and not isinstance(item, type) and type(item).__module__.startswith("foresaid.report"):
        return replace(item, **{one.name: _walked(getattr(item, one.name), forbidden) for one in fields(item)})
    return item
