"""Each attack on the meaning, B1 to B33 of docs/campaign.md, with the one fix taken out that stops it: its test must fail.

The tests of the attacks speak to today's program, so they cannot be run on the one that was attacked. Instead one fix at a time
is taken out of a copy of the package, as text, and the test of that attack is run on the copy: one that passes there would pass
whatever the program does. The whole copy, with every fix in its place, must pass them all.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.attacks.mutate import room, spread
from tests.attacks.table import Scale, Tally, timed
from tests.conftest import ROOT

PACKAGE = ROOT / "pipelines" / "foresaid"
MEANING, FURTHER = "attacks/test_meaning.py", "attacks/test_further_attacks.py"
ADMISSION = "ledger/verify/test_admission.py"
QUICK = ("B12",)  # the slice of the test suite runs these alone
SECONDS = 600  # the longest a test may take, on a machine that does other work
SAMPLED = 5  # a short campaign takes one fix in so many; which ones follows from the seed


@dataclass(frozen=True)
class Fix:
    """What stops an attack: where it stands, its text once in that file, the text without it, and the test that must fail then."""

    attack: str
    file: str
    text: str
    without: str
    test: str
    name: str  # part of the name of the test

    @property
    def place(self) -> str:
        """The module, as the table names it."""
        return Path(self.file).stem


FIXES: tuple[Fix, ...] = (
    Fix(
        "B1",
        "ledger/verify/entry_checks.py",
        "models = {model for aim in aims_of(batch) for model in about.get(aim, ())}",
        "models: set[str] = set()",
        MEANING,
        "test_b1_a_forecast",
    ),
    Fix(
        "B1",
        "pipeline/outcomes.py",
        "in trained | known.get(aim, set())",
        "in known.get(aim, set())",
        MEANING,
        "test_b1_a_forecast",
    ),
    Fix(
        "B2",
        "evaluation/ledger_scores.py",
        "entered = {subject: found[0] for",
        "entered = {subject: found[-1] for",
        MEANING,
        "test_b2_",
    ),
    Fix(
        "B3",
        "ledger/entries/rules.py",
        "if not target.opens < entry.released_on <= target.closes:",
        "if False:",
        MEANING,
        "test_b3",
    ),
    Fix("B4", "evaluation/ledger_scores.py", 'return "scored" if proved else "claimed"', 'return "scored"', MEANING, "test_b4"),
    Fix(
        "B5",
        "ledger/entries/rules.py",
        "if older is not None and older.header.frozen_at > batch.header.frozen_at:",
        "if False and older is not None:",
        MEANING,
        "test_b5",
    ),
    Fix(
        "B6",
        "ledger/state/accounting.py",
        "if not any(not in_time(at, limit) and in_time(frozen, limit) for limit in ends):",
        "if ends or not ends:",
        MEANING,
        "test_b6",
    ),
    Fix("B7", "ledger/entries/rules.py", "if key in known.resolved:", "if False:", MEANING, "test_b7_a_target_with"),
    Fix("B7", "pipeline/score.py", 'if row["standing"] not in EXITS:', "if True:", MEANING, "test_b7_a_challenge"),
    Fix("B8", "ledger/verify/proof_checks.py", "yield from _stale(snapshot)", "yield from ()", ADMISSION, "test_b8"),
    Fix(
        "B9",
        "ledger/verify/proof_checks.py",
        'yield from _replies_kept(snapshot, f"{layout.folder(size)}/replies")',
        "yield from ()",
        "ledger/log/test_rfc3161.py",
        "test_b9",
    ),
    Fix(
        "B10",
        "ledger/entries/rules.py",
        "if isinstance(bare, ForecastEntry | Inner | Amendment)",
        "if isinstance(bare, ForecastEntry | Inner)",
        MEANING,
        "test_b10",
    ),
    Fix("B11", "ledger/entries/target_rules.py", "if target.benchmark in names:", "if False:", MEANING, "test_b11"),
    Fix("B12", "ledger/entries/target_rules.py", "if curve.get(name) != should", "if False", MEANING, "test_b12"),
    Fix(
        "B13",
        "evaluation/ledger_scores.py",
        "except (ForesaidError, ArithmeticError, LookupError, TypeError, ValueError, pl.exceptions.PolarsError) as error:",
        "except ZeroDivisionError as error:",
        "pipeline/test_lawful_ledgers.py",
        "test_b13",
    ),
    Fix(
        "B14",
        "ledger/verify/admission.py",
        'rejected[first.sha256] = f"line {first.line}: {first.what}: found {first.found}, expected {first.expected}"',
        "return rejected, clashes",
        ADMISSION,
        "test_b14_two",
    ),
    Fix("B15", "ledger/verify/admission.py", "if not keys:", "if True:", ADMISSION, "test_b15_a_batch"),
    Fix(
        "B15",
        "pipeline/freeze.py",
        "have = _have(batches, params.author)",
        "have = {key: one for batch in batches for key, one in _have([batch], batch.header.author).items()}",
        "pipeline/test_freeze.py",
        "test_b15",
    ),
    Fix(
        "B16",
        "pipeline/freeze.py",
        "sha256=training_snapshots.keep(folder, contents[law]),",
        "sha256=hashlib.sha256(contents[law]).hexdigest(),",
        "pipeline/test_freeze.py",
        "test_b16",
    ),
    Fix(
        "B17",
        "ledger/store.py",
        'problems = [clash for clash in rules.clashes([*batches, batch]) if clash.sha256 == ""]',
        "problems: list[rules.Clash] = []",
        MEANING,
        "test_b17",
    ),
    Fix(
        "B18",
        "cli/ledger_verify.py",
        r"""return "".join(sign if sign == "\n" or " " <= sign <= "~" else f"\\x{ord(sign):02x}" for sign in text)""",
        "return text",
        "cli/test_ledger.py",
        "test_b18",
    ),
    Fix(
        "B19",
        "ledger/log/git_history.py",
        "while len(self._kept) >= KEPT:",
        "while len(self._kept) >= 10**6:",
        "ledger/log/test_git_history.py",
        "test_b19",
    ),
    Fix(
        "B20",
        "ledger/entries/rules.py",
        'return [] if key in gone else [(f"{verb} of an unknown forecast"',
        'return [] if gone else [(f"{verb} of an unknown forecast"',
        ADMISSION,
        "test_b20",
    ),
    Fix(
        "B21",
        "forecasting/predict.py",
        "if then.shape != now.shape or not bool((np.abs(then - now) <= room).all()):",
        "if False:",
        "fitting/test_frozen_curve.py",
        "test_b21",
    ),
    Fix("B21", "ledger/provenance.py", "params=_digest(root / SETTINGS),", "", "ledger/test_provenance.py", "test_b21"),
    Fix(
        "B22",
        "pipeline/freeze.py",
        "if resolve(name, aliases) not in released and name not in announced:",
        "if False:",
        MEANING,
        "test_b22",
    ),
    Fix(
        "B23",
        "ledger/state/index.py",
        "return [one for one in other if not self.descends(one[0]",
        "return [one for one in [] if not self.descends(one[0]",
        MEANING,
        "test_b23_two",
    ),
    Fix(
        "B24",
        "ledger/verify/page.py",
        "    if wanted is None:\n        return\n",
        "    if True:\n        return\n",
        MEANING,
        "test_b24_scores",
    ),
    Fix("B25", "ledger/verify/snapshot.py", "snapshot.odd_pages.append(path)", "pass", MEANING, "test_b25"),
    Fix(
        "B25",
        "cli/ledger_verify.py",
        'f"checkpoint: signed by {result.signed_by}"',
        '"checkpoint"',
        "cli/test_ledger.py",
        "test_b25",
    ),
    Fix(
        "B26",
        "evaluation/ledger_scores.py",
        "told = [steps.get((case, target), 0.0) for",
        "told = [[*steps.values()][-1] for",
        FURTHER,
        "test_b26",
    ),
    Fix(
        "B27",
        "pipeline/outcomes.py",
        "        known = known_names(target.known)\n        made",
        "        if aim in facts.voids:\n            continue\n        known = known_names(target.known)\n        made",
        FURTHER,
        "test_b27",
    ),
    Fix("B28", "pipeline/outcomes.py", "differences += _otherwise(", "differences += 0 * _otherwise(", FURTHER, "test_b28"),
    Fix(
        "B29",
        "ledger/state/index.py",
        "one = target is not None and isinstance(",
        "one = False and isinstance(",
        FURTHER,
        "test_b29",
    ),
    Fix(
        "B30",
        "ledger/verify/entry_checks.py",
        "yield from _again(snapshot, targets) if about else ()",
        "yield from ()",
        FURTHER,
        "test_b30",
    ),
    Fix("B30", "pipeline/outcomes.py", "or name in twice.get(aim, {}))", "or False)", FURTHER, "test_b30"),
    Fix("B31", "ledger/entries/rules.py", "if author not in known.openers[entry.round]:", "if False:", FURTHER, "test_b31_nobody"),
    Fix("B32", "ledger/entries/rules.py", "    if kept:\n", "    if False:\n", FURTHER, "test_b32"),
    Fix("B33", "pipeline/score.py", 'row["told"], row["unit"])', 'row["told"], "")', FURTHER, "test_b33"),
)


def missing(fixes: Sequence[Fix] = FIXES) -> list[str]:
    """The fixes whose text does not stand once in its file any more: they have moved, and would silence nothing."""
    return [
        f"{one.attack}: {one.file} holds {n} times: {one.text[:80]}"
        for one in fixes
        if (n := (PACKAGE / one.file).read_text(encoding="utf-8").count(one.text)) != 1
    ]


def passes(package: Path, test: str, name: str) -> bool:
    """Whether the tests of a file whose name holds a word pass on a copy of the package; RuntimeError where none of them ran."""
    top = package.parent
    environment = {word: value for word, value in os.environ.items() if not word.startswith("PYTEST_")}
    environment["PYTHONPATH"] = f"{top}{os.pathsep}{ROOT}"
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-o", f"pythonpath={top} {ROOT}"]
    command += [f"--basetemp={top / 'tmp'}", "-k", name, str(ROOT / "tests" / test)]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False, stdin=subprocess.DEVNULL
    )
    if done.returncode not in (0, 1) or not re.search(r"\d+ (passed|failed)", done.stdout):
        raise RuntimeError(f"{test}, {name}: pytest left with {done.returncode}: {(done.stdout + done.stderr)[-300:]}")
    return done.returncode == 0


def unfixed(place: Path, fix: Fix) -> bool:
    """Whether the test of an attack passes on a copy of the package without the fix; what was taken out is put back."""
    path = place / "foresaid" / fix.file
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole.replace(fix.text, fix.without), encoding="utf-8")
    try:
        return passes(place / "foresaid", fix.test, fix.name)
    finally:
        path.write_text(whole, encoding="utf-8")


def attacks(scale: Scale) -> Iterator[Tally]:
    """Each fix taken out alone, and none of them."""
    chosen = [one for one in FIXES if scale.name != "slice" or one.attack in QUICK]
    if scale.name == "short":  # a sample of those that need no fits, no long history and no hundreds of generated ledgers
        slow = ("pipeline/", "ledger/log/test_git_history.py")
        chosen = [one for one in chosen if not one.test.startswith(slow)][scale.seed % SAMPLED :: SAMPLED]
    tests = list(dict.fromkeys((one.test, one.name) for one in chosen))

    def copied(place: Path) -> Path:
        shutil.copytree(PACKAGE, place / "foresaid", ignore=shutil.ignore_patterns("__pycache__"))
        return place

    def whole(worker: int, workers: int) -> Tally:
        tally = Tally("")
        with room() as place:
            copied(place)
            for test, name in tests[worker::workers]:
                tally.count(passes(place / "foresaid", test, name), f"{test}, {name}")
        return tally

    def part(worker: int, workers: int) -> Tally:
        tally = Tally("")
        with room() as place:
            copied(place)
            for one in chosen[worker::workers]:
                tally.count(not unfixed(place, one), f"{one.attack} without a fix in {one.file}")
        return tally

    for title, run in (
        ("the tests of B1 to B33 fail on a copy with every fix in its place", whole),
        ("one fix of B1 to B33 taken out, and the test of the attack still passes", part),
    ):
        with timed(Tally(title)) as tally:
            for counted in spread(scale, run):
                tally.add(counted)
            tally.note = f"{len({one.attack for one in chosen})} attacks, {len(chosen)} fixes"
        yield tally
