"""The two halves of the screen: the list of questions, and the page of one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from examples.email_assistant.inbox import pages
from examples.email_assistant.inbox.inert import inert

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from textual.app import ComposeResult
    from textual.content import Content

    from examples.email_assistant.inbox.port import Original, Refused, Said, Waiting


class QuestionList(OptionList):
    """The questions that wait, oldest first. Entries keep their place and the highlight while the list changes around them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "cursor_down", "Down", show=False),
        Binding("k", "cursor_up", "Up", show=False),
        Binding("g", "first", "First", show=False),
        Binding("G", "last", "Last", show=False),
    ]

    def __init__(self) -> None:
        super().__init__(id="questions", markup=False)
        self._entries: dict[str, Content] = {}

    @property
    def current(self) -> str | None:
        """The id of the highlighted question."""
        return None if self.highlighted is None else self.get_option_at_index(self.highlighted).id

    def show(self, entries: dict[str, Content]) -> None:
        """Show these entries, by question id."""
        if list(entries) == list(self._entries):
            for name, content in entries.items():
                if content != self._entries[name]:
                    self.replace_option_prompt(name, content)
        else:
            self._replace(entries)
        self._entries = entries

    def _replace(self, entries: dict[str, Content]) -> None:
        current, place = self.current, self.highlighted or 0
        self.clear_options()
        self.add_options([Option(content, id=name) for name, content in entries.items()])
        if not entries:
            return
        names = list(entries)
        self.highlighted = names.index(current) if current in entries else min(place, len(names) - 1)


class Page(VerticalScroll):
    """One question: what is proposed, what has to be seen before, the mail it is about, what was said so far."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "scroll_down", "Down", show=False),
        Binding("k", "scroll_up", "Up", show=False),
        Binding("g", "scroll_home", "Top", show=False),
        Binding("G", "scroll_end", "Bottom", show=False),
    ]
    PARTS: ClassVar[tuple[str, ...]] = (
        "heading",
        "warnings",
        "notes",
        "proposal",
        "original-title",
        "original-head",
        "original",
        "said-title",
        "said",
    )

    def compose(self) -> ComposeResult:
        """Lay out the parts; each shows itself only when it has something to say."""
        for name in self.PARTS:
            yield Static("", id=name, markup=False)

    def show(self, question: Waiting, model: str, now: datetime, refused: Refused | None) -> None:
        """Show what the question itself says."""
        self._fill("heading", pages.heading(question, model, now))
        self._fill("warnings", pages.warnings(question, refused))
        self._fill("notes", pages.notes(question))
        self._fill("proposal", pages.proposal(question))

    def show_original(self, mail: Original, said: Sequence[Said], now: datetime) -> None:
        """Show the mail and the conversation of the question's thread."""
        self._fill("original-title", "The mail as it came (not to be trusted)")
        self._fill("original-head", pages.original_head(mail, now))
        self._fill("original", inert(mail.body) or "(no text)")
        self._fill("said-title", "So far" if said else "")
        self._fill("said", pages.conversation(said) if said else "")

    def show_nothing(self, words: str) -> None:
        """Show that there is no question."""
        self.empty("heading")
        self._fill("heading", words)

    def empty(self, first: str) -> None:
        """Empty the parts from ``first`` on."""
        for name in self.PARTS[self.PARTS.index(first) :]:
            self._fill(name, "")

    def _fill(self, name: str, content: Content | str) -> None:
        part = self.query_one(f"#{name}", Static)
        part.update(content)
        part.display = bool(str(content))
