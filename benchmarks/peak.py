"""Peak memory of one kind of work at one size, in this process alone: `python -m benchmarks.peak fit|origins|schedules SIZE`.

A fit is what the stage makes of one target: bootstrap, frozen curve with the text of every draw, and the quantiles of its probe.
At an origin the record is read as it was known on the day, every law fitted and every method asked, with few draws.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import numpy as np


def _fit(replicates: int) -> None:
    from benchmarks import engine, waiting
    from foresaid.fitting.frozen_curve import freeze_curve
    from foresaid.forecasting.predict import probed

    of, table = waiting.forty(1)[0]
    (made,) = engine.fits([(of, table)], replicates, None)
    probed(of, freeze_curve(of, made, {}, table.known_on[0], 26))


def _origins(count: int) -> None:
    from benchmarks.vintages import ROOT, _opened
    from foresaid import params
    from foresaid.evaluation import rolling_origin
    from foresaid.evaluation.modes import KNOWN

    loaded = params.load(ROOT / "params.yaml")
    assert loaded.rolling is not None, "params.yaml has no rolling origins"
    every = rolling_origin.origins(loaded.rolling, KNOWN, full=True)
    days = [every[int(i)] for i in np.linspace(0, len(every) - 1, count)]
    rolling_origin.forecasts(loaded, _opened(), KNOWN, days, 5)


def _schedules(count: int) -> None:
    from benchmarks import made_up
    from foresaid.laws import _frontier_releases as simulated
    from foresaid.laws._frontier_rows import Question

    frame = made_up.capability_cells(120, 6, 4)
    boards = made_up.frontier_boards(frame)
    asked = [Question(one.name, 1, 12) for one in boards]
    origin = float(max(one.day[-1] for one in boards))
    simulated.forecast(boards, origin, asked, frame, np.random.default_rng(26), simulated.Settings(schedules=count))


def peak() -> float:
    """Highest resident memory of this process in MB; getrusage would count that of the parent before the program started."""
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(found[1]) / 1024 if found else float("nan")


if __name__ == "__main__":
    {"fit": _fit, "origins": _origins, "schedules": _schedules}[sys.argv[1]](int(sys.argv[2]))
    print(json.dumps(peak()))
