"""Epoch AI's notable and large-scale models: release dates, parameters, training compute and data (CC-BY-4.0).

These are Epoch's estimates and have quantities of their own. Traps:
- Free-text notes hold commas, quotes and line breaks; one name ends in a line break; names hold other alphabets.
- Models are named otherwise than on the benchmarking hub: aliases say which model is meant.
- Many compute values are guesses: the note carries Epoch's confidence.
- The compute of a fine-tuned model leaves out its base model: such a value is suspect.
- "Datapoints" are tokens for most language models, words or examples for others: not `training_tokens`.
- 153 models stand in both files, with the same figures; a difference would be refused. A download may hold one file only.
- The column of data sizes has three names (gradients, total, datapoints) and one meaning: values in two downloads are equal.
- A few models have no publication date: they are taken, and no date is stated of them.
Models of other domains, and those published before 2018 or without any size, are left out.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from foresaid.errors import BadCell, RecordError, UnreadableError
from foresaid.sources._epoch_metadata import open_weights
from foresaid.sources._reading import Reading, Score, StatedModel
from foresaid.sources._upstream import Line, table

SIZES = {"Parameters": "epoch_params_total", "Training compute (FLOP)": "epoch_training_flops"}
NAMES = ("notable_ai_models.csv", "large_scale_ai_models.csv")
DATA = (
    "Training dataset size (gradients)",
    "Training dataset size (total)",
    "(DEPRECATED) Training dataset size (datapoints)",
)
SINCE = "2018"
COLUMNS = ("Model", "Domain", "Publication date", "Confidence", "Base model", *SIZES)
ENSEMBLE = "an ensemble, not a model"
ELSEWHERE, EARLY = "not a language model", f"published before {SINCE}"
UNSIZED, BOTH = "no parameters, compute or data size", "in both files with the same figures"
LARGEST = 1e14  # parameters and datapoints beyond this are no language model's


def read(folder: Path) -> Reading:
    """Read one vintage: two tables, each model taken once."""
    scores: list[Score] = []
    skipped: dict[str, int] = defaultdict(int)
    rows: dict[str, int] = {}
    seen: dict[str, Line] = {}
    models: list[StatedModel] = []
    for path in _paths(folder):
        lines = table(folder, path, COLUMNS, ignored=r"[^\n]*")
        data = _data_column(lines, f"{folder.name}/{path}")
        rows[path] = len(lines)
        for line in lines:
            model = " ".join(line.text("Model").split())
            if "Language" not in line.cells["Domain"]:
                skipped[ELSEWHERE] += 1
            elif "" < line.cells["Publication date"] < SINCE:
                skipped[EARLY] += 1
            elif model.startswith("(ensemble)"):
                skipped[ENSEMBLE] += 1
            elif model in seen:
                _agree(line, seen[model])
                skipped[BOTH] += 1
            else:
                seen[model] = line
                said = open_weights(line.cells.get("Model accessibility", ""))
                maker = line.cells.get("Organization", "")
                models.append(StatedModel(model, line.cells["Publication date"], maker, open_weights=said))
                found = _sizes(line, model, data)
                skipped[UNSIZED] += not found
                scores += found
    return Reading(scores, [], dict(skipped), rows, models)


def _paths(folder: Path) -> list[str]:
    """The tables of a download, wherever they lie below its folder; one of the two is enough."""
    found = [path.relative_to(folder).as_posix() for name in NAMES for path in sorted(folder.rglob(name))]
    if not found or len({Path(path).name for path in found}) < len(found):
        some = "a table twice" if found else "none of them"
        raise UnreadableError(f"{folder.name}: found {some}, expected {' and '.join(NAMES)}, or one of them")
    return found


def _data_column(lines: list[Line], file: str) -> str:
    """The column of data sizes, by whichever name this table gives it."""
    header = lines[0].cells if lines else {}
    found = [name for name in DATA if name in header]
    if lines and not found:
        raise RecordError.collect([BadCell(file, 1, DATA[0], "no such column", "the data size, as " + " or ".join(DATA))])
    return found[0] if found else DATA[0]


def _sizes(line: Line, model: str, data: str) -> list[Score]:
    scores = []
    confidence = line.cells["Confidence"] or "not stated"
    for column, quantity in {**SIZES, data: "epoch_dataset_size"}.items():
        value = line.decimal(column)
        if value is None or value == 0:
            continue
        status, note = "reported", f"confidence: {confidence}"
        base = " ".join(line.cells["Base model"].split())
        if base and quantity == "epoch_training_flops":
            status, note = "suspect", f"the compute of the base model {base[:60]} may be left out; {note}"
        if quantity != "epoch_training_flops" and float(value) > LARGEST:
            status, note = "suspect", f"larger than any language model's; {note}"
        scores.append(Score(model, quantity, "", float(value), status=status, note=note, file=line.file, row=line.row))
    return scores


def _agree(line: Line, other: Line) -> None:
    for column in (*SIZES, "Publication date"):
        if line.cells[column] != other.cells[column]:
            line.refuse(column, line.cells[column] or "nothing", f"{other.cells[column] or 'nothing'} as in {other.file}")
