"""What stands behind one forecast: the proofs there are, and what is not proven. The page and the command both say this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from foresaid.ledger.entries.batch import Batch
from foresaid.ledger.state.accounting import Account
from foresaid.ledger.verify.verify import VerificationResult

NEVER = (  # section by section what no ledger of this kind proves
    "That the author named wrote the batch: the name is a claim, unless the policy has their key and says it signed.",
    "A second, private ledger under another name: nothing here shows that there is none.",
    "Inside knowledge of scores that were not public: a declaration, not a proof.",
    "A score that was public earlier than anyone told us; challenge/v1 entries stay open for ever.",
    "Anything, against time-stamping authorities that collude, or to a reader who takes policy, roots and files from one place.",
    "That no newest entries were removed, to a reader with no memory, no witness and no other clone.",
    "That the code that made the numbers is the code named: only hashes are bound. Run it again.",
    "Power loss on disks that report a write they have not made.",
)


@dataclass(frozen=True)
class ProofStatus:
    """The proofs of one forecast, and what is missing for it in particular."""

    have: tuple[str, ...]
    lack: tuple[str, ...]


def _day(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")


def batches_by_name(result: VerificationResult) -> dict[str, Batch]:
    """The batches of a result by name, for looking up many forecasts."""
    return {batch.sha256: batch for batch in result.batches}


def of(result: VerificationResult, account: Account, batches: Mapping[str, Batch]) -> ProofStatus:
    """What is proven for one forecast and what is not, in sentences."""
    have, lack = [], []
    batch = batches.get(account.batch)
    broken = bool(result.findings)
    if broken:
        lack.append("The ledger does not verify; until it does, nothing here is proven.")
    if batch is None:
        return ProofStatus((), (*lack, f"The bytes: they were redacted ({account.reason}); only the name of the batch is left."))
    have.append(f"The bytes: batch {batch.sha256} has the SHA-256 that is its name.")
    have += [
        f"The data: {item.rows:,} rows, SHA-256 {item.sha256}, the last seen {item.max_observed_on}." for item in batch.header.data
    ]
    code = batch.header.code
    changed = ", with changes on top" if code.dirty else ""
    lack.append(f"The code: version {code.version}, commit {code.git or 'unknown'}{changed}, is the claim of {account.author}.")
    named = (("settings", code.params), ("program", code.program), ("libraries", code.libraries), ("adopted forms", code.adopted))
    have += [f"The {word}: SHA-256 {digest}." for word, digest in named if isinstance(digest, str)]
    lack += [f"The {word}: the batch names no digest of them." for word, digest in named if not isinstance(digest, str)]
    if account.batch in result.signed:
        have.append(f"The author: a key of {account.author} in the policy signed the batch.")
    if batch.index is None:
        lack.append("The place in the log: no checkpoint covers the batch yet.")
    elif result.checkpoint is not None:
        have.append(f"The place: {batch.index} in a log of {result.checkpoint.size}, root {result.checkpoint.root.hex()}.")
        if result.policy.log is None:
            lack.append("Who keeps the log: no key signs the checkpoint.")
        elif result.signed_by:
            handed = (
                ""
                if result.signed_by == result.policy.log.vkey
                else f", to which {result.policy.log.vkey} of the policy handed over"
            )
            have.append(f"The signature of {result.signed_by} under the checkpoint{handed}.")
        witnesses = [f"{name} ({_day(datetime.fromtimestamp(at, UTC))})" for name, at in sorted(result.witnessed.items())]
        if witnesses:
            have.append(f"Witnesses that saw the log only grow: {', '.join(witnesses)}.")
        else:
            lack.append("That nothing was rolled back: no witness cosigned the checkpoint.")
    stamps = sorted(result.stamps.get(account.batch, {}).items())
    have += [f"The time: {authority} stamped it by {_day(at)}." for authority, at in stamps]
    if account.batch in result.proved:
        have.append(f"Enough authorities agree that it existed by {_day(result.proved[account.batch])}.")
    elif result.policy.stamps:
        lack.append(f"The time: {len(stamps)} of the {result.policy.stamps} stamps that the policy wants.")
    else:
        lack.append(f"The time: {batch.header.frozen_at} is the claim of {account.author}; the policy names no authority.")
    return ProofStatus(() if broken else tuple(have), tuple(lack))
