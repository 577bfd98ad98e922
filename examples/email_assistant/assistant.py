"""Working through a mailbox: one thread per mail, begun, continued or left alone as its saved state says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypedDict, cast

from examples.email_assistant.errors import InvalidReplyError
from examples.email_assistant.mail.maildir import second_thread_id, thread_id
from examples.email_assistant.state import State
from graphkit import Command, ToolMessage
from graphkit.errors import InvalidAnswerError, ThreadNotFoundError

if TYPE_CHECKING:
    from examples.email_assistant.mail.message import Mail
    from graphkit import CompiledGraph, StateSnapshot
    from graphkit.agents import AnswerType, HumanInterrupt

Progress = Literal["finished", "waiting", "finished before", "duplicate"]
Arguments = dict[str, object]
COMPLAINT = "**Your last answer could not be used:**"
"""How a question begins that is asked again."""


class Answer(TypedDict):
    """An answer of a human: words for a response, arguments for an edit, nothing for the others."""

    type: AnswerType
    args: str | Arguments | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A pending question: about which mail, what, and how often a proposal was sent back before."""

    mail: Mail
    request: HumanInterrupt
    redrafts: int

    @property
    def action(self) -> str:
        """The tool or label it is about."""
        return self.request["action_request"]["action"]


class Human(Protocol):
    """Whoever answers: a person at a terminal, or a file of decisions."""

    def answer(self, asked: Asked) -> Answer | None:
        """Return an answer, or None to leave the question pending."""
        ...

    def refused(self, asked: Asked, error: InvalidReplyError) -> None:
        """Hear that the last answer was not taken; the question is put again, unless this raises."""
        ...


@dataclass(frozen=True, slots=True)
class Reply:
    """A question that was put and what was said; None when it was left pending."""

    asked: Asked
    answer: Answer | None


@dataclass(frozen=True, slots=True)
class Work:
    """What happened to one mail in this run; ``state`` is where its thread stands now."""

    mail: Mail
    thread: str
    progress: Progress
    state: State
    replies: tuple[Reply, ...] = ()


@dataclass(frozen=True, slots=True)
class Assistant:
    """Works on mail, one thread at a time.

    Args:
        graph: The compiled graph of `graph.py`, with a checkpointer.
        human: Answers what it asks.
        model: The name stored with each run.
    """

    graph: CompiledGraph
    human: Human
    model: str

    def work(self, mail: Mail, seen: set[str]) -> Work:
        """Bring the thread of a mail as far as it goes without an answer nobody gives.

        Args:
            mail: The mail.
            seen: Threads this run has worked on; this one is added.

        Raises:
            AssistantError: A tool could not reach its files, or what the human said cannot be used; running again goes on from there.
            GraphkitError: The database refused.
        """
        thread, saved = self._thread(mail)
        if thread in seen and saved is not None:
            return Work(mail, thread, "duplicate", _state(saved))
        seen.add(thread)
        if saved is None:
            self._run({"thread": thread, "mail": mail}, thread)
        elif not saved.next:
            return Work(mail, thread, "finished before", _state(saved))
        elif not saved.interrupts:
            # It was killed between two steps: what is saved is done, the rest is not.
            self._run(None, thread)
        return self._converse(mail, thread)

    def _converse(self, mail: Mail, thread: str) -> Work:
        replies: list[Reply] = []
        while True:
            saved = self.graph.get_state(thread_id=thread)
            if not saved.interrupts:
                return Work(mail, thread, "finished", _state(saved), tuple(replies))
            question = saved.interrupts[0]
            asked = Asked(mail, cast("list[HumanInterrupt]", question.value)[0], redrafts(_state(saved)))
            answer = self.human.answer(asked)
            replies.append(Reply(asked, answer))
            if answer is None:
                return Work(mail, thread, "waiting", _state(saved), tuple(replies))
            self._give(answer, asked, question.id, thread)

    def _give(self, answer: Answer, asked: Asked, question: str, thread: str) -> None:
        """Give an answer; one that is not taken leaves the question pending, or has it asked again with what was wrong."""
        try:
            self._run(Command(resume={question: [answer]}), thread)
        except InvalidAnswerError as error:
            self.human.refused(asked, InvalidReplyError(error.message, hint=error.hint or "Answer again."))
            return
        following = self.graph.get_state(thread_id=thread).interrupts
        description = cast("list[HumanInterrupt]", following[0].value)[0]["description"] if following else ""
        if description.startswith(COMPLAINT):
            complaint = description.removeprefix(COMPLAINT).partition("\n\n")[0].strip()
            self.human.refused(asked, InvalidReplyError(complaint, hint="The question is asked again."))

    def _run(self, request: object, thread: str) -> None:
        self.graph.invoke(request, {"metadata": {"model": self.model}}, thread_id=thread)

    def _thread(self, mail: Mail) -> tuple[str, StateSnapshot | None]:
        """Return the mail's thread; another mail with the same Message-ID has one of its own."""
        thread = thread_id(mail)
        saved = self._saved(thread)
        if saved is None or _state(saved)["mail"].digest == mail.digest:
            return thread, saved
        thread = second_thread_id(mail)
        return thread, self._saved(thread)

    def _saved(self, thread: str) -> StateSnapshot | None:
        try:
            return self.graph.get_state(thread_id=thread)
        except ThreadNotFoundError:
            return None


def redrafts(state: State) -> int:
    """Return how often a human sent a proposal back."""
    sent_back = [message for message in state.get("messages", []) if isinstance(message, ToolMessage) and message.name != "question"]
    return sum(message.additional_kwargs.get("review") == "response" for message in sent_back)


def _state(snapshot: StateSnapshot) -> State:
    return cast("State", snapshot.values)
