"""The checkpointer under test, called through its sync or its async methods; checks do not see which."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from graphkit.core.checkpoint import Checkpoint, Trigger
from graphkit.core.command import Interrupt
from graphkit.core.delta import diff
from graphkit.core.effects import Commit, Entry, History
from graphkit.core.ids import checkpoint_id, derive
from graphkit.core.record import replace
from graphkit.core.task import Question

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import Self

    from graphkit.core.checkpoint import Source
    from graphkit.core.effects import Saved, Status
    from graphkit.storage import Checkpointer, CheckpointTuple, Hold
    from graphkit.testing.clock import Clock

Mode = Literal["sync", "async"]


class Subject:
    """A new, empty checkpointer for the length of a with block.

    Args:
        make: Makes it.
        clock: What it reads the time from.
        mode: Through which methods it is called.
    """

    def __init__(self, make: Callable[[Clock], Checkpointer], clock: Clock, mode: Mode) -> None:
        self._runner = asyncio.Runner() if mode == "async" else None
        self.clock = clock
        self.saver = make(clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.call(self.saver, "close")
        if self._runner is not None:
            self._runner.close()

    def call(self, owner: object, method: str, *args: object, **options: object) -> Any:  # noqa: ANN401 - as the method returns
        """Call a method, or its twin whose name begins with ``a``, and return the result."""
        if self._runner is None:
            return getattr(owner, method)(*args, **options)

        async def twin() -> Any:  # noqa: ANN401 - as above
            return await getattr(owner, f"a{method}")(*args, **options)

        return self._runner.run(twin())

    def listed(self, config: object = None, **options: object) -> list[CheckpointTuple]:
        """Return all that ``list`` yields."""
        if self._runner is None:
            return list(self.saver.list(config, **options))  # type: ignore[arg-type]

        async def twin() -> list[CheckpointTuple]:
            return [item async for item in self.saver.alist(config, **options)]  # type: ignore[arg-type]

        return self._runner.run(twin())

    def load(self, thread_id: str, namespace: str = "", checkpoint_id: str | None = None) -> Saved | None:
        """Load through a new hold."""
        saved: Saved | None = self.call(self.saver.hold(thread_id), "load", namespace, checkpoint_id)
        return saved

    def loaded(self, thread_id: str, namespace: str = "", checkpoint_id: str | None = None) -> Saved:
        """Load what has to be there."""
        saved = self.load(thread_id, namespace, checkpoint_id)
        assert saved is not None, f"thread {thread_id!r} has nothing in namespace {namespace!r}"
        return saved

    def history(self, thread_id: str, namespace: str = "", **query: Any) -> list[Saved]:  # noqa: ANN401 - History's fields
        """Read the history through a new hold."""
        found: list[Saved] = self.call(self.saver.hold(thread_id), "history", namespace, History(**query))
        return found

    def writer(self, thread_id: str) -> Writer:
        """Return a new run on a thread, which has loaded the root namespace."""
        hold = self.saver.hold(thread_id)
        return Writer(self, hold, self.call(hold, "load", ""))

    def thread(self, thread_id: str, *states: Mapping[str, object], status: Status = "idle") -> Writer:
        """Write a thread with one checkpoint for each state; return the run that wrote it, which is over."""
        run = self.writer(thread_id)
        for number, state in enumerate(states):
            run.step(state, claim=number == 0, release=status if number == len(states) - 1 else None)
        return run


class Writer:
    """A run that writes one checkpoint after the other, as the drivers do."""

    def __init__(self, subject: Subject, hold: Hold, saved: Saved | None) -> None:
        self._subject = subject
        self.hold = hold
        self.last: dict[str, Checkpoint] = {} if saved is None else {"": saved.checkpoint}
        self.heads: dict[str, int] = {} if saved is None else {"": saved.head}

    def next(self, values: Mapping[str, object], namespace: str = "", **changes: Any) -> Checkpoint:  # noqa: ANN401 - Checkpoint's fields
        """Return a checkpoint after the last one of a namespace; it is not written."""
        last = self.last.get(namespace)
        n = self.heads.get(namespace, -1) + 1
        source: Source = "input" if last is None else "loop"
        parent = last.id if last is not None else None
        made = Checkpoint(checkpoint_id(n, derive(self.hold.token)[:12]), n, n - 1, source, parent, values, (Trigger("node"),), origin=n)
        return replace(made, **changes)

    def step(self, values: Mapping[str, object], namespace: str = "", **options: Any) -> Checkpoint:  # noqa: ANN401 - Commit's fields
        """Write a checkpoint with these values; options are fields of Commit, and ``metadata``."""
        entry = self.entry(self.next(values, namespace), namespace, options.pop("metadata", {}))
        self.commit(Commit((entry,), **options), namespace)
        return entry.checkpoint

    def entry(self, checkpoint: Checkpoint, namespace: str = "", metadata: Mapping[str, object] | None = None) -> Entry:
        """Return the entry of a checkpoint, with deltas against the last one if that is its parent."""
        last = self.last.get(namespace)
        fits = last is not None and last.id == checkpoint.parent
        deltas = diff(last.values, checkpoint.values, {*last.values, *checkpoint.values}) if last is not None and fits else None
        return Entry(checkpoint, deltas, metadata or {})

    def commit(self, commit: Commit, namespace: str = "") -> None:
        """Prepare and write a commit."""
        self._subject.call(self.hold, "write", self.hold.prepare(namespace, commit))
        for entry in commit.entries:
            self.last[namespace] = entry.checkpoint
            self.heads[namespace] = entry.checkpoint.n

    def release(self, status: Status) -> None:
        """Give the thread back."""
        self._subject.call(self.hold, "release", status)


@dataclass(frozen=True, slots=True)
class Refused:
    """An error that was raised as expected."""

    error: Exception


def refuses(kind: type[Exception], call: Callable[..., object], *args: object, **options: object) -> Refused:
    """Check that a call raises an error of a kind; return it."""
    try:
        result = call(*args, **options)
    except kind as error:
        return Refused(error)
    raise AssertionError(f"expected {kind.__name__}, but got {result!r:.200}")


def question(name: str, value: object = "Go on?", namespace: str = "", **options: Any) -> Question:  # noqa: ANN401 - Interrupt's fields
    """Return a question of a task; its id and its task's are derived from the name."""
    return Question(Interrupt(value, derive("question", name), **options), "#0", derive(value), namespace, (derive("task", name),))


def config(thread_id: object, **configurable: object) -> dict[str, Any]:
    """Return a config."""
    return {"configurable": {"thread_id": thread_id, **configurable}}
