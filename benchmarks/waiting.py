"""Goals 16 to 19: what a person waits for around the fits, and that nothing about how they ran shows in the result."""

from __future__ import annotations

import hashlib
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import engine, tables
from benchmarks.measure import Finding, MissingError, module, seconds, verdict
from foresaid.arrays import Array
from foresaid.fitting.data import Target, TrainingTable

ROOT = Path(__file__).parents[1]
UNWANTED = ("scipy", "sklearn", "polars", "duckdb")


def _run(words: list[str], where: Path = ROOT) -> tuple[float, str]:
    start = time.perf_counter()
    quiet = {**os.environ, "DVC_NO_ANALYTICS": "1"}
    try:
        done = subprocess.run(words, cwd=where, capture_output=True, text=True, check=False, env=quiet)
    except FileNotFoundError:
        raise MissingError(f"{words[0]} is not installed") from None
    taken = time.perf_counter() - start
    if done.returncode:
        raise MissingError(
            f"{' '.join(words)} ended with {done.returncode}: {(done.stderr or done.stdout).strip().splitlines()[-1:]}"
        )
    return taken, done.stdout


def processor_seconds(words: list[str], where: Path = ROOT) -> float:
    """Run a command to its end; return the processor time of it and of what it started."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    _run(words, where)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def goal_16(quick: bool) -> Finding:
    """Start-up of the command line."""
    program = str(Path(sys.executable).with_name("foresaid"))
    times, cpus = {}, {}
    repeats = 3 if quick else 9
    for word in ("--help", "--version"):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        times[word] = statistics.median(_run([program, word])[0] for _ in range(repeats))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpus[word] = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / repeats
    code = "import sys, foresaid.cli\nprint(' '.join(sorted(name for name in sys.modules if '.' not in name)))"
    loaded = [name for name in UNWANTED if name in _run([sys.executable, "-c", code])[1].split()]
    bare = statistics.median(_run([sys.executable, "-c", "import click"])[0] for _ in range(3 if quick else 9))
    return Finding(
        16,
        "foresaid --help and --version",
        "<= 0.2 s, no import of scipy, sklearn, polars, duckdb",
        "",
        ", ".join(f"{word} {seconds(value)} ({seconds(cpus[word])} cpu)" for word, value in times.items()),
        verdict(not loaded, max(times.values()) <= 0.2, None),
        f"imported of those four: {', '.join(loaded) or 'none'}",
        f"python with click alone: {seconds(bare)}",
        {**times, "click": bare},
    )


def goal_17(quick: bool) -> Finding:
    """`dvc repro` with nothing to do, beside a bare chain of as many stages: as typed, and as `make repro` asks it."""
    dvc = str(Path(sys.executable).with_name("dvc"))
    if "up to date" not in _run([dvc, "status"])[1]:
        raise MissingError("the pipeline is not up to date in this folder: run `make repro` first")
    import yaml

    stages = len(_run([dvc, "stage", "list", "--name-only"])[1].split())
    repeats = 3 if quick else 9
    once = "--all-pipelines"  # DVC then reads dvc.yaml, params.yaml and the lock once
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        (folder / "f0").write_text("x")
        chain = {f"s{i}": {"cmd": f"cp f{i} f{i + 1}", "deps": [f"f{i}"], "outs": [f"f{i + 1}"]} for i in range(stages)}
        (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": chain}))
        _run([dvc, "init", "--no-scm", "-q"], folder)
        _run([dvc, "repro", "-q"], folder)
        turns = [  # in turn, so that a busy moment of the machine does not fall on one alone
            (
                _run([dvc, "repro"], folder)[0],
                _run([dvc, "repro"])[0],
                _run([dvc, "repro", once], folder)[0],
                _run([dvc, "repro", once])[0],
            )
            for _ in range(repeats)
        ]
    theirs, mine, theirs_once, mine_once = (statistics.median(times) for times in zip(*turns, strict=True))
    return Finding(
        17,
        f"`dvc repro` with nothing to do, {stages} stages",
        "<= 1.3x a bare chain of as many stages, <= 1.0 s",
        "",
        f"{seconds(mine)}, {mine / theirs:.2f}x the bare chain; with {once}, as `make repro`, {seconds(mine_once)}, "
        f"{mine_once / theirs_once:.2f}x",
        verdict(True, mine <= 1.3 * theirs and mine <= 1.0, None),
        "everything up to date before and after",
        f"bare chain: {seconds(theirs)}, and {seconds(theirs_once)}",
        {"ours": mine, "bare": theirs, "ours_once": mine_once, "bare_once": theirs_once, "stages": stages},
    )


def forty(wanted: int) -> list[tuple[Any, TrainingTable]]:
    """Return so many targets on one set of benchmarks, made up."""
    x, y = tables.made_up(60, 12, wanted, 0.2, seed=18)
    made = []
    for i in range(wanted):
        of = engine.law(12, slope_limit=12.0)
        names = tuple(f"model {j:03d}" for j in range(len(x)))
        target = Target(f"target {i}", "", "target", of.covariates(of.targets["target"]), 0.0, 1.0, 0.0, 1.0, "")
        day = date(2024, 1, 1)
        families = tuple(f"family {j % 15}" for j in range(len(x)))
        made.append((of, TrainingTable(target, names, families, (day,) * len(x), (day,) * len(x), x, y[:, i])))
    return made


def goal_18(quick: bool) -> Finding:
    """Adding a forty-first benchmark to forty that were fitted before."""
    all_of_them = forty(41)
    replicates = 50 if quick else 200
    engine.fits(all_of_them[:1], 10, None)
    full, added = [], []
    for _ in range(3 if quick else 5):
        with tempfile.TemporaryDirectory() as home:
            folder = Path(home)
            start = time.perf_counter()
            engine.fits(all_of_them[:40], replicates, folder)
            full.append(time.perf_counter() - start)
            start = time.perf_counter()
            engine.fits(all_of_them, replicates, folder)
            added.append(time.perf_counter() - start)
    share = statistics.median(added) / statistics.median(full)
    with tempfile.TemporaryDirectory() as home:
        engine.fits(all_of_them[:3], replicates, Path(home))
        kept, anew = (engine.fits(all_of_them[:3], replicates, place) for place in (Path(home), None))
    same = all(
        a.draws.tobytes() == b.draws.tobytes() and a.point.tobytes() == b.point.tobytes() for a, b in zip(kept, anew, strict=True)
    )
    return Finding(
        18,
        "adding one benchmark to 40 (made-up table; the fits of one law, start-up left out)",
        "<= 10 % of a full refit",
        "5 %",
        f"{share:.1%}: {seconds(statistics.median(added))} after {seconds(statistics.median(full))} for the forty",
        verdict(same, share <= 0.10, share <= 0.05),
        f"fits read back equal fits made anew, byte for byte: {'yes' if same else 'no'}",
        "none",
        {"full": statistics.median(full), "added": statistics.median(added), "share": share},
    )


def _digest(results: list[Array]) -> str:
    return hashlib.sha256(b"".join(np.ascontiguousarray(item).tobytes() for item in results)).hexdigest()


def _task(index: int) -> Array:
    x, y = tables.made_up(50, 12, 12, 0.2, seed=19)
    of = engine.law(12, slope_limit=12.0)
    weights = engine.bootstrap(50, 50, index)
    flat = of.design(x, np.ones((1, 50))).features[0]
    made = engine.problem(of, of.design(x, weights), y[:, index])
    return engine.solve(made, weights, engine.starts(of, flat, y[:, index], 8, index))[0]


def goal_19(quick: bool) -> Finding:
    """The same bytes however the work was spread."""
    tasks = list(range(12))
    found = {"1 thread": _digest(engine.spread(_task, tasks, 1))}
    for workers in (2, 4):
        found[f"{workers} threads"] = _digest(engine.spread(_task, tasks, workers))
        found[f"{workers} processes"] = _digest(engine.spread(_task, tasks, workers, "processes"))
    for size in (2, 5, 12):
        found[f"shards of {size}"] = _digest(engine.spread(_task, tasks, 2, "threads", size))
    skipped = ""
    try:
        local_cluster = module("distributed").LocalCluster
    except MissingError:
        skipped = "; Dask skipped: distributed is not installed"
    else:
        from foresaid import parallel

        with (
            local_cluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
            parallel.using(scheduler=cluster.scheduler_address),
        ):
            found["Dask, 2 processes"] = _digest(parallel.each(_task, tasks))
    distinct = len(set(found.values()))
    return Finding(
        19,
        "the same bytes across threads, processes, Dask and shard sizes",
        "exact",
        "",
        f"{distinct} distinct result{'s' if distinct > 1 else ''} of {len(found)} ways{skipped}",
        verdict(True, distinct == 1 and not skipped, None),
        ", ".join(found),
        "none",
        found,
    )
