"""The edit screen: a field for each argument, or the whole in an editor; checked, then shown as a difference before it counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static, TextArea

from examples.email_assistant.errors import AssistantError
from examples.email_assistant.inbox import forms
from examples.email_assistant.inbox.dialogs import Confirm, disarm
from examples.email_assistant.inbox.difference import changes
from examples.email_assistant.inbox.inert import inert, line
from examples.email_assistant.inbox.pages import HEADINGS, difference
from examples.email_assistant.inbox.port import Answer, Edited
from graphkit.errors import GraphkitError

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from examples.email_assistant.inbox.editor import Editor
    from examples.email_assistant.inbox.port import Arguments, Desk, Waiting

KEYS = "ctrl+s difference · ctrl+e editor · tab next · esc back, edit is kept"
UNCHANGED = "Nothing is changed. Change something, or go back with esc and accept it with a."


@dataclass(frozen=True, slots=True)
class Edit:
    """What came of an edit; not ``is_confirmed`` when the person went back."""

    answer: Answer
    is_confirmed: bool


class Editing(ModalScreen[Edit]):
    """Changes the arguments of a question.

    Args:
        question: What is asked.
        start: The arguments to start from: the proposed ones, or those of an edit that was taken back.
        desk: Checks the result.
        editor: Changes text outside of the screen; it frees the terminal itself.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "review", "Difference", priority=True),
        Binding("ctrl+e", "editor", "Editor", priority=True),
        Binding("escape", "cancel", "Back", priority=True),
    ]

    def __init__(self, question: Waiting, start: Arguments, desk: Desk, editor: Editor) -> None:
        super().__init__()
        self._question = question
        self._start = start
        self._desk = desk
        self._editor = editor

    def compose(self) -> ComposeResult:
        """A field for each argument, long ones with several lines."""
        with Vertical(classes="dialog form"):
            yield Static(f"Edit: {HEADINGS.get(self._question.kind, line(self._question.action))}", classes="title", markup=False)
            with VerticalScroll(id="fields"):
                for place, (name, value) in enumerate(self._start.items()):
                    shown = inert(forms.shown_value(value))
                    if name == forms.BODY or "\n" in shown:
                        yield Static(line(name), classes="name", markup=False)
                        yield TextArea(shown, id=f"field-{place}", show_line_numbers=False)
                    else:
                        with Horizontal(classes="row"):
                            yield Static(line(name), classes="name", markup=False)
                            yield Input(shown, id=f"field-{place}", select_on_focus=False, compact=True)
            yield Static("", classes="complaint", markup=False)
            yield Static(KEYS, classes="keys", markup=False)

    def on_mount(self) -> None:
        """Start in the content when there is one, where most edits are made."""
        fields = self.query("#fields TextArea, #fields Input")
        long = self.query("#fields TextArea")
        (long or fields).first().focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Make visible what a paste brought in and a terminal would obey."""
        if (shown := inert(event.value)) != event.value:
            event.input.value = shown

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Likewise."""
        disarm(event.text_area)

    def action_review(self) -> None:
        """Check the edit and show what it changes."""
        self.run_worker(self._review(self._args()), group="asking")

    def action_editor(self) -> None:
        """Let the editor change the whole, then check it and show what it changes."""
        try:
            args = forms.read(self._editor(forms.written(self._args())), self._start)
        except AssistantError as error:
            self._complain(str(error))
            return
        self.run_worker(self._fill_and_review(args), group="asking")

    def action_cancel(self) -> None:
        """Go back; the edit is kept for the next time."""
        self.dismiss(Edit(self._answer(self._args()), is_confirmed=False))

    def _args(self) -> Arguments:
        return {name: forms.field_value(self._text(place), value) for place, (name, value) in enumerate(self._start.items())}

    def _text(self, place: int) -> str:
        field = self.query_one(f"#field-{place}")
        return field.text if isinstance(field, TextArea) else field.value if isinstance(field, Input) else ""

    async def _fill_and_review(self, args: Arguments) -> None:
        if set(args) == set(self._start):
            self._start = {name: args[name] for name in self._start}
            await self.recompose()
            self.on_mount()
        await self._review(args)

    async def _review(self, args: Arguments) -> None:
        proposed = self._question.args
        if args == proposed:
            self._complain(UNCHANGED)
            return
        try:
            refused = self._desk.objection(self._question, self._answer(args))
            outsiders = self._desk.outsiders(self._question.thread, args)
        except (AssistantError, GraphkitError) as error:
            self._complain(str(error))
            return
        if refused is not None:
            self._complain(f"{refused.message} {refused.hint}")
            return
        self._complain("")
        unchanged = [name for name in proposed if name in args and args[name] == proposed[name]]
        shown = difference(changes(proposed, args), unchanged, outsiders)
        if await self.app.push_screen_wait(Confirm("What you changed", shown, "y give it like this · esc back to the edit")):
            self.dismiss(Edit(self._answer(args), is_confirmed=True))

    def _answer(self, args: Arguments) -> Answer:
        return Answer(type="edit", args=Edited(action=self._question.action, args=args))

    def _complain(self, words: str) -> None:
        self.query_one(".complaint", Static).update(inert(words))
