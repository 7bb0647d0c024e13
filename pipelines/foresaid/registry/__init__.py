"""The record: CSV files under git, their schema and checks, model names, updates, the database, views as of a date, export.

May import the top files and `sources`.
"""

from typing import TYPE_CHECKING

from foresaid import exporting

if TYPE_CHECKING:
    from foresaid.registry.database import as_of, open_database, resolutions
    from foresaid.registry.view import Quantity, View

__all__ = [
    "Quantity",
    "View",
    "as_of",
    "open_database",
    "resolutions",
]
__getattr__ = exporting(
    __name__,
    {
        "as_of": "database",
        "open_database": "database",
        "resolutions": "database",
        "Quantity": "view",
        "View": "view",
    },
)
