"""Two time-stamping authorities made with openssl in a temporary folder, each with a root of its own."""

from __future__ import annotations

import subprocess
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

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

    def certify(self, begins: datetime, ends: datetime) -> None:
        """Another certificate for the same key, valid between two moments."""
        old = x509.load_pem_x509_certificate((self.folder / "tsa.pem").read_bytes())
        root = serialization.load_pem_private_key((self.folder / "root.key").read_bytes(), None)
        assert isinstance(root, ec.EllipticCurvePrivateKey)
        made = x509.CertificateBuilder(
            old.issuer, old.subject, old.public_key(), x509.random_serial_number(), begins, ends, [*old.extensions]
        )
        (self.folder / "tsa.pem").write_bytes(made.sign(root, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

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

    @property
    def policy_line(self) -> str:
        """Its line in a policy."""
        return f"tsa {self.name} {sha256(self.root).hexdigest()}\n"
