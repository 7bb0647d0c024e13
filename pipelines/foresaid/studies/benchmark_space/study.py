"""What the record says of the principal-component space, for the observational law's page: shares, families, compute, choices.

Everything is computed anew from the vintage of the paper's tables and the paper's own fits (benchmark_space/paper_fit.py), so
that it can be laid beside what was printed; none of it changes a forecast. studies/benchmark_space/equivalent_compute.py and
studies/model_selection/candidates.py hold the methods, this module asks them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
import numpy as np
import polars as pl

from foresaid.arrays import Array
from foresaid.errors import UnreadableError
from foresaid.fitting.components import components
from foresaid.fitting.imputation import impute
from foresaid.registry.view import ZETTA, View
from foresaid.reproducible import generator
from foresaid.studies.benchmark_space import paper_fit
from foresaid.studies.benchmark_space.equivalent_compute import LinearFit, equivalent_compute, sweep, within_families
from foresaid.studies.benchmark_space.paper_fit import CHAT_METRICS, METRICS, TASKS, PaperFit, PaperRows
from foresaid.studies.model_selection.v_optimal import Choice, select

DAY = date(2024, 5, 31)  # the vintage the printed numbers are of
SOURCE = "obsscaling"
COMPONENTS = 3
REFERENCE, CHAT_REFERENCE = "Llama-2", "Llama-2-Chat"
SHOWN = "gsm8k_cot"  # the task drawn on the axis of equivalent compute
SWEPT = ("bigbench_word_unscrambling", "bigbench_parsinlu_qa", "gsm8k_naive", "gsm8k_cot", "gsm8k_cot_self_consistency")
AGENTS = ("agentbench_overall", "agentboard_success_rate")
SHARES = tuple(round(0.60 - 0.05 * i, 2) for i in range(12))  # held out, 60 % down to 5 % as in the paper
LEAST = 8  # training rows of a cut
MOST = 4  # components tried
BUDGETS = (4, 8, 12, 16, 20, 24, 36)
CHOSEN_FOR = ("gsm8k_naive", "gsm8k_cot", "gsm8k_cot_self_consistency")
DRAWN = {"subject_id": pl.String, "x": pl.Float64, "observed": pl.Float64, "median": pl.Float64}
RANDOM = 5  # random choices a budget, as in the paper


@dataclass(frozen=True)
class Shares:
    """Share of variance along each component, for one population of so many models and families."""

    population: str
    models: int
    families: int
    explained: tuple[float, ...]


@dataclass(frozen=True)
class Axis:
    """One task's line from log10(FLOPs / 1e21) of the reference family to the law's logit, through so many models."""

    quantity_id: str
    reference: str
    models: int
    line: LinearFit


@dataclass(frozen=True)
class Swept:
    """Mean test error over cut-offs (area under it), by what the models were ranked by: components and compute."""

    quantity_id: str
    ranked_by: str
    cuts: int
    components: float
    compute: float


@dataclass(frozen=True)
class Chosen:
    """One budget: the optimal choice, and the test error after fitting on it, on random choices, and on all candidates."""

    choice: Choice
    error: float
    random: float


@dataclass(frozen=True)
class Plane:
    """All of it. `errors` is the test error by task and number of components; `drawn` the points of one task on the axis."""

    shares: tuple[Shares, ...]
    families: dict[str, list[LinearFit]]
    axes: tuple[Axis, ...]
    drawn: pl.DataFrame
    errors: dict[str, tuple[float, ...]]
    swept: tuple[Swept, ...]
    chosen: tuple[Chosen, ...]
    all_error: float


def study(view: View, seed: int) -> Plane | None:
    """Re-make every table from a view of the paper's day; None where the record does not hold the paper's tables.

    Random choices come from a stream named by budget.
    """
    if not {*METRICS, *SWEPT, *AGENTS, "bbh_naive"} <= set(view.observations["quantity_id"].unique()):
        return None
    base, chat = _base(view), _chat(view)
    scores, flops = _scores(base, METRICS), base["training_flops"].to_numpy().astype(float)
    made = {name: paper_fit.rows(view, task) for name, task in TASKS.items()}
    rows = {name: one for name, one in made.items() if one.trains.sum() > LEAST and not one.trains.all()}
    fits = {name: _fit(name, one) for name, one in rows.items()}
    pool = _pool(view)
    picks = _chosen(pool, rows, seed)
    return Plane(
        (_shares("base models", base, METRICS), _shares("chat models", chat, CHAT_METRICS)),
        within_families(scores, flops, list(base["family"])),
        tuple(axis for name in rows if (axis := _axis(name, rows[name], fits[name])) is not None),
        _drawn(rows[SHOWN], fits[SHOWN]),
        {name: tuple(_error(rows[name], _fit(name, rows[name], k)) for k in range(1, MOST + 1)) for name in rows},
        tuple(_swept(name, rows[name], by) for name in SWEPT for by in ("compute", "score")),
        picks,
        _geometric([_error(_only(rows[name], set(pool[0])), None, name) for name in CHOSEN_FOR]),
    )


def to_plain(plane: Plane) -> dict[str, Any]:
    """Turn the study into dictionaries, lists, text and numbers, as JSON holds them; `drawn` is a list of rows."""
    made: dict[str, Any] = msgspec.to_builtins(plane, enc_hook=lambda frame: frame.to_dicts())
    return made


def from_plain(plain: dict[str, Any]) -> Plane:
    """Turn what `to_plain` made back into the study. Raises UnreadableError where it has another form."""
    try:
        return msgspec.convert(plain, Plane, dec_hook=lambda _, rows: pl.DataFrame(rows, schema=DRAWN))
    except msgspec.ValidationError as error:
        raise UnreadableError(f"benchmark space: {error}; run `foresaid study`") from None


def _base(view: View) -> pl.DataFrame:
    """Return the base models of the post-training table; two stand there without a single score."""
    scores = ["gsm8k_naive", "gsm8k_cot", "bbh_naive"]
    unscored = pl.col("subject_id").is_in(["tiiuae/falcon-180b", "bigscience/bloom"])
    wide = view.wide([*METRICS, *scores, "training_flops"], (SOURCE,))
    return wide.filter(pl.any_horizontal(pl.col(scores).is_not_null()) | unscored)


def _chat(view: View) -> pl.DataFrame:
    """Return the models with a score on an agents' task and some benchmark of the chat models' plane."""
    wide = view.wide([*CHAT_METRICS, *AGENTS, "training_flops"], (SOURCE,))
    return wide.filter(pl.any_horizontal(pl.col(AGENTS).is_not_null()) & pl.any_horizontal(pl.col(CHAT_METRICS).is_not_null()))


def _scores(wide: pl.DataFrame, metrics: Sequence[str]) -> Array:
    values, one = wide.select(metrics).to_numpy().astype(float), np.ones((1, wide.height))
    filled = impute(values, one).values
    return np.asarray(components(filled, one, COMPONENTS).scores(filled)[0])


def _shares(population: str, wide: pl.DataFrame, metrics: Sequence[str]) -> Shares:
    values, one = wide.select(metrics).to_numpy().astype(float), np.ones((1, wide.height))
    found = components(impute(values, one).values, one, COMPONENTS).explained[0, :COMPONENTS]
    return Shares(population, wide.height, wide["family"].n_unique(), tuple(float(share) for share in found))


def _fit(name: str, rows: PaperRows, wanted: int = COMPONENTS) -> PaperFit:
    return paper_fit.fit(rows.x[rows.trains], rows.y[rows.trains], TASKS[name].optimiser, wanted)


def _error(rows: PaperRows, fitted: PaperFit | None, name: str = "") -> float:
    miss = (fitted or _fit(name, rows)).predict(rows.x[~rows.trains]) - rows.y[~rows.trains]
    return float(np.nanmean(miss**2))


def _axis(name: str, rows: PaperRows, fitted: PaperFit) -> Axis | None:
    reference = CHAT_REFERENCE if name.startswith("agent") else REFERENCE
    member = (np.array(rows.families) == reference) & np.isfinite(rows.flops)
    if member.sum() < 2:
        return None
    line = equivalent_compute(np.zeros(1), fitted.score(rows.x[member]), rows.flops[member] / ZETTA)[1]
    return Axis(name, reference, int(member.sum()), line)


def _drawn(rows: PaperRows, fitted: PaperFit) -> pl.DataFrame:
    """Return the models of one task: where they stand in compute of the reference family, their score, and the law's."""
    member = (np.array(rows.families) == REFERENCE) & np.isfinite(rows.flops)
    place, _ = equivalent_compute(fitted.score(rows.x), fitted.score(rows.x[member]), rows.flops[member])
    frame = pl.DataFrame({"subject_id": rows.subjects, "x": 10.0**place, "observed": rows.y, "median": fitted.predict(rows.x)})
    return frame.filter(pl.col("x").is_finite()).sort("x", "subject_id")


def _swept(name: str, rows: PaperRows, ranked_by: str) -> Swept:
    """Sweep the cut-off of one task on the models of known compute, so that both forecasters see the same rows."""
    known = np.isfinite(rows.flops)
    x, y, flops = rows.x[known], rows.y[known], rows.flops[known]
    rank = flops if ranked_by == "compute" else y
    optimiser = TASKS[name].optimiser
    cuts, ours = sweep(lambda x, y: paper_fit.fit(x, y, optimiser).predict, x, y, rank, SHARES, LEAST)
    logs = np.log(flops / ZETTA)[:, None]
    _, theirs = sweep(
        lambda z, y: paper_fit.fit_compute(np.exp(z[:, 0]) * ZETTA, y, optimiser).predict, logs, y, rank, SHARES, LEAST
    )
    return Swept(name, ranked_by, len(cuts), ours, theirs)


def _pool(view: View) -> tuple[list[str], list[str], Array]:
    """Return names, families and places of the small models without gaps: the candidates of the paper's choice."""
    wide = view.wide([*METRICS, "gsm8k_naive", "training_flops"], (SOURCE,)).drop_nulls(METRICS)
    limit = (TASKS["gsm8k_naive"].zettaflops or np.inf) * ZETTA
    wide = wide.filter((pl.col("kind") == "model") & pl.col("gsm8k_naive").is_not_null() & (pl.col("training_flops") <= limit))
    return list(wide["subject_id"]), list(wide["family"]), _scores(wide, METRICS)


def _only(rows: PaperRows, names: set[str]) -> PaperRows:
    """Let only these models train."""
    trains = rows.trains & np.array([name in names for name in rows.subjects])
    return PaperRows(rows.subjects, rows.families, rows.x, rows.y, rows.flops, trains)


def _chosen(pool: tuple[list[str], list[str], Array], rows: dict[str, PaperRows], seed: int) -> tuple[Chosen, ...]:
    names, families, scores = pool

    def error(chosen: Sequence[str]) -> float:
        members = {name for name, family in zip(names, families, strict=True) if family in chosen}
        return _geometric([_error(_only(rows[task], members), None, task) for task in CHOSEN_FOR])

    made = []
    for choice in select(scores, families, BUDGETS):
        rng = generator(seed, "plane", "random-choice", str(choice.budget))
        drawn = [error(_random(families, choice.budget, rng)) for _ in range(RANDOM)]
        made.append(Chosen(choice, error(choice.families), float(np.mean(drawn))))
    return tuple(made)


def _random(families: Sequence[str], budget: int, rng: np.random.Generator) -> list[str]:
    """Draw whole families until between budget - 2 and budget models are taken."""
    every = sorted(set(families))
    while True:
        taken: list[str] = []
        for at in rng.permutation(len(every)):
            if sum(families.count(name) for name in [*taken, every[at]]) <= budget:
                taken.append(every[at])
        size = sum(families.count(name) for name in taken)
        if budget - 2 <= size and size > COMPONENTS:
            return taken


def _geometric(errors: Sequence[float]) -> float:
    return float(np.exp(np.mean(np.log(errors))))
