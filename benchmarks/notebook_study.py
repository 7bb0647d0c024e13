"""The notebook a user would write instead of a project: eight emergent tasks, one law, a bootstrap, one figure a task.

    python -m benchmarks.notebook_study DRAWS   # prints processor seconds of each of its cells, as JSON

pandas reads, scikit-learn fills and projects, SciPy fits, matplotlib draws. No vintages, no record of what was known when, no
checks, no other law. DRAWS resamples of every task are run; the program's pages show 200.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.measure import MissingError, module


def study(draws: int, folder: Path) -> dict[str, float]:
    """Run the cells one after another; return processor seconds of each by name."""
    taken, start = {}, time.process_time()

    def lap(name: str) -> None:
        nonlocal start
        taken[name] = time.process_time() - start
        start = time.process_time()

    import numpy as np

    from benchmarks import peers, tables

    pd, impute, plots = module("pandas"), module("sklearn.impute"), module("matplotlib")
    plots.use("agg")
    pyplot = module("matplotlib.pyplot")
    module("sklearn.decomposition"), module("scipy.optimize")
    lap("imports")
    source = tables.obsscaling()
    rows = pd.read_csv(source / "base_llm_benchmark_eval.csv").merge(
        pd.read_csv(source / "base_llm_emergent_capability_eval.csv"), on="Model", suffixes=("", "_2")
    )
    rows = rows[rows["FLOPs (1E21)"] <= tables.CUT_OFF]
    metrics = [name for name in tables.BASE if name != "GSM8K"]
    lap("reading")

    def fit(part: Any, y: Any, picked: Any) -> float:
        filled = impute.SimpleImputer().fit_transform(part[metrics].to_numpy()[picked])
        return peers.fit_sigmoid(peers.planes(filled), y[picked])

    made = []
    for name, (low, high) in tables.EMERGENT.items():
        part = rows.dropna(subset=[name])
        y = ((part[name] - low) / (high - low)).to_numpy()
        made.append((name, part, y))
        fit(part, y, np.arange(len(y)))
    lap("fits")
    rng = np.random.default_rng(0)
    for _, part, y in made:
        for _ in range(draws):
            fit(part, y, rng.integers(0, len(y), len(y)))
    lap("bootstrap")
    for name, part, y in made:
        figure, axes = pyplot.subplots()
        axes.scatter(part["FLOPs (1E21)"], y)
        axes.set(xscale="log", title=name, xlabel="training compute, 1e21 FLOPs", ylabel="score")
        figure.savefig(folder / f"{name}.png")
        pyplot.close(figure)
    lap("figures")
    return taken


if __name__ == "__main__":
    try:
        with tempfile.TemporaryDirectory() as place:
            print(json.dumps(study(int(sys.argv[1]), Path(place))))
    except MissingError as reason:
        raise SystemExit(f"notebook: {reason}") from None
