"""The tests on a later day: `python -m tests.later DAYS [words of pytest]`, or `make test-later DAYS=400` for all of them.

A test that mixes written days with the clock passes until one of those days comes, and then stops every change. A library
of a few lines is loaded before all others (`LD_PRELOAD`) and adds days to what the C library says the time is; Python, git
and openssl ask there. Clocks that only run forward, by which waits are timed, and times of files stay as they are.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

SHIFTED = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *at) {
    static int (*asked)(clockid_t, struct timespec *);
    if (!asked) asked = dlsym(RTLD_NEXT, "clock_gettime");
    int failed = asked(clock, at);
    const char *days = getenv("FORESAID_LATER_DAYS");
    if (!failed && days && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) at->tv_sec += atol(days) * 86400;
    return failed;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}
"""
COMPILER = shutil.which("cc")


def surroundings(days: int, folder: Path) -> dict[str, str]:
    """The environment in which it is so many days later, with the library made in a folder (absolute).

    RuntimeError where the compiler refuses it.
    """
    made = folder / "later.so"
    words = [COMPILER or "cc", "-O2", "-shared", "-fPIC", "-x", "c", "-", "-o", str(made), "-ldl"]
    done = subprocess.run(words, input=SHIFTED, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr}")
    return {**os.environ, "LD_PRELOAD": str(made), "FORESAID_LATER_DAYS": str(days)}


def main(words: Sequence[str]) -> int:
    """Run pytest so many days later and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("days", type=int)
    given, rest = parser.parse_known_args(words)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pytest", *rest]
        return subprocess.run(command, env=surroundings(given.days, Path(folder)), check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
