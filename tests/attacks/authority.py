"""Two time-stamping authorities on this machine, made with openssl: the only way to test stamps without a network."""

from __future__ import annotations

import fcntl
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

CONFIGURATION = """\
[req]
distinguished_name = name
prompt = no
[name]
CN = {name}
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
[leaf]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[tsa]
default_tsa = one
[one]
serial = {folder}/serial
signer_cert = {folder}/leaf.pem
signer_key = {folder}/leaf.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ordering = no
tsa_name = no
ess_cert_id_chain = no
"""


def openssl(folder: Path, *words: str) -> None:
    """Run openssl, which must succeed."""
    done = subprocess.run(["openssl", *words], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"openssl {' '.join(words)}: {done.stderr}")


@dataclass(frozen=True)
class Authority:
    """An authority: its name, its folder, its root certificate."""

    name: str
    folder: Path

    @property
    def root(self) -> bytes:
        """The root certificate (PEM), which a policy pins."""
        return (self.folder / "root.pem").read_bytes()

    def reply(self, request: bytes) -> bytes:
        """Answer a request (.tsq) with a reply (.tsr), as of now; one at a time, since workers share the serial number."""
        handle = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            (self.folder / "request.tsq").write_bytes(request)
            openssl(self.folder, "ts", "-reply", "-config", "openssl.cnf", "-queryfile", "request.tsq", "-out", "reply.tsr")
            return (self.folder / "reply.tsr").read_bytes()
        finally:
            os.close(handle)


def make(name: str, folder: Path) -> Authority:
    """A new authority with keys of its own."""
    folder.mkdir(parents=True)
    (folder / "openssl.cnf").write_text(CONFIGURATION.format(name=name, folder=folder), encoding="ascii")
    (folder / "serial").write_text("01\n", encoding="ascii")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", "openssl.cnf")
    openssl(folder, "req", "-x509", *curve, "-keyout", "root.key", "-out", "root.pem", "-days", "3650", "-extensions", "root")
    openssl(folder, "req", "-new", *curve, "-keyout", "leaf.key", "-out", "leaf.csr", "-subj", f"/CN={name} signer")
    openssl(
        folder, "x509", "-req", "-in", "leaf.csr", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-days", "3650",
        "-extfile", "openssl.cnf", "-extensions", "leaf", "-out", "leaf.pem",
    )  # fmt: skip
    return Authority(name, folder)
