"""Freezing: once, never changed, with drift reported, and never on rows that have seen the answer."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import json
import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from tests.conftest import Built

from foresaid import canonical_json
from foresaid.errors import LeakError, LedgerError, UnreadableError
from foresaid.fitting.frozen_curve import from_plain
from foresaid.ledger import store
from foresaid.ledger.entries import schema as entries
from foresaid.ledger.verify import verify
from foresaid.params import Params, RoundSettings
from foresaid.pipeline import freeze

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
CODE = entries.Code(git=None, dirty=False, version="0.1.0")
OPENED = RoundSettings("2026-11", date(2026, 11, 21), "2026-11-28T00:00:00Z")


@dataclasses.dataclass(frozen=True)
class Desk:
    """A place to freeze in: own ledger, own drafts."""

    registry: Path
    build: Path
    params: Params

    def freeze(self, now: datetime = NOW) -> freeze.Receipt:
        return freeze.freeze(self.params, self.build, self.registry, CODE, now)

    def batches(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (self.registry / "ledger" / "batches").rglob("*.jsonl")}


@pytest.fixture
def desk(built: Built, tmp_path: Path) -> Desk:
    shutil.copytree(built.registry, tmp_path / "registry")
    shutil.rmtree(tmp_path / "registry" / "ledger")
    store.create(tmp_path / "registry" / "ledger", built.params.origin)
    for name in ("database", "fits"):
        shutil.copytree(built.build / name, tmp_path / "build" / name)
    return Desk(tmp_path / "registry", tmp_path / "build", dataclasses.replace(built.params, round=OPENED))


def rewrite(path: Path, old: bytes, new: bytes) -> None:
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new))


def test_without_a_round_nothing_is_frozen(desk: Desk) -> None:
    closed = dataclasses.replace(desk, params=dataclasses.replace(desk.params, round=None))

    assert closed.freeze().frozen == 0
    assert closed.batches() == {}


def test_a_round_freezes_every_draft_once_and_the_ledger_verifies(desk: Desk) -> None:
    drafts = sum(len(path.read_bytes().splitlines()) for path in (desk.build / "fits").glob("*/drafts.jsonl"))

    receipt = desk.freeze()

    assert (receipt.frozen, receipt.added, receipt.mismatch) == (drafts, drafts, ())
    assert len(desk.batches()) == 2  # questions, and forecasts of them
    assert verify.verify(desk.registry / "ledger", check_curve=from_plain).exit_code() == 0


def test_a_second_run_adds_nothing(desk: Desk) -> None:
    first = desk.freeze()
    before = desk.batches()

    again = desk.freeze(datetime(2026, 11, 22, tzinfo=UTC))

    assert (again.added, again.frozen, again.root) == (0, first.frozen, first.root)
    assert before == desk.batches()


def test_a_changed_draft_is_drift_and_the_frozen_one_stands(desk: Desk) -> None:
    desk.freeze()
    before = desk.batches()
    path = desk.build / "fits" / "observational" / "curves.jsonl"
    rewrite(path, b'"residual_scale":"0.', b'"residual_scale":"0.9')

    again = desk.freeze()

    assert again.added == 0
    assert before == desk.batches()
    assert "2026-11/gsm8k_cot/observational" in again.mismatch
    assert not any("compute_sigmoid" in name for name in again.mismatch)


def test_a_law_added_later_joins_the_round_in_a_batch_of_its_own(desk: Desk) -> None:
    first = dataclasses.replace(
        desk, params=dataclasses.replace(desk.params, laws={"observational": desk.params.laws["observational"]})
    )
    first.freeze()

    receipt = desk.freeze()

    assert len(desk.batches()) == 3  # the second law asks nothing new
    assert receipt.frozen > receipt.added > 0
    assert verify.verify(desk.registry / "ledger").exit_code() == 0


@pytest.mark.parametrize("when", ["head", "middle", "tail"])
def test_flipping_a_byte_of_the_batch_is_found_and_the_file_named(desk: Desk, when: str) -> None:
    desk.freeze()
    path = next((desk.registry / "ledger" / "batches").rglob("*.jsonl"))
    content = bytearray(path.read_bytes())
    content[{"head": 5, "middle": len(content) // 2, "tail": len(content) - 2}[when]] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)

    result = verify.verify(desk.registry / "ledger")

    assert result.exit_code() == 1
    assert any(path.name in finding.file for finding in result.findings)


def plant(desk: Desk, line: dict[str, object], target: str = "gsm8k_cot") -> None:
    """Put a row among the training rows of a target, with its curve made to agree with it."""
    path = desk.build / "fits" / "observational" / "training.jsonl"
    rows = canonical_json.parse_lines(path.read_bytes())
    rows.append({"target_id": target, "x": ["0.5"] * 7, "y": "0.5", **line})
    body = sorted(canonical_json.dump_line(row) for row in rows if row["target_id"] == target)
    others = [canonical_json.dump_line(row) for row in rows if row["target_id"] != target]
    path.write_bytes(b"".join([*others, *body]))
    curves_path = desk.build / "fits" / "observational" / "curves.jsonl"
    curves = canonical_json.parse_lines(curves_path.read_bytes())
    for curve in curves:
        if curve["target_id"] == target:
            curve["training"]["sha256"] = hashlib.sha256(b"".join(body)).hexdigest()
    curves_path.write_bytes(b"".join(canonical_json.dump_line(curve) for curve in curves))


def test_a_draft_without_its_curve_is_named_and_nothing_is_frozen(desk: Desk) -> None:
    path = desk.build / "fits" / "observational" / "curves.jsonl"
    curves = canonical_json.parse_lines(path.read_bytes())
    path.write_bytes(b"".join(canonical_json.dump_line(curve) for curve in curves if curve["target_id"] != "gsm8k_cot"))

    with pytest.raises(UnreadableError, match="found no curve of gsm8k_cot, expected one for each draft"):
        desk.freeze()
    assert desk.batches() == {}


def test_a_row_known_after_the_cut_off_is_refused_by_name(desk: Desk) -> None:
    plant(desk, {"subject_id": "openai-community/gpt2", "known_on": "2027-01-01"})

    with pytest.raises(LeakError, match=r"openai-community/gpt2.*known on 2027-01-01"):
        desk.freeze()
    assert desk.batches() == {}


def test_a_planted_row_is_named_even_where_nothing_else_was_made_to_agree(desk: Desk) -> None:
    path = desk.build / "fits" / "observational" / "training.jsonl"
    row = canonical_json.dump_line(
        {"known_on": "2027-01-01", "subject_id": "openai-community/gpt2", "target_id": "gsm8k_cot", "x": ["0.5"] * 7, "y": "0.5"}
    )
    path.write_bytes(path.read_bytes() + row)

    with pytest.raises(LeakError, match=r"openai-community/gpt2.*known on 2027-01-01"):
        desk.freeze()


def test_a_row_of_a_target_under_an_alias_is_refused_by_name(desk: Desk) -> None:
    about = dataclasses.replace(OPENED, targets=("meta-llama/Llama-2-7b-hf",))

    with pytest.raises(LeakError, match=r"meta-llama/llama-2-7b-hf.*belongs to target meta-llama/Llama-2-7b-hf"):
        dataclasses.replace(desk, params=dataclasses.replace(desk.params, round=about)).freeze()
    assert desk.batches() == {}


def test_rows_that_are_not_those_of_the_curve_are_refused(desk: Desk) -> None:
    rewrite(desk.build / "fits" / "observational" / "training.jsonl", b'"y":"0.', b'"y":"0.9')

    with pytest.raises(LeakError, match="run `dvc repro`"):
        desk.freeze()


def test_drafts_of_another_vintage_are_refused(desk: Desk) -> None:
    later = dataclasses.replace(OPENED, as_of=date(2026, 11, 22))

    with pytest.raises(LeakError, match="fitted as of 2026-11-21, expected 2026-11-22"):
        dataclasses.replace(desk, params=dataclasses.replace(desk.params, round=later)).freeze(datetime(2026, 11, 23, tzinfo=UTC))


def test_after_the_deadline_nothing_is_frozen(desk: Desk) -> None:
    with pytest.raises(LedgerError, match="has passed"):
        desk.freeze(datetime(2026, 12, 1, tzinfo=UTC))


def test_a_vintage_after_the_day_of_the_freeze_is_refused(desk: Desk) -> None:
    with pytest.raises(LeakError, match="cut-off"):
        desk.freeze(datetime(2026, 11, 20, tzinfo=UTC))


def test_the_receipt_is_the_same_after_a_second_run(desk: Desk) -> None:
    freeze.run(desk.params, desk.build, desk.registry, desk.registry, NOW)
    first = (desk.build / "freeze.json").read_bytes()

    freeze.run(desk.params, desk.build, desk.registry, desk.registry, NOW)

    assert first == (desk.build / "freeze.json").read_bytes()
    assert json.loads(first)["round"] == "2026-11"


def snapshots(desk: Desk) -> list[Path]:
    return sorted((desk.registry / "snapshots").glob("*.jsonl.gz"))  # one for each law


def verified(desk: Desk) -> verify.VerificationResult:
    evidence = verify.Evidence(data=desk.registry / "snapshots", asked=frozenset({"V16"}))
    return verify.verify(desk.registry / "ledger", check_curve=from_plain, evidence=evidence)


def test_b16_the_training_rows_are_published_beside_the_ledger_and_a_clone_without_build_verifies_to_the_end(desk: Desk) -> None:
    desk.freeze()
    shutil.rmtree(desk.build)

    path, *_ = snapshots(desk)
    content = gzip.decompress(path.read_bytes())

    assert path.name == f"{hashlib.sha256(content).hexdigest()}.jsonl.gz"
    assert (verified(desk).exit_code(), verified(desk).incomplete) == (0, ())


def test_a_kill_before_the_batch_leaves_the_rows_and_never_a_batch_without_them(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(store, "write_batch", killed)
        with pytest.raises(KeyboardInterrupt):
            desk.freeze()
    assert (len(snapshots(desk)), desk.batches()) == (len(desk.params.laws), {})

    desk.freeze()

    assert verified(desk).exit_code() == 0


def test_rows_that_were_lost_are_written_again_by_the_next_freeze_on_the_same_rows(desk: Desk) -> None:
    desk.freeze()
    path, *_ = snapshots(desk)
    content = path.read_bytes()
    path.unlink()
    assert verified(desk).exit_code() == 5

    desk.freeze()

    assert path.read_bytes() == content
    assert verified(desk).exit_code() == 0


def test_other_rows_under_the_name_of_a_snapshot_are_refused_and_not_read_beyond_their_size(desk: Desk) -> None:
    desk.freeze()
    path, *_ = snapshots(desk)
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()) + b"x" * 10_000_000))

    (finding,) = verified(desk).findings

    assert "more than the" in finding.what
    assert finding.code == "V16"


def test_b15_another_author_who_freezes_the_same_round_first_silences_nobody(desk: Desk) -> None:
    bob = dataclasses.replace(desk, params=dataclasses.replace(desk.params, author="example.org/bob"))
    theirs = bob.freeze()

    mine = desk.freeze(datetime(2026, 11, 22, tzinfo=UTC))

    assert (mine.added, mine.frozen, mine.mismatch) == (theirs.added, theirs.frozen, ())
    result = verify.verify(desk.registry / "ledger", check_curve=from_plain)
    assert (result.exit_code(), len(result.accounts)) == (0, 2 * mine.added)
    assert desk.freeze(datetime(2026, 11, 23, tzinfo=UTC)).added == 0
