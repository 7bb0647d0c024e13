"""Time-stamp replies bent: every bit flipped, of another file, of another authority, with another nonce.

A reply has fields that nobody signs (versions, an algorithm name), so some flips are accepted. None may change the moment that
is proved, nor the file it is about; the sums in log/ANCHORS.sha256 notice even those.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from tests.attacks import world as worlds
from tests.attacks.mutate import room, spread
from tests.attacks.table import Scale, Tally, timed

from foresaid.errors import LedgerError, UnreadableError
from foresaid.ledger.log import rfc3161


def attacks(scale: Scale) -> Iterator[Tally]:
    """Flips, then replies that belong elsewhere."""
    with room() as place:
        world = worlds.make(place)
        one, two = world.authorities
        message = b"forecast-anchor/v1\n"
        query = rfc3161.request(message)
        reply, digest, root = one.reply(query), sha256(message).digest(), one.root
        at, nonce = rfc3161.proved_at(reply, digest, root), rfc3161.nonce_of(query)
        step = scale.of(97, 1, 1)

        def part(worker: int, workers: int) -> Tally:
            tally, accepted = Tally(""), 0
            for bit in range(worker * step, 8 * len(reply), workers * step):
                changed = bytearray(reply)
                changed[bit // 8] ^= 1 << bit % 8
                try:
                    proved = rfc3161.proved_at(bytes(changed), digest, root, nonce)
                    accepted += 1
                    tally.count(proved == at, f"bit {bit} moves the time to {proved}")
                except (LedgerError, UnreadableError):  # wrong, or not a reply this program can read: it proves nothing
                    tally.count(True)
                except BaseException as error:
                    tally.escaped(error, f"bit {bit}")
            tally.note = str(accepted)
            return tally

        with timed(Tally("a bit of a time-stamp reply moves its time")) as tally:
            accepted = 0
            for counted in spread(scale, part):
                tally.add(counted)
                accepted += int(counted.note or 0)
            tally.note = f"{accepted} flips accepted, of unsigned fields; the sums notice them"
        yield tally
        other = two.reply(query)
        again = rfc3161.request(message)
        cases = {
            "of another file": (reply, sha256(b"other").digest(), root, nonce),
            "of another authority": (other, digest, root, nonce),
            "under another root": (reply, digest, two.root, nonce),
            "to another request": (reply, digest, root, rfc3161.nonce_of(again)),
            "cut": (reply[:-1], digest, root, nonce),
            "with a byte more": (reply + b"\x00", digest, root, nonce),
            "that is a request": (query, digest, root, nonce),
            "that is nothing": (b"", digest, root, nonce),
            "under no root": (reply, digest, b"", nonce),
            "under its leaf": (reply, digest, (one.folder / "leaf.pem").read_bytes(), nonce),
        }
        with timed(Tally("a reply that belongs elsewhere")) as tally:
            for name, (data, about, pem, number) in cases.items():
                try:
                    rfc3161.proved_at(data, about, pem, number)
                    tally.count(False, name)
                except (LedgerError, UnreadableError):  # wrong, or not a reply this program can read: it proves nothing
                    tally.count(True)
                except BaseException as error:
                    tally.escaped(error, name)
        yield tally
