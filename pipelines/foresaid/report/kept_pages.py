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
import msgspec
from jinja2 import meta, nodes
from markupsafe import Markup

from foresaid.report import mode_check
from foresaid.report.downloads import Offered
from foresaid.report.drawing import Drawing
from foresaid.report.kept import Kept, Parts, name_of, program
from foresaid.report.page import Page

CODE, LIBRARIES = ("report/kept_pages.py", "report/environment.py"), ("jinja2", "markupsafe")
PLAIN = (Markup, date, datetime)
Trees = Mapping[str, nodes.Template]
OWN = {"super", "self"}  # by these a block looks at its frame


@dataclass(frozen=True)
class Form:
    """How the template of a page is written: its frame, the blocks it fills, the names it looks up, all it is made from."""

    frame: str
    blocks: tuple[str, ...]
    names: tuple[str, ...]
    below: tuple[str, ...]


class Renderer:
    """Renders the pages of one site; `shared` is what all of them are given beside their own values."""

    def __init__(self, env: jinja2.Environment, kept: Kept, shared: Mapping[str, Any], offers: Mapping[str, Offered]) -> None:
        self._env, self._kept, self._shared = env, kept, shared
        told = stated({name: (found.schema, [(one.ending, one.title) for one in found.formats]) for name, found in offers.items()})
        self._forms = {
            name: (form, name_of(program(CODE, LIBRARIES), told, *(_source(env, one) for one in form.below)).encode())
            for name, form in forms(env, kept).items()
        }
        self._inside, self._around = cache(self._blocks_alone), cache(self._frame_alone)

    def text(self, page: Page) -> str:
        """The whole page. Raises ForesaidError for one that judges forecasts without a mode."""
        given = {**page.values, "root": page.root, "here": page.path, **self._shared}
        if page.template not in self._forms:
            text = self._env.get_template(page.template).render(given)
            mode_check.check(page.path, text)
            return text
        form, digest = self._forms[page.template]
        name = name_of(digest, stated({name: given[name] for name in form.names if name in given}))
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


def _source(env: jinja2.Environment, name: str) -> bytes:
    assert env.loader is not None
    return env.loader.get_source(env, name)[0].encode()


def forms(env: jinja2.Environment, kept: Kept) -> dict[str, Form]:
    """How the templates of pages are written, by their name; without those whose blocks and frame cannot be told apart.

    They are read off the syntax of all templates, which takes longer than a page, so they are kept as well.
    """
    sources = {name: _source(env, name) for name in env.list_templates(extensions=["j2"])}
    texts = [part for name, text in sources.items() for part in (name.encode(), text)]
    held = kept.of(name_of(program(CODE, LIBRARIES), *texts), lambda: {"forms": msgspec.msgpack.encode(_read(env, sources))})
    return msgspec.msgpack.decode(held["forms"], type=dict[str, Form])


def _read(env: jinja2.Environment, sources: Mapping[str, bytes]) -> dict[str, Form]:
    trees = {name: env.parse(text.decode()) for name, text in sources.items()}
    asked = {name: meta.find_undeclared_variables(tree) | _own(tree) for name, tree in trees.items()}
    bound = {name: _bound(tree) for name, tree in trees.items()}
    read = {name: _form(name, trees, asked, bound) for name in trees}
    return {name: form for name, form in read.items() if form is not None}


def _form(
    name: str, trees: Mapping[str, nodes.Template], asked: Mapping[str, set[str]], bound: Mapping[str, set[str]]
) -> Form | None:
    tree = trees[name]
    extended = [one.template for one in tree.body if isinstance(one, nodes.Extends)]
    blocks = tuple(one.name for one in tree.body if isinstance(one, nodes.Block))
    if len(extended) != 1 or not isinstance(extended[0], nodes.Const) or not all(map(_stands_apart, tree.body)):
        return None
    frame = extended[0].value
    below, waiting = set[str](), {name}
    while waiting:
        below |= waiting
        found = {other for one in waiting for other in meta.find_referenced_templates(trees[one])}
        if not found <= trees.keys():  # one that only a value names, or none at all
            return None
        waiting = {other for other in found if other is not None} - below
    inside = set[str]().union(*(asked[one] for one in below - {frame}))
    declared = {one.name for one in trees[frame].find_all(nodes.Block) if not one.scoped}
    crossing = (inside & bound[frame]) | (asked[frame] & bound[name]) | (inside & OWN)
    return None if crossing or not set(blocks) <= declared else Form(frame, blocks, tuple(sorted(inside)), tuple(sorted(below)))


def _stands_apart(node: nodes.Node) -> bool:
    """Whether a part of a template prints nothing outside its blocks and sets nothing but names of other templates."""
    if isinstance(node, nodes.Output):
        return all(isinstance(one, nodes.TemplateData) and not one.data.strip() for one in node.nodes)
    return isinstance(node, nodes.Extends | nodes.Block | nodes.Import | nodes.FromImport)


def _own(tree: nodes.Template) -> set[str]:
    return {one.name for one in tree.find_all(nodes.Name)} & OWN


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
