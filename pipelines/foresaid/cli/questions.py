"""The commands that answer a question: replays, checkpoints of your own, which models to evaluate, tables.

None writes anything, but for a table that is to be kept. Each imports what it needs when it runs, so that --help is instant.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypedDict

import click

from foresaid.cli.group import project
from foresaid.cli.names import CASE, CURVE, DAY, LAW, MODEL, QUANTITY, SOURCE

PROTOCOLS = [
    "gadre-most-compute", "finetuning-larger", "effort-tokens", "pass-at-k", "compute-split", "leaderboard-v1", "leaderboard-v2",
]  # fmt: skip


@click.command()
@click.option("--known-on", "--as-of", "known_on", type=DAY, help="Fit on what was known on this day.")
@click.option(
    "--released-after",
    type=DAY,
    help="Score on models released after this day, where their score was not known on the first; the same day by default.",
)
@click.option("--until", type=DAY, help="Score on what was known by this day.")
@click.option("--source", "sources", type=SOURCE, multiple=True, help="Let the laws read this source too; may be given again.")
@click.option("--case", type=CASE, default="", help="Instead of the days: one hindcast case of params.yaml, alone.")
@click.option(
    "--from",
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=None,
    help="Folder of another exported record, as `foresaid database` makes it.",
)
@click.option("--model", type=MODEL, default="", help="With --case: print each forecast of this model instead of means.")
@click.option("--law", "laws", type=LAW, multiple=True, help="Only this law; may be given again.")
@click.option("--quantity", "quantities", type=QUANTITY, multiple=True, help="Only this quantity; may be given again.")
@click.option(
    "--by-release-date", "by_release", is_flag=True, help="Let values count from the release of their model, for every law."
)
def replay(
    known_on: datetime | None,
    released_after: datetime | None,
    until: datetime | None,
    case: str,
    model: str,
    folder: Path | None,
    sources: tuple[str, ...],
    laws: tuple[str, ...],
    quantities: tuple[str, ...],
    by_release: bool,
) -> list[dict[str, Any]]:
    """Hindcast from the data known on one day, scored on models released after it or another. Writes nothing.

    A law for which nothing was public on the first day is asked by release dates only, in a part of the table that says so: the
    values may have been measured, chosen or revised later.

    \b
    Example: foresaid replay --known-on 2024-05-31 --until 2024-10-01
             foresaid replay --known-on 2026-03-12 --released-after 2026-02-19 --until 2026-05-14
             foresaid replay --case obsscaling-2024-05
             foresaid replay --case obsscaling-2024-05 --model meta-llama/meta-llama-3.1-70b --quantity bigbench_word_unscrambling
    """
    from foresaid import params
    from foresaid.errors import ParameterError
    from foresaid.evaluation import replay as work
    from foresaid.registry import database
    from foresaid.report import replay_table

    loaded = params.load(project().params)
    connection = database.open_database(folder or project().build / "database")
    if folder is None and (changed := database.older_than(project().build / "database", project().registry)):
        click.echo(f"replay: the database is older than {changed}; `dvc repro database` brings it in", err=True)
    said: list[str] = []
    if sources:
        loaded = work.reading(loaded, sources, connection)
    if case:
        if known_on or until or released_after or by_release:
            raise ParameterError("replay: found --case and a day, expected one of them; the case of params.yaml has its days")
        if model:
            rows = work.replay_model(case, model, loaded, connection, project().registry, laws, quantities)
        else:
            rows = work.replay_case(case, loaded, connection, project().registry, laws, quantities)
    elif model:
        raise ParameterError("replay: found --model without --case, expected a case of params.yaml, whose forecasts it prints")
    elif known_on is None or until is None:
        raise ParameterError("replay: found no --known-on or no --until, expected both days, or a --case of params.yaml")
    else:
        since = released_after.date() if released_after else None
        rows, counted = work.replayed(
            loaded, connection, project().registry, known_on.date(), until.date(), laws, quantities, by_release, since
        )
        said = replay_table.account(counted)
    connection.close()
    for line in [*(replay_table.forecasts(rows) if model else replay_table.table(rows)), *said]:
        click.echo(line)
    return list(rows)


@click.command()
@click.argument(
    "file", help="CSV file: tokens, and a column of scores from 0 to 100.", type=click.Path(path_type=Path, dir_okay=False)
)
@click.option("--metric", default="", help="Column of the score; needed where the file has several.")
@click.option("--baseline", type=float, help="Score of the model that was not pre-trained, 0 to 100.")
@click.option("--target", type=float, help="Score that is wanted, 0 to 100; needs --maximum.")
@click.option("--maximum", type=float, help="The most tokens you would pre-train on.")
@click.option(
    "--tolerance",
    type=float,
    default=1.0,
    show_default=True,
    help="Largest absolute error, in points, allowed on a held-out checkpoint.",
)
@click.option("--fall", type=float, default=0.3, show_default=True, help="Largest fall, in points, that counts as noise.")
@click.option("--noise", type=float, default=0.0, show_default=True, help="Standard deviation of one score, in points.")
def diagnose(
    file: Path,
    metric: str,
    baseline: float | None,
    target: float | None,
    maximum: float | None,
    tolerance: float,
    fall: float,
    noise: float,
) -> dict[str, Any]:
    """Say from BLEU at your own checkpoints (CSV: tokens, metric) whether to go on pre-training.

    Example: foresaid diagnose checkpoints.csv --baseline 18.5 --target 30 --maximum 2.6e11
    """
    from foresaid.studies import pretraining_decision as work

    question = work.DecisionRequest(baseline, target, maximum, tolerance, fall, noise)
    found = work.diagnose(work.read(file, metric), question)
    for line in found.lines():
        click.echo(line)
    return vars(found)


class Selection(TypedDict):
    """The families chosen; `objective` is a prediction variance in units of the noise's, `gap` how far the best may lie below."""

    families: list[str]
    models: int
    budget: int
    objective: float
    gap: float


@click.command()
@click.option("--budget", type=click.IntRange(1), required=True, help="Most models you would evaluate.")
@click.option("--include", multiple=True, help="A family that is evaluated anyway; may be given again.")
@click.option("--max-params", type=float, help="Only models of at most so many parameters, for example 7e9.")
@click.option("--source", type=SOURCE, default="obsscaling", show_default=True, help="Source whose models are the candidates.")
@click.option(
    "--metric",
    "metrics",
    type=QUANTITY,
    multiple=True,
    help="A benchmark of the principal-component space; those of the observational law by default.",
)
def select(budget: int, include: tuple[str, ...], max_params: float | None, source: str, metrics: tuple[str, ...]) -> Selection:
    """Choose whole model families to evaluate, so that the prediction variance for all others is lowest (V-optimal design).

    Example: foresaid select --budget 12 --include Llama-2 --max-params 7e9
    """
    from foresaid import params
    from foresaid.errors import ParameterError
    from foresaid.registry import database
    from foresaid.studies.model_selection import candidates

    loaded = params.load(project().params)
    if source not in loaded.sources:
        raise ParameterError(f"select: found the source {source}, expected one of params.yaml: {', '.join(loaded.sources)}")
    connection = database.open_database(project().build / "database")
    view = database.as_of(connection, loaded.fit_as_of)
    connection.close()
    pool = candidates.candidates(view, metrics or loaded.laws["observational"]["metrics"], source, max_params)
    choice = candidates.chosen(pool, budget, include)
    for line in candidates.lines(pool, choice):
        click.echo(line)
    return {
        "families": list(choice.families),
        "models": choice.models,
        "budget": choice.budget,
        "objective": choice.objective,
        "gap": choice.gap,
    }


class Released(TypedDict):
    """One forecaster on one task of a hindcast, in the unit of the task; `low` and `high` hold 90 % of WIS over releases.

    `beside` is preset where the paper's printed form stands beside, all where the baselines do too, on the rows they can forecast.
    """

    case: str
    beside: str
    task: str
    forecaster: str
    rows: int
    releases: int
    mae: float
    wis: float
    low: float
    high: float
    coverage: float | None


@click.command()
def released() -> list[Released]:
    """Print the scores of the default law, the paper's pre-registered forms and two baselines on models released later.

    Example: foresaid released
    """
    from foresaid.files import read_frame
    from foresaid.report.sections import preregistration
    from foresaid.studies import preregistration as work

    found = work.from_frame(read_frame(project().build / "score_tables" / "preregistration.parquet"))
    for one in found:
        lines = preregistration.markdown(one.beside_preset) + (
            ["", *preregistration.markdown(one.beside_all)] if one.beside_all else []
        )
        click.echo("\n".join([f"{one.title} ({one.case})", "", *lines, ""]))
    return [
        {"case": one.case, "beside": beside, **vars(row)}  # type: ignore[typeddict-item]  # a comparison has these fields
        for one in found
        for beside, rows in (("preset", one.beside_preset), ("all", one.beside_all))
        for row in rows
    ]


@click.command()
@click.argument("name", type=click.Choice(PROTOCOLS), help="Which protocol's table.")
@click.option(
    "--from", "mirror", type=click.Path(path_type=Path, exists=True, file_okay=False), envvar="FORESAID_MIRROR", default=None,
    help="Folder that holds a copy of the sources' files; needed for those the hindcast does not hold.",
)  # fmt: skip
@click.option("--write", is_flag=True, help="Keep a leaderboard's table in registry/protocols; the pages show what is kept.")
@click.option("--measured-on", type=DAY, default=None, help="Day of a kept table; today by default.")
def protocol(name: str, mirror: Path | None, write: bool, measured_on: datetime | None) -> None:
    """Print the table of one protocol: largest budgets forecast from smaller ones, whole families held out of a leaderboard, or the
    best split of compute between pre-training and inference by difficulty.

    \b
    Example: foresaid protocol effort-tokens --from ../mirror
             foresaid protocol leaderboard-v2 --from ../mirror --write
    """
    from foresaid import params
    from foresaid.errors import ParameterError
    from foresaid.files import read_frame
    from foresaid.report.sections import held_out_families, inference_compute, study_tables
    from foresaid.studies.held_out_families import leaderboards, methods
    from foresaid.studies.inference_compute import protocols, series

    if write and name not in leaderboards.COLUMNS:
        raise ParameterError(f"protocol {name}: found --write, expected it with one of {', '.join(leaderboards.COLUMNS)}")

    loaded = params.load(project().params)
    if name in loaded.hindcast:
        lines = inference_compute.markdown(series.from_hindcast(read_frame(project().build / "hindcast.parquet"), name), log=True)
    elif mirror is None:
        raise ParameterError(
            f"protocol {name}: found no --from, expected a folder with the source's files: the record may not keep them"
        )
    elif name in leaderboards.COLUMNS:
        folder = series.mirror_folder(mirror, project().registry, leaderboards.SOURCE)
        day: date = measured_on.date() if measured_on else datetime.now(UTC).date()
        said = partial(click.echo, err=True)
        measured = leaderboards.measure(folder, name, methods.methods(), day, said)
        lines = held_out_families.markdown(measured)
        if write:
            lines.append(f"protocol {name}: {leaderboards.write(project().registry, measured)} written")
    elif name == "compute-split":
        lines = study_tables.lines(protocols.compute_split(mirror, project().registry, loaded.seed))
    else:
        found = protocols.on_demand(name, mirror, project().registry, loaded.seed, loaded.replicates)
        lines = inference_compute.held_out_budgets(found)
    for line in lines:
        click.echo(line)


@click.command(name="returns")
@click.argument("laws", type=LAW, nargs=-1)
@click.option("--across", is_flag=True, help="Lay the tenfold steps of all laws of a target side by side.")
@click.option("--held-out", is_flag=True, help="Check the return of the budget that the hindcast holds out.")
def returns_of(laws: tuple[str, ...], across: bool, held_out: bool) -> None:
    """Print the marginal returns to compute of each fitted loss in N and D: best split, loss, loss reduction per tenfold compute.

    \b
    Example: foresaid returns chinchilla
             foresaid returns --across
             foresaid returns --held-out
    """
    from foresaid import params
    from foresaid.errors import ParameterError
    from foresaid.files import read_frame
    from foresaid.report.sections import study_tables
    from foresaid.report.sections.compute_returns import markdown, surfaces
    from foresaid.studies import returns_checked as work

    loaded = params.load(project().params)
    unknown = sorted(set(laws) - set(loaded.laws))
    if unknown:
        raise ParameterError(f"returns: found {', '.join(unknown)}, expected laws of params.yaml: {', '.join(loaded.laws)}")
    chosen = list(laws) or list(loaded.laws)
    build = project().build
    if not across and not held_out:
        lines = markdown(build, loaded.laws, chosen)
    else:
        found = surfaces(build, loaded.laws, chosen)
        sections = [work.across({name: one.budgets for name, one in found.items()})] if across else []
        if held_out:
            drawings = {name: one.drawing for name, one in found.items()}
            sections.append(work.held_out(read_frame(build / "hindcast.parquet"), drawings))
        nothing = ["returns: no target has two laws, or no hindcast holds a budget out"]
        lines = [line for one in sections for line in (study_tables.lines(one) if one is not None else nothing)]
    for line in lines:
        click.echo(line)


class Prediction(TypedDict):
    """A forecast by a fitted curve: covariates in raw units, all else in the unit of the quantity."""

    law: str
    target: str
    quantity: str
    status: str
    as_of: str
    covariates: dict[str, float | None]
    mean: float
    point: float
    levels: list[float]
    quantiles: list[float]


@click.command()
@click.argument("law", type=LAW)
@click.argument("target", type=CURVE)
@click.option(
    "--covariate", "covariates", multiple=True, metavar="NAME=VALUE",
    help="One covariate in the unit of registry/quantities.csv (FLOPs, tokens, a fraction); `unknown` where it is not known.",
)  # fmt: skip
def predict(law: str, target: str, covariates: tuple[str, ...]) -> Prediction:
    """Apply the current curve of a law to a model of your own: mean, median and central intervals. Writes nothing.

    What is predicted has the unit of the target in registry/quantities.csv; most are shares of one. With --json all 23 quantiles.

    Example: foresaid predict compute_sigmoid gsm8k_cot --covariate training_flops=6.3e24
    """
    from difflib import get_close_matches

    from foresaid.errors import ParameterError
    from foresaid.evaluation.project import open_project
    from foresaid.text import columns, number

    curves = open_project(project().root).curves(law)
    if target not in curves:
        near = get_close_matches(target, curves, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(curves)}"
        raise ParameterError(f"predict: found the target {target}, expected one with a curve of {law}; {hint}")
    given: dict[str, float | None] = {}
    for item in covariates:
        name, equals, value = item.partition("=")
        if name in given:
            raise ParameterError(f"predict: found --covariate {name} twice, expected each once")
        try:
            given[name] = None if value == "unknown" else float(value)
        except ValueError:
            equals = ""
        if not equals:
            raise ParameterError(f"predict: found --covariate {item}, expected NAME=NUMBER, such as training_flops=6.3e24")
    curve = curves[target]
    made = curve.predict(given)
    record = curve.record
    click.echo(f"{record.quantity_id} by {law}, fitted as of {record.training.as_of} ({record.status}: {record.reason})")
    middle = made.quantiles[0, len(made.levels) // 2]
    rows = [["mean", number(made.mean[0]), ""], ["median", number(middle), ""]]
    rows += [[f"{coverage:.0%} interval", *map(number, made.interval(coverage)[0].tolist())] for coverage in (0.5, 0.8, 0.95)]
    for line in columns([["", "from", "to"], *rows], (0,)):
        click.echo(line)
    return {
        "law": law, "target": target, "quantity": record.quantity_id, "status": record.status, "as_of": str(record.training.as_of),
        "covariates": given, "mean": float(made.mean[0]), "point": float(made.point[0]), "levels": list(made.levels),
        "quantiles": made.quantiles[0].tolist(),
    }  # fmt: skip


class Board(TypedDict):
    """A board, whether its rows stand in the record, and the days (YYYY-MM-DD) from which it can be replayed."""

    name: str
    title: str
    kept: bool
    days: list[str]


@click.command()
@click.option("--since", type=DAY, default="2025-01-01", show_default=True, help="Only days from this one on.")
@click.option("--days", "every_day", is_flag=True, help="Print every day of every board.")
def origins(since: datetime, every_day: bool) -> list[Board]:
    """List by board the days from which it can be replayed as it was known.

    Example: foresaid origins --since 2025-01-01
    """
    from foresaid.registry import origins as work
    from foresaid.text import columns

    found = work.origins(project().registry, since.date())
    for line in columns(work.lines(found), (0, 4)):
        click.echo(line)
    if every_day:
        for one in found:
            click.echo(f"{one.name}: {', '.join(map(str, one.days))}")
    return [{"name": one.name, "title": one.title, "kept": one.kept, "days": [str(day) for day in one.days]} for one in found]


COMMANDS: tuple[click.Command, ...] = (predict, replay, origins, diagnose, select, released, returns_of)
