"""A drawing as SVG. Plain shapes and paths, without scripts, styles or markers, so that every viewer shows the same."""

from __future__ import annotations

from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING

from graphkit.graph.draw.layout import LEADING, LOOP, SIZE, SMALL, TITLE, arranged, label_width
from graphkit.graph.draw.letters import printable
from graphkit.graph.draw.styles import LINE, checked_color

if TYPE_CHECKING:
    from graphkit.graph.draw.drawing import Drawing
    from graphkit.graph.draw.page import Box, Frame, Loop, Route
    from graphkit.graph.draw.styles import NodeStyles

_FONT = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
_DASHES = ' stroke-dasharray="5 4"'
_HEAD = 8.0
_TURN = 22.0
_PILL = "#f7f8fa"
_INK = "#3c4350"


def svg(drawing: Drawing, styles: NodeStyles, background: str | None, padding: int) -> str:
    """Return the picture.

    Args:
        drawing: What is drawn.
        styles: Colours of the nodes.
        background: A colour, None for a transparent picture.
        padding: Pixels around it.

    Raises:
        InvalidConfigError: The background is no colour.
    """
    layout = arranged(drawing)
    wide, high = round(layout.wide + 2 * padding), round(layout.high + 2 * padding)
    title = escape(", ".join([printable(node.name) for node in drawing.nodes.values()]))
    size = f'width="{wide}" height="{high}" viewBox="0 0 {wide} {high}"'
    rows = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family="{_FONT}" text-anchor="middle">',
        f"<title>{title}</title>",
    ]
    if checked_color(background) is not None:
        rows.append(f'<rect width="{wide}" height="{high}" fill="{background}"/>')
    rows.append(f'<g transform="translate({padding} {padding})">')
    rows += [_frame(frame) for frame in layout.frames]
    rows += [_route(route) for route in layout.routes]
    rows += [_loop(loop) for loop in layout.loops]
    rows += [_pill(label.x, label.y, label.wide, label.rows[0]) for label in layout.labels]
    rows += [_box(box, styles) for box in layout.boxes]
    return "\n".join([*rows, "</g>", "</svg>", ""])


def _number(value: float) -> str:
    shown = f"{value:.1f}".removesuffix(".0")
    return "0" if shown == "-0" else shown


def _text(at: tuple[float, float], text: str, size: float, color: str, more: str = "") -> str:
    place = f'x="{_number(at[0])}" y="{_number(at[1] + size * 0.35)}"'
    return f'<text {place} font-size="{_number(size)}" fill="{color}"{more} xml:space="preserve">{escape(text)}</text>'


def _rect(x: float, y: float, wide: float, high: float, look: str) -> str:
    return f'<rect x="{_number(x)}" y="{_number(y)}" width="{_number(wide)}" height="{_number(high)}" {look}/>'


def _frame(frame: Frame) -> str:
    look = f'rx="10" fill="{LINE}" fill-opacity="0.09" stroke="{LINE}" stroke-opacity="0.75"'
    title = _text((frame.x + 12, frame.y + TITLE / 2), frame.title, SMALL, LINE, ' font-weight="bold" text-anchor="start"')
    return _rect(frame.x, frame.y, frame.wide, frame.high, look) + title


def _route(route: Route) -> str:
    """Draw a line: straight down beside boxes, an S-shaped curve from one column to another, an arrow head at the end."""
    points = route.points
    (_, before), (x, y) = points[-2], points[-1]
    down = 1 if y > before else -1
    path = [f"M{_number(points[0][0])} {_number(points[0][1])}"]
    ahead = 1 if points[1][1] > points[0][1] else -1
    for number, ((left, top), (right, bottom)) in enumerate(pairwise(points)):
        stop = bottom - down * (_HEAD - 1) if number == len(points) - 2 else bottom
        if abs(left - right) < 0.5:
            path.append(f"L{_number(right)} {_number(stop)}")
        elif top == bottom:
            path.append(_curve(left, top + ahead * _TURN, right, stop))
        else:
            path.append(_curve(left, (top + stop) / 2, right, stop))
        ahead = 1 if bottom > top else -1
    return _path("".join(path), conditional=route.line.conditional) + _arrow(x, y, 0, down)


def _curve(left: float, bend: float, right: float, stop: float) -> str:
    """Bend from one column to another, upright at both ends."""
    return f"C{_number(left)} {_number(bend)} {_number(right)} {_number(bend)} {_number(right)} {_number(stop)}"


def _path(path: str, *, conditional: bool) -> str:
    return f'<path d="{path}" fill="none" stroke="{LINE}" stroke-width="1.5"{_DASHES if conditional else ""}/>'


def _arrow(x: float, y: float, across: int, down: int) -> str:
    """Draw an arrow head whose tip is at (x, y)."""
    back_x, back_y = x - across * _HEAD, y - down * _HEAD
    half = _HEAD / 2
    corners = [(x, y), (back_x - down * half, back_y - across * half), (back_x + down * half, back_y + across * half)]
    return f'<polygon points="{" ".join([f"{_number(px)},{_number(py)}" for px, py in corners])}" fill="{LINE}"/>'


def _loop(loop: Loop) -> str:
    x, y, reach = loop.x, loop.y, loop.x + LOOP - 4
    corners = [(reach, y - 18), (reach, y + 18), (x + _HEAD - 1, y + 8)]
    path = f"M{_number(x)} {_number(y - 8)}C{' '.join([f'{_number(px)} {_number(py)}' for px, py in corners])}"
    said = ", ".join([line.label for line in loop.lines if line.label])
    label = _pill(reach + label_width(said) / 2, y, label_width(said), printable(said)) if said else ""
    conditional = all(line.conditional for line in loop.lines)
    return _path(path, conditional=conditional) + _arrow(x, y + 8, -1, 0) + label


def _pill(x: float, y: float, wide: float, text: str) -> str:
    look = f'rx="9" fill="{_PILL}" stroke="{LINE}" stroke-opacity="0.45"'
    return _rect(x - wide / 2, y - 9, wide, 18, look) + _text((x, y), text, SMALL, _INK)


def _box(box: Box, styles: NodeStyles) -> str:
    node = box.node
    assert node is not None
    style = styles.declared("first" if node.is_start else "last" if node.is_end else "default")
    radius = _number(box.high / 2 if node.is_start or node.is_end else 8.0)
    look = f'rx="{radius}" fill="{style["fill"]}" stroke="{style["stroke"]}" stroke-width="1.3"'
    left, top = box.x - box.wide / 2, box.y - box.high / 2
    parts = [_rect(left, top, box.wide, box.high, look)]
    if node.kind == "graph":
        inner = f'rx="5" fill="none" stroke="{style["stroke"]}" stroke-opacity="0.6"'
        parts.append(_rect(left + 3.5, top + 3.5, box.wide - 7, box.high - 7, inner))
    y = box.y - (LEADING * len(box.rows) + (LEADING - 2) * len(box.notes)) / 2 + LEADING / 2
    parts += [_text((box.x, y + LEADING * number), row, SIZE, style["color"]) for number, row in enumerate(box.rows)]
    y += LEADING * len(box.rows) - 1
    note = ' font-style="italic" fill-opacity="0.8"'
    parts += [_text((box.x, y + (LEADING - 2) * number), row, SMALL, style["color"], note) for number, row in enumerate(box.notes)]
    return f"<g><title>{escape(printable(node.id))}</title>{''.join(parts)}</g>"
