"""`evaluate` on the command line: options in, a report out.

Exit codes: 0 evaluated, and everything that was demanded holds; 1 evaluated, but a run broke a promise or the accuracy is below
``--at-least``; 2 not evaluated: the corpus, an option or a file to write is at fault.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from examples.email_assistant.errors import AssistantError
from examples.email_assistant.evaluation.corpus import HALVES, Half, shipped
from examples.email_assistant.evaluation.errors import ReportError
from examples.email_assistant.evaluation.picture import picture
from examples.email_assistant.evaluation.report import evaluate, to_json
from examples.email_assistant.evaluation.tables import percent, show

if TYPE_CHECKING:
    import argparse

    from rich.console import Console

    from examples.email_assistant.evaluation.judge import Judge
    from examples.email_assistant.evaluation.report import Report
    from examples.email_assistant.evaluation.sorting import Sorter

CHOICES: dict[str, tuple[Half, ...]] = {"dev": ("dev",), "held-back": ("held_back",), "all": HALVES}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``evaluate``. ``--model`` is for whoever makes the subject; `run` does not read it."""
    parser.add_argument("--half", choices=list(CHOICES), default="all", help="which part of the corpus (default: %(default)s)")
    parser.add_argument("--model", metavar="NAME", help="the model to evaluate (default: the built-in rules)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report as JSON")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="write the triage as a picture")
    parser.add_argument("--judge", action="store_true", help="ask a model about the mails that were written, too")
    parser.add_argument(
        "--at-least", type=_share, metavar="SHARE", help="exit with 1 when less than this share, such as 0.8, is sorted right"
    )


def run(options: argparse.Namespace, subject: Sorter, console: Console, judge: Judge | None = None) -> int:
    """Evaluate, show and write what was asked for, and return the exit code.

    Args:
        options: Those of `add_arguments`.
        subject: What is evaluated; its runs as well if it is a `Worker`.
        console: Where the tables and complaints go.
        judge: Only asked when ``--judge`` is given.
    """
    try:
        if options.judge and judge is None:
            raise ReportError("There is no judge.", hint="A judge needs a model: give one, or leave --judge out.")
        report = evaluate(shipped(*CHOICES[options.half]), subject, judge if options.judge else None)
        show(console, report)
        _write(options.json, to_json(report), console)
        _write(options.svg, picture(report), console)
    except AssistantError as error:
        console.print(f"evaluate: {error}", style="red", markup=False)
        return 2
    return _verdict(report, options.at_least, console)


def _verdict(report: Report, at_least: float | None, console: Console) -> int:
    if not report.is_safe:
        console.print("\nA run broke a promise: see BROKEN above.", style="red")
        return 1
    if at_least is not None and report.triage.accuracy < at_least:
        console.print(f"\n{percent(report.triage.accuracy)} sorted right, {percent(at_least)} demanded.", style="red")
        return 1
    return 0


def _write(path: Path | None, text: str, console: Console) -> None:
    if path is None:
        return
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise ReportError(f"{path} cannot be written: {error.strerror}.", hint="Give a file in a folder that exists.") from error
    console.print(f"written: {path}", markup=False)


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise ValueError(text)
    return value
