"""The screen under the keys: what each key does, what is shown, what is refused."""

from __future__ import annotations

import pytest
from textual.widgets import TextArea

from examples.email_assistant.errors import MailboxError
from examples.email_assistant.inbox.dialogs import Confirm, Leave, Reading, Respond
from examples.email_assistant.inbox.listing import Page, QuestionList
from examples.email_assistant.inbox.port import Given, Refused
from tests.examples.inbox.conftest import ARGS, PaperDesk, question

BUSY = Refused("thread-busy", "Another run holds the thread.", "Try again later.", is_pending=True)
ANSWERED = Refused("interrupt-already-answered", "It was answered before.", "Look at the list again.", is_pending=False)


async def test_the_list_the_page_and_the_count_are_shown(sitting):
    async with sitting(PaperDesk([question(1), question(2, outsiders=("x@evil.example",))])) as screen:
        text = screen.text

    for shown in (
        "2  waiting for you",
        "rules-v1 (no AI)",
        "Ada Stern 1",
        "mail The rig 1",
        "!",
        "Mail to approve",
        "the rig is free on Tuesday",
        "is the rig free next",
    ):
        assert shown in text


@pytest.mark.parametrize("down, up", [("j", "k"), ("down", "up")])
async def test_keys_move_through_the_list_and_the_page_follows(sitting, down, up):
    desk = PaperDesk([question(1), question(2, args=ARGS | {"content": "The second draft"})])
    async with sitting(desk) as screen:
        await screen.press(down)
        assert screen.highlighted == "ask-2"
        assert "The second draft" in screen.text

        await screen.press(up)

        assert screen.highlighted == "ask-1"


async def test_first_and_last_are_one_key_away(sitting):
    async with sitting(PaperDesk([question(number) for number in range(300)])) as screen:
        await screen.press("G")
        assert screen.highlighted == "ask-299"
        assert "The rig 299" in screen.text

        await screen.press("g")

        assert screen.highlighted == "ask-0"
        assert "300  waiting" in screen.text


async def test_enter_moves_to_the_page_where_the_keys_scroll_and_escape_moves_back(sitting):
    desk = PaperDesk([question(1, args=ARGS | {"content": "\n".join(f"line {number}" for number in range(200))})])
    async with sitting(desk) as screen:
        await screen.press("enter")
        page = screen.app.query_one(Page)
        assert page.has_focus
        await screen.press("j", "j")
        assert page.scroll_target_y == 2
        await screen.press("G")
        assert page.scroll_target_y > 150

        await screen.press("escape")

        assert screen.app.query_one(QuestionList).has_focus


async def test_only_the_answers_a_question_takes_are_enabled(sitting):
    desk = PaperDesk([question(1, allowed=frozenset({"ignore", "response"})), question(2), question(3, allowed=frozenset())])
    async with sitting(desk) as screen:
        enabled = []
        for _ in desk.questions:
            enabled.append([action for action in ("accept", "edit", "respond", "ignore") if screen.is_enabled(action)])
            await screen.press("j")
        await screen.press("G")
        await screen.press("a", "e", "r", "i")

        assert enabled == [["respond", "ignore"], ["accept", "edit", "respond", "ignore"], []]
        assert desk.given == []
        assert screen.app.session.held == {}
        assert len(screen.app.screen_stack) == 1


@pytest.mark.parametrize("key, kind", [("a", "accept"), ("i", "ignore")])
async def test_an_answer_is_held_counted_down_and_then_given(sitting, key, kind):
    desk = PaperDesk([question(1), question(2)])
    async with sitting(desk) as screen:
        await screen.press(key)
        await screen.pass_time(3)
        assert f"{kind} in 2s" in screen.text
        assert desk.given == []

        await screen.pass_time(2)

        assert desk.given == [("thread-1", "ask-1", {"type": kind, "args": None})]
        assert "1  waiting for you" in screen.text
        assert screen.highlighted == "ask-2"
        assert "wrote 1 file: thread-1.eml" in screen.text


async def test_undo_takes_a_held_answer_back_and_nothing_is_given(sitting):
    desk = PaperDesk([question(1)])
    async with sitting(desk) as screen:
        assert not screen.is_enabled("undo")
        await screen.press("a")
        assert screen.is_enabled("undo")
        assert not screen.is_enabled("accept")

        await screen.press("u")
        await screen.pass_time(60)

        assert desk.given == []
        assert screen.is_enabled("accept")


async def test_several_answers_are_held_at_once_and_given_in_order(sitting):
    desk = PaperDesk([question(1), question(2), question(3)])
    async with sitting(desk) as screen:
        await screen.press("a", "j", "i", "j", "a")
        await screen.press("k", "u")
        await screen.pass_time(5)

        assert [(interrupt_id, answer["type"]) for _, interrupt_id, answer in desk.given] == [("ask-1", "accept"), ("ask-3", "accept")]


async def test_without_an_undo_window_an_answer_is_given_at_once(sitting):
    desk = PaperDesk([question(1)])
    async with sitting(desk, undo=0) as screen:
        await screen.press("a")

        assert len(desk.given) == 1


async def test_words_are_taken_and_given_as_a_response(sitting):
    desk = PaperDesk([question(1)])
    async with sitting(desk) as screen:
        await screen.press("r")
        assert "What should be different" in screen.text
        await screen.press("ctrl+s")
        assert "Write something first" in screen.text
        screen.app.screen.query_one(TextArea).text = "Shorter, please.\nAnd kinder."
        await screen.press("ctrl+s")
        await screen.pass_time(5)

        assert desk.given[0][2] == {"type": "response", "args": "Shorter, please.\nAnd kinder."}


async def test_words_that_were_not_given_or_were_taken_back_are_there_the_next_time(sitting):
    async with sitting(PaperDesk([question(1)])) as screen:
        await screen.press("r", *"abc")
        await screen.press("escape")
        await screen.press("r")
        assert screen.app.screen.query_one(TextArea).text == "abc"
        await screen.press("ctrl+s")
        await screen.press("u")
        await screen.press("r")

        assert screen.app.screen.query_one(TextArea).text == "abc"


@pytest.mark.parametrize("key, count", [("y", 1), ("escape", 0), ("n", 0)])
async def test_recipients_outside_the_conversation_have_to_be_confirmed(sitting, key, count):
    desk = PaperDesk([question(1, args=ARGS | {"cc": "x@evil.example"}, outsiders=("x@evil.example",))])
    async with sitting(desk) as screen:
        assert "! Outside this conversation: x@evil.example" in screen.text
        await screen.press("a")
        assert isinstance(screen.app.screen, Confirm)
        await screen.press("enter")
        assert isinstance(screen.app.screen, Confirm)
        await screen.press(key)
        await screen.pass_time(5)

        assert len(desk.given) == count


async def test_a_refused_answer_is_shown_beside_its_question_and_can_be_given_again(sitting):
    desk = PaperDesk([question(1)], results=[BUSY])
    async with sitting(desk, size=(160, 40)) as screen:
        await screen.press("r", *"abc", "ctrl+s")
        await screen.pass_time(5)
        assert "Your answer was not taken: Another run holds the thread. Try again later." in screen.text
        assert "[thread-busy]" in screen.text
        await screen.press("r")
        assert screen.app.screen.query_one(TextArea).text == "abc"
        await screen.press("ctrl+s")
        await screen.pass_time(5)

        assert [answer["args"] for *_, answer in desk.given] == ["abc", "abc"]
        assert "Nothing waits for you." in screen.text


async def test_an_answer_somebody_else_gave_first_is_told_and_the_words_stay_in_the_log(sitting):
    desk = PaperDesk([question(1), question(2)], results=[ANSWERED])
    async with sitting(desk) as screen:
        await screen.press("r", *"mine", "ctrl+s")
        await screen.pass_time(5)
        assert "It was answered before." in screen.text
        assert "1  waiting" in screen.text
        await screen.press("l")

        assert isinstance(screen.app.screen, Reading)
        assert "mine" in screen.text
        assert "[interrupt-already-answered]" in screen.text


async def test_a_question_answered_elsewhere_while_it_is_answered_here_loses_no_words(sitting):
    desk = PaperDesk([question(1), question(2)])
    async with sitting(desk) as screen:
        await screen.press("r", *"mine")
        desk.questions.pop(0)
        await screen.app.look()
        await screen.press("ctrl+s")
        await screen.pass_time(9)
        await screen.press("l")

        assert desk.given == []
        assert "mine" in screen.text
        assert "[not-waiting]" in screen.text


async def test_new_questions_appear_and_the_highlight_stays_where_it_was(sitting):
    desk = PaperDesk([question(5), question(6)])
    async with sitting(desk) as screen:
        await screen.press("j")
        desk.questions = [question(1), question(5), question(6), question(7)]
        await screen.press("ctrl+r")

        assert screen.highlighted == "ask-6"
        assert "4  waiting for you" in screen.text


async def test_the_list_is_read_again_at_intervals(sitting):
    desk = PaperDesk([])
    async with sitting(desk, poll=0.05) as screen:
        desk.questions = [question(1)]
        while not screen.highlighted:
            await screen.pilot.pause(0.05)

        assert screen.highlighted == "ask-1"


async def test_a_list_that_cannot_be_read_is_told_and_the_old_one_stays(sitting):
    desk = PaperDesk([question(1)])
    async with sitting(desk) as screen:
        desk.trouble = MailboxError("The disk is gone.", hint="Bring it back.")
        await screen.press("ctrl+r")
        assert "! The list cannot be read: The disk is gone. Bring it back." in screen.text
        assert "Ada Stern 1" in screen.text
        desk.trouble = None
        await screen.press("ctrl+r")

        assert "disk" not in screen.text


async def test_an_answer_that_leads_to_a_question_shows_it_next(sitting):
    desk = PaperDesk([question(1)], results=[Given((), "open", (question(2),))])
    async with sitting(desk) as screen:
        await screen.press("a")
        desk.questions.append(question(2))
        await screen.pass_time(5)

        assert screen.highlighted == "ask-2"
        assert "given; it asks next: mail" in screen.text


async def test_an_empty_inbox_says_so_and_takes_no_answers(sitting):
    async with sitting(PaperDesk([])) as screen:
        await screen.press("a", "e", "r", "i", "u", "j", "k", "enter")

        assert "Nothing waits for you." in screen.text
        assert len(screen.app.screen_stack) == 1


async def test_help_names_every_key_that_is_bound(sitting):
    async with sitting(PaperDesk([])) as screen:
        await screen.press("question_mark")
        text = screen.text
        await screen.press("escape")

        for key in ("a ", "e ", "r ", "i ", "u ", "l ", "q ", "ctrl+r", "j k", "g G", "enter"):
            assert f" {key}" in text
        assert len(screen.app.screen_stack) == 1


async def test_quitting_with_nothing_held_leaves_at_once(sitting):
    async with sitting(PaperDesk([question(1)])) as screen:
        await screen.press("q")

        assert not screen.app.is_running or screen.app._exit


@pytest.mark.parametrize("key, given, is_left", [("s", 2, True), ("w", 0, True), ("escape", 0, False)])
async def test_quitting_with_held_answers_asks_what_to_do_with_them(sitting, key, given, is_left):
    desk = PaperDesk([question(1), question(2)])
    async with sitting(desk) as screen:
        await screen.press("a", "j", "a", "q")
        assert isinstance(screen.app.screen, Leave)
        assert "2 answers are not given yet" in screen.text
        screen.hands.seconds += 60
        screen.app.tick()
        assert desk.given == []
        await screen.press(key)

        assert len(desk.given) == given
        assert screen.app._exit is is_left
        assert len(screen.app.session.held) == (0 if is_left else 2)


async def test_leaving_stops_when_an_answer_is_refused_on_the_way_out(sitting):
    desk = PaperDesk([question(1)], results=[BUSY])
    async with sitting(desk) as screen:
        await screen.press("a", "q", "s")

        assert screen.app._exit is False
        assert "Your answer was not taken" in screen.text
        assert screen.is_enabled("accept")


@pytest.mark.parametrize("key", ["ctrl+q", "ctrl+c"])
async def test_a_dialog_with_words_in_it_is_not_left_by_a_key_that_quits(sitting, key):
    async with sitting(PaperDesk([question(1)])) as screen:
        await screen.press("r", *"abc", key)

        assert isinstance(screen.app.screen, Respond)
        assert screen.app._exit is False


@pytest.mark.parametrize("size", [(60, 24), (40, 16), (20, 10), (200, 60)])
async def test_the_screen_follows_the_size_of_the_terminal(sitting, size):
    async with sitting(PaperDesk([question(number, subject="A long subject " * 20) for number in range(9)])) as screen:
        await screen.pilot.resize_terminal(*size)
        await screen.settle()
        rows = screen.text.split("\n")

        assert len(rows) == size[1]
        assert max(map(len, rows)) <= size[0]
        assert "9  waiting" in rows[0]
        assert screen.app.query_one(QuestionList).size.width > 10


async def test_a_long_subject_ends_in_an_ellipsis_on_one_line(sitting):
    async with sitting(PaperDesk([question(1, subject="word " * 50), question(2)])) as screen:
        rows = screen.text.split("\n")

    assert "…" in rows[2]
    assert "Ada Stern 2" in rows[3]
