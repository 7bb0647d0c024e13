"""Epoch AI's Benchmarking Hub, what Epoch ran itself and what it may grant: its own runs, its index, Aider's board (CC-BY-4.0).

Each download is a vintage: the data of the stitching paper (December 2025), then the hub as it stood on a day. What Epoch
collected from others keeps its publisher's terms and is the source `epoch-hub-external`; both are read by this module. Traps:
- The score column has another name in nearly every file; `_epoch_boards` names it. Percent is printed with a sign, without one
  (Aider, LiveBench, OSWorld), or as a standard error beside a fraction (APEX); a column named % may hold a fraction (GDPval).
- One model version stands on many rows (shots, scaffolds, publications). What tells them apart is the `setting`; Epoch's
  record id joins it where nothing else does. A row printed twice is taken once.
- Effort and thinking budget are suffixes of the model version or words of the row's name, hosts are prefixes, `-pre-release` is
  the model before its day: none of them is another model. One model is spelt with and without capitals.
- A row without a model version names no model we could resolve. Cells without a score are left out. A score of 0.0 where
  guessing scores half stands for missing and is suspect.
- The paper's data print Epoch's own runs to three digits. Of several runs of one model the last one started counts.
- SWE-bench Verified was run anew in February 2026 on 484 of the 500 tasks: that is another quantity.
- Two rows name one model and give the version of another: both are suspect.
- Terminal-Bench came in by two imports: rows of the second repeat a model and agent of the first, to more digits, and are left out.
- The capabilities index is estimated anew at each download: a revision of it is not a revision of a measurement.
- The paper's data hold no release dates beside scores, English dates of runs and a byte-order mark before the header.
- A newer download may state days, makers, score columns and scales in files of their own (`_epoch_metadata`); a table nobody had
  met before is read by what they state, its quantity offered for the record. Own runs have the column of the best scorer.
- The tables may lie anywhere below the folder given, and a download may lack boards: a board it lacks says nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from foresaid.errors import UnreadableError
from foresaid.sources import _epoch_metadata
from foresaid.sources._epoch_boards import BOARDS, PLAIN, RUNS, Board
from foresaid.sources._epoch_names import identify
from foresaid.sources._epoch_rows import BEST, external, last, run, task
from foresaid.sources._reading import Reading, Score, StatedModel, StatedQuantity
from foresaid.sources._upstream import Line, header_of, open_table, table

INDEX, PAPER = "epoch_capabilities_index.csv", "benchmarks_runs.csv"  # each names the folder of its tables


def read(folder: Path) -> Reading:
    """Read what Epoch grants of one vintage: its runs, its index and the boards whose publishers allow a copy."""
    work = _Work(folder)
    work.collected(granted=True)
    if work.new:
        for name, quantity in work.runs().items():
            lines = work.lines(f"{name}.csv", [BEST, "Model version"])
            work.scores += last([run(line, "Model version", quantity) for line in lines], lines, work.skipped)
        lines = work.lines(INDEX, ["Model version", "ECI Score"])
        work.scores += external(lines, Board("", "", {"ECI Score": "epoch_capabilities_index"}), work.skipped)
    else:
        lines = work.lines(PAPER, [BEST, "model", "task", "started_at", "Status"])
        work.scores += last([run(line, "model", task(line)) for line in lines], lines, work.skipped)
    return work.reading()


def read_collected(folder: Path) -> Reading:
    """Read what Epoch collected of one vintage and cannot grant a copy of."""
    work = _Work(folder)
    work.collected(granted=False)
    work.unlisted()
    return work.reading()


class _Work:
    """One vintage while it is read: where its tables lie and what came of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home, self.new = _home(folder)
        self.scores: list[Score] = []
        self.skipped: dict[str, int] = defaultdict(int)
        self.rows: dict[str, int] = {}
        self.models: dict[StatedModel, None] = dict.fromkeys(_epoch_metadata.models(folder))
        self.stated = _epoch_metadata.tables(folder)
        self.quantities: list[StatedQuantity] = []

    def lines(self, name: str, wanted: list[str]) -> list[Line]:
        """The rows of a board; none where the download does not hold it."""
        path = f"{self.home}{name}"
        if not (self.folder / path).exists():
            return []
        lines = table(self.folder, path, wanted, ignored=r"[^\n]*")
        self.rows[path] = len(lines)
        for line in lines:
            self.models |= dict.fromkeys(_stated(line))
        return lines

    def _others(self) -> Iterator[tuple[str, list[str]]]:
        """Tables beside the others that no list in code names, each with its header; those without model versions are none."""
        known = {*RUNS, INDEX[:-4], *(board.new for board in BOARDS)}
        for path in sorted((self.folder / self.home).glob("*.csv")):
            header = header_of(self.folder, f"{self.home}{path.name}")
            if self.new and path.stem not in known and "Model version" in header:
                yield path.stem, header

    def runs(self) -> dict[str, str]:
        """Epoch's own runs, table by table: those listed, and every other with the column of the best scorer.

        A run that is not listed is read where the download states its scale, and counted where it does not.
        """
        found = dict(RUNS)
        for name, header in self._others():
            if BEST in header:
                quantity = f"epoch_{_epoch_metadata.stem(name)}"
                stated = self.stated.get(_epoch_metadata.stem(name))
                if self._described(name, replace(stated, column=BEST) if stated else None, quantity):
                    found[name] = quantity
        return found

    def unlisted(self) -> None:
        """Collected boards that no list in code names, by what the download states of them."""
        for name, header in self._others():
            stated = self.stated.get(_epoch_metadata.stem(name))
            if BEST in header:
                continue
            quantity = f"epoch_{_epoch_metadata.stem(name)}"
            if self._described(name, stated if stated and stated.column in header else None, quantity) and stated:
                board = Board(name, "", {stated.column: quantity}, scale=stated.scale or PLAIN, named=True)
                self.scores += external(self.lines(f"{name}.csv", [stated.column, "Model version"]), board, self.skipped)

    def _described(self, name: str, stated: _epoch_metadata.StatedTable | None, quantity: str) -> bool:
        """Whether the download says how a new table is to be read; otherwise its rows are counted as left out."""
        made = stated.quantity(quantity, f"{self.folder.name}/{self.home}{name}.csv") if stated else None
        if made is None:
            lines = open_table(self.folder, f"{self.home}{name}.csv")
            self.rows[f"{self.home}{name}.csv"] = len(lines)
            self.skipped[f"{name}.csv is new, and no file states its score column and scale"] += len(lines)
            return False
        self.quantities.append(made)
        return True

    def collected(self, granted: bool) -> None:
        """The boards that Epoch collected and whose publishers grant a copy, or those of the others."""
        for board in BOARDS:
            name = board.file(self.new)
            if name and board.granted == granted:
                board = self._renamed(board, name)
                lines = self.lines(f"{name}.csv", [*board.scores, "Model version"])
                self.scores += external(lines, board, self.skipped)

    def _renamed(self, board: Board, name: str) -> Board:
        """A board whose one score column this download calls otherwise, and says so."""
        path = f"{self.home}{name}.csv"
        stated = self.stated.get(_epoch_metadata.stem(name))
        if not stated or len(board.scores) != 1 or not (self.folder / path).exists():
            return board
        header = header_of(self.folder, path)
        if set(board.scores) & set(header) or stated.column not in header:
            return board
        return replace(board, scores=dict.fromkeys([stated.column], *board.scores.values()), scale=stated.scale or board.scale)

    def reading(self) -> Reading:
        return Reading(self.scores, [], dict(self.skipped), self.rows, list(self.models), self.quantities)


def _home(folder: Path) -> tuple[str, bool]:
    """Where the tables lie below the folder, and whether they are a download of the hub (or the paper's data)."""
    named = [(True, {*RUNS, INDEX[:-4], *(board.new for board in BOARDS)}), (False, {PAPER[:-4], *(board.old for board in BOARDS)})]
    found = sorted({(path.parent, new) for path in folder.rglob("*.csv") for new, names in named if path.stem in names})
    if len(found) != 1:
        some = f"tables in {len(found)} folders" if found else "no table of the hub"
        raise UnreadableError(f"{folder.name}: found {some}, expected those of one download; give its folder alone")
    home = found[0][0].relative_to(folder).as_posix()
    return ("" if home == "." else f"{home}/"), found[0][1]


def _stated(line: Line) -> Iterator[StatedModel]:
    """The release date and maker that a row of a download states of its model."""
    version = line.cells.get("Model version", "").strip()
    day, maker = line.cells.get("Release date", "").strip(), line.cells.get("Organization", "").strip()
    if version and (day or maker):
        title = (line.cells.get("Display name") or line.cells.get("Model name") or "").strip()
        yield StatedModel(identify(version)[0], day, maker, title)
