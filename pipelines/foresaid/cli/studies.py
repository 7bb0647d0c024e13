"""The commands that compute a study: laws put against each other, time horizons, a Monte Carlo posterior. None writes anything.

Each imports what it needs when it runs, so that --help is instant.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypedDict

import click

from foresaid.cli.group import project
from foresaid.cli.names import QUANTITY
from foresaid.cli.output import Row, Section, table


class Transfer(TypedDict):
    """What pre-training is worth at each fine-tuning size (`examples`), in points of the score; `loss` is null without a loss."""

    score: str
    loss: str | None
    sizes: list[dict[str, Any]]


class Contest(TypedDict):
    """Scores by law; the threshold of the first on all rows, 95 % by its profile; means of other quantities by loss (nats)."""

    laws: list[Row]
    threshold_nats: tuple[float, float] | None
    beside: list[Row]


@click.command()
@click.argument("quantity", type=QUANTITY)
@click.option("--loss", type=float, required=True, help="Fit above this loss (nats), score at and below it.")
@click.option("--beside", type=QUANTITY, multiple=True, help="Also the mean of this quantity by loss; may be given again.")
def contest(quantity: str, loss: float, beside: tuple[str, ...]) -> Contest:
    """Compare laws of a score against loss: fitted above a loss, scored below it. Lower WIS and log score are better.

    Example: foresaid contest olmo_mmlu_mc --loss 2.6 --beside olmo_mmlu_rc
    """
    import numpy as np

    from foresaid import params
    from foresaid.errors import ParameterError
    from foresaid.fitting.fit import fit
    from foresaid.registry import database
    from foresaid.studies import loss_threshold as work

    loaded = params.load(project().params)
    absent = [name for name in work.LAWS if name not in loaded.laws]
    if absent:
        raise ParameterError(f"contest: found no law {', '.join(absent)} in params.yaml, expected {', '.join(work.LAWS)}")
    opened = database.open_database(project().build / "database")
    view = database.as_of(opened, loaded.fit_as_of)
    tables = work.of_record(view, loaded.laws, quantity)
    if not tables:
        known = sorted(table.target.quantity_id for _, table in work.of_laws(view, loaded.laws))
        raise ParameterError(
            f"contest: found no rows of {quantity} against loss, expected one of {', '.join(dict.fromkeys(known))}"
        )
    head = ["law", "trained", "tested", "WIS", "log score", "mean absolute error", "mean error", "coverage of 80 %"]
    rows = [
        [one.law, one.trained, one.tested, one.wis, one.log_score, one.mae, one.error, one.coverage]
        for one in work.contest(tables, loss, loaded.seed, loaded.replicates)
    ]
    made: Contest = {"laws": table(head, rows), "threshold_nats": None, "beside": []}
    law, first = tables[0]
    profile = fit(law, first, loaded.seed, 1).profile
    if profile is not None:
        low, high = work.profile_interval(profile, len(set(first.clusters)))
        click.echo(f"threshold of {law.name} on all rows, 95 % by its profile: {low:.3f} to {high:.3f} nats")
        made["threshold_nats"] = (low, high)
    if beside:
        target, losses = first.target, first.x[:, 0]
        edges = np.quantile(losses, [1.0, 0.8, 0.6, 0.4, 0.2, 0.0]).tolist()
        found = work.side_by_side(view, target.series or "", target.covariates[0].quantity_id, [quantity, *beside], edges)
        made["beside"] = table(found.columns, found.rows(), ())
    return made


@click.command(name="time-horizon")
@click.argument(
    "runs", help="CSV file: agent, task, family, minutes, success (0 or 1).", type=click.Path(path_type=Path, dir_okay=False)
)
@click.option("--replicates", type=click.IntRange(1), default=1000, show_default=True, help="Bootstrap draws.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Seed of the draws.")
def time_horizon(runs: Path, replicates: int, seed: int) -> list[Row]:
    """Fit how long a task an agent completes half of the time (minutes a person needs), with 95 % bootstrap intervals.

    RUNS is a CSV file with columns agent, task, family, minutes, success (0 or 1) and optionally weight. Families, tasks and runs
    are resampled in turn (METR, arXiv 2503.14499).

    Example: foresaid time-horizon runs.csv
    """
    from foresaid.reproducible import generator
    from foresaid.studies import time_horizon as work

    cells, agents = work.read_runs(runs)
    found = work.summarise(cells, agents, replicates, generator(seed, "time-horizon"))
    return table(["agent", "50 % horizon, minutes", "from", "to"], found)


@click.command()
@click.argument("target", help="A target of the emergence law, such as emergence-experiment/w128.")
@click.option("--steps", type=click.IntRange(100), default=2000, show_default=True, help="Steps of each of 32 walkers.")
def posterior(target: str, steps: int) -> list[Row]:
    """Sample the posterior of the emergence law on one target, beside its bootstrap. Needs emcee: foresaid[posterior].

    Example: foresaid posterior emergence-experiment/w128
    """
    import numpy as np

    from foresaid import params
    from foresaid.errors import ParameterError
    from foresaid.fitting.fit import fit
    from foresaid.laws._loader import load
    from foresaid.laws.emergence import Emergence
    from foresaid.registry import database
    from foresaid.reproducible import generator
    from foresaid.studies.emergence import posterior as work

    work.library()
    loaded = params.load(project().params)
    law = load("emergence", loaded.laws.get("emergence", {}))
    assert isinstance(law, Emergence)
    view = database.as_of(database.open_database(project().build / "database"), loaded.fit_as_of)
    tables = {table.target.target_id: table for table in law.tables(view)}
    if target not in tables:
        raise ParameterError(f"posterior: found the target {target}, expected one of {', '.join(tables) or 'none: no rows'}")
    fitted = fit(law, tables[target], loaded.seed, loaded.replicates)
    drawn = work.posterior(law, tables[target], fitted.point, steps, generator(loaded.seed, "posterior", target))
    ends = np.quantile(drawn, [0.05, 0.5, 0.95], axis=0)
    return table(["parameter", "5 %", "median", "95 %"], [[name, *ends[:, at].tolist()] for at, name in enumerate(work.NAMES)])


@click.command()
def intervals() -> list[dict[str, Any]]:
    """Compare three ways to set the width of intervals on the hindcasts by scale: lower WIS is better. Some minutes.

    The one factor each fit learns from its own rows, the discrepancy that all series of a law teach each other, and what only the
    other series teach: what a new series would be given. Shares are those of 50, 80 and 95 % intervals.

    Example: foresaid intervals
    """
    from foresaid import params
    from foresaid.project import CACHE
    from foresaid.studies import interval_discrepancy as work
    from foresaid.text import columns, number

    loaded, build = params.load(project().params), project().build
    rows = [["case, law", "series (independent)", *[f"{rule}: WIS, held" for rule in work.RULES], "better in"]]
    found = work.study(loaded, build, build / CACHE)
    for one in found:
        cells = [f"{number(one.wis[rule])} {'/'.join(f'{100 * share:.0f}' for share in one.held[rule])}" for rule in work.RULES]
        better = f"{one.better['pooled']}, {one.better['other series only']} of {one.series}"
        name = f"{one.case}, {one.law}" + (f" (set aside: {', '.join(one.set_aside)})" if one.set_aside else "")
        taught = f"{one.series} ({one.independent})" + (f", taught by {one.teachers} more" if one.teachers else "")
        rows.append([name, taught, *cells, better])
    for line in columns(rows, (0,)):
        click.echo(line)
    return [vars(one) for one in found]


@click.command()
@click.argument("folder", help="A copy of allenai/OLMo-ladder.", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--write", is_flag=True, help="Keep the table in registry/protocols; the pages of the loss laws show what is kept.")
def continuous(folder: Path, write: bool) -> Section:
    """Put accuracy, probability of the right choice, its logarithm and bits per byte side by side on the OLMo ladder's runs.

    FOLDER is a copy of allenai/OLMo-ladder. How each goes with pre-training loss (hinge with a corner or smooth logistic),
    whether size says anything beyond loss on the twenty finished runs, and what that says about the corner. Then the three laws
    of a score by loss, fitted to each metric above a loss and asked below it. Some minutes.

    Example: foresaid continuous ../mirror/allenai+OLMo-ladder
    """
    from foresaid import params
    from foresaid.report.sections.study_tables import lines
    from foresaid.studies import continuous_laws, law_sections
    from foresaid.studies import continuous_metrics as work

    runs, loaded = work.read(folder), params.load(project().params)
    fits = continuous_laws.fits(runs, continuous_laws.chances(project().registry), loaded.seed, loaded.replicates)
    found = continuous_laws.added(work.section(work.shapes(runs), work.size_effects(runs)), fits)
    for line in lines(found):
        click.echo(line)
    if write:
        click.echo(f"continuous: {law_sections.write(project().registry, found)} written")
    return vars(found)  # type: ignore[return-value]  # a section is these fields


@click.command()
@click.option(
    "--mix",
    "mixture",
    multiple=True,
    required=True,
    metavar="LANGUAGE=SHARE",
    help="A language and its share of the pre-training tokens; may be given again.",
)
@click.option("--from", "source", required=True, metavar="LANGUAGE", help="Language that is translated from.")
@click.option("--to", "target", required=True, metavar="LANGUAGE", help="Language that is translated into.")
def alignment(mixture: tuple[str, ...], source: str, target: str) -> dict[str, float]:
    """Score how well a pre-training mixture fits a translation task (Isik and others 2024, equation 2).

    Example: foresaid alignment --mix en=0.5 --mix de=0.5 --from en --to de
    """
    from foresaid.errors import ParameterError
    from foresaid.studies.transfer import alignment as work
    from foresaid.text import number

    shares: dict[str, float] = {}
    for item in mixture:
        language, _, share = item.partition("=")
        try:
            value = float(share)
        except ValueError:
            value = float("nan")
        if not language or value != value or language in shares:
            raise ParameterError(f"alignment: found --mix {item}, expected LANGUAGE=SHARE such as en=0.5, each language once")
        shares[language] = value
    score = work.alignment(shares, source, target)
    click.echo(f"alignment: {number(score)}")
    known = "; ".join(f"{number(value, 2)} {what}" for what, value in work.PRINTED.items())
    click.echo(f"for comparison: {known}. The BLEU log law held where it was 1.0, and broke in some pairs below it.")
    return {"alignment": score}


@click.command()
@click.argument(
    "checkpoints", help="CSV file: tokens, examples, a score from 0 to 100.", type=click.Path(path_type=Path, dir_okay=False)
)
@click.option("--maximum", type=click.FloatRange(0, min_open=True), help="The most tokens you would pre-train on.")
@click.option(
    "--tolerance", type=click.FloatRange(0), default=1.0, show_default=True, help="Gain of the score, in points, that counts."
)
@click.option(
    "--noise", type=click.FloatRange(0), default=0.0, show_default=True, help="Standard deviation of one score, in points."
)
@click.option(
    "--fall", type=click.FloatRange(0), default=0.3, show_default=True, help="Largest fall, in points, that counts as noise."
)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Seed of the bootstrap.")
def transfer(checkpoints: Path, maximum: float | None, tolerance: float, noise: float, fall: float, seed: int) -> Transfer:
    """Say by fine-tuning size what pre-training is worth at your own checkpoints, and where loss and score disagree.

    CHECKPOINTS is a CSV file with columns tokens (0: trained on the task alone), examples (fine-tuning size), one score from 0 to
    100 such as bleu, and perhaps the loss of the same models. Writes nothing.

    Example: foresaid transfer fine-tuned.csv --maximum 2.6e11
    """
    from foresaid.report.sections import transfer as words
    from foresaid.studies.transfer import checkpoints as work

    own = work.read(checkpoints)
    found = work.worth(own, tolerance, noise, fall, maximum, seed)
    for line in words.lines(own, found, work.joint(own), work.break_even(found, tolerance), maximum):
        click.echo(line)
    return {"score": own.score_name, "loss": own.loss_name or None, "sizes": [dict(vars(one)) for one in found]}


@click.command()
def agents() -> Section | None:
    """Forecast the strongest agents from weaker ones, leave out each benchmark in turn, and say where compute alone does as well.

    Example: foresaid agents
    """
    from functools import partial

    from foresaid import params
    from foresaid.registry import database
    from foresaid.report.sections.study_tables import lines
    from foresaid.studies.benchmark_space import agents as work

    connection = database.open_database(project().build / "database")
    found = work.section(partial(database.as_of, connection), params.load(project().params))
    connection.close()
    for line in (
        lines(found)
        if found is not None
        else ["agents: the record holds no scores of agents, or no observational law is asked for"]
    ):
        click.echo(line)
    return vars(found) if found is not None else None  # type: ignore[return-value]  # a section is these fields


COMMANDS: tuple[click.Command, ...] = (agents, alignment, transfer, continuous, intervals, contest, time_horizon, posterior)
