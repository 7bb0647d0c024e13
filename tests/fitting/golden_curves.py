"""Write the golden frozen curve of every law that has none yet: `python -m tests.fitting.golden_curves`.

One more, of a share of COUNTED items, is wider than its law alone would have it. A golden curve is made once and never again, since
it stands for the curves that a ledger already holds: a file that is there is left alone, and a law whose quantiles change needs a
new version beside the old one.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from tests.laws.test_every_law import CASES, DAY, SEED, fitted, wide

from foresaid.fitting.frozen_curve import freeze_curve, to_plain
from foresaid.forecasting.predict import predict

GOLDEN = Path(__file__).resolve().parents[1] / "data" / "golden" / "curves"
COUNTED, COUNTED_FILE, COUNTED_LAW = 30, GOLDEN.parent / "counted_curve.json", "observational"


def main() -> None:
    """Write what is missing."""
    for name in sorted(CASES):
        write(name, GOLDEN / f"{name}.json")
    write(COUNTED_LAW, COUNTED_FILE, COUNTED)


def write(name: str, file: Path, items: int | None = None) -> None:
    """Write the golden curve of one law where the file is not there yet."""
    if not file.exists():
        law, table, found = fitted(name)
        # A recalibration factor that is not one, so that leaving it out is noticed.
        curve = freeze_curve(
            law, replace(found, interval_recalibration=1.3, n_backtest_clusters=4), CASES[name].settings, DAY, SEED, items
        )
        x = wide(table.x)
        x = x[[0, len(x) // 2, -1]]
        made = predict(law, curve, x)
        file.write_text(
            json.dumps(
                {
                    "settings": CASES[name].settings,
                    "x": x.tolist(),
                    "quantiles": made.quantiles.tolist(),
                    "mean": made.mean.tolist(),
                    "curve": to_plain(curve),
                }
            )
            + "\n",
            encoding="utf-8",
        )


if __name__ == "__main__":
    main()
