"""The templates of the site: what they may use, and what they refuse.

Text from data is always escaped; the one exception are drawings, made by report/drawing.py and by nothing else. What is not defined
is an error, and so is a value that would print as the place of an object in memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from foresaid.evaluation import modes
from foresaid.report import assets, specification
from foresaid.report.downloads import SHORT, Offered
from foresaid.report.drawing import Drawing

TEMPLATES = Path(__file__).parent / "templates"


def inline(drawing: Drawing) -> Markup:
    """Let a drawing stand in a page as SVG: the only text that is not escaped.

    It is safe because a Drawing is made by `drawing.drawn` alone, which lets nothing through but a list of drawing elements and
    attributes, and because names inside it were escaped when it was made. Anything else is refused here.
    """
    if not isinstance(drawing, Drawing):
        raise TypeError(f"inline: found {type(drawing).__name__}, expected a Drawing made by report/drawing.py")
    return Markup(drawing.in_page())


class Environment(jinja2.Environment):
    """Templates in which `row.items` is the entry of a row before it is a method of mappings."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """The entry of a mapping where it has one of that name, else what Jinja finds."""
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


def printable(value: Any) -> Any:
    """The value itself; raise TypeError for one that a page would print as the place of an object in memory.

    Such a text differs from run to run, so that equal inputs would no longer give equal bytes.

    >>> printable("0.2")
    '0.2'
    >>> printable({}.items)
    Traceback (most recent call last):
    TypeError: found dict.items in a page, expected text or a number
    """
    if isinstance(value, jinja2.Undefined):
        return value
    kind: Any = type(value)
    if callable(value) or (kind.__str__ is object.__str__ and kind.__repr__ is object.__repr__):
        raise TypeError(f"found {getattr(value, '__qualname__', type(value).__name__)} in a page, expected text or a number")
    return value


def environment(own: Path, offers: Mapping[str, Offered] | None = None) -> jinja2.Environment:
    """Templates that escape everything and refuse what is not defined; a file in `own` stands in for the package's of that name.

    `offers` say what each table is offered as, so that a page links to it. One that is not named is a short table, whose schema
    the list of all tables names.

    `autoescape=True` and not `select_autoescape()`: that goes by the last extension and would leave `.html.j2` unescaped.
    """
    made = Environment(
        loader=jinja2.FileSystemLoader([own, TEMPLATES]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=printable,
    )
    known, unnamed = dict(offers or {}), Offered(SHORT, "datapackage.json")
    made.globals["inline"] = inline
    made.globals["dark_charts"] = lambda: Markup(specification.dark_rules())
    made.globals["policy"] = assets.POLICY
    made.globals["description"] = assets.description
    made.globals["modes"] = modes.SAID
    made.globals["offered"] = lambda name: known.get(name, unnamed)
    return made
