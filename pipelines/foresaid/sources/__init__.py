"""How to read each upstream: one module a source, found by name.

A reader is a function `read(folder) -> Reading`, where the folder holds one vintage of the upstream. It knows the upstream's
spelling, units and known errors, and nothing of the record: models keep the upstream's names, `update` resolves them.
A reader refuses what it does not know (a missing or new column, a short row, a NaN) instead of guessing.

May import the top files.
"""

from typing import TYPE_CHECKING

from foresaid import exporting
from foresaid.project import own_code

if TYPE_CHECKING:
    from foresaid.sources._loader import find, names, read
    from foresaid.sources._reading import Reader, Reading, RunSubject, Score, StatedModel
    from foresaid.sources._upstream import table

__all__ = ["Reader", "Reading", "RunSubject", "Score", "StatedModel", "find", "names", "read", "table"]
__getattr__ = exporting(
    __name__,
    {
        **dict.fromkeys(("Reader", "Reading", "RunSubject", "Score", "StatedModel"), "_reading"),
        **dict.fromkeys(("find", "names", "read"), "_loader"),
        "table": "_upstream",
    },
)
__path__ += own_code("sources")  # a worker that is sent a law of a project imports it from there
