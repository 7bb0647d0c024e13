"""The clock of `tests.later` holds in the programs that the tests start, and the lives of a ledger pass on later days."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.conftest import ROOT
from tests.later import COMPILER, surroundings

DAYS = 800  # beyond every day that the lives speak of
pytestmark = pytest.mark.skipif(COMPILER is None, reason="no C compiler (cc) is installed")

ASKED = {
    "python": [sys.executable, "-c", "import time; print(int(time.time()))"],
    "a child of python": [sys.executable, "-c", "import subprocess; subprocess.run(['date', '+%s'])"],
    "git": ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "var", "GIT_COMMITTER_IDENT"],
}


@pytest.mark.parametrize("program", ASKED)
def test_a_program_is_told_the_later_day_and_waits_as_long_as_it_should(program: str, tmp_path: Path) -> None:
    start = time.monotonic()
    done = subprocess.run(ASKED[program], env=surroundings(DAYS, tmp_path), capture_output=True, text=True, check=True)
    told = int(re.findall(r"\b\d{10}\b", done.stdout)[-1])
    now = time.time() - 86400 * int(os.environ.get("FORESAID_LATER_DAYS", "0"))  # this test itself may run on a later day
    assert 0 <= told - now + 5 - DAYS * 86400 <= 5 + time.monotonic() - start


@pytest.mark.slow
@pytest.mark.parametrize("path", ["tests/pipeline/test_a_whole_life_by_commands.py", "tests/ledger/log/test_rfc3161.py"])
def test_what_is_stamped_on_a_written_day_is_judged_alike_years_later(path: str, tmp_path: Path) -> None:
    """Authorities whose certificates began at the moment of the run made these lives fail from their first day on."""
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--basetemp", str(tmp_path / "life"), path]
    done = subprocess.run(words, cwd=ROOT, env=surroundings(DAYS, tmp_path), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
