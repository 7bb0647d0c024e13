"""The verifier itself, spoilt: each of V01 to V20 switched off in turn must be noticed by a broken ledger of `test_verify`.

Finer than that, each place in a check that reports something is made to report nothing, one at a time, in a copy of the
package: the broken ledgers must tell the copy from the original.
"""

from __future__ import annotations

import ast
import inspect
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.attacks import build
from tests.attacks.mutate import room, spread
from tests.attacks.table import Scale, Tally, timed
from tests.ledger.verify import test_verify

from foresaid.ledger import layout, store
from foresaid.ledger.entries.resolutions import Redaction
from foresaid.ledger.entries.schema import ForecastEntry, Sealed
from foresaid.ledger.log import anchors, manifest, policy
from foresaid.ledger.log.git_history import History
from foresaid.ledger.log.manifest import Checkpoint
from foresaid.ledger.verify import byte_checks, entry_checks, proof_checks
from foresaid.ledger.verify.snapshot import Evidence
from foresaid.ledger.verify.verify import CHECKS, Check, verify

# Reports on what the zoo's ledgers do not have (authors with keys, replies kept, training rows, a clock), each with the test
# that fails without it; the zoo need not reach these.
OWN_TESTS = {
    "yield from _stale(snapshot)": "tests/ledger/verify/test_admission.py",
    "yield from _authors(snapshot)": "tests/ledger/verify/test_admission.py",
    "yield from _replies_kept(snapshot, f'{layout.folder(size)}/replies')": "tests/ledger/log/test_rfc3161.py",
    "yield from (Finding('V10', path, 'is about no batch that is here') for path in found.foreign)": (
        "tests/ledger/log/test_rfc3161.py"
    ),
    "yield from (Finding('V10', path, what, incomplete=True) for path, what in found.unread)": "tests/ledger/log/test_rfc3161.py",
    "yield Finding('V14', layout.batch_path(name), f'is not let into the log: {reason}', incomplete=True)": (
        "tests/ledger/verify/test_admission.py"
    ),
    "yield from _known(snapshot, batch, number, entry, targets.get((entry.round, entry.target)), looks)": (
        "tests/attacks/test_meaning.py"
    ),
    "yield from (_again(snapshot, targets) if about else ())": "tests/attacks/test_further_attacks.py",
    "yield from (Finding('V18', 'adopted', what, incomplete=True) for what in adopted_changes(snapshot))": (
        "tests/attacks/test_meaning.py"
    ),
    "yield from _fitted(batch, [one for one in read if one is not None], all(read))": "tests/attacks/test_meaning.py",
    "yield Finding('V17', layout.batch_path(name), f'frozen_at is {what}', batch.header.frozen_at, expected, line=1)": (
        "tests/attacks/test_meaning.py"
    ),
}
MODULES: tuple[ModuleType, ...] = (byte_checks, proof_checks, entry_checks)


def outcome(folder: Path, evidence: Evidence | None, checks: Mapping[str, Check]) -> tuple[int, tuple[str, ...]]:
    """What the verifier says of a broken ledger: exit code, and every finding."""
    result = verify(folder, test_verify.ORIGIN, evidence=evidence, checks=checks)
    return result.exit_code(), tuple(map(str, (*result.findings, *result.incomplete)))


def reports(function: ast.FunctionDef) -> list[ast.stmt]:
    """The statements of a check that report something."""
    return [node for node in ast.walk(function) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Yield | ast.YieldFrom)]


def silenced(module: ModuleType, code: str, check: Check) -> Iterator[tuple[str, Check]]:
    """The check with one report taken out, for every report in it."""
    name = check.__name__
    for order in range(len(reports(_function(module, name)))):
        tree = ast.parse(inspect.getsource(module))
        function = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name)
        target = reports(function)[order]
        if ast.unparse(target) in OWN_TESTS:
            continue

        class Silence(ast.NodeTransformer):
            def visit_Expr(self, node: ast.Expr, target: ast.stmt = target) -> ast.stmt:
                return ast.copy_location(ast.Pass(), node) if node is target else node

        Silence().visit(tree)
        function.body.append(ast.parse("yield from ()").body[0])  # still a generator
        space: dict[str, Any] = {"__name__": module.__name__}
        exec(compile(ast.fix_missing_locations(tree), str(module.__file__), "exec"), space)
        yield f"{code} without the report on line {target.lineno} of {module.__name__.rpartition('.')[2]}.py", space[name]


def _function(module: ModuleType, name: str) -> ast.FunctionDef:
    tree = ast.parse(inspect.getsource(module))
    return next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name)


def evidence_of(folder: Path) -> dict[str, bytes]:
    """The files that log/ANCHORS.sha256 lists."""
    kept = ("log/anchors/", "receipts/", "tsa/", "policy.txt")
    return {name: data for name, data in build.files(folder).items() if name.startswith(kept)}


def unsorted(folder: Path) -> None:
    lines = (folder / layout.SUMS).read_bytes().splitlines(keepends=True)
    (folder / layout.SUMS).write_bytes(b"".join(lines[::-1]))


def cut(folder: Path) -> None:
    (folder / layout.SUMS).write_bytes((folder / layout.SUMS).read_bytes()[:-1])


def unwitnessed(folder: Path) -> None:
    data = (folder / layout.CHECKPOINT).read_bytes()
    (folder / layout.CHECKPOINT).write_bytes(data[: data.rindex("\u2014".encode())])


def stranger(folder: Path) -> None:
    token = folder / "log/anchors/00000002/tsa1.tsr"
    token.with_name("tsa9.tsr").write_bytes(token.read_bytes())
    (folder / layout.SUMS).write_bytes(anchors.sums(evidence_of(folder)))


def one_stamp(folder: Path) -> None:
    (folder / "log/anchors/00000002/tsa2.tsr").unlink()
    (folder / layout.SUMS).write_bytes(anchors.sums(evidence_of(folder)))


def redacted(folder: Path) -> None:
    name = store.heads(folder)[0]
    batch = next(one for one in store.read(folder) if one.sha256 == name)
    removed = sorted(entry.id for entry in batch.entries if isinstance(entry, ForecastEntry | Sealed))
    line = Redaction(batch=name, author=build.AUTHOR, forecasts=removed, reason="a court said so")
    build.write(folder, [line], minutes=20)
    store.redact(folder, name)


def nothing(folder: Path) -> None:
    """What is wrong is in the evidence."""


OTHER = Checkpoint("example.org/other", 1, manifest.root(["0" * 64])).encode()
# More broken ledgers, made of the golden one: what is done to it, and what the reader brings besides the policy
GOLDEN: tuple[tuple[Callable[[Path], None], dict[str, Any]], ...] = (
    (unsorted, {}),
    (cut, {}),
    (unwitnessed, {}),
    (stranger, {}),
    (one_stamp, {}),
    (redacted, {}),
    (nothing, {"known": (b"no checkpoint",)}),
    (nothing, {"known": (OTHER,)}),
    (nothing, {"asked": frozenset({"V13"})}),
    (nothing, {"history": History((), (), shallow=True)}),
)


def zoo(place: Path) -> list[tuple[str, Path, Evidence | None, tuple[int, tuple[str, ...]]]]:
    """The broken ledgers, with what the whole verifier says of each."""
    found = []
    for number, (code, spoil) in enumerate(test_verify.ZOO.values()):
        folder = test_verify.put(place / str(number) / "ledger", test_verify.SOUND)
        brought = spoil(folder)
        evidence = brought if isinstance(brought, Evidence) else None
        found.append((code, folder, evidence, outcome(folder, evidence, CHECKS)))
    data = Path(__file__).parents[1] / "data" / "golden"
    for number, (change, words) in enumerate(GOLDEN):
        folder = place / f"golden-{number}" / "ledger"
        shutil.copytree(data / "ledger", folder)
        change(folder)
        evidence = Evidence(policy=policy.load(data / "policy.txt"), **words)
        found.append(("", folder, evidence, outcome(folder, evidence, CHECKS)))
    return found


def attacks(scale: Scale) -> Iterator[Tally]:
    """Whole checks off, then single reports."""
    with room() as place:
        broken = zoo(place)
        with timed(Tally("verifier without one of V01 to V20 passes all broken ledgers")) as tally:
            for code in CHECKS:
                rest = {name: check for name, check in CHECKS.items() if name != code}
                killed = [outcome(folder, evidence, rest)[0] == 0 for one, folder, evidence, _ in broken if one == code]
                tally.count(any(killed), f"nothing needs {code}")
            tally.note = f"{len(broken)} broken ledgers, {len(CHECKS)} checks"
        yield tally
        if scale.name == "slice":
            return
        mutants = [
            (name, code, check)
            for code, whole in CHECKS.items()
            for module in MODULES
            if whole.__module__ == module.__name__
            for name, check in silenced(module, code, whole)
        ]

        def part(worker: int, workers: int) -> Tally:
            tally = Tally("")
            for name, code, check in mutants[worker::workers]:
                spoilt = {**CHECKS, code: check}
                told = any(outcome(folder, evidence, spoilt) != said for _, folder, evidence, said in broken)
                tally.count(told, name)
            return tally

        with timed(Tally("verifier with one report silenced says the same of all broken ledgers")) as tally:
            for counted in spread(scale, part):
                tally.add(counted)
        yield tally
