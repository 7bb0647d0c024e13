"""Signed notes: a text, a blank line, and Ed25519 signatures by named keys (C2SP signed-note and tlog-cosignature).

A signature line is an em dash, the signer's name, and base64 of a four-byte key id and the signature. A log signs the text
itself (type 1); a witness signs the text with the time at which it saw it (type 4). Bytes that could be written in two
ways are refused: other base64 spellings, control characters, anything but ASCII outside the dash. Lines by unknown keys
are ignored, as the specification says; how many known ones are needed is a matter of the policy.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from foresaid.errors import LedgerError

NOTE_BYTES = 1_000_000
SIGNATURES = 16
LOG, WITNESS = 0x01, 0x04  # types of keys
KINDS = {"log": LOG, "witness": WITNESS, "author": LOG}  # an author signs plain notes, as a log does

_DASH = "— ".encode()
_NAME = re.compile(r"[!-*,-~]{1,128}")  # printable ASCII without a space and without a plus
_TEXT = re.compile(rb"[ -~\n]*\n")


def unbase64(text: str) -> bytes:
    """Read base64 that is spelt the one way it would be written.

    >>> unbase64("AAE=")
    b'\\x00\\x01'
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise LedgerError(f"found {text[:60]!a}, expected base64") from None
    if base64.b64encode(data).decode("ascii") != text:
        raise LedgerError(f"found {text[:60]!a}, expected base64 in its own spelling")
    return data


def key_id(name: str, kind: int, public: bytes) -> bytes:
    """Four bytes that name a key: the beginning of SHA-256(name || newline || type || public key)."""
    return sha256(name.encode("ascii") + b"\n" + bytes([kind]) + public).digest()[:4]


@dataclass(frozen=True)
class Verifier:
    """A public key: whose, of which type, and its 32 bytes."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        """The key id."""
        return key_id(self.name, self.kind, self.public)

    @property
    def vkey(self) -> str:
        """The key as one word, as it stands in a policy: name, key id, base64 of type and key."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(bytes([self.kind]) + self.public).decode('ascii')}"


@dataclass(frozen=True)
class Signer:
    """A secret key; `vkey` is what may be published."""

    name: str
    kind: int
    seed: bytes

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        return Verifier(self.name, self.kind, Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw())

    def sign(self, text: bytes, seconds: int = 0) -> bytes:
        """A signature line over a text, newline included; a witness signs the time (seconds since 1970) with it."""
        secret = Ed25519PrivateKey.from_private_bytes(self.seed)
        stamp = seconds.to_bytes(8, "big") if self.kind == WITNESS else b""
        payload = self.verifier.id + stamp + secret.sign(_message(self.kind, text, seconds))
        return _DASH + f"{self.name} {base64.b64encode(payload).decode('ascii')}\n".encode("ascii")


def _message(kind: int, text: bytes, seconds: int) -> bytes:
    return b"cosignature/v1\ntime %d\n" % seconds + text if kind == WITNESS else text


@dataclass(frozen=True)
class Signature:
    """One signature line: the name and key id it claims, and the bytes behind them."""

    name: str
    key_id: bytes
    payload: bytes


@dataclass(frozen=True)
class Note:
    """A text, newline included, and its signatures."""

    text: bytes
    signatures: tuple[Signature, ...]

    def encode(self) -> bytes:
        """The bytes of the file."""
        lines = [
            _DASH + f"{one.name} {base64.b64encode(one.key_id + one.payload).decode('ascii')}\n".encode("ascii")
            for one in self.signatures
        ]
        return self.text + b"\n" + b"".join(lines)


def parse_vkey(text: str) -> Verifier:
    """Read a public key.

    >>> parse_vkey("example.org/lm-forecasts+bd1d20b8+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c").name
    'example.org/lm-forecasts'
    """
    name, kind, public = _key(text.split("+", 2), text)
    verifier = Verifier(name, kind, public)
    if verifier.vkey != text:
        raise LedgerError(f"key {text[:200]!a}: its id is not that of its name and bytes ({verifier.id.hex()})")
    return verifier


def parse_signer(text: str) -> Signer:
    """Read a secret key: `PRIVATE+KEY+` and the same three parts as a public one."""
    parts = text.split("+", 4)
    if parts[:2] != ["PRIVATE", "KEY"]:
        raise LedgerError("key file: expected one line that begins with PRIVATE+KEY+; make one with `foresaid ledger key new`")
    name, kind, seed = _key(parts[2:], "of the key file")
    signer = Signer(name, kind, seed)
    if signer.verifier.id.hex() != parts[3]:
        raise LedgerError("key file: the key id is not that of the name and the key")
    return signer


def _key(parts: list[str], shown: str) -> tuple[str, int, bytes]:
    if len(parts) != 3 or not _NAME.fullmatch(parts[0]) or not re.fullmatch(r"[0-9a-f]{8}", parts[1]):
        raise LedgerError(f"key {shown[:200]!a}: expected name+eight hex digits+base64")
    data = unbase64(parts[2])
    if len(data) != 33 or data[0] not in (LOG, WITNESS):
        raise LedgerError(f"key {shown[:200]!a}: expected an Ed25519 key of a log (1) or a witness (4)")
    return parts[0], data[0], data[1:]


def parse_note(data: bytes) -> Note:
    """Read a note. A text without signatures is a note that nobody signed yet."""
    if len(data) > NOTE_BYTES:
        raise LedgerError(f"found {len(data)} bytes, expected at most {NOTE_BYTES}")
    text, blank, rest = data.rpartition(b"\n\n")
    text += b"\n"
    if not blank or not _TEXT.fullmatch(text):
        raise LedgerError("expected a text in ASCII, a blank line, and nothing but signatures behind it")
    lines = rest.split(b"\n")
    if lines.pop():
        raise LedgerError("no newline at the end; the file was cut")
    if len(lines) > SIGNATURES:
        raise LedgerError(f"found {len(lines)} signatures, expected at most {SIGNATURES}")
    return Note(text, tuple(_signature(line) for line in lines))


def _signature(line: bytes) -> Signature:
    try:
        name, _, payload = line.removeprefix(_DASH).decode("ascii").partition(" ")
    except UnicodeDecodeError:
        raise LedgerError(f"found {line[:60]!a} behind the blank line, expected a signature") from None
    if not line.startswith(_DASH) or not _NAME.fullmatch(name):
        raise LedgerError(f"found {line[:60]!a} behind the blank line, expected a signature")
    data = unbase64(payload)
    if len(data) < 5:
        raise LedgerError(f"signature of {name}: found {len(data)} bytes, expected more than four")
    return Signature(name, data[:4], data[4:])


def check(note: Note, verifier: Verifier) -> int | None:
    """Whether this key signed the text: None if no line claims so, else the time (0 for a log's signature).

    A line that claims this key and does not verify is an error, never ignored.
    """
    found: int | None = None
    for one in note.signatures:
        if one.name != verifier.name or one.key_id != verifier.id:
            continue
        if found is not None:
            raise LedgerError(f"two signatures by {verifier.name}")
        seconds, signature = 0, one.payload
        if verifier.kind == WITNESS:
            seconds, signature = int.from_bytes(one.payload[:8], "big"), one.payload[8:]
        try:
            Ed25519PublicKey.from_public_bytes(verifier.public).verify(signature, _message(verifier.kind, note.text, seconds))
        except (InvalidSignature, ValueError):
            raise LedgerError(f"the signature by {verifier.name} is not one of this text") from None
        found = seconds
    return found
