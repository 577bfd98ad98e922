"""Drawings of a graph: text, Mermaid source, SVG and PNG, as pure functions of nodes and lines.

Only this package knows how a graph looks. ``drawing`` has the nouns, ``expand`` reads them from a compiled graph,
``layers``, ``order`` and ``centres`` decide what stands where, ``layout`` gives it pixels, and ``text``, ``mermaid``,
``svg`` and ``png`` paint it.
"""

from __future__ import annotations

from graphkit.graph.draw.drawing import Drawing, Line, Node
from graphkit.graph.draw.expand import drawing_of
from graphkit.graph.draw.styles import NodeStyles

__all__ = ["Drawing", "Line", "Node", "NodeStyles", "drawing_of"]
