"""Where our own emergence experiment is kept in the repository, and what stands between the predictions and their answers.

The folder holds the early table, the predictions made from it, the whole table and the results, each written by one command. The
predictions name the SHA-256 of the early table, the early table is part of the whole one line for line, and held-back
checkpoints are refused before predictions are there, so that anybody can check from the files alone what was known when.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

from foresaid import files
from foresaid.errors import LeakError, RecordError, UnreadableError
from foresaid.files import write_bytes, write_json
from foresaid.studies.emergence.experiment import BATCHES, SIZES, stops
from foresaid.studies.emergence.language import SHOWN

FOLDER = Path("registry/experiments/emergence-2026-11")
TABLE, RESULTS = FOLDER / "table.csv", FOLDER / "results.json"
COLUMNS = ("run", "frequency", "width", "seed", "part", "step", "text_loss", "protocol", "examples", "subset", "accuracy")


def early_table(batch: int) -> Path:
    """Where the early checkpoints of a batch are written."""
    return FOLDER / f"early-{batch}.csv"


def predictions_of(batch: int) -> Path:
    """Where the predictions of a batch are written."""
    return FOLDER / f"predictions-{batch}.json"


def collect(measured: Path, batches: Iterable[int], early_only: bool) -> bytes:
    """Put what was measured below a folder into one CSV table, sorted by run, step, protocol, examples and subset."""
    lines = [",".join(COLUMNS)]
    for run in sorted({run for batch in batches for run in BATCHES[batch]}, key=lambda run: (run.width, run.frequency, run.seed)):
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


def check(batch: int, root: Path = Path()) -> dict[str, Any]:
    """Return the predictions of a batch, having checked that they name the early table that is there."""
    early, predictions = root / early_table(batch), root / predictions_of(batch)
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


def batches(root: Path = Path()) -> list[int]:
    """The batches that have predictions."""
    return [batch for batch in BATCHES if (root / predictions_of(batch)).exists()]


def everything_said(root: Path = Path()) -> dict[str, Any]:
    """Join the checked predictions of all batches."""
    parts = [check(batch, root) for batch in batches(root)]
    return {key: [item for part in parts for item in part[key]] for key in ("predictions", "not_forecast", "laws", "equal_steps")}


def predict(batch: int, measured: Path, root: Path = Path()) -> int:
    """Write a batch's early table and predictions, once: what is written stands."""
    from foresaid.studies.emergence.predict import predictions

    path = root / predictions_of(batch)
    if path.exists():
        raise LeakError(f"{path}: found the predictions of batch {batch}, expected none yet; what was said stands")
    early = collect(measured, [batch], early_only=True)
    if early != collect(measured, [batch], early_only=False):
        raise LeakError(f"{measured}: found held-back checkpoints of batch {batch} measured, expected none before its predictions")
    said = predictions(early, early_table(batch).as_posix())
    write_bytes(root / early_table(batch), early)
    write_json(path, said)
    return len(said["predictions"])


def score(measured: Path | None, root: Path = Path()) -> None:
    """Write the whole table from what was measured, if given, and the results and the registry's source from it."""
    from foresaid.studies.emergence.score import results
    from foresaid.studies.emergence.source import contents

    said = everything_said(root)
    if measured is not None:
        whole = collect(measured, batches(root), early_only=False)
        early = {line for batch in batches(root) for line in (root / early_table(batch)).read_bytes().splitlines()}
        missing = early - set(whole.splitlines())
        if missing:
            raise RecordError(
                f"{measured}: found {len(missing)} early rows changed or gone, expected all of them; nothing was written"
            )
        write_bytes(root / TABLE, whole)
    if not (root / TABLE).exists():
        raise UnreadableError(f"{root / TABLE}: found no table, expected one; run `foresaid experiment score --from FOLDER`")
    table = (root / TABLE).read_bytes()
    write_json(root / RESULTS, results(table, said))
    files.write(contents(table, FOLDER.name, hashlib.sha256(table).hexdigest(), root / "registry"))


def read(registry: Path, name: str) -> dict[str, Any] | None:
    """Return the results of an experiment, or None where the registry has none; refuse those of another table."""
    folder = registry / "experiments" / name
    results, table = folder / "results.json", folder / "table.csv"
    if not name or not results.is_file():
        return None
    try:
        said: dict[str, Any] = json.loads(results.read_bytes())
        found = sha256(table.read_bytes()).hexdigest()
    except (OSError, ValueError) as error:
        raise UnreadableError(f"{results}: {error}, expected results and their table; run `foresaid experiment score`") from None
    if (of := said.get("table_sha256")) != found:
        raise RecordError(f"{results}: found results of table {of}, expected those of {found}; run `foresaid experiment score`")
    return said
