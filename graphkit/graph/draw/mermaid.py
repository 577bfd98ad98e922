"""A drawing as Mermaid source. Ids are numbers, so that no name can be a keyword or break out of the source."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from graphkit.errors import InvalidConfigError, nearest
from graphkit.graph.draw.letters import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphkit.graph.draw.drawing import Drawing, Node
    from graphkit.graph.draw.styles import NodeStyles

_CURVES = (
    "basis", "bumpX", "bumpY", "cardinal", "catmullRom", "linear", "monotoneX", "monotoneY", "natural", "step", "stepAfter", "stepBefore",
)  # fmt: skip
_MARKDOWN_FREE = re.compile(r"[^\W\d_](?:_?[^\W_]+| (?=\S))*")


def mermaid(drawing: Drawing, styles: tuple[NodeStyles, str] | None) -> str:
    """Return the source of a flowchart.

    Args:
        drawing: What is drawn.
        styles: Colours, and the form of the lines; None to leave both to the page.

    Raises:
        InvalidConfigError: There is no such form of lines.
    """
    ids = {key: f"n{number}" for number, key in enumerate(drawing.nodes)}
    rows = ["flowchart TD"]
    if styles is not None:
        rows = ["---", "config:", "  flowchart:", f"    curve: {_curve(styles[1])}", "---", *rows]
    rows += _group(drawing, (), ids, coloured=styles is not None)
    for line in drawing.edges:
        label = f"|{_text(line.label)}|" if line.label else ""
        rows.append(f"    {ids[line.source]} {'-.->' if line.conditional else '-->'}{label} {ids[line.target]}")
    return "\n".join([*rows, *(_classes(drawing, styles[0]) if styles is not None else [])])


def _group(drawing: Drawing, path: tuple[str, ...], ids: Mapping[str, str], *, coloured: bool) -> list[str]:
    """Return the nodes of a subgraph, then the subgraphs in it."""
    indent = "    " * (len(path) + 1)
    inside = [node for node in drawing.nodes.values() if node.group[: len(path)] == path]
    rows = [f"{indent}{ids[node.id]}{_shape(node)}{_mark(node, coloured=coloured)}" for node in inside if node.group == path]
    for name in dict.fromkeys([node.group[len(path)] for node in inside if len(node.group) > len(path)]):
        inner = (*path, name)
        number = next(ids[node.id] for node in inside if node.group[: len(inner)] == inner)
        rows.append(f"{indent}subgraph g{len(path)}{number}[{_text(name)}]")
        rows += [*_group(drawing, inner, ids, coloured=coloured), f"{indent}end"]
    return rows


def _shape(node: Node) -> str:
    left, right = ("([", "])") if node.is_start or node.is_end else ("[[", "]]") if node.kind == "graph" else ("[", "]")
    if not node.metadata:
        return f"{left}{_text(node.name)}{right}"
    notes = "".join([f"<br/><small>{_escaped(f'{key} = {value}')}</small>" for key, value in node.metadata.items()])
    return f'{left}"<p>{_escaped(node.name)}{notes}</p>"{right}'


def _mark(node: Node, *, coloured: bool) -> str:
    return f":::{'first' if node.is_start else 'last'}" if coloured and (node.is_start or node.is_end) else ""


def _classes(drawing: Drawing, styles: NodeStyles) -> list[str]:
    used = ["default"]
    used += ["first"] if any(node.is_start for node in drawing.nodes.values()) else []
    used += ["last"] if any(node.is_end for node in drawing.nodes.values()) else []
    return [f"    classDef {which} {','.join([f'{key}:{value}' for key, value in styles.declared(which).items()])}" for which in used]


def _curve(name: str) -> str:
    shown = str(getattr(name, "value", name))
    if shown not in _CURVES:
        raise InvalidConfigError(f"There is no curve_style {shown!r}.", hint=nearest(shown, _CURVES), curve_style=shown)
    return shown


def _text(text: str) -> str:
    """Quote a text; some Mermaid versions read ``__start__`` or ``1. ask`` as Markdown if it is in no paragraph."""
    return f'"{_escaped(text)}"' if _MARKDOWN_FREE.fullmatch(text) else f'"<p>{_escaped(text)}</p>"'


def _escaped(text: str) -> str:
    codes = {"#": "#35;", '"': "#quot;", "&": "#amp;", "<": "#lt;", ">": "#gt;", "`": "#96;"}
    return "".join([codes.get(character, character) for character in printable(text)])
