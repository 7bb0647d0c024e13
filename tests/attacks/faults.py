"""Nature: a kill at any moment, a disk that fails at any call, a disk that is full.

A freeze that was acknowledged is on the disk whole; one that was not is whole or absent; the ledger verifies at once,
and the next writer goes on. Faults are injected into a forked child that has loaded everything already, so that what is
counted are the calls of the freeze and not those of a starting interpreter.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from tests.attacks import build
from tests.attacks import world as worlds
from tests.attacks.mutate import room
from tests.attacks.table import Scale, Tally, skip, timed
from tests.attacks.world import SIGNER

from foresaid.errors import ForesaidError, UnreadableError
from foresaid.ledger import layout, store, timestamping
from foresaid.ledger.entries.schema import Entry
from foresaid.ledger.log.policy import Policy
from foresaid.ledger.log.signed_note import Signer
from foresaid.ledger.verify.snapshot import Evidence
from foresaid.ledger.verify.verify import VerificationResult, verify

Acknowledge = Callable[[str], None]
BIG = 20_000  # bytes of a batch above the buffer of a stream, where torn writes show


def big(number: int, author: str = "x") -> list[Entry]:
    """Rounds that are together longer than any buffer."""
    text = "every model of the list " * 160
    return [
        msgspec.structs.replace(build.ROUND, id=f"{author}{number}-{part}", universe=text) for part in range(1 + BIG // len(text))
    ]


def child(work: Callable[[Acknowledge], None], reading: int | None = None) -> tuple[int, int]:
    """Fork a process that does the work; gives its id and the end of a pipe on which it acknowledges names.

    With `reading`, the child waits for a byte on that descriptor first.
    """
    receive, send = os.pipe()
    pid = os.fork()
    if pid:
        os.close(send)
        return pid, receive
    code = 99

    def acknowledge(name: str) -> None:
        os.writev(send, [f"{name}\n".encode()])  # not `write`: a fault meant for the freeze must not hit this

    try:
        os.close(receive)
        if reading is not None:
            os.read(reading, 1)
        try:
            work(acknowledge)
            code = 0
        except ForesaidError:
            code = 1
        except OSError as error:
            os.write(send, f"! {type(error).__name__} {error}\n".replace("\n", " ").encode() + b"\n")
            code = 98
        except BaseException as error:
            os.write(send, f"! {type(error).__name__} {error}".replace("\n", " ").encode() + b"\n")
            code = 97
    finally:
        os._exit(code)


def finish(pid: int, receive: int) -> tuple[int, list[str], str]:
    """Exit status of a child, the names it acknowledged (whole lines only), and what it could not explain."""
    _, status = os.waitpid(pid, 0)
    data = b""
    while piece := os.read(receive, 65536):
        data += piece
    os.close(receive)
    said = data.decode("utf-8", "replace").split("\n")[:-1]
    wild = next((line for line in said if line.startswith("! ")), "")
    return os.waitstatus_to_exitcode(status), [line for line in said if not line.startswith("! ")], wild


def checked(folder: Path) -> VerificationResult:
    """The real check; the checkpoint may be signed with the key of the golden example, or not at all."""
    signed = b"\xe2\x80\x94" in (folder / layout.CHECKPOINT).read_bytes()
    return verify(folder, build.ORIGIN, evidence=Evidence(policy=Policy(log=SIGNER.verifier if signed else None)))


def sound(folder: Path, acknowledged: set[str]) -> str:
    """What is wrong after a fault: an empty text if nothing is. `acknowledged` are names that must be there."""
    result = checked(folder)
    if result.findings:
        return str(result.findings[0])
    lost = acknowledged - {batch.sha256 for batch in result.batches}
    return f"{len(lost)} acknowledged batches are lost" if lost else ""


def freeze(folder: Path, number: int, acknowledge: Acknowledge, signer: Signer | None = None) -> None:
    """One freeze as a person does it: a batch, acknowledged, then its place in the log, perhaps signed."""
    acknowledge(build.write(folder, big(number), minutes=600))
    store.sequence(folder, build.ORIGIN, signer)


def kills(scale: Scale, place: Path, signer: Signer | None = None) -> Tally:
    """A writer killed at random moments, each time followed by a check and by the next writer on the same ledger."""
    chance = random.Random(scale.seed)
    acknowledged: set[str] = set()
    strays = 0
    signed = "a signed" if signer else "a"
    count, longest = (scale.of(4, 25, 200), 0.5) if signer else (scale.of(20, 200, 200), 0.06)
    with timed(Tally(f"kill -9 at a random moment of {signed} freeze")) as tally:
        for number in range(count):
            if number % 20 == 0:
                folder = build.build(place / f"kills-{signed[2:]}-{number}", 3)
                acknowledged = set()

            def work(acknowledge: Acknowledge, folder: Path = folder, number: int = number) -> None:
                for step in range(1000):
                    freeze(folder, 1000 * number + step, acknowledge, signer)

            pid, receive = child(work)
            time.sleep(chance.uniform(0.0005, longest))
            os.kill(pid, signal.SIGKILL)
            _, names, wild = finish(pid, receive)
            acknowledged.update(names)
            strays += checked(folder).counts["stray_files"]
            if wild:
                tally.escaped(wild, f"kill {number}")
                continue
            wrong = sound(folder, acknowledged)
            if not wrong and number % 20 in (3, 19):  # the next writer sweeps what was left and puts everything into the log
                store.sequence(folder, build.ORIGIN, signer)
                counts = checked(folder).counts
                wrong = "the next writer left something" if counts["pending"] or counts["stray_files"] else ""
            tally.count(not wrong, f"kill {number}: {wrong}")
        tally.note = f"{strays} stray files, swept"
    return tally


# Calls about files and descriptors; calls about memory, time and signals are not the ledger's.
CALLS = "%file,%desc"
READS = {"read", "newfstatat", "fstat", "lstat", "stat", "getdents64", "lseek", "fcntl", "ioctl", "statx", "readlink", "pread64"}


def strace(pid: int, output: Path, words: list[str]) -> subprocess.Popen[bytes]:
    """Attach to a waiting child; returns when it is attached, or has said why not."""
    tracer = subprocess.Popen(
        ["strace", "-qq", "-p", str(pid), "-o", str(output), *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    for _ in range(2000):
        if tracer.poll() is not None:
            break
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        if "TracerPid:\t0\n" not in status:
            break
        time.sleep(0.001)
    return tracer


Work = Callable[[Acknowledge], None]


def traced(work: Work, output: Path, words: list[str]) -> tuple[int, list[str], str] | None:
    """The work in a child under strace; None when tracing is refused."""
    wait, go = os.pipe()
    pid, receive = child(work, reading=wait)
    tracer = strace(pid, output, words)
    refused = tracer.poll() is not None
    os.write(go, b"x")
    done = finish(pid, receive)
    tracer.wait()
    if tracer.stderr is not None:
        tracer.stderr.close()
    os.close(wait)
    os.close(go)
    return None if refused else done


def injected(
    scale: Scale,
    place: Path,
    what: str,
    start: Path,
    work: Callable[[Path, Acknowledge], None],
    after: Callable[[Path, int, set[str]], str],
) -> Iterator[Tally]:
    """EIO, ENOSPC and KILL at each call of some work on a copy of `start`.

    `after` checks what is left, lets the next writer go, and says what is wrong.
    """
    if shutil.which("strace") is None:
        yield skip(f"EIO, ENOSPC, KILL at each system call of {what}", "no strace")
        return
    before = {batch.sha256 for batch in checked(start).batches}
    output, folder = place / "trace", place / "traced"

    def run(words: list[str]) -> tuple[int, list[str], str] | None:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(start, folder)
        return traced(lambda acknowledge: work(folder, acknowledge), output, words)

    if run(["-e", f"trace={CALLS}"]) is None:
        yield skip(f"EIO, ENOSPC, KILL at each system call of {what}", "ptrace is refused")
        return
    names = re.findall(r"^(\w+)\(", output.read_text(encoding="ascii", errors="replace"), re.MULTILINE)
    seen: dict[str, int] = {}
    calls: list[tuple[str, int]] = []
    for name in names[1:]:  # the first is the read that waited for us
        seen[name] = seen.get(name, 0) + 1
        calls.append((name, seen[name] + (1 if name == "read" else 0)))
    calls = [call for call in calls if call[0] != "writev"]
    step = scale.of(40, 10, 1)
    chosen = [call for number, call in enumerate(calls) if call[0] not in READS | {"openat", "close"} or number % step == 0]
    for fault in ("error=EIO", "error=ENOSPC", "signal=KILL"):
        with timed(Tally(f"{fault.split('=')[1]} at each system call of {what}")) as tally:
            stopped = 0
            for name, when in chosen:
                result = run(["-e", f"trace={name}", "-e", f"inject={name}:{fault}:when={when}"])
                if result is None:
                    tally.escaped("ptrace is refused", f"{name} {when}")
                    continue
                code, acknowledged, wild = result
                stopped += code != 0
                if wild:
                    tally.escaped(wild, f"{name} {when}")
                    continue
                try:
                    wrong = after(folder, code, {*before, *acknowledged})
                except ForesaidError as error:
                    wrong = f"the next writer is refused: {error}"
                tally.count(not wrong, f"{name} {when}: {wrong}")
            tally.note = f"{len(chosen)} of {len(calls)} calls, {stopped} stopped it"
        yield tally


def after_freeze(folder: Path, code: int, acknowledged: set[str]) -> str:
    """Whole at once, whatever was acknowledged is there, and the next freeze clears up."""
    del code
    if wrong := sound(folder, acknowledged):
        return wrong
    freeze(folder, 2, lambda _: None)
    counts = checked(folder).counts
    left = "the next writer left something" if counts["pending"] or counts["stray_files"] else ""
    return sound(folder, acknowledged) or left


def injected_freeze(scale: Scale, place: Path) -> Iterator[Tally]:
    """Every call of one freeze and its place in the log."""
    start = build.build(place / "start", 3)
    yield from injected(scale, place, "a freeze", start, lambda folder, acknowledge: freeze(folder, 1, acknowledge), after_freeze)


def injected_stamp(scale: Scale, place: Path) -> Iterator[Tally]:
    """Every call of keeping a time-stamp reply; a file without its sum may be found, until the next writer sums it."""
    world = worlds.make(place)
    start = build.build(place / "stamp", 3)
    files = {"policy.txt": (world.place / "policy.txt").read_bytes()}
    store.write_files(start, files | {f"tsa/{one.name}.pem": one.root for one in world.authorities})
    store.sequence(start, build.ORIGIN, SIGNER)
    twin = shutil.copytree(start, place / "twin")  # where the anchor is made first, so that there is something to stamp
    request = timestamping.request(twin)
    reply = world.authorities[0].reply(request)

    def work(folder: Path, acknowledge: Acknowledge) -> None:
        try:
            timestamping.accept(folder, reply, "tsa1", world.watched, sent=request)
        except OSError as error:  # a file that cannot be read: the command prints one line and leaves with 2
            raise UnreadableError(str(error)) from None

    def after(folder: Path, code: int, acknowledged: set[str]) -> str:
        token = folder / "log/anchors/00000003/tsa1.tsr"
        if code == 0 and not token.exists():
            return "the reply was acknowledged and is lost"
        now = {finding.code for finding in checked(folder).findings}
        if now - {"V02", "V09"}:  # no sum yet, or an anchor of which half is written
            return f"found {sorted(now)}"
        build.write(folder, [build.forecast("next")], minutes=600)
        timestamping.accept(folder, reply, "tsa1", world.watched, sent=request)
        result = checked(folder)
        lost = acknowledged - {batch.sha256 for batch in result.batches}
        return f"{len(lost)} batches lost" if lost else "; ".join(map(str, result.findings))

    yield from injected(scale, place, "keeping a time stamp", start, work, after)


def full_disk(scale: Scale, place: Path) -> Tally:
    """Freezes onto a small disk until it is full and beyond."""
    attack = "full disk"
    disk = place / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "campaign", str(disk)], capture_output=True, text=True, check=False
    )
    if mounted.returncode != 0:
        return skip(attack, "no small disk can be mounted here")
    try:
        with timed(Tally(attack)) as tally:
            folder = build.create(disk / "ledger")
            build.write(folder, build.entries_of(0))
            acknowledged: set[str] = set()
            refused = 0
            for number in range(40):
                try:
                    freeze(folder, number + 1, acknowledged.add)
                except ForesaidError:
                    refused += 1
                except Exception as error:
                    tally.escaped(error, f"freeze {number}")
                    continue
                wrong = sound(folder, acknowledged)
                tally.count(not wrong, f"freeze {number}: {wrong}")
            tally.note = f"{len(acknowledged)} acknowledged, {refused} refused, on 256 KiB"
            if not refused:
                tally.escaped("the disk was never full", "40 freezes")
    finally:
        subprocess.run(["umount", str(disk)], check=False)
    return tally


def file_limit(scale: Scale, place: Path) -> Tally:
    """Freezes of 20 KB under a limit on the size of a file: a write comes back short, then fails."""
    import resource

    folder = build.build(place / "limit", 3)
    before = {batch.sha256 for batch in verify(folder, build.ORIGIN).batches}
    with timed(Tally("a write comes back short (limit on the size of a file)")) as tally:
        for bytes_ in (100, 1000, 4096, 8192, 16384, 20000):

            def work(acknowledge: Acknowledge, bytes_: int = bytes_) -> None:
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, bytes_))
                freeze(folder, bytes_, acknowledge)

            code, acknowledged, wild = finish(*child(work))
            if wild:
                tally.escaped(wild, f"{bytes_}")
                continue
            wrong = sound(folder, {*before, *acknowledged}) or ("the freeze passed" if code == 0 else "")
            tally.count(not wrong, f"limit {bytes_}: {wrong}")
    return tally


def attacks(scale: Scale) -> Iterator[Tally]:
    """Kills, injected faults, full disks."""
    with room(memory=False) as place:
        yield kills(scale, place)
        yield kills(scale, place, SIGNER)
        yield from injected_freeze(scale, place)
        yield from injected_stamp(scale, place)
        yield full_disk(scale, place)
        yield file_limit(scale, place)
