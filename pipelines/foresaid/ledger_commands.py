"""The commands of the ledger, in one list. Each imports what it needs when it runs, so that --help is instant."""

from __future__ import annotations

import click

from foresaid.check_commands import heads, show, verify, verify_report
from foresaid.entry_commands import amend, challenge, redact, resolve, reveal, seal, void, withdraw
from foresaid.log_commands import checkpoint, key, policy, prove, stamp, witness

COMMANDS: tuple[click.Command, ...] = (
    verify, verify_report, show, heads, key, policy, checkpoint,
    witness, stamp, prove, seal, reveal, amend, withdraw, resolve, challenge,
    void, redact,
)  # fmt: skip
