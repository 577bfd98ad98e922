"""Questions and answers: every row of the table of tools and answers, through the graph."""

from __future__ import annotations

from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default

import pytest
from icalendar import Calendar

from examples.email_assistant.assistant import redrafts
from examples.email_assistant.errors import AssistantError, OutboxError
from examples.email_assistant.graph import MOST_DRAFTS
from examples.email_assistant.review import NOTIFY
from examples.email_assistant.sorting import Label, Triage
from examples.email_assistant.state import exchanges
from graphkit import AIMessage, HumanMessage
from graphkit.errors import InvalidAnswerError
from graphkit.messages import ToolCall

Arguments = dict[str, object]
MAIL: Arguments = {"to": "Ada Stern <ada@example.com>", "cc": "", "subject": "Re: Hello", "content": "Hello Ada"}
MEETING: Arguments = {
    "attendees": ["ada@example.com"],
    "subject": "Pump",
    "duration_minutes": 30,
    "preferred_day": "2026-03-17",
    "start_time": "14:00",
}
QUESTION: Arguments = {"content": "Which pump?"}
ARGS = {"write_email": MAIL, "schedule_meeting": MEETING, "question": QUESTION}
CONFIGS = {
    "write_email": {"allow_ignore": True, "allow_respond": True, "allow_edit": True, "allow_accept": True},
    "schedule_meeting": {"allow_ignore": True, "allow_respond": True, "allow_edit": True, "allow_accept": True},
    "question": {"allow_ignore": True, "allow_respond": True, "allow_edit": False, "allow_accept": False},
    NOTIFY: {"allow_ignore": True, "allow_respond": True, "allow_edit": False, "allow_accept": False},
}


@dataclass
class Script:
    """A model that proposes what it is told, then is done; it keeps what it has seen."""

    steps: list[list[tuple[str, Arguments]]]
    label: Label = "respond"
    seen: list[list[tuple[str, str, str]]] = field(default_factory=list)
    name: str = "script"

    def triage(self, mail, now, preferences):
        return Triage(self.label, ("scripted",))

    def propose(self, state, now, preferences):
        messages = state.get("messages", [])
        drafts = sum(isinstance(message, AIMessage) for message in messages)
        self.seen.append([(one.call["name"], one.fate, one.words or one.content) for one in exchanges(messages)])
        steps = self.steps[drafts] if drafts < len(self.steps) else [("done", {})]
        calls = [ToolCall(name=name, args=args, id=f"call-{drafts + 1}-{place}") for place, (name, args) in enumerate(steps, 1)]
        return AIMessage("scripted", id=f"draft-{drafts + 1}", tool_calls=calls)


def asked(result):
    """Return the one question of a result."""
    (pending,) = result["__interrupt__"]
    (request,) = pending.value
    return request


def asked_all(result):
    """Return the questions of a result: action -> interrupt id."""
    return {pending.value[0]["action_request"]["action"]: pending.id for pending in result["__interrupt__"]}


def tool_messages(state):
    return {one.call["id"]: one.fate for one in exchanges(state["messages"])}


@pytest.mark.parametrize("tool", ARGS)
def test_a_reviewed_call_asks_in_the_form_of_review_screens(desk_of, mail_of, tool):
    request = asked(desk_of(Script([[(tool, ARGS[tool])]])).begin(mail_of("Do you come?")))

    assert set(request) == {"action_request", "config", "description"}
    assert request["action_request"] == {"action": tool, "args": ARGS[tool]}
    assert request["config"] == CONFIGS[tool]
    assert "> Do you come?" in request["description"]


def test_a_mail_that_is_only_shown_asks_in_the_same_form(desk_of, mail_of):
    request = asked(desk_of(Script([], label="notify")).begin(mail_of()))

    assert request["action_request"] == {"action": NOTIFY, "args": {}}
    assert request["config"] == CONFIGS[NOTIFY]


def test_an_ignored_mail_ends_without_a_question(desk_of, mail_of):
    result = desk_of(Script([], label="ignore")).begin(mail_of())

    assert "__interrupt__" not in result
    assert result["outcome"] == "ignored"


@pytest.mark.parametrize("wrap", [lambda answer: [answer], lambda answer: answer], ids=["list", "bare"])
def test_an_accepted_mail_is_written_as_proposed(desk_of, mail_of, wrap):
    desk = desk_of(Script([[("write_email", MAIL)]]))
    desk.begin(mail_of())

    result = desk.answer(wrap({"type": "accept", "args": None}))

    (path,) = desk.mails
    message = message_from_bytes(path.read_bytes(), policy=default)
    assert (str(message["To"]), message.get_content().strip()) == ("Ada Stern <ada@example.com>", "Hello Ada")
    assert result["outcome"] == "done"


def test_an_accepted_meeting_is_written_as_proposed(desk_of, mail_of):
    desk = desk_of(Script([[("schedule_meeting", MEETING)]]))
    desk.begin(mail_of())

    desk.answer([{"type": "accept", "args": None}])

    (path,) = desk.meetings
    (event,) = Calendar.from_ical(path.read_bytes()).events
    assert f"{event.start:%Y-%m-%d %H:%M}" == "2026-03-17 13:00"


@pytest.mark.parametrize("tool", ["write_email", "schedule_meeting", "question"])
def test_an_ignored_call_ends_the_thread_and_does_nothing(desk_of, mail_of, tool):
    desk = desk_of(Script([[(tool, ARGS[tool])]]))
    desk.begin(mail_of())

    result = desk.answer([{"type": "ignore", "args": None}])

    assert result["outcome"] == "cancelled by you"
    assert (desk.mails, desk.meetings) == ([], [])
    assert tool_messages(result) == {"call-1-1": "ignored"}


@pytest.mark.parametrize("tool, status", [("write_email", "feedback"), ("schedule_meeting", "feedback"), ("question", "answered")])
def test_words_about_a_call_go_to_the_model_which_proposes_again(desk_of, mail_of, tool, status):
    model = Script([[(tool, ARGS[tool])], [("write_email", MAIL)]])
    desk = desk_of(model)
    desk.begin(mail_of())

    result = desk.answer([{"type": "response", "args": "shorter, please"}])

    assert model.seen[1] == [(tool, status, "shorter, please")]
    assert asked(result)["action_request"]["action"] == "write_email"
    assert (desk.mails, desk.meetings) == ([], [])


@pytest.mark.parametrize("wrap", [lambda args: {"action": "write_email", "args": args}, lambda args: args], ids=["request", "args"])
def test_an_edited_mail_is_written_as_edited_and_recorded_in_place(desk_of, mail_of, wrap):
    model = Script([[("write_email", MAIL)]])
    desk = desk_of(model)
    desk.begin(mail_of())

    result = desk.answer([{"type": "edit", "args": wrap(MAIL | {"content": "Edited"})}])

    (path,) = desk.mails
    assert message_from_bytes(path.read_bytes(), policy=default).get_content().strip() == "Edited"
    proposal = next(message for message in result["messages"] if message.id == "draft-1")
    assert proposal.tool_calls == [{"id": "call-1-1", "name": "write_email", "args": MAIL | {"content": "Edited"}}]
    assert "A person edited this call" in model.seen[1][0][2]


@pytest.mark.parametrize("guests", ['["bob@example.com", "eve@example.com"]', ["bob@example.com", "eve@example.com"]])
def test_edited_lists_and_numbers_may_arrive_as_text(desk_of, mail_of, guests):
    desk = desk_of(Script([[("schedule_meeting", MEETING)]]))
    desk.begin(mail_of())

    desk.answer([{"type": "edit", "args": MEETING | {"attendees": guests, "duration_minutes": "45", "start_time": "9:30"}}])

    (path,) = desk.meetings
    (event,) = Calendar.from_ical(path.read_bytes()).events
    assert [str(guest) for guest in event.attendees] == ["mailto:bob@example.com", "mailto:eve@example.com"]
    assert (event.end - event.start).total_seconds() == 45 * 60


def test_a_shown_mail_that_is_ignored_ends_the_thread(desk_of, mail_of):
    desk = desk_of(Script([], label="notify"))
    desk.begin(mail_of())

    assert desk.answer([{"type": "ignore", "args": None}])["outcome"] == "seen by you"


def test_words_to_a_shown_mail_start_a_draft(desk_of, mail_of):
    desk = desk_of(Script([[("write_email", MAIL)]], label="notify"))
    desk.begin(mail_of())

    result = desk.answer([{"type": "response", "args": "say yes"}])

    assert asked(result)["action_request"]["action"] == "write_email"
    assert result["messages"][0] == HumanMessage("say yes", id="guidance")


@pytest.mark.parametrize(
    "tool, answer",
    [
        ("write_email", "yes"),
        ("write_email", []),
        ("write_email", {"type": "approve"}),
        ("write_email", {"type": "response", "args": "  "}),
        ("write_email", {"type": "response", "args": {"text": "x"}}),
        ("write_email", {"type": "edit", "args": None}),
        ("write_email", {"type": "edit", "args": MAIL | {"bcc": "eve@example.net"}}),
        ("write_email", {"type": "edit", "args": {"content": "x"}}),
        ("write_email", {"type": "edit", "args": MAIL | {"to": "nobody"}}),
        ("write_email", {"type": "edit", "args": MAIL | {"subject": "x\nBcc: eve@example.net"}}),
        ("write_email", {"type": "edit", "args": MAIL | {"content": "[your answer: x]"}}),
        ("write_email", {"type": "edit", "args": {"action": "schedule_meeting", "args": MEETING}}),
        ("schedule_meeting", {"type": "edit", "args": MEETING | {"duration_minutes": -5}}),
        ("schedule_meeting", {"type": "edit", "args": MEETING | {"duration_minutes": True}}),
        ("schedule_meeting", {"type": "edit", "args": MEETING | {"preferred_day": "soon"}}),
        ("schedule_meeting", {"type": "edit", "args": MEETING | {"start_time": "25:00"}}),
        ("schedule_meeting", {"type": "edit", "args": MEETING | {"attendees": []}}),
        ("question", {"type": "accept"}),
        ("question", {"type": "edit", "args": QUESTION}),
    ],
)
def test_an_answer_that_does_not_fit_is_told_and_the_question_stays_open(desk_of, mail_of, tool, answer):
    desk = desk_of(Script([[(tool, ARGS[tool])]]))
    desk.begin(mail_of())

    try:
        request = asked(desk.answer(answer))
    except InvalidAnswerError:
        # Refused before anything was taken; what only the tool itself can tell is asked again.
        (pending,) = desk.graph.get_state(thread_id="mail-1").interrupts
        (request,) = pending.value
    else:
        assert request["description"].startswith("**Your last answer could not be used:**")

    assert request["action_request"] == {"action": tool, "args": ARGS[tool]}
    assert (desk.mails, desk.meetings) == ([], [])
    assert desk.answer([{"type": "ignore", "args": None}])["outcome"] == "cancelled by you"


def test_after_three_redrafts_no_other_one_can_be_asked_for(desk_of, mail_of):
    desk = desk_of(Script([[("write_email", MAIL)]] * 5))
    result = desk.begin(mail_of())
    for _ in range(3):
        assert asked(result)["config"]["allow_respond"]
        result = desk.answer([{"type": "response", "args": "again"}])

    request = asked(result)
    assert not request["config"]["allow_respond"]
    assert "re-drafts are used" in request["description"]
    assert redrafts(desk.state()) == 3
    with pytest.raises(InvalidAnswerError):
        desk.answer([{"type": "response", "args": "again"}])


def test_a_draft_with_a_gap_cannot_be_accepted(desk_of, mail_of):
    desk = desk_of(Script([[("write_email", MAIL | {"content": "Hello, [your answer: when?]"})]]))
    request = asked(desk.begin(mail_of()))
    assert not request["config"]["allow_accept"]

    with pytest.raises(InvalidAnswerError):
        desk.answer([{"type": "accept", "args": None}])

    assert desk.mails == []


def test_recipients_outside_the_conversation_are_pointed_out(desk_of, mail_of):
    inside = asked(desk_of(Script([[("write_email", MAIL)]])).begin(mail_of()))
    outside = asked(desk_of(Script([[("write_email", MAIL | {"cc": "eve@example.net"})]])).begin(mail_of()))

    assert "not part of this conversation" not in inside["description"]
    assert outside["description"].startswith("**Warning:** not part of this conversation: eve@example.net")


def test_mail_text_cannot_pass_for_a_part_of_the_question(desk_of, mail_of):
    request = asked(desk_of(Script([[("write_email", MAIL)]])).begin(mail_of("Hi\n\n**script proposes write_email:** nothing\n")))

    assert "\n> **script proposes write_email:** nothing" in request["description"]


def test_two_calls_of_one_message_are_asked_at_once_and_each_runs_once(desk_of, mail_of):
    desk = desk_of(Script([[("write_email", MAIL), ("write_email", MAIL | {"subject": "Second"})]]))
    first, second = desk.begin(mail_of())["__interrupt__"]
    waiting = desk.answer({second.id: [{"type": "edit", "args": MAIL | {"subject": "Second, edited"}}]})
    assert [pending.id for pending in waiting["__interrupt__"]] == [first.id]
    assert desk.mails == []

    result = desk.answer({first.id: [{"type": "accept", "args": None}]})

    assert sorted(message_from_bytes(path.read_bytes(), policy=default)["Subject"] for path in desk.mails) == [
        "Re: Hello",
        "Second, edited",
    ]
    assert tool_messages(result) == {"call-1-1": "ran", "call-1-2": "ran", "call-2-1": "ran"}


def test_ignoring_one_call_keeps_the_others_approvals_and_then_ends(desk_of, mail_of):
    desk = desk_of(Script([[("write_email", MAIL), ("schedule_meeting", MEETING)]]))
    ids = asked_all(desk.begin(mail_of()))
    desk.answer({ids["schedule_meeting"]: [{"type": "ignore", "args": None}]})

    result = desk.answer({ids["write_email"]: [{"type": "accept", "args": None}]})

    assert result["outcome"] == "cancelled by you"
    assert (len(desk.mails), len(desk.meetings)) == (1, 0)
    assert tool_messages(result) == {"call-1-1": "ran", "call-1-2": "ignored"}


def test_words_about_one_call_do_not_lose_the_approval_of_another(desk_of, mail_of):
    desk = desk_of(Script([[("write_email", MAIL), ("schedule_meeting", MEETING)]]))
    ids = asked_all(desk.begin(mail_of()))
    desk.answer({ids["write_email"]: [{"type": "accept", "args": None}]})

    result = desk.answer({ids["schedule_meeting"]: [{"type": "response", "args": "later"}]})

    assert (len(desk.mails), len(desk.meetings)) == (1, 0)
    assert tool_messages(result) == {"call-1-1": "ran", "call-1-2": "feedback", "call-2-1": "ran"}


def test_done_counts_only_when_nothing_else_is_proposed(desk_of, mail_of):
    model = Script([[("done", {}), ("write_email", MAIL)]])
    desk = desk_of(model)
    desk.begin(mail_of())

    result = desk.answer([{"type": "accept", "args": None}])

    assert tool_messages(result) == {"call-1-1": "ran", "call-1-2": "ran", "call-2-1": "ran"}
    assert model.seen[1][0][2].startswith("Not yet")
    assert len(desk.mails) == 1


@pytest.mark.parametrize(
    "call", [("delete_everything", {}), ("write_email", {"to": "ada@example.com"}), ("schedule_meeting", MEETING | {"start_time": "noon"})]
)
def test_a_call_that_cannot_run_becomes_an_error_for_the_model_and_no_question(desk_of, mail_of, call):
    model = Script([[call]])

    result = desk_of(model).begin(mail_of())

    assert "__interrupt__" not in result
    assert tool_messages(result) == {"call-1-1": "error", "call-2-1": "ran"}
    assert model.seen[1][0][1] == "error"


def test_a_model_that_only_talks_is_told_twice_and_then_the_mail_is_left_to_the_human(desk_of, mail_of):
    desk = desk_of(Script([[]] * 9))

    result = desk.begin(mail_of())

    assert result["outcome"] == "left to you: the model wrote text and called no tool"
    assert [type(message).__name__ for message in result["messages"]] == ["AIMessage", "HumanMessage"] * 2 + ["AIMessage"]
    assert desk.mails == []


def test_a_model_that_never_ends_is_stopped(desk_of, mail_of):
    result = desk_of(Script([[("nonsense", {})]] * 100)).begin(mail_of())

    assert result["outcome"] == f"left to you: {MOST_DRAFTS} proposals, and no end"


def test_a_calendar_check_runs_unasked(desk_of, mail_of):
    model = Script([[("check_calendar_availability", {"day": "2026-03-13", "duration_minutes": 60})]])

    desk_of(model).begin(mail_of())

    ((name, status, content),) = model.seen[1]
    assert (name, status) == ("check_calendar_availability", "ran")
    assert content.splitlines()[1].startswith("free: 11:30, 11:45")
    assert "09:30-11:30 Budget round" in content


def test_a_disk_that_refuses_stops_the_run_and_going_on_writes_the_mail_once(desk_of, mail_of, monkeypatch):
    desk = desk_of(Script([[("write_email", MAIL)]]))
    desk.begin(mail_of())
    (desk.folder / "outbox").write_text("in the way")
    with pytest.raises(OutboxError):
        desk.answer([{"type": "accept", "args": None}])

    (desk.folder / "outbox").unlink()
    result = desk.graph.invoke(None, thread_id="mail-1")

    assert result["outcome"] == "done"
    assert len(desk.mails) == 1


@pytest.mark.parametrize("name", ["16-injection-plain", "17-injection-hidden"])
def test_an_injection_is_shown_to_the_human_and_does_nothing(desk, mails, name):
    request = asked(desk.begin(mails[name]))

    assert request["action_request"] == {"action": NOTIFY, "args": {}}
    assert (desk.mails, desk.meetings) == ([], [])


@pytest.mark.parametrize("name", ["16-injection-plain", "17-injection-hidden"])
def test_even_answered_by_hand_an_injection_gets_no_say_in_recipients_or_approval(desk, mails, name):
    desk.begin(mails[name])

    request = asked(desk.answer([{"type": "response", "args": "No."}]))

    assert request["action_request"]["args"]["to"] == str(mails[name].sender)
    assert (desk.mails, desk.meetings) == ([], [])


def test_errors_of_the_assistant_say_what_to_do():
    assert str(AssistantError("It broke.", hint="Mend it.")) == "It broke. Mend it."
