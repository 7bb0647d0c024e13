"""The pre-registration ledger: entries, the transparency log, the state of every forecast, and verification.

May import the top files alone: the ledger outlives the program that fills it.
"""

from typing import TYPE_CHECKING

from foresaid import exporting

if TYPE_CHECKING:
    from foresaid.ledger.store import create, read, sequence, write_batch
    from foresaid.ledger.verify.verify import Result

__all__ = [
    "Result",
    "create",
    "read",
    "sequence",
    "write_batch",
]
__getattr__ = exporting(
    __name__,
    {
        "create": "store",
        "read": "store",
        "sequence": "store",
        "write_batch": "store",
        "Result": "verify.verify",
    },
)
