"""The whole of the main screen: the count, the list, the page, the status. It shows a session and decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from examples.email_assistant.inbox import pages
from examples.email_assistant.inbox.inert import fitted, line
from examples.email_assistant.inbox.listing import Page, QuestionList
from examples.email_assistant.inbox.port import Refused

if TYPE_CHECKING:
    from datetime import datetime

    from textual.app import ComposeResult

    from examples.email_assistant.inbox.port import Waiting
    from examples.email_assistant.inbox.session import Held, Session

NOTHING = "Nothing waits for you."
LONGEST_BAR = 10
MARGIN = 2


class Board(Vertical):
    """The main screen.

    Args:
        model: The name of the model, shown at all times.
    """

    def __init__(self, model: str) -> None:
        super().__init__()
        self._model = model

    def compose(self) -> ComposeResult:
        """The bar, the list beside (or above) the page, the status."""
        with Horizontal(id="bar"):
            yield Static("", id="count", markup=False)
            yield Static(line(self._model), id="model", markup=False)
        with Horizontal(id="halves"):
            yield QuestionList()
            with Vertical(id="reading"):
                yield Page(id="page")
        yield Static("", id="status", markup=False)

    @property
    def current(self) -> str | None:
        """The id of the highlighted question."""
        return self.query_one(QuestionList).current if self.is_mounted else None

    def show(self, session: Session, now: datetime, timer: float, trouble: str) -> None:
        """Show the list and the status.

        Args:
            session: What waits and what is held.
            now: The present, for ages.
            timer: The present on the session's timer, for countdowns.
            trouble: Why the list cannot be read; empty when it can.
        """
        self.query_one(QuestionList).show({one.interrupt_id: pages.entry(one, now, _mark(session, one, timer)) for one in session.waiting})
        count = len(session.waiting)
        words = Content.assemble((f" {count} ", "bold reverse"), " waiting for you") if count else Content(NOTHING)
        self.query_one("#count", Static).update(words)
        self.query_one("#status", Static).update(_status(session, timer, trouble, max(MARGIN, self.app.size.width - MARGIN)))
        if not count:
            self.query_one(Page).show_nothing(f"{NOTHING}\nctrl+r looks again.")
        self.query_one("#halves").set_class(not count, "-empty")

    def turn(self, question: Waiting, session: Session, now: datetime) -> None:
        """Open the page of a question at its top."""
        page = self.query_one(Page)
        results = [event.result for event in session.events if event.question.interrupt_id == question.interrupt_id]
        page.show(question, self._model, now, next((one for one in results[-1:] if isinstance(one, Refused)), None))
        page.scroll_home(animate=False)


def _mark(session: Session, question: Waiting, timer: float) -> str:
    if question.interrupt_id in session.giving:
        return "giving … · "
    held = session.held.get(question.interrupt_id)
    return pages.countdown(held, timer) if held else ""


def _status(session: Session, timer: float, trouble: str, width: int) -> Content:
    if trouble:
        return Content.styled(fitted(f"! {trouble}", width), "bold $text-error")
    if session.held:
        return Content.styled(fitted(_countdown(session, next(reversed(session.held.values())), timer), width), "bold $text-warning")
    if session.giving:
        return Content("Giving your answer …")
    if session.events:
        last = session.events[-1]
        return Content.styled(fitted(pages.told(last), width), "$text-error" if isinstance(last.result, Refused) else "$text-success")
    return Content("")


def _countdown(session: Session, held: Held, timer: float) -> str:
    left, whole = pages.seconds_left(held, timer), round(session.undo)
    bar = f"{'▮' * left}{'▯' * (whole - left)} " if whole <= LONGEST_BAR else ""
    return f"{bar}{pages.countdown(held, timer)}u takes it back · {held.question.subject}"
