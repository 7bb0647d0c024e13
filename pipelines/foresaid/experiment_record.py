"""Where our own emergence experiment is kept in the repository, and what stands between the predictions and their answers.

The folder holds the early table, the predictions made from it, the whole table and the results, each written by one command. The
predictions name the SHA-256 of the early table, the early table is part of the whole one line for line, and held-back
checkpoints are refused before predictions are there, so that anybody can check from the files alone what was known when.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from foresaid.errors import LeakError, RecordError, UnreadableError
from foresaid.experiment import PLANS, SIZES, stops
from foresaid.experiment_text import SHOWN
from foresaid.files import write_bytes, write_json

FOLDER = Path("registry/experiments/emergence-2026-11")
EARLY, PREDICTIONS, TABLE, RESULTS = (FOLDER / name for name in ("early.csv", "predictions.json", "table.csv", "results.json"))
COLUMNS = ("run", "frequency", "width", "seed", "part", "step", "text_loss", "protocol", "examples", "subset", "accuracy")


def collect(measured: Path, early_only: bool) -> bytes:
    """Put what was measured below a folder into one CSV table, sorted by run, step, protocol, examples and subset."""
    lines = [",".join(COLUMNS)]
    for run in sorted({run for runs in PLANS.values() for run in runs}, key=lambda run: (run.width, run.frequency, run.seed)):
        early = True
        for step in run.steps():
            path = measured / run.name / f"step-{step:05d}.json"
            if not path.exists() or (early_only and not early):
                break
            found = json.loads(path.read_bytes())
            values = [(protocol, 0, 0, found[protocol]) for protocol in SHOWN]
            for size in SIZES:
                values += [("fine_tuned", size, at, value) for at, value in enumerate(found["fine_tuned"][str(size)], start=1)]
            part = "early" if early else "held_back"
            head = f"{run.name},{run.frequency},{run.width},{run.seed},{part},{step},{found['text_loss']}"
            lines += [f"{head},{protocol},{size},{subset},{value}" for protocol, size, subset, value in values]
            early = early and not stops(found)
    if len(lines) < 2:
        raise UnreadableError(f"{measured}: found no measured checkpoint, expected some; run `foresaid experiment run` first")
    return ("\n".join(lines) + "\n").encode()


def check(root: Path = Path()) -> dict[str, Any]:
    """Return the predictions, having checked that they name the early table that is there."""
    early, predictions = root / EARLY, root / PREDICTIONS
    if not early.exists() or not predictions.exists():
        raise LeakError(
            f"{predictions}: found no predictions, expected them before held-back checkpoints are measured; run `predict`"
        )
    said: dict[str, Any] = json.loads(predictions.read_bytes())
    found = hashlib.sha256(early.read_bytes()).hexdigest()
    if said["early_table_sha256"] != found:
        raise LeakError(
            f"{early}: found SHA-256 {found}, expected {said['early_table_sha256']} as {predictions} names it; restore it"
        )
    return said


def predict(measured: Path) -> int:
    """Write the early table and the predictions; once the whole table is there it is too late, and refused."""
    from foresaid.experiment_predict import predictions

    if TABLE.exists():
        raise LeakError(f"{TABLE}: found held-back results, expected none when predictions are written; they stand as they are")
    early = collect(measured, early_only=True)
    said = predictions(early, EARLY.as_posix())
    write_bytes(EARLY, early)
    write_json(PREDICTIONS, said)
    return len(said["predictions"])


def score(measured: Path | None) -> None:
    """Write the whole table from what was measured, if given, and the results from the table and the predictions."""
    from foresaid.experiment_score import results

    said = check()
    if measured is not None:
        whole = collect(measured, early_only=False)
        missing = set(EARLY.read_bytes().splitlines()) - set(whole.splitlines())
        if missing:
            raise RecordError(
                f"{measured}: found {len(missing)} early rows changed or gone, expected all of {EARLY}; nothing was written"
            )
        write_bytes(TABLE, whole)
    if not TABLE.exists():
        raise UnreadableError(f"{TABLE}: found no table, expected one; run `foresaid experiment score --from FOLDER`")
    write_json(RESULTS, results(TABLE.read_bytes(), said))
