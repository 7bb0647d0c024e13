"""The commands of the ledger, in one list. Each imports what it needs when it runs, so that --help is instant."""

from __future__ import annotations

import click

from foresaid.cli.ledger_entries import amend, challenge, forecast, outcomes, redact, resolve, reveal, seal, void, withdraw
from foresaid.cli.ledger_log import checkpoint, key, policy, prove, stamp, witness
from foresaid.cli.ledger_verify import heads, show, verify, verify_report

COMMANDS: tuple[click.Command, ...] = (
    verify, verify_report, show, heads, key, policy, checkpoint,
    witness, stamp, prove, forecast, seal, reveal, amend, withdraw, outcomes, resolve, challenge,
    void, redact,
)  # fmt: skip
