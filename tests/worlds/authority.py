"""Time-stamping authorities made with openssl in a temporary folder, each with a root of its own.

Their certificates are valid through a whole generation (`VALID`), not from the moment at which a test runs: a test whose
authority answers "at" a written day would otherwise fail from that day on.
"""

from __future__ import annotations

import re
import subprocess
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from foresaid.ledger.log.rfc3161 import _element

VALID = datetime(2000, 1, 1, tzinfo=UTC), datetime(2049, 12, 31, tzinfo=UTC)

CONFIG = """\
[tsa]
default_tsa = main
[main]
dir = {folder}
serial = $dir/serial
crypto_device = builtin
signer_cert = $dir/tsa.pem
signer_key = $dir/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ordering = no
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
[req]
distinguished_name = dn
prompt = no
[dn]
CN = unused
[root_ext]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[tsa_ext]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
subjectKeyIdentifier = hash
"""


def dated(reply: bytes, at: datetime, key: ec.EllipticCurvePrivateKey) -> bytes:
    """A reply with another genTime: TSTInfo (RFC 3161, section 2.4.2), its digest among the signed attributes, the signature."""

    def inside(place: int, *steps: int) -> tuple[int, int, int]:
        """First byte, first byte of the content and first byte behind an element, by the places of those around it."""
        for step in steps:
            _, place, _ = _element(reply, place)
            for _ in range(step):
                _, _, place = _element(reply, place)
        return place, *_element(reply, place)[1:]

    content = inside(0, 1, 1, 0, 2, 1, 0)  # token, [0], SignedData, content info, [0], octets
    old = reply[slice(*content[1:])]
    new = re.sub(rb"\x18\x0f[0-9]{14}Z", b"\x18\x0f" + at.strftime("%Y%m%d%H%M%SZ").encode(), old, count=1)
    reply = reply.replace(old, new).replace(sha256(old).digest(), sha256(new).digest())
    signer = (1, 1, 0, 4, 0)  # the signer is the first of the last set, behind the certificates
    attributes, signature = inside(0, *signer, 3), inside(0, *signer, 5)
    signed = b"\x31" + reply[attributes[0] + 1 : attributes[2]]  # RFC 5652, section 5.4: under the tag of a set
    while len(made := key.sign(signed, ec.ECDSA(hashes.SHA256()))) != signature[2] - signature[1]:
        pass  # DER gives a signature 70 to 72 bytes; one of the same length moves nothing else
    return reply[: signature[1]] + made + reply[signature[2] :]


class Authority:
    """An `openssl ts` authority in a folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        folder.mkdir(parents=True)
        (folder / "openssl.cnf").write_text(CONFIG.format(folder=folder), encoding="ascii")
        (folder / "serial").write_text("01\n", encoding="ascii")
        self.run("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "root.key")
        self.run("req", "-new", "-x509", "-config", "openssl.cnf", "-extensions", "root_ext", "-key", "root.key", "-sha256",
                 "-subj", f"/CN={name} root", "-days", "3650", "-out", "root.pem")  # fmt: skip
        self.run("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "tsa.key")
        self.run("req", "-new", "-config", "openssl.cnf", "-key", "tsa.key", "-sha256", "-subj", f"/CN={name}", "-out", "tsa.csr")
        self.run("x509", "-req", "-in", "tsa.csr", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-sha256",
                 "-extfile", "openssl.cnf", "-extensions", "tsa_ext", "-days", "3000", "-out", "tsa.pem")  # fmt: skip
        for certificate in ("root.pem", "tsa.pem"):
            self._valid(certificate, *VALID)

    def certify(self, begins: datetime, ends: datetime) -> None:
        """Another certificate for the same key, valid between two moments."""
        self._valid("tsa.pem", begins, ends)

    def _valid(self, certificate: str, begins: datetime, ends: datetime) -> None:
        """Write a certificate anew with other days, signed by the root. Openssl itself only counts days from now (before 3.4)."""
        old = x509.load_pem_x509_certificate((self.folder / certificate).read_bytes())
        root = serialization.load_pem_private_key((self.folder / "root.key").read_bytes(), None)
        assert isinstance(root, ec.EllipticCurvePrivateKey)
        made = x509.CertificateBuilder(
            old.issuer, old.subject, old.public_key(), x509.random_serial_number(), begins, ends, [*old.extensions]
        )
        (self.folder / certificate).write_bytes(made.sign(root, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def run(self, *words: str) -> None:
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)

    @property
    def root(self) -> bytes:
        """The root certificate, PEM."""
        return (self.folder / "root.pem").read_bytes()

    def reply(self, request: bytes) -> bytes:
        """Answer a request as the authority would."""
        (self.folder / "q.tsq").write_bytes(request)
        self.run("ts", "-reply", "-config", "openssl.cnf", "-queryfile", "q.tsq", "-out", "r.tsr")
        return (self.folder / "r.tsr").read_bytes()

    def reply_at(self, request: bytes, at: datetime) -> bytes:
        """Answer a request as the authority would at another time: its own reply, with that genTime, signed again with its key."""
        key = serialization.load_pem_private_key((self.folder / "tsa.key").read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return dated(self.reply(request), at, key)

    @property
    def policy_line(self) -> str:
        """Its line in a policy."""
        return f"tsa {self.name} {sha256(self.root).hexdigest()}\n"
