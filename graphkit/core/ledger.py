"""What is stored of a run and what has to be: turns decisions into Commits. Pure, but it keeps count.

One ledger serves one run. It knows the durability, whether the thread is already claimed and the last stored
checkpoint, so that the engine can say what happened and yield what comes back: a Commit, or None for nothing to write.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkit.core.effects import Commit, Filed
from graphkit.core.entry import entry
from graphkit.core.record import record, replace
from graphkit.core.task import Escaped, Interrupted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from graphkit.core.checkpoint import Checkpoint
    from graphkit.core.effects import Entry, Saved, Status
    from graphkit.core.graph import GraphSpec
    from graphkit.core.request import Request
    from graphkit.core.task import Outcome, Question, Task
    from graphkit.core.turn import Opening


@record
class Stop:
    """Why and how a run ends at a checkpoint.

    Args:
        status: What the thread is afterwards.
        limit: Whether the superstep limit is the reason.
    """

    status: Status
    limit: bool = False


class Ledger:
    """The bookkeeping of one run."""

    __slots__ = (
        "_all_keys",
        "_behind",
        "_claimed",
        "_moot",
        "_own",
        "_request",
        "_sparse",
        "_spec",
        "_stored",
        "_unsaved",
        "eager",
        "saves",
    )

    def __init__(self, spec: GraphSpec, request: Request) -> None:
        self._spec = spec
        self._request = request
        self._own = not request.path
        self._claimed = not self._own
        self._stored: Checkpoint | None = None
        self._all_keys = False
        self._unsaved: tuple[Checkpoint, ...] = ()
        self._behind: dict[Task, Outcome] = {}
        self._moot: tuple[str, ...] = ()
        self.saves = request.durability is not None
        self._sparse = request.durability == "exit"
        self.eager = self.saves and not self._sparse

    @property
    def patient(self) -> bool:
        """Whether nothing is written before the end of the run."""
        return self.saves and not self.eager

    def open(self, opening: Opening, stop: Stop | None, saved: Saved | None) -> Commit | None:
        """Return the first commit: the claim together with input, answers and cancellations.

        ``stop``, here and below, says how the run ends if it ends with this commit.
        """
        self._stored = opening.before
        if saved is not None and opening.before is not None and opening.before.id == saved.checkpoint.id:
            # What is stored may lack keys the graph has got since, so the first entry is compared with what is stored.
            self._stored, self._all_keys = saved.checkpoint, True
        if not self.saves or not (opening.made or stop is None or opening.resolved.answers):
            return None
        self._made(opening.made)
        asked = tuple([(asked.question, asked.n) for asked in opening.resolved.asked])
        return self._commit(stop, self._entries(stop), (), asked, opening)

    def step(self, checkpoint: Checkpoint, keys: Iterable[str], stop: Stop | None) -> Commit | None:
        """Return the commit of a superstep that changed ``keys`` at most."""
        if not self.saves:
            return None
        if self._behind:
            self._behind = {}
        if not self.eager:
            self._made((checkpoint,))
            return None if stop is None else self._commit(stop, self._entries(stop))
        return self._commit(stop, (self._entry(checkpoint, keys),))

    def file(self, outcomes: Mapping[Task, Outcome], stop: Stop | None) -> Commit | None:
        """Return the commit of outcomes of a superstep that is not over."""
        if not self.saves:
            return None
        new = {task: outcome for task, outcome in outcomes.items() if not isinstance(outcome, Escaped)}
        self._behind = {**self._behind, **new}
        if stop is None and not self.eager:
            return None
        ended, self._behind = self._behind, {}
        filed = tuple([Filed(task.id, task.checkpoint.n, outcome) for task, outcome in ended.items()])
        asked = tuple([(question, task.checkpoint.n) for task, outcome in ended.items() for question in _own_questions(task, outcome)])
        return self._commit(stop, self._entries(stop), filed, asked)

    def cancel(self, questions: Iterable[str]) -> None:
        """Let the next commit end questions whose task has finished without their answers."""
        self._moot = (*self._moot, *questions)

    def mark(self) -> tuple[object, ...]:
        """Return what ``reset`` needs to forget a commit that failed before anything was written."""
        return (self._stored, self._unsaved, self._behind, self._moot)

    def reset(self, mark: tuple[object, ...]) -> None:
        """Go back to where ``mark`` was called."""
        self._stored, self._unsaved, self._behind, self._moot = mark  # type: ignore[assignment]

    def hurry(self) -> Mapping[Task, Outcome]:
        """Write at once from now on, whatever the durability; return the outcomes that were held back until the end."""
        self.eager = True
        behind, self._behind = self._behind, {}
        return behind

    def _commit(
        self,
        stop: Stop | None,
        entries: tuple[Entry, ...] = (),
        outcomes: tuple[Filed, ...] = (),
        asked: tuple[tuple[Question, int], ...] = (),
        opening: Opening | None = None,
    ) -> Commit | None:
        claim, self._claimed = not self._claimed, True
        release = stop.status if stop is not None and self._own else None
        wait = self._request.durability == "sync" or stop is not None or opening is not None
        answers = opening.resolved.answers if opening is not None else ()
        cancelled = opening.cancelled if opening is not None else ()
        if self._moot:
            cancelled, self._moot = (*cancelled, *self._moot), ()
        if not (claim or release or entries or outcomes or asked or answers or cancelled):
            return None
        # An input is acknowledged by the first commit that has a result of it, and not before. An answer is different: a
        # node may act on it, and nobody may be able to say afterwards that it was never given.
        durable = opening is None or stop is not None or bool(answers)
        return Commit(entries, outcomes, asked, answers, cancelled, (), claim, release, wait, durable)

    def _made(self, made: tuple[Checkpoint, ...]) -> None:
        """Note new checkpoints; without eager commits only the last one will ever be written."""
        self._unsaved = (*self._unsaved, *made) if self.eager else made[-1:] or self._unsaved

    def _entries(self, stop: Stop | None) -> tuple[Entry, ...]:
        if not self.eager and stop is None:
            return ()
        entries = []
        for made in self._unsaved:
            checkpoint = made if not self._sparse else replace(made, parent=self._stored.id if self._stored is not None else None)
            keys = checkpoint.values if self._stored is None else self._stored.values.keys() | checkpoint.values.keys()
            entries.append(self._entry(checkpoint, keys))
        self._unsaved = ()
        return tuple(entries)

    def _entry(self, checkpoint: Checkpoint, keys: Iterable[str]) -> Entry:
        if self._all_keys and self._stored is not None:
            keys = [key for key in self._stored.values.keys() | checkpoint.values.keys() if key in self._spec.channels]
            self._all_keys = False
        made = entry(self._stored, checkpoint, keys, self._spec.untracked, self._request.metadata)
        self._stored = checkpoint
        return made


def outcome_commit(task: Task, outcome: Outcome) -> Commit:
    """Return the commit that files one outcome with its questions."""
    n = task.checkpoint.n
    return Commit((), (Filed(task.id, n, outcome),), tuple([(question, n) for question in _own_questions(task, outcome)]))


def _own_questions(task: Task, outcome: Outcome) -> list[Question]:
    """Questions the task itself asks; a subgraph has stored its own."""
    return [question for question in outcome.questions if question.task_id == task.id] if isinstance(outcome, Interrupted) else []
