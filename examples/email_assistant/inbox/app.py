"""The inbox on the screen: keys in, answers out. What is held lies in `session.py`, what is shown in `board.py`."""

from __future__ import annotations

import asyncio
import time
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import App, SuspendNotSupported
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Footer, OptionList

from examples.email_assistant.errors import AssistantError, OptionError
from examples.email_assistant.inbox import editor, pages
from examples.email_assistant.inbox.board import Board
from examples.email_assistant.inbox.dialogs import Confirm, Leave, Respond, help_screen, history_screen
from examples.email_assistant.inbox.editing import Editing
from examples.email_assistant.inbox.inert import inert, line
from examples.email_assistant.inbox.listing import Page, QuestionList
from examples.email_assistant.inbox.port import Answer, Refused
from examples.email_assistant.inbox.session import Held, Session
from graphkit.errors import GraphkitError

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from examples.email_assistant.inbox.dialogs import Leaving
    from examples.email_assistant.inbox.editor import Editor
    from examples.email_assistant.inbox.port import AnswerType, Arguments, Desk, Waiting

TICK = 0.25
ACTIONS: dict[str, AnswerType] = {"accept": "accept", "edit": "edit", "respond": "response", "ignore": "ignore"}
RESPOND_TITLES = {"question": "Your answer", "notice": "What to reply"}
GONE = Refused(
    "not-waiting", "It was answered elsewhere meanwhile; nothing was given.", "What you wrote stands in the log (l).", is_pending=False
)


def present() -> datetime:
    """Return the present moment."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Timing:
    """The clocks of the inbox and its intervals, in seconds.

    Args:
        undo: How long an answer is held; 0 gives it at once.
        poll: How often it looks for new questions; 0 looks only when asked to.
        clock: The present moment with a time zone, for ages.
        timer: Seconds that never go back, for the undo window.
    """

    undo: float = 5.0
    poll: float = 5.0
    clock: Callable[[], datetime] = present
    timer: Callable[[], float] = time.monotonic


class InboxApp(App[None]):
    """The inbox.

    Args:
        desk: The assistant.
        timing: Clocks and intervals.
        edit: The person's editor; it may use the terminal.
    """

    CSS_PATH = "inbox.tcss"
    TITLE = "Inbox"
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (90, "-wide")]  # noqa: RUF012  (as the base class declares it)
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012  (likewise)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "accept", "Accept"),
        Binding("e", "edit", "Edit"),
        Binding("r", "respond", "Respond"),
        Binding("i", "ignore", "Ignore"),
        Binding("u", "undo", "Undo"),
        Binding("question_mark", "help", "Help", key_display="?"),
        Binding("q", "quit", "Quit"),
        Binding("l", "history", "Log", show=False),
        Binding("ctrl+r", "look", "Look again", show=False),
        Binding("escape", "to_list", "List", show=False),
        Binding("ctrl+q,ctrl+c", "quit", "Quit", show=False, priority=True),
    ]

    def __init__(self, desk: Desk, timing: Timing, edit: Editor = editor.edit) -> None:
        super().__init__()
        self.desk = desk
        self.timing = timing
        self.session = Session(timing.undo)
        self._edit = edit
        self._is_leaving = False
        self._trouble = ""
        self._one_look = asyncio.Lock()
        self._one_answer = asyncio.Lock()

    def compose(self) -> ComposeResult:
        """The board and the keys."""
        yield Board(self.desk.model)
        yield Footer(show_command_palette=False, compact=True)

    async def on_mount(self) -> None:
        """Read the list, then look again at intervals."""
        self.query_one(QuestionList).focus()
        self.set_interval(TICK, self.tick)
        if self.timing.poll:
            self.set_interval(self.timing.poll, self.poll)
        self.action_look()

    # Looking -----------------------------------------------------------------------------------------------------------

    @property
    def current(self) -> Waiting | None:
        """The highlighted question."""
        found = self.query(Board)
        return self.session.find(found.first().current) if found else None

    def poll(self) -> None:
        """Look for new questions unless a look is under way."""
        if not self._one_look.locked():
            self.action_look()

    def action_look(self) -> None:
        """Look for new questions."""
        self.run_worker(self.look())

    async def look(self) -> None:
        """Read the list and show it; what cannot be read is told and the old list stays."""
        async with self._one_look:
            try:
                found = await asyncio.to_thread(self.desk.waiting)
            except (GraphkitError, AssistantError) as error:
                self._trouble = f"The list cannot be read: {error}"
                self._show()
                return
            self._trouble = ""
            gone = self.session.refresh(found)
        for question in gone:
            self._tell(f"Answered elsewhere: {question.subject}")
        self._show()

    def tick(self) -> None:
        """Give what is due and count down the rest; while the person decides about leaving, nothing is given."""
        if isinstance(self.screen, Leave):
            return
        self._give(self.session.due(self.timing.timer()))
        if self.session.held:
            self._show()

    def _show(self) -> None:
        if not (self.query("QuestionList") and self.query("Page")):
            return  # the screen is being closed, and a look has come to its end after that
        self.query_one(Board).show(self.session, self.timing.clock(), self.timing.timer(), self._trouble)
        self.refresh_bindings()

    def on_option_list_option_highlighted(self, _: OptionList.OptionHighlighted) -> None:
        """Show the question the highlight moved to."""
        self._turn()

    def on_option_list_option_selected(self, _: OptionList.OptionSelected) -> None:
        """Move to the page."""
        self.query_one(Page).focus()

    def action_to_list(self) -> None:
        """Move to the list."""
        self.query_one(QuestionList).focus()

    def on_resize(self) -> None:
        """Fit the status to the new width."""
        self._show()

    def _turn(self) -> None:
        if (question := self.current) is not None:
            self.query_one(Board).turn(question, self.session, self.timing.clock())
            self.refresh_bindings()
            self._read(question)

    @work(exclusive=True, group="page")
    async def _read(self, question: Waiting) -> None:
        try:
            mail = await asyncio.to_thread(self.desk.original, question.thread)
            said = await asyncio.to_thread(self.desk.conversation, question.thread)
        except (GraphkitError, AssistantError, LookupError) as error:
            self.query_one(Page).empty("original-title")
            self._tell(f"The mail cannot be read: {error}", is_error=True)
            return
        self.query_one(Page).show_original(mail, said, self.timing.clock())

    # Answering ---------------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002  (of the base class)
        """Enable only the answers the question takes; the others are shown dim."""
        if action == "undo":
            return True if self.session.held else None
        if action not in ACTIONS:
            return True
        question = self.current
        is_possible = question is not None and ACTIONS[action] in question.allowed and self.session.is_open(question)
        return True if is_possible and not self._is_leaving else None

    def action_accept(self) -> None:
        """Accept; recipients outside the conversation have to be confirmed."""
        if (question := self.current) is not None:
            self.run_worker(self._accept(question), group="asking")

    async def _accept(self, question: Waiting) -> None:
        if question.outsiders:
            shown = Content.styled("\n".join(f"! {line(one)}" for one in question.outsiders), "bold $text-error")
            title = "This reaches people outside the conversation"
            if not await self.push_screen_wait(Confirm(title, shown, "y accept all the same · esc back")):
                return
        self._hold(question, Answer(type="accept", args=None))

    def action_ignore(self) -> None:
        """Ignore."""
        if (question := self.current) is not None:
            self._hold(question, Answer(type="ignore", args=None))

    def action_respond(self) -> None:
        """Take words for a response."""
        if (question := self.current) is not None:
            self.run_worker(self._respond(question), group="asking")

    async def _respond(self, question: Waiting) -> None:
        earlier = self.session.attempts.get(question.interrupt_id)
        words = earlier["args"] if earlier and isinstance(earlier["args"], str) else ""
        written = await self.push_screen_wait(Respond(RESPOND_TITLES.get(question.kind, "What should be different"), words))
        self._keep_or_hold(question, Answer(type="response", args=written.text), is_confirmed=written.is_confirmed)

    def action_edit(self) -> None:
        """Change the proposal."""
        if (question := self.current) is not None:
            self.run_worker(self._change(question), group="asking")

    async def _change(self, question: Waiting) -> None:
        start = _edited(self.session.attempts.get(question.interrupt_id)) or question.args
        edit = await self.push_screen_wait(Editing(question, start, self.desk, self._in_editor))
        self._keep_or_hold(question, edit.answer, is_confirmed=edit.is_confirmed)

    def _in_editor(self, text: str) -> str:
        try:
            with nullcontext() if self.is_headless else self.suspend():
                return self._edit(text)
        except SuspendNotSupported as error:
            raise OptionError("This terminal cannot be given to an editor.", hint="Use the form.") from error

    def _keep_or_hold(self, question: Waiting, answer: Answer, *, is_confirmed: bool) -> None:
        if is_confirmed:
            self._hold(question, answer)
        else:
            self.session.attempts[question.interrupt_id] = answer

    def _hold(self, question: Waiting, answer: Answer) -> None:
        if self.session.is_open(question):
            self.session.hold(question, answer, self.timing.timer())
            self.tick()
        else:
            self.session.settle(Held(question, answer, 0), GONE, self.timing.clock())
            self._tell(f"{question.subject}: {GONE.message} {GONE.hint}", is_error=True)
        self._show()

    def action_undo(self) -> None:
        """Take a held answer back."""
        current = self.current
        held = self.session.take_back(current.interrupt_id if current else None)
        if held is not None:
            again = {"edit": " The edit is kept: e goes on with it.", "response": " The words are kept: r goes on with them."}
            self._tell(f"Taken back, nothing was given: {held.question.subject}.{again.get(held.answer['type'], '')}")
        self._show()

    def _give(self, chosen: tuple[Held, ...]) -> None:
        for held in chosen:
            self.run_worker(self._given(held), group="giving")
        if chosen:
            self._show()

    async def _given(self, held: Held) -> None:
        async with self._one_answer:
            result = await asyncio.to_thread(self.desk.answer, held.question.thread, held.question.interrupt_id, held.answer)
        self.session.settle(held, result, self.timing.clock())
        if isinstance(result, Refused):
            self._is_leaving = False
            self._tell(f"{held.question.subject}: {result.message} {result.hint}", is_error=True)
        elif self._is_leaving and not self.session.giving:
            self.exit()
            return
        await self.look()
        self._turn()

    # Leaving and the rest ----------------------------------------------------------------------------------------------

    async def action_quit(self) -> None:
        """Leave; held answers are asked about, an answer that is being given is waited for."""
        if len(self.screen_stack) > 1:
            self._tell("Go back with esc first; what you wrote is kept.")
            return
        if not self.session.held:
            self._leave(self.timing.timer(), "give")
            return
        now = self.timing.timer()
        held = [pages.countdown(one, now) + line(one.question.subject) for one in self.session.held.values()]
        await self.push_screen(Leave(held), partial(self._leave, now))

    def _leave(self, asked: float, way: Leaving | None) -> None:
        if way is None:
            # The time it took to decide is not taken from the time to undo.
            self.session.postpone(self.timing.timer() - asked)
            return
        self._is_leaving = True
        if way == "give":
            self._give(self.session.flush())
        else:
            self.session.held.clear()
        if not self.session.giving:
            self.exit()

    def action_help(self) -> None:
        """Show the keys."""
        self.push_screen(help_screen())

    def action_history(self) -> None:
        """Show what happened in this sitting."""
        self.push_screen(history_screen(self.session.events))

    def _tell(self, words: str, *, is_error: bool = False) -> None:
        self.notify(inert(words), severity="error" if is_error else "information", markup=False)


def _edited(answer: Answer | None) -> Arguments | None:
    args = answer["args"] if answer else None
    return args["args"] if isinstance(args, dict) else None
