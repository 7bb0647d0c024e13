"""A page is rendered again only where what it says did: what stands in its frame is kept, and the frame put around it anew.

The frame is the template that a page extends, with navigation and footer, whose digests of data and code change with nearly every
run; it costs little. Inside it stand the blocks that the page's own template fills. They depend on the texts of the templates, on
the values that these texts name, and on the code that spells them. All of it is in the name under which they are kept, so that no
page can be out of date. A page is checked (report/mode_check.py) when it is rendered; what is kept has passed.

A page is trusted as far as the folder it is kept in, like a kept fit. Its policy is not kept but stands in the frame, so that a
script in a kept page would not run.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

import jinja2
from jinja2 import meta, nodes
from markupsafe import Markup

from foresaid.report import mode_check
from foresaid.report.charts import Drawing
from foresaid.report.downloads import Offer
from foresaid.report.kept import Kept, Parts, name_of, program
from foresaid.report.page import Page

CODE, LIBRARIES = ("report/kept_pages.py", "report/environment.py"), ("jinja2", "markupsafe")
PLAIN = (Markup, date, datetime)


@dataclass(frozen=True)
class Form:
    """How the template of a page is written: its frame, the blocks it fills, the names it looks up, all texts it is made from."""

    frame: str
    blocks: tuple[str, ...]
    names: frozenset[str]
    texts: tuple[tuple[str, str], ...]


class Renderer:
    """Renders the pages of one site; `shared` is what all of them are given beside their own values."""

    def __init__(
        self, env: jinja2.Environment, kept: Kept, shared: Mapping[str, Any], offers: Mapping[str, tuple[Offer, ...]]
    ) -> None:
        self._env, self._kept, self._shared = env, kept, shared
        self._program = program(CODE, LIBRARIES)
        self._offers = stated({name: [(one.ending, one.title) for one in found] for name, found in offers.items()})
        self._form, self._inside, self._around = cache(self._read_form), cache(self._blocks_alone), cache(self._frame_alone)

    def text(self, page: Page) -> str:
        """The whole page. Raises ForesaidError for one that judges forecasts without a mode."""
        given = {**page.values, "root": page.root, "here": page.path, **self._shared}
        form = self._form(page.template)
        if form is None:
            text = self._env.get_template(page.template).render(given)
            mode_check.check(page.path, text)
            return text
        named = {name: given[name] for name in sorted(form.names & given.keys())}
        name = name_of(self._program, self._offers, *(part.encode() for text in form.texts for part in text), stated(named))
        return self._framed(form, self._kept.of(name, lambda: self._parts(page, form, given)), given)

    def _parts(self, page: Page, form: Form, given: Mapping[str, Any]) -> Parts:
        filled: dict[str, str] = {}
        self._inside(form.frame, form.blocks).get_template(page.template).render(given, fill_block=filled.__setitem__)
        parts = {name: text.encode() for name, text in filled.items()}
        mode_check.check(page.path, self._framed(form, parts, given))
        return parts

    def _framed(self, form: Form, parts: Parts, given: Mapping[str, Any]) -> str:
        filled = {name: Markup(text.decode()) for name, text in parts.items()}
        return self._around(form.frame, form.blocks).render(given, filled_blocks=filled)

    def _blocks_alone(self, frame: str, blocks: tuple[str, ...]) -> jinja2.Environment:
        """The same templates, with a frame that hands each block to `fill_block` and is nothing else."""
        bare = "".join(
            f'{{% set filled %}}{{% block {name} %}}{{% endblock %}}{{% endset %}}{{{{ fill_block("{name}", filled) }}}}'
            for name in blocks
        )
        assert self._env.loader is not None
        return self._env.overlay(loader=jinja2.ChoiceLoader([jinja2.DictLoader({frame: bare}), self._env.loader]))

    def _frame_alone(self, frame: str, blocks: tuple[str, ...]) -> jinja2.Template:
        filled = "".join(f"{{% block {name} %}}{{{{ filled_blocks.{name} }}}}{{% endblock %}}" for name in blocks)
        return self._env.from_string(f'{{% extends "{frame}" %}}{filled}')

    def _source(self, name: str) -> tuple[str, nodes.Template]:
        assert self._env.loader is not None
        source = self._env.loader.get_source(self._env, name)[0]
        return source, self._env.parse(source)

    def _read_form(self, template: str) -> Form | None:
        """How this template is written; None where blocks and frame cannot be told apart: it is rendered each time."""
        tree = self._source(template)[1]
        extended = [one.template for one in tree.body if isinstance(one, nodes.Extends)]
        frames = [one.value for one in extended if isinstance(one, nodes.Const)]
        blocks = tuple(one.name for one in tree.body if isinstance(one, nodes.Block))
        if len(frames) != 1 or not all(map(_stands_apart, tree.body)):
            return None
        texts: dict[str, str] = {}
        names: set[str] = set()
        waiting: list[str | None] = [template]
        while waiting:
            name = waiting.pop()
            if name is None:  # a template that only a value names
                return None
            if name not in texts:
                texts[name], found = self._source(name)
                waiting += meta.find_referenced_templates(found)
                names |= set() if name == frames[0] else meta.find_undeclared_variables(found) | _named(found, "super", "self")
        frame = self._source(frames[0])[1]
        declared = {one.name for one in frame.find_all(nodes.Block) if not one.scoped}
        crossing = (names & _bound(frame)) | (meta.find_undeclared_variables(frame) & _bound(tree)) | (names & {"super", "self"})
        if crossing or not set(blocks) <= declared:
            return None
        return Form(frames[0], blocks, frozenset(names), tuple(sorted(texts.items())))


def _stands_apart(node: nodes.Node) -> bool:
    """Whether a part of a template prints nothing outside its blocks and sets nothing but names of other templates."""
    if isinstance(node, nodes.Output):
        return all(isinstance(one, nodes.TemplateData) and not one.data.strip() for one in node.nodes)
    return isinstance(node, nodes.Extends | nodes.Block | nodes.Import | nodes.FromImport)


def _named(tree: nodes.Template, *names: str) -> set[str]:
    return {one.name for one in tree.find_all(nodes.Name)} & set(names)


def _bound(tree: nodes.Template) -> set[str]:
    """The names that a template gives a value outside its blocks, and some that it gives one inside."""
    imported = {one.target for one in tree.find_all(nodes.Import)}
    parts = {part if isinstance(part, str) else part[1] for one in tree.find_all(nodes.FromImport) for part in one.names}
    return imported | parts | {one.name for one in tree.find_all(nodes.Name) if one.ctx == "store"}


class _Plain(pickle.Pickler):
    """Spells values that are plain: what depends on nothing but itself."""

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, Drawing):
            return Drawing, (value.key, value.title)
        if isinstance(value, type) or type(value) in PLAIN:
            return NotImplemented
        raise TypeError(f"found {type(value).__name__} among the values of a page, expected text, numbers, days, lists or mappings")


def stated(value: Any) -> bytes:
    """Plain values as bytes, so that equal bytes are equal values; raise TypeError for others, which code of their own could spell.

    >>> stated({"n": [1, None]}) == stated({"n": [1.0, None]})
    False
    >>> stated({"n": object()})
    Traceback (most recent call last):
    TypeError: found object among the values of a page, expected text, numbers, days, lists or mappings
    """
    made = io.BytesIO()
    _Plain(made, protocol=5).dump(value)
    return made.getvalue()
