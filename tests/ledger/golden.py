"""Make the golden ledger of the tests again, after a change of the format: `python -m tests.ledger.golden`.

It writes tests/data/golden (ledger, policy, roots) and prints the numbers that the tests hold. The authorities get new keys.
"""

from __future__ import annotations

import shutil
import tempfile
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from tests.attacks import build, world
from tests.ledger.test_store import OPENING, SEALED, forecast

from foresaid.ledger import store, timestamping
from foresaid.ledger.layout import CHECKPOINT, MANIFEST
from foresaid.ledger.log import manifest, merkle

GOLDEN = Path(__file__).resolve().parents[1] / "data" / "golden"
COSIGNED_AT = 0x6B00FB20


def make(place: Path) -> Path:
    """The ledger of two batches, signed, cosigned and stamped by two authorities, with its policy and roots."""
    everybody = world.make(place / "reader")
    folder = build.create(place / "ledger")
    files = {"policy.txt": (everybody.place / "policy.txt").read_bytes()}
    files |= {f"tsa/{one.name}.pem": one.root for one in everybody.authorities}
    store.write_files(folder, files)
    build.write(folder, OPENING)
    build.write(folder, [forecast("obs-v3", primary=True), SEALED], minutes=10)
    store.sequence(folder, build.ORIGIN, world.SIGNER)
    head = manifest.parse_checkpoint((folder / CHECKPOINT).read_bytes())
    timestamping.add_cosignature(folder, world.WATCHER.sign(head.text, COSIGNED_AT))
    for one in everybody.authorities:
        request = timestamping.request(folder)
        timestamping.accept(folder, one.reply(request), one.name, everybody.watched, sent=request)
    return folder


def main() -> None:
    """Replace the golden files and print what the tests must say."""
    with tempfile.TemporaryDirectory() as name:
        folder = make(Path(name))
        shutil.rmtree(GOLDEN / "ledger")
        shutil.copytree(folder, GOLDEN / "ledger", ignore=shutil.ignore_patterns(".*"))
    for item in ("policy.txt", "tsa/tsa1.pem", "tsa/tsa2.pem"):
        shutil.copyfile(GOLDEN / "ledger" / item, GOLDEN / item)
    log = (GOLDEN / "ledger" / MANIFEST).read_bytes()
    names, _ = manifest.parse_manifest(log)
    print("batches", *names)
    print("leaves", *(merkle.leaf_hash(manifest.manifest_line(one)).hex() for one in names))
    print("root", b64encode(manifest.root(names)).decode())
    print("manifest", sha256(log).hexdigest())
    print((GOLDEN / "ledger" / CHECKPOINT).read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
