"""The second question to an assistant: does it do the right things, and only after it was told to?

The human of an evaluation is written down in the case, so that a run needs nobody: they accept every proposal, which is the hardest test of
what is proposed, answer a question with what they know, and have a gap in a draft filled once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from examples.email_assistant.evaluation.checks import PROMISES, Check, check
from examples.email_assistant.evaluation.drafts import gaps
from examples.email_assistant.evaluation.trajectory import Answered, Asked, Trajectory

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from examples.email_assistant.evaluation.case import Case
    from examples.email_assistant.evaluation.judge import Judge
    from examples.email_assistant.evaluation.trajectory import Event

MOST_ANSWERS = 12
SWITCHES = {"allow_accept": "accept", "allow_edit": "edit", "allow_ignore": "ignore", "allow_respond": "response"}
CRASHED = "did not break"


@dataclass(frozen=True, slots=True)
class Question:
    """What a human is asked.

    Args:
        id: Whatever identifies the question for its desk.
        call: The call it is about; empty when it is about the mail as such.
        action: The tool of the call, or a word of your own for the mail as such.
        args: The arguments of the call.
        allowed: The types of answer that are allowed: ``accept``, ``edit``, ``ignore``, ``response``.
    """

    id: str
    call: str
    action: str
    args: Mapping[str, object]
    allowed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the human says; ``text`` are the words of a response."""

    type: Literal["accept", "ignore", "response"]
    text: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """What happened until an assistant stopped, without what is asked and answered, and the questions that are open now."""

    events: tuple[Event, ...]
    questions: tuple[Question, ...] = ()


class Desk(Protocol):
    """An assistant that works on one mail and stops when it needs a human. Make a new one for each case."""

    def begin(self, case: Case) -> Progress:
        """Work on the mail of a case until the first question or the end."""
        ...

    def answer(self, question: Question, answer: Answer) -> Progress:
        """Give an answer and work on until the next question or the end; the events are only those since the last call."""
        ...


@runtime_checkable
class Worker(Protocol):
    """Anything that works on mail."""

    @property
    def name(self) -> str:
        """The name to stand in the report."""
        ...

    def run(self, case: Case) -> Trajectory:
        """Work on one mail to its end. An exception is counted as a failed check and the evaluation goes on."""
        ...


@dataclass(frozen=True, slots=True)
class Run:
    """The checks of one run."""

    id: str
    half: str
    kinds: tuple[str, ...]
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(one.passed for one in self.checks)

    @property
    def broken_promises(self) -> tuple[Check, ...]:
        """The failed checks that no run may fail, whatever its quality."""
        return tuple(one for one in self.checks if one.name in PROMISES and not one.passed)


@dataclass(frozen=True, slots=True)
class Working:
    """All runs of one worker."""

    runs: tuple[Run, ...]

    @property
    def passed(self) -> int:
        """In how many runs every check passed."""
        return sum(one.passed for one in self.runs)

    @property
    def broken_promises(self) -> tuple[tuple[str, Check], ...]:
        """The promises that were broken, with the case."""
        return tuple((run.id, one) for run in self.runs for one in run.broken_promises)

    @property
    def by_check(self) -> dict[str, tuple[int, int]]:
        """For each check how often it passed and how often it was made, in the order of their first appearance."""
        found: dict[str, tuple[int, int]] = {}
        for one in (one for run in self.runs for one in run.checks):
            passed, made = found.get(one.name, (0, 0))
            found[one.name] = (passed + one.passed, made + 1)
        return found

    def of(self, half: str) -> Working:
        """Return the runs of one half."""
        return Working(tuple(one for one in self.runs if one.half == half))


def question_of(identity: str, call: str, request: Mapping[str, object]) -> Question:
    """Return a question in the form of Agent Inbox as a `Question`.

    Args:
        identity: The id of the interrupt.
        call: The call it is about; empty when it is about the mail as such.
        request: One entry of the interrupt's value: ``action_request`` with ``action`` and ``args``, ``config`` with ``allow_...``.

    Raises:
        KeyError: It has another form.
        TypeError: As KeyError.
    """
    action, config = _mapping(request["action_request"]), _mapping(request["config"])
    allowed = frozenset(answer for switch, answer in SWITCHES.items() if config.get(switch))
    return Question(identity, call, str(action["action"]), _mapping(action["args"]), allowed)


def work(cases: Iterable[Case], worker: Worker, judge: Judge | None = None) -> Working:
    """Run a worker over every case that expects something of a run, and check what it did.

    Args:
        cases: Cases without expectations are left out.
        worker: What is evaluated.
        judge: Asked about each mail that went out for a case with criteria; never called when None.
    """
    return Working(tuple(_run(case, worker, judge) for case in cases if case.expected is not None))


def work_through(case: Case, desk: Desk, limit: int = MOST_ANSWERS) -> Trajectory:
    """Work on one case with the human that is written down in it.

    Args:
        case: The mail and what its human says.
        desk: An assistant that has not begun yet.
        limit: How many answers are given at most; a run that asks on is not finished.
    """
    progress = desk.begin(case)
    events, has_told = list(progress.events), False
    for _ in range(limit):
        if not progress.questions:
            return Trajectory(tuple(events))
        question = progress.questions[0]
        answer = answer_of(case, question, has_told=has_told)
        has_told = has_told or answer.type == "response"
        events += [Asked(question.call, question.action), Answered(question.call, answer.type, answer.text)]
        progress = desk.answer(question, answer)
        events += progress.events
    return Trajectory(tuple(events), finished=not progress.questions)


def answer_of(case: Case, question: Question, *, has_told: bool) -> Answer:
    """Return what the human of a case says.

    Args:
        case: Its ``knows`` answers questions and gaps, its ``instruction`` a mail that is only shown.
        question: What is asked.
        has_told: Whether they have answered with words before; a gap that is still there then is accepted, and found by the checks.
    """
    words = (case.knows or case.instruction) if question.call else (case.instruction or case.knows)
    if "accept" not in question.allowed:
        return Answer("response", words) if words and "response" in question.allowed else Answer("ignore")
    has_gap = any(gaps(str(value)) for value in question.args.values())
    if has_gap and words and not has_told and "response" in question.allowed:
        return Answer("response", words)
    return Answer("accept")


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise TypeError(f"a question has {type(value).__name__} where it should have an object")
    return value


def _run(case: Case, worker: Worker, judge: Judge | None) -> Run:
    try:
        trajectory = worker.run(case)
    # As in sorting: what breaks on one mail has failed on that mail.
    except Exception as error:  # noqa: BLE001
        return Run(case.id, case.half, case.kinds, (Check(CRASHED, f"{type(error).__name__}: {error}"),))
    judged = _judged(case, trajectory, judge) if judge is not None else ()
    return Run(case.id, case.half, case.kinds, (*check(case, trajectory), *judged))


def _judged(case: Case, trajectory: Trajectory, judge: Judge) -> tuple[Check, ...]:
    if case.expected is None or not case.expected.criteria or not trajectory.sent:
        return ()
    verdict = judge.judge(case.expected.criteria, trajectory.sent[-1].fresh)
    return (Check("the judge agrees", "" if verdict.passed else verdict.why or "no reason given"),)
