"""The commands of the ledger as one group, `foresaid ledger ...`; `verify` stands at the top too, since a stranger types it first.

Each imports what it needs when it runs, so that --help is instant.
"""

from __future__ import annotations

import click

from foresaid.cli.group import Sections, add
from foresaid.cli.ledger_entries import amend, ask, challenge, forecast, outcomes, redact, resolve, reveal, seal, void, withdraw
from foresaid.cli.ledger_log import checkpoint, key, policy, prove, sign, stamp, witness
from foresaid.cli.ledger_rounds import draft
from foresaid.cli.ledger_verify import heads, show, verify, verify_report


@click.group(cls=Sections)
def ledger() -> None:
    """Look at the ledger, add entries to it, and prove what is in it.

    Example: foresaid ledger show 2026-12/gsm8k_cot/observational
    """


ledger.sections = {
    "Look and check": add(ledger, (verify, verify_report, show, heads)),
    "Prepare a round": add(ledger, (draft,)),
    "Add one batch of entries": add(
        ledger, (ask, forecast, seal, reveal, amend, withdraw, outcomes, resolve, challenge, void, redact)
    ),
    "Keys, log and proofs of time": add(ledger, (key, policy, sign, checkpoint, witness, stamp, prove)),
}

COMMANDS: tuple[click.Command, ...] = (ledger, verify)
