"""The attacks on the ledger, counted: how many were tried, how many went unnoticed, how many may.

`python -m tests.attacks --short` or `--long` prints the table and leaves with 1 on any breach: an attack that went
unnoticed where docs and threat model say it cannot, an exception that nobody declared, or an attack that was named but
tried nothing. One module for each kind of attack; `build` makes the ledger they attack, through the product's own calls.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

from tests.attacks.table import Attack

MODULES = (
    "vectors",
    "witnesses",
    "seals",
    "spellings",
    "leaks",
    "showing",
    "unfixed",
    "tokens",
    "disabled",
    "blind",
    "owner",
    "script",
    "faults",
    "writers",
    "parsers",
    "markup",
)


def ATTACKS() -> Iterator[tuple[str, Attack]]:  # noqa: N802
    """The modules in the order in which they run, loaded one by one: the light ones before what loads threads."""
    for name in MODULES:
        yield name, import_module(f"tests.attacks.{name}").attacks
