"""A world in memory for programs that are driven by hand: it answers every effect and writes down what was asked.

It keeps checkpoints as deltas and rebuilds values from them, so each program it plays also proves its deltas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from graphkit.core.command import MISSING
from graphkit.core.delta import replay
from graphkit.core.effects import Asked, CheckAnswers, Commit, Emit, History, Load, Rehearse, Run, Saved, Start, Wait
from graphkit.core.engine import run
from graphkit.core.record import replace
from graphkit.core.request import NewTurn
from graphkit.core.task import task_id
from graphkit.errors import InterruptAlreadyAnsweredError, UnknownInterruptError
from tests.unit.core.graphs import request
from tests.unit.core.transcript import Names, shown, shown_end

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphkit.core.checkpoint import Checkpoint
    from graphkit.core.effects import Effect, Entry, Filed, Memo, Program
    from graphkit.core.events import Event
    from graphkit.core.graph import GraphSpec
    from graphkit.core.request import Durability, Finished, Input
    from graphkit.core.task import Outcome, Task

R = TypeVar("R")


class World:
    """The thread "t", in one namespace.

    Args:
        spec: The graph whose nodes are called.
        last_first: Whether the task that was started last ends first.
        saves: Whether there is a checkpointer, so that a node may only run on a claimed thread.
        refuse: Called with each commit before it is written; may raise.
    """

    def __init__(
        self, spec: GraphSpec, *, last_first: bool = False, saves: bool = True, refuse: Callable[[Commit], None] = lambda commit: None
    ) -> None:
        self.spec = spec
        self.saves = saves
        self.last_first = last_first
        self.refuse = refuse
        self.entries: dict[str, Entry] = {}
        self.filed: dict[str, Filed] = {}
        self.memos: list[Memo] = []
        self.questions: dict[str, Asked] = {}
        self.status: str | None = None
        self.held = False
        self.under_way: Exception | None = None
        self.queue: list[Task] = []
        self.running: list[Task] = []
        self.limit = 0
        self.called: list[str] = []
        self.events: list[Event] = []
        self.commits: list[Commit] = []
        self.lines: list[str] = []
        self.names = Names()

    def play(self, program: Program[R]) -> R:
        """Answer everything a program asks and return its result."""
        try:
            effect = next(program)
            while True:
                self._look_at(effect)
                self.lines.extend(shown(effect, self.names))
                try:
                    reply = self.answer(effect)
                except Exception as error:  # noqa: BLE001 - the program decides
                    self.lines.append(f"    refused: {type(error).__name__}")
                    effect = program.throw(error)
                else:
                    effect = program.send(reply)
        except StopIteration as end:
            self.lines.append(shown_end(end.value, self.names))
            result: R = end.value
            return result
        except BaseException as error:
            self.lines.append(f"Raise {type(error).__name__}: {str(error).partition(';')[0]}")
            raise

    def answer(self, effect: Effect) -> object:
        """Carry out one effect and return its reply."""
        match effect:
            case Load(None):
                return self.load(max(self.entries, default=None))
            case Load(name):
                return self.load(name)
            case History():
                return [self.load(name) for name in sorted(self.entries, reverse=True)][: effect.limit]
            case Commit():
                self._commit(effect)
            case Run(task):
                return self._call(task)
            case Start():
                self.queue, self.limit = list(effect.tasks), effect.limit or len(effect.tasks)
            case Wait():
                return self._wait(stop=effect.stop)
            case Emit():
                self.events.append(effect.event)
            case Rehearse(commit):
                self.refuse(commit)
            case CheckAnswers():
                pass
            case _:
                raise AssertionError(effect)
        return None

    def load(self, name: str | None) -> Saved | None:
        """Return what is known of a checkpoint."""
        if name is None or name not in self.entries:
            return None
        entry = self.entries[name]
        checkpoint = replace(entry.checkpoint, values=self.values(name))
        step = range(checkpoint.origin, checkpoint.n + 1)
        memos: dict[str, dict[str, object]] = {}
        for memo in self.memos:
            if memo.n in step:
                memos.setdefault(memo.task_id, {})[memo.key] = memo.value
        return Saved(
            checkpoint,
            max([other.checkpoint.n for other in self.entries.values()]),
            {filed.task_id: filed.outcome for filed in self.filed.values() if filed.n in step},
            memos,
            tuple([asked for asked in self.questions.values() if asked.status == "pending" or asked.n in step]),
            entry.metadata,
            0.0,
        )

    def values(self, name: str) -> dict[str, object]:
        """Return the values of a checkpoint, rebuilt from deltas."""
        entry = self.entries[name]
        if entry.deltas is None:
            return dict(entry.checkpoint.values)
        assert entry.checkpoint.parent is not None
        values = self.values(entry.checkpoint.parent)
        replay(values, entry.deltas)
        return values

    @property
    def checkpoints(self) -> list[Checkpoint]:
        """Every checkpoint, oldest first."""
        return [self.entries[name].checkpoint for name in sorted(self.entries)]

    @property
    def pending(self) -> list[str]:
        """Ids of the questions that wait for an answer."""
        return [name for name, asked in self.questions.items() if asked.status == "pending"]

    def _look_at(self, effect: Effect) -> None:
        if isinstance(effect, Run | Start):
            for task in (effect.task,) if isinstance(effect, Run) else effect.tasks:
                self.names[task.id] = task.node
        if isinstance(effect, Commit):
            for entry in effect.entries:
                self._name(entry.checkpoint)
            for question, _ in effect.asked:
                self.names[question.interrupt.id] = self.names[question.task_id]

    def _name(self, checkpoint: Checkpoint) -> None:
        for index, trigger in enumerate(checkpoint.frontier):
            self.names[task_id(checkpoint, "", index)] = trigger.node

    def _commit(self, commit: Commit) -> None:
        failure, self.under_way = self.under_way, None
        if failure is not None:
            raise failure
        try:
            self._require_pending(commit)
            self.refuse(commit)
        except Exception as error:
            if commit.wait:
                raise
            self.under_way = error
        else:
            self._write(commit)

    def _require_pending(self, commit: Commit) -> None:
        asked = {question.interrupt.id for question, _ in commit.asked}
        for name, _ in commit.answers:
            if name not in self.questions and name not in asked:
                raise UnknownInterruptError("Never asked.", interrupt_id=name)
            if name not in asked and self.questions[name].status != "pending":
                raise InterruptAlreadyAnsweredError("Answered already.", interrupt_id=name)

    def _write(self, commit: Commit) -> None:
        assert commit.claim is not self.held, "A run claims the thread once, with its first commit."
        self.commits.append(commit)
        self.held = commit.release is None
        self.status = commit.release
        for entry in commit.entries:
            assert entry.checkpoint.id not in self.entries
            self.entries[entry.checkpoint.id] = entry
            assert self.values(entry.checkpoint.id) == entry.checkpoint.values
        for filed in commit.outcomes:
            self.filed[filed.task_id] = filed
        self.memos.extend(commit.memos)
        for question, n in commit.asked:
            self.questions[question.interrupt.id] = Asked(question, n, "pending")
        for name, answer in commit.answers:
            self._settle(name, "answered", answer)
        for name in commit.cancelled:
            self._settle(name, "cancelled", None)

    def _settle(self, name: str, status: str, answer: object) -> None:
        assert self.questions[name].status == "pending"
        self.questions[name] = replace(self.questions[name], status=status, answer=answer)

    def _wait(self, *, stop: bool) -> list[tuple[Task, Outcome]]:
        if stop:
            self.queue.clear()
        while self.queue and len(self.running) < self.limit:
            self.running.append(self.queue.pop(0))
        if not self.running:
            return []
        task = self.running.pop(-1 if self.last_first else 0)
        return [(task, self._call(task))]

    def _call(self, task: Task) -> Outcome:
        edit = task.preset is not MISSING
        assert self.held or edit or not self.saves, "No node runs before the thread is claimed."
        self.called.append(task.node)
        action: Callable[[Task], Outcome] = self.spec.nodes[task.node].action  # type: ignore[assignment]
        return action(task)


def play(world: World, given: Input | None = None, token: str = "r1", durability: Durability | None = "sync", **more) -> Finished:
    """Make one run; without an input it goes on."""
    return world.play(run(world.spec, request(given, token, durability=durability, **more)))


def begin(world: World, **more) -> Finished:
    """Make a run that begins with ``{"log": ["in"]}``."""
    return play(world, NewTurn({"log": ["in"]}), **more)
