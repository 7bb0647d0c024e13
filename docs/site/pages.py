"""Pages of the documentation that stand elsewhere or are made: nothing is written twice.

Read by MkDocs as a hook. READMEs of the record and the ledger, the guide for contributors and the one that `foresaid init` writes
become pages as they stand; the reference of laws and of JSON results and the list of sources are made from the code and the cards.
Links between these files work on a forge; here they lead to the page.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "pipelines"))

# Files that are pages as they stand, by the name of their page.
STAND_ELSEWHERE = {
    "changelog.md": ROOT / "CHANGELOG.md",
    "contributing.md": ROOT / "CONTRIBUTING.md",
    "ledger.md": ROOT / "registry" / "ledger" / "README.md",
    "own-registry.md": ROOT / "pipelines" / "foresaid" / "pipeline" / "starter" / "README.md.tmpl",
    "record.md": ROOT / "registry" / "README.md",
}
PAGE_OF = {path.resolve(): name for name, path in STAND_ELSEWHERE.items()}
RESULTS = """# Results as JSON

Every command takes `--json`: stdout then holds one document of this schema, and nothing else. Errors and notes go to stderr, the
exit code is the same. A number that is not finite is null. A command whose result is what it prints gives its lines.
"""
SOURCES = """# Sources and attribution

Every figure belongs to its publisher; this table is made from `registry/sources/*/source.toml`. Where a licence covers only part of
a source, `registry/licences.csv` says so quantity by quantity, and `foresaid licences` prints it. Texts of licences that go with
figures lie beside them.

| source | title | publisher | licence | figures | cite as | address |
| --- | --- | --- | --- | --- | --- | --- |
"""
LINK = re.compile(r"(!?)\[([^\]]+)\]\(([^)\s]+)\)")


def laws() -> str:
    """The reference of every law: its module's docstring and its settings."""
    from foresaid.laws import _loader

    head = "# Laws\n\nEach law is one file, and its key under `laws:` in `params.yaml` turns it on with these settings.\n"
    return head + "".join(
        f"\n## {name}\n\n::: foresaid.laws.{name}\n    options:\n      show_root_heading: false\n      show_root_toc_entry: false\n"
        for name in _loader.names()
    )


def api() -> str:
    """The reference of every name that `import foresaid` offers, from its docstring."""
    import foresaid

    names = {name: getattr(foresaid, name) for name in foresaid.__all__ if name != "__version__"}
    return "\n## Reference\n" + "".join(f"\n::: {one.__module__}.{one.__qualname__}\n" for one in names.values())


def results() -> str:
    """The JSON Schema of what every command prints with --json."""
    import click

    from foresaid.cli.main import main
    from foresaid.cli.output import schema

    def each(group: click.Group, before: str = "") -> list[tuple[str, click.Command]]:
        made: list[tuple[str, click.Command]] = []
        for name, command in sorted(group.commands.items()):
            made += each(command, f"{before}{name} ") if isinstance(command, click.Group) else [(before + name, command)]
        return made

    parts = [RESULTS]
    for name, command in each(main):
        parts.append(f"\n## foresaid {name}\n\n```json\n{json.dumps(schema(command, name), indent=1)}\n```\n")
    return "".join(parts)


def attribution() -> str:
    """Who published what is in the record, under which licence, how it wants to be cited; from the cards of the sources."""
    import tomllib

    rows = []
    for path in sorted((ROOT / "registry" / "sources").glob("*/source.toml")):
        card = tomllib.loads(path.read_text(encoding="utf-8"))
        kept = "in the record" if card.get("redistribution") == "yes" else "read on demand"
        cells = (
            path.parent.name,
            card["title"],
            card["publisher"],
            card.get("licence") or "none stated",
            kept,
            card.get("citation", ""),
        )
        rows.append(
            "| " + " | ".join(" ".join(str(cell).split()).replace("|", "\\|") for cell in cells) + f" | <{card['url']}> |\n"
        )
    return SOURCES + "".join(rows)


MADE = {"laws.md": laws, "json.md": results, "attribution.md": attribution}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that stand elsewhere or are made."""
    for name, path in STAND_ELSEWHERE.items():
        text = path.read_text(encoding="utf-8").replace("@ORIGIN@", "A registry of your own")
        files.append(File.generated(config, name, content=text))
    for name, make in MADE.items():
        files.append(File.generated(config, name, content=make()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links to files of the repository to their page; name a file that has none instead of linking it."""
    if page.file.src_uri == "api.md":
        markdown += api()
    here = STAND_ELSEWHERE.get(page.file.src_uri, ROOT / "docs" / page.file.src_uri).parent

    def linked(found: re.Match[str]) -> str:
        sign, text, target = found.groups()
        if re.match(r"[a-z]+:|#", target):
            return found[0]
        place, _, anchor = target.partition("#")
        path = (here / place).resolve()
        name = PAGE_OF.get(path) or (path.relative_to(ROOT / "docs").as_posix() if path.is_relative_to(ROOT / "docs") else "")
        if name and files.get_file_from_path(name):
            return f"{sign}[{text}]({name}{'#' + anchor if anchor else ''})"
        return (
            text if path.exists() or path.with_name(path.name + ".tmpl").exists() else found[0]
        )  # a link to nothing stays, and stops the build

    return LINK.sub(linked, markdown)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Refuse a page that would fetch something when it is read: a script, style, font or image of another host."""
    if found := re.search(r"<(?:script|img|iframe)[^>]*src=.?(?:https?:)?//[^>]*>|<link[^>]*rel=.?stylesheet[^>]*//[^>]*>", output):
        raise PluginError(f"{page.file.src_uri}: found {found[0]:.200}, expected nothing that is fetched when a page is read")
    return output
