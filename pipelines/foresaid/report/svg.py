"""What a renderer drew, as a page may hold it: only what draws, named for readers, alike on every machine, and small.

Numbered ids depend on how many charts were drawn before, fractions on the machine's arithmetic; both are replaced. Only the
elements and attributes on a list survive; anything else is an error, never passed through. What the marks of one group share is
said once on the group, circles are circles, lines of one kind are one path, and a corner that no eye can tell from a straight line
is left out: a third of the bytes, and the same picture.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree

from foresaid.errors import ForesaidError

SVG = "{http://www.w3.org/2000/svg}"
FONTS = "Liberation Sans, Arial, Helvetica, sans-serif"  # equal widths
ELEMENTS = {"svg", "g", "path", "line", "rect", "text", "tspan", "defs", "clipPath", "title"}
ATTRIBUTES = {
    *("width", "height", "viewBox", "fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-miterlimit", "opacity"),
    *("fill-opacity", "stroke-opacity", "transform", "d", "x", "y", "x1", "y1", "x2", "y2", "rx", "ry", "dx", "dy", "id"),
    *("text-anchor", "font-family", "font-size", "font-weight", "font-style", "clip-path", "stroke-linecap", "stroke-linejoin"),
}
NOISE = {"version", "class", "role", "aria-hidden", "aria-label", "aria-roledescription", "pointer-events", "display"}
INHERITED = (
    *("fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-miterlimit", "stroke-linecap", "stroke-linejoin"),
    *("fill-opacity", "stroke-opacity", "text-anchor", "font-size", "font-weight", "font-style"),
)
NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
SHIFT = re.compile(r"translate\(([^,()]+),([^,()]+)\)")
CIRCLE = re.compile(r"M([\d.]+),0A\1,\1,0,1,1,-\1,0A\1,\1,0,1,1,\1,0")
PART = re.compile(r" role-mark (known|best|forecast|outcome)\d*_marks( |$)")  # layers that the script shows as of a day
UNSEEN = (None, "none", "transparent")
CORNERS = re.compile(r"M[\d.-]+,[\d.-]+(?:L[\d.-]+,[\d.-]+){2,}Z?")
SLACK = 0.15  # pixels by which a straight line may pass a corner: a tenth of the thinnest line drawn


def clean(svg: str, label: str) -> str:
    """Keep what draws, name it, number the ids from one, round the coordinates to a tenth of a pixel, and refuse any other element.

    `label` is what the drawing is called to those who do not see it; its axes and the number of its points are added. Raises
    ForesaidError for an element or attribute that is not on the list.

    >>> clean('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script/></svg>', "x")
    Traceback (most recent call last):
    foresaid.errors.ForesaidError: chart x: found the element script, expected drawing elements only
    """
    root = ElementTree.fromstring(svg)
    axes = [_text(node) for node in root.iter() if "role-axis-title" in node.get("class", "")]
    _prune(root, label)
    points = sum(node.tag == f"{SVG}title" for node in root.iter())
    said = [label, *([f"Axes: {', '.join(dict.fromkeys(axes))}"] if axes else []), *([f"{points} points"] if points else [])]
    names = {node.attrib["id"]: f"clip{i}" for i, node in enumerate((n for n in root.iter() if "id" in n.attrib), 1)}
    for node in root.iter():
        for key, value in [*node.attrib.items()]:
            if key == "id":
                node.set(key, names[value])
            elif key == "clip-path":
                node.set(key, re.sub(r"url\(#(\w+)\)", lambda match: f"url(#{names[match[1]]})", value))
            elif key == "font-family":
                del node.attrib[key]
            elif "." in value:
                node.set(key, NUMBER.sub(lambda match: f"{round(float(match[0]), 1) + 0.0:g}", value))
    _pack(root)
    width, height = root.attrib.pop("width"), root.attrib.pop("height")
    root.attrib.setdefault("viewBox", f"0 0 {width} {height}")
    root.set("font-family", FONTS)
    root.set("role", "img")
    root.set("aria-label", ". ".join(said))
    ElementTree.register_namespace("", SVG[1:-1])
    return ElementTree.tostring(root, encoding="unicode").replace(" />", "/>")


def unique_ids(svg: str, prefix: str) -> str:
    """Give the ids of a drawing a prefix, since several stand in one page.

    >>> unique_ids('<g clip-path="url(#clip1)"/><clipPath id="clip1"/>', "a")
    '<g clip-path="url(#a-clip1)"/><clipPath id="a-clip1"/>'
    """
    return re.sub(r'(url\(#|(?<= id="))(clip\d+)', rf"\g<1>{prefix}-\g<2>", svg)


def _text(node: ElementTree.Element) -> str:
    return " ".join(" ".join(node.itertext()).split())


def _prune(node: ElementTree.Element, label: str) -> None:
    name = node.tag.removeprefix(SVG)
    if name not in ELEMENTS:
        raise ForesaidError(f"chart {label}: found the element {name}, expected drawing elements only")
    words = node.get("aria-label") if node.get("aria-roledescription", "").endswith(" mark") else None
    part = PART.search(node.get("class", ""))
    for key, value in list(node.attrib.items()):
        if key in NOISE or (key, value) in (("opacity", "1"), ("font-weight", "400")):
            del node.attrib[key]
        elif key not in ATTRIBUTES:
            raise ForesaidError(f"chart {label}: found the attribute {key} on {name}, expected drawing attributes only")
    for child in list(node):
        _prune(child, label)
        empty = child.tag == f"{SVG}path" and child.get("d") in ("", "M0,0h0v0h0Z")
        if empty or (child.tag == f"{SVG}g" and not len(child)):
            node.remove(child)
    if part:
        node.set("class", part[1])
    if words:
        ElementTree.SubElement(node, f"{SVG}title").text = words


def _pack(node: ElementTree.Element) -> None:
    """Say the same picture in fewer bytes, from the leaves up."""
    for child in node:
        _pack(child)
        _simplify(child)
    members = [part for child in node for part in (child if child.tag == f"{SVG}g" and not child.attrib else (child,))]
    if len(members) != len(node) or any(a is not b for a, b in zip(members, node, strict=True)):
        node[:] = members  # a group that says nothing
    if node.tag == f"{SVG}g":
        _merge(node)
        _hoist(node)


def _simplify(node: ElementTree.Element) -> None:
    """A circle drawn as a path becomes a circle; the opacity of what is only filled or only stroked one that is inherited."""
    if node.tag not in {f"{SVG}{name}" for name in ("path", "line", "rect")}:
        return
    if node.get("stroke") in UNSEEN:
        node.attrib.pop("stroke-width", None)
    if "d" in node.attrib:
        node.set("d", CORNERS.sub(lambda match: _straightened(match[0]), node.attrib["d"]))
    opacity = node.get("opacity")
    if opacity is not None and (node.get("fill") in UNSEEN) != (node.get("stroke") in UNSEEN):
        del node.attrib["opacity"]
        node.set("stroke-opacity" if node.get("fill") in UNSEEN else "fill-opacity", opacity)
    shift, round_ = SHIFT.fullmatch(node.get("transform", "")), CIRCLE.fullmatch(node.get("d", ""))
    if node.tag == f"{SVG}path" and shift and round_:
        node.tag = f"{SVG}circle"
        del node.attrib["transform"], node.attrib["d"]
        node.attrib.update({"cx": shift[1], "cy": shift[2], "r": round_[1]})


def _straightened(course: str) -> str:
    """A course of straight lines without the corners within SLACK of the line past them (Douglas and Peucker, 1973).

    >>> _straightened("M0,0L5,0.1L10,0L10,9")
    'M0,0L10,0L10,9'
    """
    places = course.removesuffix("Z")[1:].split("L")
    corners = [complex(*map(float, place.split(","))) for place in places]
    kept, waiting = {0, len(corners) - 1}, [(0, len(corners) - 1)]
    while waiting:
        first, last = waiting.pop()
        if last - first < 2:
            continue
        begin, way = corners[first], corners[last] - corners[first]
        far, at = max((_beside(corners[i] - begin, way), i) for i in range(first + 1, last))
        if far > SLACK:
            kept.add(at)
            waiting += [(first, at), (at, last)]
    return f"M{'L'.join(places[i] for i in sorted(kept))}{'Z' * course.endswith('Z')}"


def _beside(place: complex, way: complex) -> float:
    """How far a place lies from the line that goes some way from the origin and ends there."""
    length = abs(way) ** 2
    share = min(1.0, max(0.0, (place * way.conjugate()).real / length)) if length else 0.0
    return abs(place - share * way)


def _drawn(node: ElementTree.Element) -> str | None:
    """The course of a mark that may share a path with its like: one without a name and without a turned or scaled axis."""
    if len(node):
        return None
    if node.tag == f"{SVG}path" and "transform" not in node.attrib:
        return node.get("d")
    shift = SHIFT.fullmatch(node.get("transform", ""))
    if node.tag == f"{SVG}line" and shift and not {"x1", "y1"} & node.attrib.keys():
        return f"M{shift[1]},{shift[2]}l{node.get('x2', '0')},{node.get('y2', '0')}"
    return None


def _merge(group: ElementTree.Element) -> None:
    """Put marks that follow each other and look alike into one path."""
    last: ElementTree.Element | None = None
    for node in list(group):
        course = _drawn(node)
        if course is None:
            last = None
            continue
        look = {key: value for key, value in node.attrib.items() if key not in ("transform", "x2", "y2", "d")}
        if last is not None and look == {key: value for key, value in last.attrib.items() if key != "d"}:
            last.set("d", last.attrib["d"] + course)
            group.remove(node)
            continue
        node.tag = f"{SVG}path"
        node.attrib.clear()
        node.attrib.update({**look, "d": course})
        last = node


def _hoist(group: ElementTree.Element) -> None:
    """Say on the group what all its members say alike."""
    members = list(group)
    for key in INHERITED if len(members) > 1 else ():
        values = {member.get(key) for member in members}
        if len(values) == 1 and None not in values and not any(member.tag == f"{SVG}title" for member in members):
            group.set(key, str(values.pop()))
            for member in members:
                del member.attrib[key]
