"""The small screens over the inbox: words for a response, a yes or no, leaving, help, what happened so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from rich.console import Group
from rich.table import Table
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static, TextArea

from examples.email_assistant.inbox.inert import inert
from examples.email_assistant.inbox.pages import event

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from examples.email_assistant.inbox.session import Event

Leaving = Literal["give", "leave"]
HELP = (
    ("", "Move"),
    ("j k, arrows", "down and up, in the list and on the page"),
    ("enter, tab", "to the page;  esc: back to the list"),
    ("g G", "first and last"),
    ("", "Answer"),
    ("a", "accept: it runs as proposed"),
    ("e", "edit: change it; the difference is shown before it is given"),
    ("r", "respond: say what should be different, or answer the question"),
    ("i", "ignore: it does not run, the thread ends"),
    ("u", "undo: take a held answer back"),
    ("", "More"),
    ("l", "what happened in this sitting, with all you wrote"),
    ("ctrl+r", "look again for new questions"),
    ("q", "quit; when answers are held, it asks what to do with them"),
)
MARKS = (
    "An answer is held for a moment before it is given; until then u takes it back. Quit without sending, and the question still waits.",
    "! marks recipients outside the conversation. ␛ and ⟨U+202E⟩ stand for characters that a terminal would obey instead of showing.",
)


class Respond(ModalScreen["Written"]):
    """Takes words. Gives them back also when the person thinks better of it, so that none are lost."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "done", "Give", priority=True),
        Binding("escape", "cancel", "Back", priority=True),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title = title
        self._text = text

    def compose(self) -> ComposeResult:
        """A title, a place to write, the keys."""
        with Vertical(classes="dialog"):
            yield Static(self._title, classes="title", markup=False)
            yield TextArea(self._text, id="words", show_line_numbers=False)
            yield Static("", classes="complaint", markup=False)
            yield Static("ctrl+s give · esc back, the words are kept", classes="keys", markup=False)

    def on_mount(self) -> None:
        """Start at the end of what is there."""
        words = self.query_one("#words", TextArea)
        words.move_cursor(words.document.end)
        words.focus()

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Make visible what a paste brought in and a terminal would obey."""
        disarm(event.text_area)

    def action_done(self) -> None:
        """Give the words, if there are any."""
        words = self.query_one("#words", TextArea).text
        if words.strip():
            self.dismiss(Written(words.strip(), is_confirmed=True))
        else:
            self.query_one(".complaint", Static).update("Write something first, or go back with esc.")

    def action_cancel(self) -> None:
        """Go back."""
        self.dismiss(Written(self.query_one("#words", TextArea).text, is_confirmed=False))


@dataclass(frozen=True, slots=True)
class Written:
    """Words of the person; not ``is_confirmed`` when they went back."""

    text: str
    is_confirmed: bool


class Confirm(ModalScreen[bool]):
    """Shows something and asks whether it is meant; only ``y`` is a yes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "dismiss(True)", "Yes"),
        Binding("n,escape,q", "dismiss(False)", "Back"),
        Binding("j,down", "scroll(1)", "Down", show=False),
        Binding("k,up", "scroll(-1)", "Up", show=False),
    ]

    def __init__(self, title: str, content: Content, keys: str) -> None:
        super().__init__()
        self._title = title
        self._content = content
        self._keys = keys

    def compose(self) -> ComposeResult:
        """A title, what it is about, the keys."""
        with Vertical(classes="dialog"):
            yield Static(self._title, classes="title", markup=False)
            with VerticalScroll(classes="content"):
                yield Static(self._content, markup=False)
            yield Static(self._keys, classes="keys", markup=False)

    def action_scroll(self, lines: int) -> None:
        """Move the content."""
        self.query_one(".content", VerticalScroll).scroll_relative(y=lines, animate=False)


class Leave(ModalScreen["Leaving | None"]):
    """Asks what to do with held answers."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "dismiss('give')", "Send now"),
        Binding("w", "dismiss('leave')", "Keep waiting"),
        Binding("escape,q", "dismiss(None)", "Stay"),
    ]

    def __init__(self, held: Sequence[str]) -> None:
        super().__init__()
        self._held = held

    def compose(self) -> ComposeResult:
        """What is held, and the three ways on."""
        count = f"{len(self._held)} answer{'s are' if len(self._held) > 1 else ' is'} not given yet"
        with Vertical(classes="dialog"):
            yield Static(count, classes="title", markup=False)
            with VerticalScroll(classes="content"):
                yield Static("\n".join(self._held), markup=False)
            yield Static("\ns    send now, then quit", markup=False)
            yield Static("w    keep waiting: quit, nothing is sent, the questions stay in the inbox", markup=False)
            yield Static("esc  stay here", markup=False)


class Reading(ModalScreen[None]):
    """Text to read."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,l,enter", "dismiss(None)", "Back"),
        Binding("j,down", "scroll(1)", "Down", show=False),
        Binding("k,up", "scroll(-1)", "Up", show=False),
    ]

    def __init__(self, title: str, content: Content | Group) -> None:
        super().__init__()
        self._title = title
        self._content = content

    def compose(self) -> ComposeResult:
        """A title, the text, the keys."""
        with Vertical(classes="dialog"):
            yield Static(self._title, classes="title", markup=False)
            with VerticalScroll(classes="content"):
                yield Static(self._content, markup=False)
            yield Static("j k scroll · esc back", classes="keys", markup=False)

    def action_scroll(self, lines: int) -> None:
        """Move the text."""
        self.query_one(".content", VerticalScroll).scroll_relative(y=lines, animate=False)


def disarm(area: TextArea) -> None:
    """Make visible in a text area what a terminal would obey: what is seen is what is given."""
    if (shown := inert(area.text)) != area.text:
        area.text = shown
        area.move_cursor(area.document.end)


def help_screen() -> Reading:
    """Return the keys and what the marks mean."""
    keys = Table.grid(padding=(0, 2))
    for key, words in HELP:
        keys.add_row(Text(f"  {key}"), words) if key else keys.add_row(Text(words, "bold"))
    return Reading("Keys", Group(keys, *(Text(f"\n{mark}") for mark in MARKS)))


def history_screen(events: Sequence[Event]) -> Reading:
    """Return what came of the answers of this sitting, newest first."""
    told = [event(one) for one in reversed(events)]
    return Reading("This sitting", Content("\n\n").join(told) if told else Content("Nothing was answered yet."))
