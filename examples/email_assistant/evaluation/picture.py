"""The triage of a report as an SVG picture: for each half the confusion matrix, and precision, recall and F1 of each label.

Own drawing, because a plotting library would weigh more than the example. The picture brings its own background and follows the reader's
colour scheme where the program that shows it knows one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from examples.email_assistant.evaluation.tables import HALF_NAMES, percent

if TYPE_CHECKING:
    from examples.email_assistant.evaluation.report import Report
    from examples.email_assistant.evaluation.scores import ClassScore, Confusion
    from examples.email_assistant.evaluation.sorting import Sorting

WIDTH = 760
MARGIN = 28
TITLE = 64
PANEL = 266
CELL = 74
ROW = 58
MATRIX_LEFT = MARGIN + 72
BARS_LEFT = 440
BAR_LENGTH = 176
BAR = 13
STYLE = """
text { font-family: system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', Helvetica, Arial, sans-serif; font-size: 13px; fill: #1f2933 }
.title { font-size: 18px; font-weight: 600 }
.head { font-size: 14px; font-weight: 600 }
.soft { fill: #52606d; font-weight: 400 }
.small { font-size: 12px }
.count { font-size: 16px; font-weight: 600 }
.paper { fill: #ffffff; stroke: #cbd2d9 }
.cell { fill: #f1f4f7 }
.right { fill: #2f9e6e }
.wrong { fill: #e07a3f }
.track { fill: #e9edf1 }
.precision { fill: #3d7ab8 }
.recall { fill: #2f9e6e }
.f1 { fill: #8a63b8 }
"""
DARK = """
text { fill: #e6eaef }
.soft { fill: #a9b4c0 }
.paper { fill: #161b22; stroke: #3a434d }
.cell { fill: #222a33 }
.track { fill: #2a333d }
.precision { fill: #5b9bd9 }
.f1 { fill: #a985d6 }
"""


def picture(report: Report) -> str:
    """Return the picture as an SVG document; the same report gives the same text."""
    height = TITLE + PANEL * len(report.halves)
    panels = [_panel(half, report.triage.of(half), TITLE + PANEL * number) for number, half in enumerate(report.halves)]
    summary = ", ".join(f"{HALF_NAMES.get(half, half)} {percent(report.triage.of(half).confusion.accuracy)}" for half in report.halves)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">',
        f"<title>{escape(f'Triage by {report.subject}: {summary} right')}</title>",
        f"<style>{STYLE}@media (prefers-color-scheme: dark) {{{DARK}}}\n</style>",
        f'<rect class="paper" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="10"/>',
        _text(MARGIN, 38, f"Triage by {report.subject}", "title"),
        *(line for panel in panels for line in panel),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _panel(half: str, sorting: Sorting, top: int) -> list[str]:
    confusion, interval = sorting.confusion, sorting.interval
    share = f"{confusion.right} of {confusion.total} right = {percent(confusion.accuracy)}"
    figures = f"{share}, 95 % between {percent(interval.low)} and {percent(interval.high)}"
    name = HALF_NAMES.get(half, half)
    return [
        f'<g><text x="{MARGIN}" y="{top + 12}" class="head">{escape(name)}',
        f'<tspan class="soft small" dx="12">{escape(figures)}</tspan></text>',
        *_matrix(confusion, top + 62),
        *_bars(confusion.scores, top + 62),
        "</g>",
    ]


def _matrix(confusion: Confusion, top: int) -> list[str]:
    middle = MATRIX_LEFT + CELL * len(confusion.found) / 2
    lines = [_text(middle, top - 28, "found", "soft small", "middle"), _text(MATRIX_LEFT - 12, top - 9, "expected", "soft small", "end")]
    lines += [_text(MATRIX_LEFT + CELL * (column + 0.5), top - 9, found, "small", "middle") for column, found in enumerate(confusion.found)]
    for row, expected in enumerate(confusion.labels):
        y = top + ROW * row
        lines.append(_text(MATRIX_LEFT - 12, y + ROW / 2 + 5, expected, "small", "end"))
        support = confusion.score(expected).support
        for column, found in enumerate(confusion.found):
            count = confusion.count(expected, found)
            lines += _cell(MATRIX_LEFT + CELL * column, y, count, count / support if support else 0.0, is_right=expected == found)
    return lines


def _cell(x: float, y: float, count: int, share: float, *, is_right: bool) -> list[str]:
    box = f'x="{x + 1:g}" y="{y + 1:g}" width="{CELL - 2}" height="{ROW - 2}" rx="4"'
    lines = [f'<rect class="cell" {box}/>']
    if count:
        # Up to 0.45 the shade stays light enough for the ink on it, in both colour schemes.
        lines.append(f'<rect class="{"right" if is_right else "wrong"}" fill-opacity="{0.1 + 0.35 * share:.2f}" {box}/>')
    return [*lines, _text(x + CELL / 2, y + ROW / 2 + 6, str(count), "count" if count else "soft", "middle")]


def _bars(scores: tuple[ClassScore, ...], top: int) -> list[str]:
    lines = []
    for name, offset in (("precision", 0), ("recall", 86), ("F1", 150)):
        x = BARS_LEFT + 62 + offset
        lines += [
            f'<rect class="{name.lower()}" x="{x}" y="{top - 37}" width="10" height="10" rx="2"/>',
            _text(x + 15, top - 28, name, "soft small"),
        ]
    for number, score in enumerate(scores):
        y = top + ROW * number + 6
        lines += [
            _text(BARS_LEFT + 50, y + 20, score.label, "", "end"),
            _text(BARS_LEFT + 50, y + 36, f"{score.support} mails", "soft small", "end"),
        ]
        for place, (kind, value) in enumerate((("precision", score.precision), ("recall", score.recall), ("f1", score.f1))):
            lines += _bar(BARS_LEFT + 62, y + place * (BAR + 3), kind, value)
    return lines


def _bar(x: float, y: float, kind: str, value: float | None) -> list[str]:
    filled = [] if not value else [f'<rect class="{kind}" x="{x}" y="{y}" width="{BAR_LENGTH * value:.1f}" height="{BAR}" rx="2"/>']
    return [
        f'<rect class="track" x="{x}" y="{y}" width="{BAR_LENGTH}" height="{BAR}" rx="2"/>',
        *filled,
        _text(x + BAR_LENGTH + 8, y + 11, percent(value), "small"),
    ]


def _text(x: float, y: float, words: str, kind: str, anchor: str = "start") -> str:
    return f'<text x="{x:g}" y="{y:g}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'
