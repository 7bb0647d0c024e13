"""RFC 3161: a request to send to a time-stamping authority, and what its reply proves.

Requests and replies are files, so that a person can send them with curl from any machine. A reply is believed for one pinned
root only, never for the web's store of roots: any certificate for time stamping under one of those would do. The time
that counts is the latest the reply allows: the whole second of genTime, the accuracy, and one second more, since the
fraction of the second is not read.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder, VerifierBuilder, decode_timestamp_response

from foresaid.errors import LedgerError

REPLY_BYTES = 64 * 1024
SHA256 = "2.16.840.1.101.3.4.2.1"


def request(message: bytes) -> bytes:
    """A request (.tsq) over the SHA-256 of a message, with a nonce, asking for the authority's certificate."""
    return TimestampRequestBuilder().data(message).hash_algorithm(HashAlgorithm.SHA256).build().as_bytes()


def proved_at(reply: bytes, digest: bytes, root: bytes, nonce: int | None = None) -> datetime:
    """The moment by which a file existed, if the reply (.tsr) over its SHA-256 holds under this root (PEM); else a LedgerError.

    Imprint, signature, chain at genTime, critical time-stamping usage and, where given, the nonce are checked.
    """
    if len(reply) > REPLY_BYTES:
        raise LedgerError(f"found {len(reply)} bytes, expected a time-stamp reply of at most {REPLY_BYTES}")
    try:
        certificate = x509.load_pem_x509_certificate(root)
    except ValueError as error:
        raise LedgerError(f"root certificate: {_ascii(error)}") from None
    try:
        decoded = decode_timestamp_response(reply)
        # A fresh list each time: the builder's own `add_root_certificate` shares one list among all its copies.
        VerifierBuilder(roots=[certificate], nonce=nonce).build().verify(decoded, digest)
        info = decoded.tst_info
        if info.message_imprint.hash_algorithm.dotted_string != SHA256:
            raise ValueError(f"imprint by {info.message_imprint.hash_algorithm.dotted_string}, expected one by SHA-256")
        accuracy = info.accuracy
        late = timedelta()
        if accuracy is not None:
            late = timedelta(seconds=accuracy.seconds or 0, milliseconds=accuracy.millis or 0, microseconds=accuracy.micros or 0)
        return (info.gen_time.astimezone(UTC) + late + timedelta(seconds=1)).replace(microsecond=0) + (
            timedelta(seconds=1) if late.microseconds else timedelta()
        )
    except Exception as error:  # a foreign parser on hostile bytes: whatever it raises, the reply proves nothing
        raise LedgerError(f"time-stamp reply: {_ascii(error)}") from None


def nonce_of(request_bytes: bytes) -> int | None:
    """The nonce of a request we made; None where it has none.

    The client reads replies only, so the integer is taken from the DER itself: the first INTEGER behind the imprint.
    """
    data = request_bytes
    try:
        place = data.index(b"\x04\x20") + 2 + 32  # past the OCTET STRING of the SHA-256
        if place < len(data) and data[place] == 0x02:
            length = data[place + 1]
            return int.from_bytes(data[place + 2 : place + 2 + length], "big")
    except (ValueError, IndexError):
        raise LedgerError("request: expected a time-stamp request over a SHA-256") from None
    return None


def _ascii(error: BaseException) -> str:
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    return text.encode("ascii", "backslashreplace").decode("ascii")[:300]
