"""The commands that look after the catalogue of the record: models, spellings, licences, and the order of its files.

Each imports what it needs when it runs, so that --help is instant.
"""

from __future__ import annotations

from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any, TypedDict

import click

from foresaid.cli.group import given_day, project
from foresaid.cli.names import DAY, MODEL, SOURCE


class Models(TypedDict, total=False):
    """Models with family, organisation and release date, or with --alike pairs of ids that may be one model."""

    models: list[dict[str, str | None]]
    pairs: list[dict[str, str]]


class ShownModel(TypedDict):
    """A model's row of models.csv, what was merged into what, its spellings with their source, and by source its rows by status."""

    model: dict[str, str]
    merged_into: str | None
    also_recorded_as: list[dict[str, str]]
    spelt: list[dict[str, str]]
    rows: dict[str, dict[str, int]]


class AddedModel(TypedDict):
    """The row of models.csv that was added, the spellings under which it comes in a source (*: in every), and what was said."""

    model: dict[str, Any]
    spelt: list[str]
    source: str
    said: list[str]


class Merged(TypedDict):
    """The decision that one model is another under another name, and what it does, in words."""

    kept: str
    dropped: str
    reason: str
    decided_on: str
    said: list[str]


class Alias(TypedDict):
    """A spelling, the model or quantity it stands for, in which source (*: in every), and whether it is new, in words."""

    spelling: str
    id: str
    kind: str
    source: str
    said: list[str]


@click.group()
def models() -> None:
    """Look at the models of the record, and say when two of them are one.

    Example: foresaid models show meta-llama/llama-2-7b-hf
    """


@models.command("list")
@click.option("--family", default="", help="Only models of this family.")
@click.option("--undated", is_flag=True, help="Only models without a release date.")
@click.option("--alike", is_flag=True, help="Only pairs of ids that may be one model, with the reason.")
def models_list(family: str, undated: bool, alike: bool) -> Models:
    """List the models of the record: id, family, organisation, release date.

    Example: foresaid models list --alike
    """
    from foresaid.registry import model_catalogue

    if alike:
        pairs = model_catalogue.pairs(project().registry)
        for pair in pairs:
            click.echo(f"{pair['one']}  {pair['two']}  {pair['reason']}")
        click.echo(f"{len(pairs)} pairs; `foresaid models merge KEEP DROP --reason TEXT` decides one")
        return {"pairs": [dict(pair) for pair in pairs]}  # type: ignore[arg-type]  # text by key
    found = model_catalogue.listing(project().registry, family, undated)
    for row in found:
        click.echo(model_catalogue.line(row))
    click.echo(f"{len(found)} models")
    return {"models": [dict(row) for row in found]}  # type: ignore[arg-type]  # text or null by key


@models.command("show")
@click.argument("model", type=MODEL)
def models_show(model: str) -> ShownModel:
    """Show one model: its card, its spellings, what was merged into it, and what each source says of it.

    Example: foresaid models show meta-llama/llama-2-7b-hf
    """
    from foresaid.registry import model_catalogue

    found = model_catalogue.shown(project().registry, project().build, model)
    for line in model_catalogue.card(found):
        click.echo(line)
    return found  # type: ignore[return-value]  # it has these keys


@models.command("merge")
@click.argument("keep", type=MODEL)
@click.argument("drop", type=MODEL)
@click.option("--reason", required=True, help="How you know that the two are one model.")
@click.option("--even-if", is_flag=True, help="Also where the two disagree about a value: those of KEEP count.")
@click.option("--decided-on", type=DAY, default=None, help="Day of the decision; today by default.")
def models_merge(keep: str, drop: str, reason: str, even_if: bool, decided_on: datetime | None) -> Merged:
    """Decide that DROP is KEEP under another name. Observations stay as they are; every later stage sees one model.

    Example: foresaid models merge acme/tiny-7b acme/tiny7b --reason "same weights, see the model card"
    """
    from foresaid.registry import model_catalogue

    day = given_day("--decided-on", decided_on)
    said = model_catalogue.merge(project().registry, project().build, keep, drop, reason, day, even_if)
    for line in said:
        click.echo(line)
    return {"kept": keep, "dropped": drop, "reason": reason, "decided_on": str(day), "said": said}


@models.command("add")
@click.argument("model", help="Its new id: the maker and the name in lower case, acme/tiny-7b.")
@click.option("--organisation", required=True, help="The maker, as models.csv spells it.")
@click.option("--released-on", default="", help="Day (2026-05-01) or month (2026-05) of the release.")
@click.option("--release-source", default="", help="The document that says so; needed with --released-on.")
@click.option("--family", default="", help="The version it belongs to; read off the name by default.")
@click.option(
    "--kind",
    type=click.Choice(["base", "instruct", "reasoning", "code"]),
    default="instruct",
    show_default=True,
    help="What it was trained to be.",
)
@click.option("--params", type=float, help="All parameters, a plain number: 7e9.")
@click.option("--active", type=float, help="Active parameters, a plain number; for a dense model those of --params.")
@click.option("--tokens", type=float, help="Training tokens, a plain number: 2e12.")
@click.option("--open-weights", type=click.Choice(["yes", "no"]), default=None, help="Whether its weights can be downloaded.")
@click.option("--spelt", multiple=True, help="A spelling under which it comes; may be given again.")
@click.option("--source", default="*", show_default=True, help="The source of these spellings; * is every source.")
@click.option("--even-if", is_flag=True, help="Also where its id differs from another in case or punctuation only.")
def models_add(
    model: str,
    organisation: str,
    released_on: str,
    release_source: str,
    family: str,
    kind: str,
    params: float | None,
    active: float | None,
    tokens: float | None,
    open_weights: str | None,
    spelt: tuple[str, ...],
    source: str,
    even_if: bool,
) -> AddedModel:
    """Add a model to the record; line, tier and release are proposed from its name.

    Example: foresaid models add acme/tiny-7b --organisation Acme --released-on 2026-05-01 --release-source https://example.org
    """
    from foresaid.errors import ParameterError
    from foresaid.registry import additions

    if released_on:
        if not release_source:
            raise ParameterError("models add: found --released-on without --release-source, expected the document that says so")
        if additions.read_day(released_on)[0] is None:
            raise ParameterError(f"--released-on {released_on}: expected a day such as 2026-05-01 or a month such as 2026-05")
        given_day("--released-on", datetime.combine(additions.read_day(released_on)[0] or datetime.now(UTC).date(), time()))
    row = additions.model_row(
        model, organisation, released_on, release_source, family=family, kind=kind, sizes=(params, active, tokens),
        open_weights=open_weights or "",
    )  # fmt: skip
    said = additions.add_model(project().registry, row, [(text, source) for text in spelt], even_if)
    for line in said:
        click.echo(line)
    return {"model": row._asdict(), "spelt": list(spelt), "source": source, "said": said}


@models.command("weights")
@click.option(
    "--from", "mirror", type=click.Path(path_type=Path, exists=True, file_okay=False), envvar="FORESAID_MIRROR", required=True,
    help="Folder that holds the sources' downloads.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say what would be filled and write nothing.")
def models_weights(mirror: Path, dry_run: bool) -> None:
    """Fill in which models have open weights, where the sources that say it agree; what stands is never changed.

    Example: foresaid models weights --from ~/mirror --dry-run
    """
    from foresaid.registry import open_weights

    for line in open_weights.fill(project().registry, mirror, dry_run):
        click.echo(line)


@click.command()
@click.argument("spelling", help="As a source spells it.")
@click.argument("target", type=MODEL, help="A model_id of registry/models.csv; with --quantity one of quantities.csv.")
@click.option("--source", default="*", show_default=True, help="The source that spells it so; * is every source.")
@click.option("--quantity", is_flag=True, help="TARGET is a quantity, not a model.")
def alias(spelling: str, target: str, source: str, quantity: bool) -> Alias:
    """Say that SPELLING is the model (or quantity) TARGET of the record.

    Example: foresaid alias "Tiny 7B (May)" acme/tiny-7b --source epoch-hub
    """
    from foresaid.registry import additions

    kind = "quantity" if quantity else "model"
    said = additions.add_alias(project().registry, spelling, target, source, kind)
    for line in said:
        click.echo(line)
    return {"spelling": spelling, "id": target, "kind": kind, "source": source, "said": said}


@click.command()
@click.option("--source", type=SOURCE, default="", help="Only the quantities of this source, one line each.")
def licences(source: str) -> list[dict[str, Any]]:
    """Say of every source what its licence grants, where its rows are, and what an update of it would add.

    \b
    Example: foresaid licences
             foresaid licences --source epoch-hub-external
    """
    from foresaid.errors import ParameterError, RecordError
    from foresaid.registry import licences as work
    from foresaid.registry import load

    found, problems = load.read_catalogue(project().registry)
    if problems:
        raise RecordError.collect(problems)
    sources = work.kept(project().registry, found.quantities)
    if source and all(one.source.name != source for one in sources):
        raise ParameterError(f"licences: found --source {source}, expected a folder of registry/sources")
    stated = [row for row in found.licences if row.source_id == source]
    chosen = [one for one in sources if source in ("", one.source.name)]
    for line in work.listing(stated) if stated else work.summary(chosen):
        click.echo(line)
    if stated:
        return [row._asdict() for row in sorted(stated)]
    return [
        {
            "source": one.source.name,
            "grant": one.grant,
            "rows": one.rows,
            "kept": one.source.embedded,
            "licence": one.source.licence,
        }
        for one in chosen
    ]


@click.command()
def sort() -> list[str]:
    """Put the rows of every file of the record in the order of their keys, each line kept byte for byte.

    Example: foresaid sort
    """
    from foresaid.registry import load

    changed = load.sort(project().registry)
    for name in changed:
        click.echo(f"{name}: rows put in order")
    if not changed:
        click.echo("sort: every file is in order")
    return changed


COMMANDS: tuple[click.Command, ...] = (models, alias, licences, sort)
