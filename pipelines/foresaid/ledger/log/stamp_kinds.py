"""The kinds of proof of time that a subject may have beside the replies of RFC 3161: each a module, listed here once.

A kind says how its file beside a subject is called, how it is read, and what it proves to a reader who trusts something of its own
(block headers). The layout, `stamp`, `verify` and V11 go through this list, so that another kind is a module, a line here, and
the name of its file in `verify.sh`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from foresaid.ledger.log import opentimestamps


class StampKind(Protocol):
    """What the module of a kind declares."""

    NAME: str  # of the option that keeps a proof
    TITLE: str
    FILE: str  # beside the subject
    TRUSTED: str  # the option by which a reader brings what they trust
    TRUSTED_WORDS: str  # what that is, for the help

    def read(self, data: bytes, message: bytes) -> Any:
        """Read a proof over a message, as an object with a `status`; None without its library; LedgerError if it is none."""

    def parse_trusted(self, text: str) -> Mapping[Any, Any]:
        """What a reader trusts, from its file."""

    def proved(self, proof: Any, trusted: Mapping[Any, Any]) -> list[datetime]:
        """The moments that a proof proves to this reader; LedgerError where what they trust contradicts it."""


KINDS: tuple[StampKind, ...] = (opentimestamps,)
