"""The format of the ledger's lines as JSON Schema (draft 2020-12), for programs in other languages.

Made from the records themselves, so that the two cannot differ; docs/schemas/ledger-line.json holds it. It says what one line is.
What lines must agree on among each other stands in `rules.py` and `target_rules.py`, what a line may not say of itself in the
records.

>>> sorted(schema()["$defs"])[:3]
['Amendment', 'Bound', 'Challenge']
"""

from __future__ import annotations

from typing import Any

import msgspec

from foresaid.ledger.entries.schema import KINDS


def schema() -> dict[str, Any]:
    """One schema for a line: exactly one of the entry types, told by `type`."""
    found, parts = msgspec.json.schema_components(list(KINDS.values()), ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of a batch of the forecast ledger",
        "oneOf": list(found),
        "$defs": dict(sorted(parts.items())),
    }
