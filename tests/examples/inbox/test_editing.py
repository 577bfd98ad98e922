"""Editing: fields, the editor outside, the check, the difference before anything counts."""

from __future__ import annotations

from textual.widgets import Input, TextArea

from examples.email_assistant.errors import OptionError
from examples.email_assistant.inbox.dialogs import Confirm
from examples.email_assistant.inbox.editing import Editing
from tests.examples.inbox.conftest import ARGS, PaperDesk, question

MEETING = {
    "attendees": ["ada@example.com"],
    "subject": "Walk",
    "duration_minutes": 30,
    "preferred_day": "2026-03-17",
    "start_time": "14:00",
}


def fields(screen) -> list[Input | TextArea]:
    return list(screen.app.screen.query("#fields Input, #fields TextArea"))


def change(screen, old: str, new: str) -> None:
    body = screen.app.screen.query_one(TextArea)
    body.text = body.text.replace(old, new)


async def test_every_argument_has_a_field_with_its_value(sitting):
    async with sitting(PaperDesk([question(1)])) as screen:
        await screen.press("e")

        assert [field.text if isinstance(field, TextArea) else field.value for field in fields(screen)] == [
            str(value) for value in ARGS.values()
        ]
        assert screen.app.screen.query_one(TextArea).has_focus


async def test_an_edit_shows_its_difference_and_is_given_after_a_yes(sitting):
    desk = PaperDesk([question(1)])
    async with sitting(desk) as screen:
        await screen.press("e")
        change(screen, "Tuesday", "Wednesday")
        await screen.press("ctrl+s")
        text = screen.text
        assert "- the rig is free on Tuesday at ten." in text
        assert "+ the rig is free on Wednesday at ten." in text
        assert "unchanged: to, cc, subject" in text
        await screen.press("y")
        await screen.pass_time(5)

        edited = {"action": "write_email", "args": ARGS | {"content": ARGS["content"].replace("Tuesday", "Wednesday")}}
        assert desk.given == [("thread-1", "ask-1", {"type": "edit", "args": edited})]


async def test_a_no_to_the_difference_goes_back_to_the_edit(sitting):
    desk = PaperDesk([question(1)])
    async with sitting(desk) as screen:
        await screen.press("e")
        change(screen, "Tuesday", "Friday")
        await screen.press("ctrl+s", "escape")

        assert isinstance(screen.app.screen, Editing)
        assert "Friday" in screen.app.screen.query_one(TextArea).text
        assert screen.app.session.held == {}


async def test_an_edit_without_a_change_is_told(sitting):
    async with sitting(PaperDesk([question(1)])) as screen:
        await screen.press("e", "ctrl+s")

        assert "Nothing is changed." in screen.text
        assert isinstance(screen.app.screen, Editing)


async def test_an_edit_the_desk_refuses_is_told_in_the_form_and_kept(sitting):
    async with sitting(PaperDesk([question(1)])) as screen:
        await screen.press("e")
        change(screen, "Tuesday", "[day]")
        await screen.press("ctrl+s")

        assert "The edited mail still has a gap." in screen.text
        assert "[day]" in screen.app.screen.query_one(TextArea).text


async def test_an_edit_that_adds_somebody_outside_the_conversation_says_so_in_the_difference(sitting):
    async with sitting(PaperDesk([question(1)])) as screen:
        await screen.press("e")
        fields(screen)[1].value = "x@evil.example"
        await screen.press("ctrl+s")

        assert "! Outside this conversation: x@evil.example" in screen.text


async def test_an_edit_that_was_left_or_taken_back_goes_on_where_it_was(sitting):
    async with sitting(PaperDesk([question(1)])) as screen:
        await screen.press("e")
        change(screen, "Tuesday", "Friday")
        await screen.press("escape", "e")
        assert "Friday" in screen.app.screen.query_one(TextArea).text
        await screen.press("ctrl+s", "y")
        await screen.press("u", "e")

        assert "Friday" in screen.app.screen.query_one(TextArea).text


async def test_fields_of_a_meeting_keep_their_types(sitting):
    desk = PaperDesk([question(1, action="schedule_meeting", args=MEETING)])
    async with sitting(desk, undo=0) as screen:
        await screen.press("e")
        assert fields(screen)[0].has_focus
        fields(screen)[0].value = "ada@example.com, bob@example.org"
        fields(screen)[2].value = "45"
        await screen.press("ctrl+s", "y")

        assert desk.given[0][2]["args"]["args"] == MEETING | {"attendees": ["ada@example.com", "bob@example.org"], "duration_minutes": 45}


async def test_the_editor_changes_the_whole_and_the_difference_is_shown(sitting):
    desk = PaperDesk([question(1)])
    async with sitting(desk, undo=0, edit=lambda text: text.replace("Tuesday", "Friday")) as screen:
        await screen.press("e", "ctrl+e")
        assert isinstance(screen.app.screen, Confirm)
        assert "+ the rig is free on Friday at ten." in screen.text
        await screen.press("y")

        assert "Friday" in desk.given[0][2]["args"]["args"]["content"]


async def test_what_the_editor_left_is_in_the_form_after_a_no(sitting):
    async with sitting(PaperDesk([question(1)]), edit=lambda text: text.replace("Tuesday", "Friday")) as screen:
        await screen.press("e", "ctrl+e", "escape")

        assert "Friday" in screen.app.screen.query_one(TextArea).text


async def test_an_editor_that_fails_or_leaves_nonsense_is_told_and_the_form_stays(sitting):
    def fail(_):
        raise OptionError("The editor 'x' cannot be used.", hint="Use the form.")

    for edit, told in ((fail, "The editor 'x' cannot be used."), (lambda _: "nonsense", "'nonsense' is no argument")):
        async with sitting(PaperDesk([question(1)]), edit=edit) as screen:
            await screen.press("e")
            change(screen, "Tuesday", "Friday")
            await screen.press("ctrl+e")

            assert told in screen.text
            assert "Friday" in screen.app.screen.query_one(TextArea).text


async def test_an_editor_may_leave_out_or_add_an_argument_for_the_desk_to_judge(sitting):
    desk = PaperDesk([question(1)])
    async with sitting(desk, undo=0, edit=lambda text: text.replace("cc: \n", "")) as screen:
        await screen.press("e", "ctrl+e", "y")

        assert "cc" not in desk.given[0][2]["args"]["args"]
