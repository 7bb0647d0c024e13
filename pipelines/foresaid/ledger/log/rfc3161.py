"""RFC 3161: a request to send to a time-stamping authority, and what its reply proves.

Requests and replies are files, so that a person can send them with curl from any machine. A reply is believed for one pinned
root only, never for the web's store of roots: any certificate for time stamping under one of those would do. Most public
authorities sign under an intermediate certificate and send it along; many (OpenSSL among them) write those certificates in an order
that DER does not have, so they are sorted before the strict parser sees them: no signature is over them. What cannot be read even
then is not called wrong. The time that counts is the latest the reply allows: the whole second of genTime, the accuracy, and one
second more, since the fraction of the second is not read.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder, VerifierBuilder, decode_timestamp_response

from foresaid.errors import LedgerError, UnreadableError

REPLY_BYTES = 64 * 1024
SHA256 = "2.16.840.1.101.3.4.2.1"


def request(message: bytes) -> bytes:
    """A request (.tsq) over the SHA-256 of a message, with a nonce, asking for the authority's certificate."""
    return TimestampRequestBuilder().data(message).hash_algorithm(HashAlgorithm.SHA256).build().as_bytes()


def proved_at(reply: bytes, digest: bytes, root: bytes, nonce: int | None = None) -> datetime:
    """The moment by which a file existed, if the reply (.tsr) over its SHA-256 holds under this root (PEM).

    Raises LedgerError where it does not hold, UnreadableError where it cannot be read, which says nothing about it.

    Imprint, signature, chain at genTime, critical time-stamping usage and, where given, the nonce are checked.
    """
    if len(reply) > REPLY_BYTES:
        raise LedgerError(f"found {len(reply)} bytes, expected a time-stamp reply of at most {REPLY_BYTES}")
    try:
        certificate = x509.load_pem_x509_certificate(root)
    except ValueError as error:
        raise LedgerError(f"root certificate: {_ascii(error)}") from None
    try:
        decoded = decode_timestamp_response(in_order(reply))
    except Exception as error:  # a foreign parser: whatever it raises, the reply was not read
        raise UnreadableError(f"time-stamp reply: not readable here: {_ascii(error)}; try `openssl ts -verify`") from None
    try:
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


def in_order(reply: bytes) -> bytes:
    """The reply with the certificates it brings along sorted as DER wants a set (X.690, section 11.6); else as it is.

    RFC 3161, section 2.4.2 and RFC 5652, section 5.1: they stand in SignedData, which is the content of the token, behind version,
    digest algorithms and content.
    """
    try:
        _, start, end = _element(reply, 0)  # TimeStampResp
        _, _, start = _element(reply, start)  # past the status
        _, start, end = _element(reply, start)  # the token
        _, _, start = _element(reply, start)  # past its type
        _, start, _ = _element(reply, start)  # [0]
        _, start, end = _element(reply, start)  # SignedData
        for _ in range(3):
            _, _, start = _element(reply, start)
        tag, start, end = _element(reply, start)
        if tag != 0xA0:
            return reply
        found: list[bytes] = []
        place = start
        while place < end:
            before = place
            _, _, place = _element(reply, place)
            found.append(reply[before:place])
        return reply[:start] + b"".join(sorted(found)) + reply[end:]
    except IndexError:
        return reply  # cut or no reply at all: the parser says so


def _element(data: bytes, place: int) -> tuple[int, int, int]:
    """Tag, first byte of the content and first byte behind the element of DER that begins here."""
    tag, length, start = data[place], data[place + 1], place + 2
    if length & 0x80:
        width = length & 0x7F
        length, start = int.from_bytes(data[start : start + width], "big"), start + width
    if start + length > len(data):
        raise IndexError
    return tag, start, start + length


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
