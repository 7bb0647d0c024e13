"""Which program made a batch: digests that anybody can compute again."""

from __future__ import annotations

import subprocess
from hashlib import sha256
from pathlib import Path

from foresaid.ledger import provenance

ROOT = Path(__file__).parents[2]


def test_b21_settings_program_and_libraries_are_named_by_digests_that_coreutils_compute(tmp_path: Path) -> None:
    code = provenance.code_state(ROOT)
    words = "find * -name '*.py' -o -name '*.sql' | LC_ALL=C sort | xargs sha256sum | sha256sum"
    said = subprocess.run(["sh", "-c", words], cwd=ROOT / "pipelines/foresaid", check=True, capture_output=True, text=True).stdout

    assert code.params == sha256((ROOT / "params.yaml").read_bytes()).hexdigest()
    assert code.libraries == sha256((ROOT / "requirements.lock").read_bytes()).hexdigest()
    assert code.program == said[:64]


def test_one_changed_line_of_code_is_another_program(tmp_path: Path) -> None:
    (tmp_path / "law.py").write_text("NOISE_POINTS = 101\n", encoding="ascii")
    before = provenance.program_digest(tmp_path)
    (tmp_path / "law.py").write_text("NOISE_POINTS = 11\n", encoding="ascii")

    assert provenance.program_digest(tmp_path) != before


def test_what_the_pipeline_itself_rewrites_does_not_make_the_code_look_changed(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *words]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)

    git("init", "-q")
    for name in ("params.yaml", "dvc.lock"):
        (tmp_path / name).write_text("a: 1\n", encoding="ascii")
    git("add", "-A")
    git("commit", "-qm", "first")
    (tmp_path / "dvc.lock").write_text("a: 2\n", encoding="ascii")
    assert not provenance.code_state(tmp_path).dirty

    (tmp_path / "params.yaml").write_text("a: 2\n", encoding="ascii")
    assert provenance.code_state(tmp_path).dirty
