"""What a user would pick instead, timed here where no goal times it.

The imputers of scikit-learn, pandas and polars on tables of a million rows, the notebook of `notebook_study`, Make with as many
rules as the project has stages, git and sha256sum on a ledger.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml

from benchmarks import engine, ledger, load, notebooks, tables
from benchmarks.instead import WAITING, Instead
from benchmarks.measure import MissingError, clock, module
from benchmarks.waiting import ROOT, processor_seconds
from foresaid.arrays import Array
from foresaid.forecasting.matrix_completion import complete_matrix
from foresaid.scoring.levels import LEVELS
from foresaid.scoring.rules import weighted_interval_score

ROWS = 1_000_000  # of the tables that pandas gets, a tenth of those of goals 13 to 15
FORECASTS = 10_000
DAY = date(2023, 11, 15)  # that as-of queries ask
DRAWS = 200  # resamples of a curve on the pages


def _imputers(quick: bool) -> list[Instead]:
    """Fill a table of 150 models by 40 boards, and how far each is from cells that were hidden."""
    x, _ = tables.made_up(150, 40, 1, 0.3, seed=3)
    hidden = ~np.isnan(x) & (np.random.default_rng(3).random(x.shape) < 0.05)
    table, equal = np.where(hidden, np.nan, x), np.ones((1, 150))
    mine, ours = clock(lambda: engine.impute(table, equal).values[0])
    work, spare = "fill a table of 150 x 40", f"ours {_points(ours, x, hidden)} (rank one, as ObsScaling asks)"
    methods: dict[str, Callable[[], Array]] = {
        "BenchPress's completion as described": lambda: complete_matrix(table, np.random.default_rng(3)),
        "scikit-learn's KNNImputer": lambda: notebooks.nearest_imputer(table),
        "scikit-learn's IterativeImputer": lambda: notebooks.iterative_imputer(table),
    }
    found = []
    for pick, method in methods.items():
        taken, theirs = clock(method, 1 if quick else 5)
        how = f"timed here; mean error of hidden cells {_points(theirs, x, hidden)} points, {spare}"
        found.append(Instead(work, mine.cpu, pick, taken.cpu, how))
    return found


def _points(filled: Array, x: Array, hidden: notebooks.Mask) -> str:
    return f"{100.0 * float(np.abs(filled - x)[hidden].mean()):.2f}"


def _rows(quick: bool) -> list[Instead]:
    """Ingest, one as-of query and scoring in pandas and properscoring."""
    pd, rows = module("pandas"), ROWS // (10 if quick else 1)
    with tempfile.TemporaryDirectory() as home:
        load.make(Path(home), rows)
        subjects = {f"org-{number % 50}/model-{number}" for number in range(load.SUBJECTS)}
        boards = {f"benchmark_{number}" for number in range(load.QUANTITIES)}
        keys = ["subject_id", "quantity_id", "setting", "known_on"]

        def ingest() -> Any:
            made = pd.read_csv(Path(home) / "observations.csv", parse_dates=["known_on", "recorded_on"], keep_default_na=False)
            good = made["subject_id"].isin(subjects) & made["quantity_id"].isin(boards) & made["value"].between(0.0, 1.0)
            assert bool((good & (made["known_on"] <= made["recorded_on"])).all())
            assert not bool(made.duplicated(keys).any())
            return made

        taken, whole = clock(ingest, 1 if quick else 5)
        ours, one_day = _ours(Path(home))
        plain = pl.read_parquet(Path(home) / "observations.parquet")

    def known() -> Any:
        before = whole[whole["known_on"] <= pd.Timestamp(DAY)]
        return before.sort_values("known_on", kind="stable").drop_duplicates(keys[:3], keep="last")

    asked, _ = clock(known)
    by_polars, _ = clock(lambda: plain.filter(pl.col("known_on") <= DAY).sort("known_on").unique(keys[:3], keep="last"))
    rng, n, size = np.random.default_rng(0), rows // len(LEVELS), len(LEVELS)
    quantiles, outcomes = np.sort(rng.random((n, size)), axis=1), rng.random(n)
    columns = {"forecast": np.repeat(np.arange(n), size), "level": np.tile(np.array(LEVELS), n)}
    long = pd.DataFrame({**columns, "quantile": quantiles.ravel(), "outcome": np.repeat(outcomes, size)})
    scored, found = clock(lambda: notebooks.mean_pinball(long))
    mine, wis = clock(lambda: weighted_interval_score(quantiles, list(LEVELS), outcomes).wis)
    gap = float(np.abs(found.to_numpy() - wis).max())
    taken_by_us = {"ingest": ours, "as-of": one_day, "score": mine.cpu}
    work = {
        "ingest": f"ingest {rows:,} rows of CSV with checks",
        "as-of": f"what was known on a day, {rows:,} rows",
        "score": f"score {rows:,} quantile rows",
    }
    theirs = [
        ("ingest", "pandas: read_csv, isin, between, duplicated", taken.cpu, "five of the gate's rules, and no bad row is named"),
        ("as-of", "pandas: filter, sort, drop_duplicates", asked.cpu, "withdrawn values stay in"),
        ("as-of", "polars: filter, sort, unique", by_polars.cpu, "withdrawn values stay in"),
        ("score", "pandas: pinball by groupby", scored.cpu, f"equal to {gap:.0e}"),
    ]
    made = [Instead(work[name], taken_by_us[name], pick, spent, f"timed here; {said}") for name, pick, spent, said in theirs]
    return [*made, _ensemble(work["score"], quantiles, outcomes, mine.cpu)]


def _ensemble(work: str, quantiles: Any, outcomes: Any, ours: float) -> Instead:
    pick = "properscoring crps_ensemble, quantiles taken for draws"
    try:
        peer = module("properscoring")
    except MissingError as reason:
        return Instead(work, ours, pick, None, f"not run: {reason}")
    taken, _ = clock(lambda: peer.crps_ensemble(outcomes, quantiles))
    return Instead(work, ours, pick, taken.cpu, "timed here; near the WIS, not equal to it")


def _ours(folder: Path) -> tuple[float, float]:
    """Processor seconds of our ingest of the CSV in a folder, and seconds of one as-of query on its rows."""
    found = []
    for case in ("foresaid csv", "as-of"):
        words = [sys.executable, str(ROOT / "benchmarks" / "load.py"), "--case", case, str(folder)]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        found.append(json.loads(done.stdout))
    return float(found[0]["cpu"]), float(found[1]["one day"])


def _notebook(quick: bool) -> list[Instead]:
    """A notebook from its imports to eight figures, and what in it has to be run again."""
    draws = 2 if quick else 10
    words = [sys.executable, "-m", "benchmarks.notebook_study", str(draws)]
    laps: list[dict[str, float]] = []
    for _ in range(2 if quick else 6):  # the first warms the caches of the disk and of fonts and is left out
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise MissingError(done.stderr.strip().splitlines()[-1])
        laps.append(json.loads(done.stdout))
    cell = {name: statistics.median(lap[name] for lap in laps[1:]) for name in laps[0]}
    bootstrap = cell["bootstrap"] / draws * DRAWS
    whole = cell["imports"] + cell["reading"] + cell["fits"] + bootstrap + cell["figures"]
    again = cell["imports"] + cell["reading"] + cell["fits"] / 8 + bootstrap / 8 + cell["figures"] / 8
    how = f"cells timed here, bootstrap extrapolated from {draws} of {DRAWS} draws"
    drawing = cell["imports"] + cell["reading"] + cell["figures"]
    some = "a notebook of eight tasks, one law, no vintages, no scores"
    return [
        Instead("clone to every page", None, some, whole, how, WAITING),
        Instead("nothing to do", None, "the notebook: it does not know", whole, how + "; run anew", "goal 17"),
        Instead("a changed template to its pages", None, "its imports and figures again", drawing, "timed here; no fit", WAITING),
        Instead("one new outcome to its page", None, "the cells of one task again", again, how, WAITING),
        Instead("one new outcome to its page", None, "a spreadsheet and its chart", None, "by hand; no history of a cell", WAITING),
        Instead("--help", None, "the imports of a notebook", cell["imports"], "timed here", "goal 16"),
    ]


def _make(quick: bool) -> list[Instead]:
    """GNU Make with as many rules and nothing to do."""
    make = shutil.which("make")
    if make is None:
        raise MissingError("make is not installed")
    rules = len(yaml.safe_load((ROOT / "dvc.lock").read_text(encoding="utf-8"))["stages"])
    with tempfile.TemporaryDirectory() as home:
        text = f"all: f{rules}\n" + "".join(f"f{i + 1}: f{i}\n\tcp f{i} f{i + 1}\n" for i in range(rules))
        (Path(home) / "Makefile").write_text(text)
        (Path(home) / "f0").write_text("x")
        processor_seconds([make, "-s"], Path(home))
        taken = statistics.median(processor_seconds([make], Path(home)) for _ in range(3 if quick else 5))
    how = "timed here; by times of files, so a clone makes all anew and nothing is fetched"
    return [Instead("nothing to do", None, f"GNU Make with {rules} rules", taken, how, "goal 17")]


def _ledger(quick: bool) -> list[Instead]:
    """Verify a ledger of so many forecasts, beside what git and sha256sum say of the same files."""
    forecasts = FORECASTS // (10 if quick else 1)
    git, summed = shutil.which("git"), shutil.which("sha256sum")
    if git is None or summed is None:
        raise MissingError("git or sha256sum is not installed")
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home) / "ledger"
        ledger.build(folder, forecasts, 500)
        ours = statistics.median(processor_seconds([sys.executable, ledger.__file__, "check", str(folder)]) for _ in range(5))
        files = sorted(str(path) for path in folder.rglob("*") if path.is_file())
        hashed = statistics.median(processor_seconds([summed, *files]) for _ in range(5))
        for words in (
            ["init", "-q"],
            ["add", "."],
            ["-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "all"],
        ):
            processor_seconds([git, *words], folder)
        checked = statistics.median(processor_seconds([git, "fsck", "--full"], folder) for _ in range(5))
    work = f"verify a ledger of {forecasts:,} forecasts, start-up included"
    bytes_only = "timed here; bytes only, "
    return [
        Instead(work, ours, "git fsck", checked, bytes_only + "and whoever owns the repository can rewrite it"),
        Instead(work, ours, "sha256sum of every file", hashed, bytes_only + "against a list that somebody kept"),
        Instead(work, ours, "a preregistration site", None, "by hand: one form a forecast, nothing is scored"),
    ]


def timed(quick: bool) -> list[Instead]:
    """Time all that no goal times; what could not be run says why."""
    found: list[Instead] = []
    for measure in (_imputers, _rows, _notebook, _make, _ledger):
        try:
            found.extend(measure(quick))
        except MissingError as reason:
            what = (measure.__doc__ or "").strip().splitlines()[0].rstrip(".")
            found.append(Instead(what, None, "", None, f"not run: {reason}"))
    return found
