"""The desk over a compiled graph: its threads, its questions, its answers.

What the saved state looks like is known to `saved.py` and nowhere else in this package.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, cast

from examples.email_assistant.errors import AssistantError
from examples.email_assistant.inbox.port import (
    ActionRequest,
    AllowedAnswers,
    Answer,
    Arguments,
    Given,
    Original,
    Refused,
    Request,
    Said,
    Waiting,
    allowed_words,
    refusal,
)
from examples.email_assistant.inbox.recipients import strangers
from examples.email_assistant.inbox.saved import conversation_of, files_of, mail_of, outcome_of, redrafts_of
from graphkit import Command
from graphkit.errors import GraphkitError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from examples.email_assistant.inbox.port import AnswerType
    from graphkit import CompiledGraph
    from graphkit.storage import Page, PendingInterrupt

PAGE = 200
ID = re.compile(r"[0-9a-f]{32}")
SAVED = "Your answer is saved; run the assistant again and it goes on from there."
LOOK_AGAIN = "Look at the list again; nothing was given."


class Questions(Protocol):
    """The part of a saver the desk reads."""

    def pending_interrupts(self, *, thread_id: str | None = None, limit: int = 50, cursor: str | None = None) -> Page[PendingInterrupt]:
        """Return a page of unanswered questions, oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class GraphDesk:
    """A desk whose assistant is a graph with a checkpointer.

    Args:
        graph: The compiled graph; its threads ask in the form of review screens for LangGraph.
        saver: The checkpointer it was compiled with.
        model: The name stored with each run and shown on the screen.
        understand: Raises AssistantError or GraphkitError when an answer does not fit a question; called before anything is given.
            Without it the graph judges alone, and asks again when it refuses.
    """

    graph: CompiledGraph
    saver: Questions
    model: str
    understand: Callable[[object, Request], object] = lambda _answer, _request: None
    _known: dict[str, Waiting] = field(default_factory=dict)

    def waiting(self) -> tuple[Waiting, ...]:
        """Return what waits in all threads, oldest first. One that cannot be read is in the list too, and takes no answer."""
        found = [self._read(pending) for pending in self._pending()]
        ids = {question.interrupt_id for question in found}
        for answered in [known for known in self._known if known not in ids]:
            self._known.pop(answered, None)
        return tuple(found)

    def original(self, thread: str) -> Original:
        """Return the mail of a thread."""
        return mail_of(self._values(thread))

    def conversation(self, thread: str) -> tuple[Said, ...]:
        """Return what was said in a thread so far, oldest first."""
        return conversation_of(self._values(thread))

    def outsiders(self, thread: str, args: Arguments) -> tuple[str, ...]:
        """Return the recipients among arguments that are not part of the conversation."""
        return strangers(args, self.original(thread))

    def objection(self, question: Waiting, answer: Answer) -> Refused | None:
        """Tell why an answer cannot be given, None when it can."""
        if answer["type"] not in question.allowed:
            message = f"{answer['type']!r} is no answer to {question.action} here."
            return Refused("invalid-reply", message, f"Possible: {allowed_words(question.allowed)}.", is_pending=True)
        try:
            self.understand([answer], _request(question))
        except (AssistantError, GraphkitError) as error:
            return refusal(error, is_pending=True)
        return None

    def answer(self, thread: str, interrupt_id: str, answer: Answer) -> Given | Refused:
        """Give an answer and run the thread to its next question or its end."""
        try:
            question = self._question(thread, interrupt_id)
            # The graph would take a mapping without a proper id for the answer itself.
            if question is None and not ID.fullmatch(interrupt_id):
                return Refused("unknown-interrupt", f"Thread {thread!r} never asked {interrupt_id!r}.", LOOK_AGAIN, is_pending=False)
            if question is not None and (refused := self.objection(question, answer)):
                return refused
            before = files_of(self._values(thread))
            self.graph.invoke(Command(resume={interrupt_id: [answer]}), {"metadata": {"model": self.model}}, thread_id=thread)
            return self._given(thread, before)
        # Whatever a node or a tool raised: the person has to be told, and whether the question still waits.
        except Exception as error:  # noqa: BLE001
            return self._failed(thread, interrupt_id, error)

    def _given(self, thread: str, before: frozenset[str]) -> Given:
        values = self._values(thread)
        following = tuple(self._read(pending) for pending in self._pending(thread))
        return Given(tuple(sorted(files_of(values) - before)), outcome_of(values), following)

    def _failed(self, thread: str, interrupt_id: str, error: Exception) -> Refused:
        is_pending = self._is_pending(thread, interrupt_id)
        refused = refusal(error, is_pending=is_pending)
        if isinstance(error, GraphkitError) and error.code in {"interrupt-already-answered", "unknown-interrupt", "nothing-to-resume"}:
            return Refused(refused.code, refused.message, refused.hint or LOOK_AGAIN, is_pending=False)
        return refused if is_pending else Refused(refused.code, refused.message, f"{refused.hint} {SAVED}".strip(), is_pending)

    def _is_pending(self, thread: str, interrupt_id: str) -> bool:
        try:
            return any(pending.interrupt.id == interrupt_id for pending in self._pending(thread))
        except GraphkitError:
            # When the database is gone, an answer that was not acknowledged counts as not given; giving it twice is refused.
            return True

    def _question(self, thread: str, interrupt_id: str) -> Waiting | None:
        return next((self._read(pending) for pending in self._pending(thread) if pending.interrupt.id == interrupt_id), None)

    def _pending(self, thread: str | None = None) -> Iterator[PendingInterrupt]:
        cursor: str | None = None
        while True:
            page = self.saver.pending_interrupts(thread_id=thread, limit=PAGE, cursor=cursor)
            yield from page.items
            cursor = page.cursor
            if cursor is None:
                return

    def _read(self, pending: PendingInterrupt) -> Waiting:
        """Read a question once; it never changes."""
        known = self._known.get(pending.interrupt.id)
        if known is None:
            try:
                known = self._first_read(pending)
            except (GraphkitError, KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
                return _unreadable(pending, error)
            self._known[known.interrupt_id] = known
        return known

    def _first_read(self, pending: PendingInterrupt) -> Waiting:
        [request] = cast("list[Mapping[str, Mapping[str, object]]]", pending.interrupt.value)
        values = self._values(pending.thread_id)
        mail = mail_of(values)
        args = cast("Arguments", dict(cast("Arguments", request["action_request"]["args"])))
        return Waiting(
            thread=pending.thread_id,
            interrupt_id=pending.interrupt.id,
            action=str(request["action_request"]["action"]),
            args=args,
            allowed=frozenset(answer for answer, name in ALLOWED.items() if request["config"].get(name)),
            description=str(request["description"]),
            subject=mail.subject,
            sender=mail.sender,
            since=datetime.fromtimestamp(pending.created_at, UTC),
            redrafts=redrafts_of(values),
            outsiders=strangers(args, mail),
        )

    def _values(self, thread: str) -> Mapping[str, object]:
        return cast("Mapping[str, object]", self.graph.get_state(thread_id=thread).values)


ALLOWED: Mapping[AnswerType, str] = {
    "accept": "allow_accept",
    "edit": "allow_edit",
    "response": "allow_respond",
    "ignore": "allow_ignore",
}


def _unreadable(pending: PendingInterrupt, error: Exception) -> Waiting:
    return Waiting(
        thread=pending.thread_id,
        interrupt_id=pending.interrupt.id,
        action="unreadable",
        args={},
        allowed=frozenset(),
        description=f"**This question cannot be read here:** {type(error).__name__}: {error}",
        subject="(a question that cannot be read)",
        sender=pending.thread_id,
        since=datetime.fromtimestamp(pending.created_at, UTC),
    )


def _request(question: Waiting) -> Request:
    return Request(
        action_request=ActionRequest(action=question.action, args=question.args),
        config=AllowedAnswers(
            allow_ignore="ignore" in question.allowed,
            allow_respond="response" in question.allowed,
            allow_edit="edit" in question.allowed,
            allow_accept="accept" in question.allowed,
        ),
        description=question.description,
    )
