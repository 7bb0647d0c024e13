"""A round drafted from its file and the record as of a day: questions, forecasts, training rows and cards, as files and nothing
else.

Not a stage: it writes only into the folder it is told, and puts nothing into the ledger. `foresaid ledger ask` and `foresaid ledger
forecast` freeze what it wrote. The same record and round file give the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import polars as pl

from foresaid.errors import RecordError
from foresaid.evaluation import units
from foresaid.evaluation.resolution import standing_record
from foresaid.files import read_frame, write
from foresaid.laws._capability_record import Choices, every_cell, read_choices
from foresaid.ledger.entries import schema as entries
from foresaid.ledger.entries.schema import ForecastEntry, TargetEntry
from foresaid.ledger.entries.targets import RecordBy, known_digest
from foresaid.params import Params
from foresaid.pipeline import outcomes
from foresaid.registry import database, same_items
from foresaid.registry.lineage import maker
from foresaid.reproducible import generator
from foresaid.studies.rounds import boards, cards, forecasts, hindcast, kept_hindcast, questions, training
from foresaid.studies.rounds.questions import Asked
from foresaid.studies.rounds.round_file import RoundFile

QUESTIONS, FORECASTS, ROWS, KNOWN = "questions.jsonl", "forecasts.jsonl", "rows.jsonl", "known.txt"
CARDS, HINDCAST = "cards.md", "hindcast.md"
LAG_LEARNED = timedelta(days=365)


@dataclass(frozen=True)
class Draft:
    """A drafted round: what is asked, every forecast, the rows they stand on, the models known, and the boards not asked."""

    file: RoundFile
    as_of: date
    asked: Sequence[Asked]
    forecasts: Sequence[ForecastEntry]
    rows: training.Rows
    known: Sequence[str]
    not_asked: Mapping[str, str]
    boards: Sequence[boards.Board]
    factor: float
    seed: int


def draft(params: Params, build: Path, registry: Path, file: RoundFile, as_of: date) -> Draft:
    """Draft a round from the exported record. Raises RecordError where the rules of the file leave no target."""
    choices = boards.law_choices(read_choices(params.capability), file)
    connection = database.open_database(build / "database")
    steps = units.of(connection).resolutions
    systems = boards.chosen(database.systems_as_of(connection, as_of), file.boards)
    connection.close()
    record = outcomes.read_record(registry, build)
    quantities = read_frame(build / "database" / "quantity.parquet")
    cells = training.settled(boards.law_cells(systems, choices))
    every = boards.shares(cells, systems, quantities, choices, steps)
    every += boards.ratings(record.history, record.models, quantities, file, steps, as_of)
    alive, not_asked = boards.parted(every, file.alive, as_of)
    known = outcomes.known_models(record.history, record.models, as_of)
    launches = _launches(record.models, file, as_of)

    def record_at(target: TargetEntry) -> Decimal | None:
        assert isinstance(target.rule, RecordBy)
        return standing_record(
            target, target.rule, outcomes.facts_of(outcomes.asked_of(target, []), record, as_of - timedelta(days=1))
        )

    asked = questions.targets(file, alive, launches, known_digest(known), same_items.read(registry), as_of, record_at)
    if not asked:
        raise RecordError(
            f"round {file.id}: found no target as of {as_of}, expected boards that are alive; see the rules of its file"
        )
    ratings = [one for one in every if one.kind == "rating"]
    rows = training.Rows(
        as_of,
        cells,
        training.settled(pl.concat([_rating_rows(one) for one in ratings]))
        if ratings
        else pl.DataFrame(schema=training.COLUMNS[training.RATINGS]),
        pl.DataFrame(
            [(one.benchmark, one.ceiling, one.read_on) for one in every], schema=training.COLUMNS[training.READ], orient="row"
        ),
        launches.with_columns(known_on="released_on"),
        _lag(build, file, choices, as_of),
    )
    made = forecasts.make([one.target for one in asked], rows, file.primary, choices.factor, params.seed)
    return Draft(file, as_of, asked, made, rows, known, not_asked, every, choices.factor, params.seed)


def _launches(models: pl.DataFrame, file: RoundFile, as_of: date) -> pl.DataFrame:
    """Models of the lines of a round that were out by the day."""
    wanted = {(one.maker, one.line, one.tier) for one in file.next_release.lines.values()}
    rows = [
        (row["model_id"], maker(row["organisation"] or ""), row["line"], row["tier"], row["released_on"])
        for row in models.filter(pl.col("released_on") <= as_of).iter_rows(named=True)
        if (maker(row["organisation"] or ""), row["line"], row["tier"]) in wanted
    ]
    columns = {name: kind for name, kind in training.COLUMNS[training.LAUNCHES].items() if name != "known_on"}
    return pl.DataFrame(rows, schema=columns, orient="row")


def _rating_rows(board: boards.Board) -> pl.DataFrame:
    return board.models.with_columns(benchmark=pl.lit(board.benchmark), known_on=pl.lit(board.read_on)).select(
        list(training.COLUMNS[training.RATINGS])
    )


def _lag(build: Path, file: RoundFile, choices: Choices, as_of: date) -> pl.DataFrame:
    """How far records of models released by a reading had risen at the next, for the first source of the round.

    All pairs of neighbouring readings of its boards in the year before the last one. Records are shares of the way to the ceiling.
    """
    source = choices.sources[0]
    one = Choices((source,), choices.from_year, choices.minimum_cells, choices.factor, {})
    connection = database.open_database(build / "database")
    last = boards.chosen(database.systems_as_of(connection, as_of), {source: file.boards[source]})
    names = boards.law_cells(last, one)["benchmark"].unique().to_list()
    rows = database.history(connection).filter(pl.col("quantity_id").is_in(names) & (pl.col("source_id") == source))
    days = rows.filter(pl.col("known_on") <= as_of)["known_on"].unique().sort().to_list()
    days = [day for day in days if days[-1] - day <= LAG_LEARNED]
    cells = {}
    for day in days:
        systems = boards.chosen(database.systems_as_of(connection, day), {source: file.boards[source]})
        cells[day] = every_cell(systems, one)
    connection.close()
    found = []
    for earlier, later in pairwise(days):
        before, after = (
            cells[day]
            .filter(pl.col("released_on") <= earlier)
            .with_columns(ceiling=pl.col("benchmark").replace_strict(choices.ceilings, default=1.0, return_dtype=pl.Float64))
            .with_columns(way=((pl.col("value") - pl.col("chance")) / (pl.col("ceiling") - pl.col("chance"))).clip(0.0, 1.0))
            .group_by("benchmark")
            .agg(pl.col("way").max())
            for day in (earlier, later)
        )
        both = before.rename({"way": "earlier"}).join(after.rename({"way": "later"}), on="benchmark").sort("benchmark")
        found.append(both.with_columns(earlier_on=pl.lit(earlier), known_on=pl.lit(later)))
    columns = list(training.COLUMNS[training.LAG])
    return training.settled(pl.concat(found)).select(columns) if found else pl.DataFrame(schema=training.COLUMNS[training.LAG])


def write_draft(made: Draft, folder: Path) -> list[str]:
    """Write the files that `foresaid ledger ask` and `foresaid ledger forecast` take, and the cards; return what is implausible."""
    drawn = cards.cards(made.asked, made.forecasts, made.rows.launches)
    lines: list[entries.Entry] = [questions.opened(made.file), *(one.target for one in made.asked)]
    write(
        {
            folder / QUESTIONS: b"".join(entries.encode(line) for line in lines),
            folder / FORECASTS: b"".join(entries.encode(line) for line in made.forecasts),
            folder / ROWS: training.to_bytes(made.rows),
            folder / KNOWN: "".join(f"{name}\n" for name in made.known).encode(),
            folder / CARDS: cards.page(
                drawn, f"Round {made.file.id}, drafted as of {made.as_of}", made.not_asked, made.file.accepted
            ).encode(),
        }
    )
    return cards.problems(drawn, made.forecasts, made.file.accepted)


def write_hindcast(made: Draft, folder: Path, registry: Path | None = None) -> None:
    """Put the round's questions to the origins of its file and write the tables into the folder.

    With a registry the means are kept there too, beside the round file, for the page of the round.
    """
    origins = [date.fromisoformat(day) for day in made.file.hindcast.origins]
    last = date.fromisoformat(made.file.hindcast.until)
    scores = hindcast.run(made.file, made.boards, made.rows, origins, last, made.factor, made.seed)
    title = f"Hindcast of round {made.file.id}: the same questions at {len(origins)} earlier origins"
    means = hindcast.table(scores, generator(made.seed, "rounds", made.file.id))
    write({folder / HINDCAST: hindcast.page(means, title).encode()})
    if registry is not None:
        kept_hindcast.keep(registry, made.file.id, means)
