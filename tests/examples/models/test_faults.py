"""Models that fail, and answers that do not fit: asked again by the engine, told, nothing lost, nothing sent."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

import pytest

from examples.email_assistant.graph import MOST_DRAFTS, build
from examples.email_assistant.language import LanguageModel
from graphkit import AIMessage, InMemorySaver, RetryPolicy
from graphkit.errors import (
    InvalidAnswerError,
    ModelAuthenticationError,
    ModelError,
    ModelRateLimitError,
    ModelRequestError,
    ModelResponseError,
    ModelTimeoutError,
    ModelUnavailableError,
)
from graphkit.testing import Cut, Failure, Garbled, ModelServer, Reply, Stall
from tests.examples.conftest import OWNER, Desk
from tests.examples.models.wires import WIRES, sorted_as
from tests.examples.test_review import MAIL

if TYPE_CHECKING:
    from graphkit.testing.model_server import Step

AT_ONCE = RetryPolicy(max_attempts=4, initial_interval=0, jitter=False)
LIMITED = Failure(429, "Slow down.", headers={"retry-after-ms": "1"})
DONE = Reply(tool_calls=[{"name": "done", "args": {}}])
DRAFT = Reply(tool_calls=[{"name": "write_email", "args": MAIL}])


@pytest.fixture(params=WIRES)
def wire(request):
    return request.param


@pytest.fixture
def served(wire, tmp_path, toolbox):
    """Return a context with a desk whose model follows steps: None sorts a mail as one to be answered; and what the server received."""

    @contextmanager
    def serve(*steps, **options):
        left = chain(steps, repeat(DONE))

        def script(received):
            step = next(left)
            return sorted_as("respond", received) if step is None else step

        with ModelServer(script) as server, server.model(f"{wire}:any", **options) as chat:
            model = LanguageModel(chat, OWNER, toolbox.tools())
            graph = build(model, toolbox, ask_again=AT_ONCE).compile(checkpointer=InMemorySaver())
            yield Desk(tmp_path, graph), server

    return serve


def actions(result):
    return [question.value[0]["action_request"]["action"] for question in result.get("__interrupt__", ())]


@pytest.mark.parametrize("times", [1, 3])
def test_a_limited_model_is_asked_again_by_the_engine_and_by_nobody_else(served, mail_of, times):
    with served(*[LIMITED] * times, None, *[LIMITED] * times, DRAFT) as (desk, server):
        result = desk.begin(mail_of("Which one?"))

        assert actions(result) == ["write_email"]
        assert len(server.requests) == 2 * times + 2


def test_a_model_that_stays_limited_is_asked_four_times_and_going_on_continues(served, mail_of):
    with served(None, *[LIMITED] * 4, DRAFT) as (desk, server):
        with pytest.raises(ModelRateLimitError, match=r"limits requests or tokens \(429\): Slow down") as raised:
            desk.begin(mail_of("Which one?"))
        assert raised.value.retry_after == pytest.approx(0.001)
        assert len(server.requests) == 5

        result = desk.graph.invoke(None, thread_id="mail-1")

        # Sorting is done, and not asked for again.
        assert len(server.requests) == 6
        assert actions(result) == ["write_email"]
        assert desk.mails == []


BROKEN: dict[str, tuple[Step, type[ModelError]]] = {
    "overloaded": (Failure(529, "Overloaded"), ModelUnavailableError),
    "broken server": (Failure(500), ModelUnavailableError),
    "lost connection": (Cut(DRAFT, 40), ModelError),
    "half an answer": (Cut(DRAFT, 40, quietly=True), ModelError),
    "no JSON": (Garbled(DRAFT), ModelResponseError),
    "silence": (Stall(), ModelTimeoutError),
}


@pytest.mark.parametrize("name", BROKEN)
def test_an_answer_that_does_not_arrive_is_asked_for_again(served, mail_of, name):
    with served(None, BROKEN[name][0], DRAFT, timeout=0.4 if name == "silence" else None) as (desk, server):
        result = desk.begin(mail_of("Which one?"))

        assert actions(result) == ["write_email"]
        assert len(server.requests) == 3
        assert sum(isinstance(message, AIMessage) for message in result["messages"]) == 1


@pytest.mark.parametrize("name", [name for name in BROKEN if name != "silence"])
def test_an_answer_that_never_arrives_ends_the_run_and_nothing_is_lost(served, mail_of, name):
    step, error = BROKEN[name]
    with served(None, *[step] * 4, DRAFT) as (desk, server):
        with pytest.raises(error) as raised:
            desk.begin(mail_of("Which one?"))
        assert raised.value.hint
        assert len(server.requests) == 5

        assert actions(desk.graph.invoke(None, thread_id="mail-1")) == ["write_email"]


def test_a_server_that_does_not_run_is_told_with_what_to_do(wire, tmp_path, toolbox, mail_of):
    with ModelServer([]) as server:
        chat = server.model(f"{wire}:any")
    with chat:
        graph = build(LanguageModel(chat, OWNER, toolbox.tools()), toolbox, ask_again=AT_ONCE).compile(checkpointer=InMemorySaver())

        with pytest.raises(ModelUnavailableError, match=f"No connection to {wire}:any") as raised:
            Desk(tmp_path, graph).begin(mail_of("Which one?"))

    assert "base_url" in (raised.value.hint or "")


@pytest.mark.parametrize("after", [30, 200])
def test_a_stream_that_breaks_is_begun_anew_and_its_pieces_are_not_kept(served, mail_of, after):
    with served(None, Cut(DRAFT, after), DRAFT) as (desk, server):
        for _ in desk.graph.stream({"thread": "mail-1", "mail": mail_of("Which one?")}, thread_id="mail-1", stream_mode="messages"):
            pass

        saved = desk.graph.get_state(thread_id="mail-1")
        assert len(server.requests) == 3
        assert all(received.body.get("stream") for received in server.requests)
        (message,) = saved.values["messages"]
        assert [call["args"]["content"] for call in message.tool_calls] == [MAIL["content"]]
        assert len(saved.interrupts) == 1


@pytest.mark.parametrize("status, error", [(401, ModelAuthenticationError), (403, ModelAuthenticationError), (400, ModelRequestError)])
def test_a_request_that_is_refused_is_sent_once(served, mail_of, status, error):
    with served(Failure(status, "No."), None, DRAFT) as (desk, server):
        with pytest.raises(error):
            desk.begin(mail_of("Which one?"))
        assert len(server.requests) == 1

        assert actions(desk.graph.invoke(None, thread_id="mail-1")) == ["write_email"]


def test_a_decision_that_is_none_is_asked_for_again_and_never_guessed(served, mail_of):
    nonsense = [Reply("I would rather not say."), Reply('{"label": "delete", "reason": "x"}'), Reply("")]
    with served(*nonsense, None, DRAFT) as (desk, server):
        result = desk.begin(mail_of("Which one?"))

        assert actions(result) == ["write_email"]
        assert result["triage"].label == "respond"
        assert len(server.requests) == 5


def test_a_model_that_only_talks_is_told_twice_and_the_mail_is_left_to_the_human(served, mail_of):
    with served(None, *[Reply("Dear Ada, I have sent it.")] * 3) as (desk, server):
        result = desk.begin(mail_of("Which one?"))

        assert result["outcome"] == "left to you: the model wrote text and called no tool"
        assert len(server.requests) == 4
        assert [request.refusal for request in server.requests] == [None] * 4
        assert desk.mails == []


def test_a_model_that_declines_sends_nothing(served, mail_of):
    with served(None, *[Reply("I cannot help with that.", stop="refusal")] * 4) as (desk, _):
        try:
            outcome = desk.begin(mail_of("Which one?"))["outcome"]
        except ModelError as error:
            outcome = str(error)

        assert "left to you" in outcome or "declined" in outcome
        assert desk.mails == []


BAD_CALLS: dict[str, dict[str, Any]] = {
    "unknown tool": {"name": "delete_everything", "args": {}},
    "missing arguments": {"name": "write_email", "args": {"to": "ada@example.com"}},
    "arguments that break off": {"name": "write_email", "args": '{"to": "ada@example.com", "content": "Dear A'},
    "arguments that are no object": {"name": "write_email", "args": '["ada@example.com"]'},
    "an address that is none": {"name": "write_email", "args": MAIL | {"to": "nobody"}},
    "a header that is forged": {"name": "write_email", "args": MAIL | {"subject": "Hello\nBcc: eve@example.net"}},
    "an argument too many": {"name": "write_email", "args": MAIL | {"bcc": "eve@example.net"}},
}


@pytest.mark.parametrize("name", BAD_CALLS)
def test_a_call_that_cannot_run_is_told_to_the_model_and_asked_of_nobody(served, mail_of, name):
    broken = Reply(tool_calls=[BAD_CALLS[name]], stop="max_tokens" if name == "arguments that break off" else None)
    with served(None, broken, DRAFT) as (desk, server):
        result = desk.begin(mail_of("Which one?"))

        assert actions(result) == ["write_email"]
        told = server.requests[-1].turns[-1]
        assert told.role == "tool"
        assert told.text.startswith(("Error: ", "The call was not run. "))
        assert [request.refusal for request in server.requests] == [None] * 3
        assert desk.mails == []


def test_a_model_that_never_ends_is_stopped(served, mail_of):
    with served(None, *[Reply(tool_calls=[{"name": "nonsense", "args": {}}])] * 50) as (desk, server):
        result = desk.begin(mail_of("Which one?"))

        assert result["outcome"] == f"left to you: {MOST_DRAFTS} proposals, and no end"
        assert len(server.requests) == MOST_DRAFTS + 1


def test_re_drafts_end_and_the_last_draft_can_still_be_sent(served, mail_of):
    with served(None, *[DRAFT] * 9) as (desk, _):
        desk.begin(mail_of("Which one?"))
        for _ in range(3):
            result = desk.answer([{"type": "response", "args": "again"}])
        assert result["__interrupt__"][0].value[0]["config"]["allow_respond"] is False
        with pytest.raises(InvalidAnswerError):
            desk.answer([{"type": "response", "args": "again"}])
        assert desk.mails == []

        desk.answer([{"type": "accept", "args": None}])

        assert len(desk.mails) == 1


@pytest.mark.parametrize(
    "answer",
    [
        "yes",
        "",
        [],
        [{}],
        {"type": "approve"},
        [{"type": "accept"}, {"type": "accept"}],
        {"type": "edit", "args": MAIL | {"bcc": "x@example.net"}},
        7,
        None,
    ],
    ids=str,
)
def test_an_answer_of_the_wrong_form_asks_no_model_and_leaves_the_question(served, mail_of, answer):
    with served(None, DRAFT, DONE) as (desk, server):
        desk.begin(mail_of("Which one?"))
        with pytest.raises(InvalidAnswerError):
            desk.answer(answer)
        assert len(server.requests) == 2
        assert desk.mails == []

        result = desk.answer('[{"type": "accept", "args": null}]')

        assert result["outcome"] == "done"
        assert len(desk.mails) == 1
