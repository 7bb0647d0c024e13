"""Sealed forecasts: opening one to something better, to another's, to nothing.

Every false opening must be refused when it is frozen, and found by `verify` (V15) when somebody put it into a batch without
asking the product. What is never opened is counted as the worst forecast, and named.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import msgspec
from tests.attacks import build
from tests.attacks.mutate import room
from tests.attacks.table import Scale, Tally, timed

from foresaid.errors import LedgerError
from foresaid.ledger import layout, store
from foresaid.ledger.entries import commitment
from foresaid.ledger.entries import schema as entries
from foresaid.ledger.entries.schema import Code, Data, Header, Inner, Quantiles, Reveal
from foresaid.ledger.verify.snapshot import Evidence
from foresaid.ledger.verify.verify import verify

NONCE = bytes(range(32))
# The golden vector of the threat model: this line with this nonce has this commitment.
INNER = Inner(
    author=build.AUTHOR,
    id="2026q4/gpqa/model-x/obs-v3",
    method="obs-v3",
    origin=build.ORIGIN,
    prediction=Quantiles(levels=["0.05", "0.5", "0.95"], values=["0.380", "0.440", "0.515"]),
    primary=True,
    target="gpqa/model-x",
)
COMMIT = "a7f5df7b740d25c7d2f58317e7f7483b772f2e171f36a698b4dbcc5bb710ff4e"


def changed(levels: tuple[str, ...] = ("0.05", "0.5", "0.95"), values: tuple[str, ...] = ("0.380", "0.440", "0.515")) -> Inner:
    """The sealed line with another prediction."""
    return msgspec.structs.replace(INNER, prediction=Quantiles(levels=list(levels), values=list(values)))


def false_openings(number: int, seed: int) -> Iterator[tuple[str, Reveal]]:
    """Openings of the right form that are not the one that was sealed."""
    chance = random.Random(seed)
    for order in range(number):
        nonce, inner = NONCE, INNER
        kind = order % 8
        if kind == 0:  # better numbers
            inner = changed(values=("0.380", f"0.{chance.randrange(441, 515)}", "0.515"))
        elif kind == 1:  # the same numbers, spelt otherwise
            inner = changed(values=("0.380", f"0.440{'0' * chance.randrange(1, 14)}", "0.515"))
        elif kind == 2:  # a bit of the nonce
            place = chance.randrange(256)
            bits = bytearray(NONCE)
            bits[place // 8] ^= 1 << place % 8
            nonce = bytes(bits)
        elif kind == 3:  # another nonce
            nonce = chance.randbytes(32)
        elif kind == 4:  # no longer primary
            inner = msgspec.structs.replace(INNER, primary=False)
            nonce = NONCE if order % 16 == 4 else chance.randbytes(32)
        elif kind == 5:  # other levels
            inner = changed(levels=("0.05", f"0.5{chance.randrange(1, 99):02}", "0.95"))
        elif kind == 6:  # another's line, with that name in it
            inner = msgspec.structs.replace(INNER, author=f"example.org/mallory{chance.randrange(999)}")
        else:  # a line for another log
            inner = msgspec.structs.replace(INNER, origin=f"example.org/other{chance.randrange(999)}")
        yield f"opening {order}", Reveal(opens=INNER.id, nonce=nonce.hex(), forecast=inner)


def smuggled(folder: Path, reveal: Reveal) -> Path:
    """The opening in a batch that the product was not asked about, pending, with its name in order."""
    header = Header(
        origin=build.ORIGIN, author=build.AUTHOR, parents=store.heads(folder), as_of="2026-11-20",
        frozen_at="2026-12-02T00:00:00Z",
        data=[Data(name="scores", sha256="ab" * 32, bytes=1, rows=1, max_observed_on="2026-11-18")],
        code=Code(git=None, dirty=False, version="0.1.0"), n=1,
    )  # fmt: skip
    content = entries.encode(header) + entries.encode(reveal, 2)
    path = folder / layout.batch_path(sha256(content).hexdigest())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def attacks(scale: Scale) -> Iterator[Tally]:
    """False openings at the freeze and at the check; seals nobody opened."""
    with room() as place:
        folder = build.create(place / "ledger")
        build.write(folder, build.entries_of(0))
        build.write(folder, [commitment.seal(INNER, NONCE, build.ROUND.reveal_by)], minutes=10)
        store.sequence(folder, build.ORIGIN)
        if commitment.commit(NONCE, INNER) != COMMIT:
            raise AssertionError(f"the golden seal has commitment {commitment.commit(NONCE, INNER)}")
        number = scale.of(40, 1000, 1000)
        with timed(Tally("false opening of a seal, at the freeze")) as tally:
            for name, reveal in false_openings(number, scale.seed):
                try:
                    path = store.write_batch(folder, [reveal], **{**build.HEADER, "frozen_at": datetime(2026, 12, 2, tzinfo=UTC)})
                    path.unlink()
                    tally.count(False, name)
                except LedgerError:
                    tally.count(True)
                except Exception as error:
                    tally.escaped(error, name)
        yield tally
        with timed(Tally("false opening of a seal, smuggled into a batch")) as tally:
            for name, reveal in false_openings(number, scale.seed + 1):
                path = smuggled(folder, reveal)
                found = verify(folder, build.ORIGIN)
                # A pending batch that contradicts the ledger is not let into the log, and is listed: nothing in it counts.
                kept_out = found.exit_code() == 5 and path.stem in found.rejected
                tally.count(kept_out or (found.exit_code() == 1 and any(f.code in ("V14", "V15") for f in found.findings)), name)
                path.unlink()
        yield tally
        with timed(Tally("a seal that nobody opens passes for something else")) as tally:
            after = replace(Evidence(), now=datetime(2027, 6, 2, tzinfo=UTC))
            [account] = verify(folder, build.ORIGIN, evidence=after).accounts
            tally.count((account.state, account.id) == ("unopened", INNER.id), str(account))
            true = Reveal(opens=INNER.id, nonce=NONCE.hex(), forecast=INNER)
            store.write_batch(folder, [true], **{**build.HEADER, "frozen_at": datetime(2026, 12, 2, tzinfo=UTC)})
            result = verify(folder, build.ORIGIN, evidence=replace(after, now=datetime(2026, 12, 3, tzinfo=UTC)))
            tally.count(result.findings == () and result.accounts[0].state == "pending", "the true opening is refused")
        yield tally
