"""The tables of studies on the pages of laws, in commands and as downloads: numbers are spelt here, never computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from foresaid.studies.law_sections import Cell, LawSection
from foresaid.text import columns, number


def cell(value: Cell) -> str:
    """Spell one cell; counts and words stay as they are.

    >>> cell(12), cell(0.05124), cell("all"), cell(None)
    ('12', '0.0512', 'all', '–')
    """
    return value if isinstance(value, str) else f"{value:,}" if isinstance(value, int) else number(value)


def shown(sections: Sequence[LawSection], law: str) -> list[dict[str, Any]]:
    """The sections of one law as a template takes them."""
    return [
        {
            "key": one.key,
            "title": one.title,
            "said": one.said,
            "command": one.command,
            "tables": [
                {
                    "key": f"study-{one.key}-{table.key}",
                    "caption": table.caption,
                    "mode": table.mode,
                    "header": table.header,
                    "numeric": [not any(isinstance(row[i], str) for row in table.rows) for i in range(len(table.header))],
                    "rows": [[cell(value) for value in row] for row in table.rows],
                }
                for table in one.tables
            ],
        }
        for one in sections
        if law in one.laws
    ]


def downloads(sections: Sequence[LawSection]) -> dict[str, pl.DataFrame]:
    """Every table of every section, flat."""
    return {
        f"study-{one.key}-{table.key}": pl.DataFrame(
            list(table.rows), schema=list(table.header), orient="row", infer_schema_length=None
        )
        for one in sections
        for table in one.tables
    }


def lines(section: LawSection) -> list[str]:
    """A section as a command prints it: sentences, then each table under its caption."""
    made = list(section.said)
    for table in section.tables:
        words = [i for i in range(len(table.header)) if any(isinstance(row[i], str) for row in table.rows)]
        body = [[cell(value) for value in row] for row in table.rows]
        made += ["", table.caption, *columns([list(table.header), *body], words)]
    return made
