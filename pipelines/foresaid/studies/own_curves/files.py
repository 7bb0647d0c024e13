"""The CSV files of a person's own curves: which laws a file asks for is read off its columns, and every bad cell is named.

Six kinds of file, those of the hold-outs that the laws are judged on: runs of a ladder, sweeps of parameters and tokens, one size
trained longer, fine-tuning tasks, repeated samples, and budgets of tokens at inference.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from foresaid.errors import BadCell, ParameterError, RecordError
from foresaid.files import read_csv

SERIES, HELD_OUT, CHANCE = "series", "held_out", "chance"


@dataclass(frozen=True)
class Kind:
    """What a file's columns ask for: sizes (above 0), a value between `lower` and `upper`, and the laws that forecast it.

    `quantities` names the sizes as the record does; `reading` is a column that training rows need and forecasts do without.
    """

    name: str
    sizes: tuple[str, ...]
    quantities: tuple[str, ...]
    value: str
    laws: tuple[str, ...]
    lower: float
    upper: float
    reading: str = ""

    @property
    def columns(self) -> frozenset[str]:
        """The columns that tell this kind from the others."""
        return frozenset({*self.sizes, self.value, *((self.reading,) if self.reading else ())})


SIZES = ("parameters", "tokens"), ("params_total", "training_tokens")
SURFACES = ("chinchilla", "over_training", "kaplan", "product_loss", "compute_loss")
KINDS = (
    Kind("ladder", *SIZES, "accuracy", ("ladder", "direct_power"), 0.0, 1.0, "bits_per_byte"),
    Kind("sweep", *SIZES, "loss", SURFACES, 0.0, 20.0),
    Kind("training data", ("tokens",), ("training_tokens",), "loss", ("cross_entropy_power",), 0.0, 20.0),
    Kind("fine-tuning", ("examples",), ("finetuning_examples",), "loss", ("rectified", "cross_entropy_power", "broken"), 0.0, 20.0),
    Kind("repeated samples", ("samples",), ("samples",), "coverage", ("beta_coverage", "coverage"), 0.0, 1.0),
    Kind("inference budget", ("tokens",), ("tokens",), "accuracy", ("token_logit", "token_line"), 0.0, 1.0),
)


@dataclass(frozen=True)
class OwnRow:
    """One row: its series, its sizes, its value and reading (NaN where the cell is empty), chance, and whether it is held out.

    `held_out` is None where the file does not say.
    """

    series: str
    sizes: tuple[float, ...]
    value: float
    reading: float
    chance: float
    held_out: bool | None


@dataclass(frozen=True)
class OwnFile:
    """One file: its name without the ending, its kind, its rows in the order of the file."""

    name: str
    kind: Kind
    rows: tuple[OwnRow, ...]


def described() -> str:
    """Say which columns there are to choose from.

    >>> described().split("; ")[3]
    'series, examples, loss (fine-tuning)'
    """
    each = (
        ", ".join([SERIES, *kind.sizes, *((kind.reading,) if kind.reading else ()), kind.value]) + f" ({kind.name})"
        for kind in KINDS
    )
    return "; ".join(each)


def read_folder(folder: Path) -> list[OwnFile]:
    """Read every CSV file of a folder, by name.

    Raises ParameterError for a folder without any or with columns of no kind, RecordError that names every bad cell.
    """
    paths = sorted(folder.glob("*.csv"))
    if not paths:
        raise ParameterError(f"{folder}: found no CSV file, expected one or more with the columns {described()}")
    return [read(path) for path in paths]


def read(path: Path) -> OwnFile:
    """Read one file. A row whose value is empty must be held out: it is forecast and not scored."""
    header, cells = read_csv(path, f"a CSV file with the columns {described()}")
    kind = next((one for one in KINDS if one.columns == frozenset(header) - {SERIES, HELD_OUT, CHANCE}), None)
    if kind is None or SERIES not in header or not cells:
        found = ", ".join(header) if cells or not header else f"{', '.join(header)} and no rows"
        raise ParameterError(
            f"{path}: found the columns {found or 'none'}, expected {described()}; {HELD_OUT} (0 or 1) and {CHANCE} may be added"
        )
    problems: list[BadCell] = []
    rows = [_row(path, number, kind, row, problems) for number, row in enumerate(cells, start=2)]
    if problems:
        raise RecordError.collect(problems)
    return OwnFile(path.stem, kind, tuple(rows))


def _row(path: Path, number: int, kind: Kind, row: dict[str, str | None], problems: list[BadCell]) -> OwnRow:
    def cell(column: str, low: float, high: float, expected: str, optional: bool = False) -> float:
        text = (row.get(column) or "").strip()
        if optional and not text:
            return math.nan
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and low <= value <= high):
            problems.append(BadCell(str(path), number, column, text or "nothing", expected))
        return value

    name = (row.get(SERIES) or "").strip()
    if not name or None in row:
        problems.append(BadCell(str(path), number, SERIES, name or "nothing", "a name, and one value a column"))
    flag = (row.get(HELD_OUT) or "").strip()
    if flag not in ("", "0", "1"):
        problems.append(BadCell(str(path), number, HELD_OUT, flag, "0, 1 or nothing"))
    ahead = flag == "1"
    least = 5e-324  # the smallest number above 0: sizes have logarithms
    sizes = tuple(cell(column, least, math.inf, "a number above 0") for column in kind.sizes)
    low = least if kind.value == "loss" else kind.lower
    unit = "a loss above 0, in nats per token" if kind.value == "loss" else "a fraction in [0, 1]; divide percentages by 100"
    value = cell(kind.value, low, kind.upper, unit if not ahead else f"{unit}, or nothing where it is not known yet", ahead)
    reading = cell(kind.reading, least, math.inf, "bits per byte above 0", ahead) if kind.reading else math.nan
    chance = cell(CHANCE, 0.0, 0.999, "the share that guessing scores, 0 or more and below 1", True)
    return OwnRow(name, sizes, value, reading, 0.0 if math.isnan(chance) else chance, None if not flag else ahead)
