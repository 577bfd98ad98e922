"""The order of one run, written once, top to bottom.

Only this file decides what happens after what. It never waits, reads no clock, makes no random id and touches no
thread: it yields effects, and a driver carries them out. Rules that hold here:

1. Commit, then emit: nothing reaches the caller before it is durable (``durability="sync"``).
2. A superstep commits as one transaction: values, frontier, questions, consumed answers.
3. A filed outcome is never computed again.
4. The result of a superstep does not depend on the order in which its tasks finished.
5. The first commit claims the thread, the last one gives it back; nothing runs before the claim.
6. After a failed commit no further node starts: the error leaves through here.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from graphkit.core.apply import Stamp, apply
from graphkit.core.command import START
from graphkit.core.effects import CheckAnswers, Emit, Load, Rehearse, Run, Start, Wait
from graphkit.core.events import CheckpointMade, NodeFinished, Paused, TaskEnded, TaskStarted, ValuesChanged
from graphkit.core.failure import blamed, of_input, raised, unserializable
from graphkit.core.ledger import Ledger, Stop, outcome_commit
from graphkit.core.plan import pending_ids, plan, resumed, to_run
from graphkit.core.record import replace
from graphkit.core.request import Finished
from graphkit.core.resume import unknown
from graphkit.core.task import Done, Escaped, Failed, Interrupted
from graphkit.core.turn import adapted, blank, open_turn, settled_values
from graphkit.errors import CheckpointNotFoundError, GraphRecursionError, StateError, UnknownInterruptError, UnserializableValueError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping, Sequence
    from typing import TypeAlias

    from graphkit.core.checkpoint import Checkpoint
    from graphkit.core.effects import Commit, Effect, Program, Saved
    from graphkit.core.graph import GraphSpec
    from graphkit.core.request import Request
    from graphkit.core.task import Outcome, Question, Task

    Steps: TypeAlias = Generator[Effect, object, None]

IDLE = Stop("idle")

TRAIL = 8
"""How many of the last nodes a GraphRecursionError names."""


@dataclass(slots=True)
class Position:
    """Where a run stands: everything that changes while it goes on.

    Args:
        checkpoint: The last checkpoint.
        head: ``n`` of the newest checkpoint of the namespace.
        outcomes: What the tasks of the current superstep have come to, by place in the frontier.
        fresh: Those of them that are neither filed nor emitted yet.
        saved: The loaded checkpoint while its superstep goes on.
        answered: Answers given with this run's input, by interrupt id.
        steps: Supersteps made by this run.
        trail: The nodes that ran last.
    """

    checkpoint: Checkpoint
    head: int
    outcomes: dict[int, Outcome]
    saved: Saved | None
    answered: Mapping[str, object]
    fresh: dict[Task, Outcome] = field(default_factory=dict)
    steps: int = 0
    trail: deque[str] = field(default_factory=lambda: deque(maxlen=TRAIL))


def run(spec: GraphSpec, request: Request) -> Program[Finished]:
    """Run a graph until nothing is left to do, a question waits, a breakpoint stops it or something fails.

    Raises:
        RequestError: The input does not fit the thread; nothing has run.
        GraphRecursionError: ``request.recursion_limit`` supersteps were made and work is left; the state is saved.
        StorageError: A commit failed; no node has started since.
        BaseException: What a node raised, with the node's name in its notes.
    """
    ledger = Ledger(spec, request)
    at, tasks, stop = yield from _open(spec, request, ledger)
    while stop is None:
        yield from _execute(spec, request, ledger, at, tasks)
        if not _all_done(at, tasks):
            return (yield from _halt(spec, request, ledger, at, tasks))
        stop, error = yield from _advance(spec, request, ledger, at, tasks)
        if error is not None:
            yield from _assign(request, ledger, at, tasks, error)
            return (yield from _halt(spec, request, ledger, at, tasks))
        if stop is None:
            tasks = _tasks(spec, request, at)
    return (yield from _finish(spec, request, at, stop))


def load(checkpoint_id: str | None) -> Generator[Effect, object, Saved | None]:
    """Read one checkpoint; None reads the newest, and the result is None if there is none."""
    return cast("Saved | None", (yield Load(checkpoint_id)))


def _open(spec: GraphSpec, request: Request, ledger: Ledger) -> Generator[Effect, object, tuple[Position, Sequence[Task], Stop | None]]:
    """Load, decide how the run begins, check the answers, claim the thread and write what came in."""
    saved = yield from _load(spec, request)
    opening = open_turn(spec, request, adapted(spec, saved) if saved is not None else None)
    if opening.resolved.schemas:
        yield CheckAnswers(opening.resolved.schemas)
    head = opening.made[-1].n if opening.made else saved.head if saved is not None else -1
    at = Position(opening.checkpoint, head, dict(opening.outcomes), opening.saved, dict(opening.resolved.answers))
    tasks = _tasks(spec, request, at)
    stop = _stop(request, at.checkpoint, 0, goes_on=not opening.turn)
    if stop is None and at.outcomes and not _all_done(at, tasks) and not to_run(tasks, at.outcomes, _pending(at)):
        stop = Stop("interrupted")
    try:
        yield from _write(ledger.open(opening, stop, saved))
    except UnserializableValueError as error:
        raise of_input(error) from error
    except UnknownInterruptError as error:
        raise unknown(error, saved) from error
    if request.details:
        for made in opening.made:
            yield Emit(CheckpointMade(request.namespace, made, request.metadata))
    if request.events:
        yield from _emit_opening(spec, request, at)
    return at, tasks, stop


def _load(spec: GraphSpec, request: Request) -> Generator[Effect, object, Saved | None]:
    if request.durability is None or request.fresh:
        return None
    saved = yield from load(request.checkpoint_id)
    if saved is None and request.checkpoint_id is not None:
        raise CheckpointNotFoundError(
            f"Checkpoint {request.checkpoint_id!r} is not in the thread.",
            hint="Take the id from get_state_history().",
            checkpoint_id=request.checkpoint_id,
        )
    if saved is None or not request.path or saved.checkpoint.owner == request.owner or saved.checkpoint.id == request.base:
        return saved
    # A stateful subgraph goes on from where its parent last saw it; after a fork that is not its newest checkpoint.
    base = (yield from load(request.base)) if request.base else None
    return base or replace(saved, checkpoint=blank(spec), outcomes={}, memos={}, questions=())


def _tasks(spec: GraphSpec, request: Request, at: Position) -> Sequence[Task]:
    tasks = plan(spec, at.checkpoint, request.namespace, request.recursion_limit - at.steps - 1)
    return tasks if at.saved is None else resumed(tasks, at.saved, at.answered, at.outcomes)


def _execute(spec: GraphSpec, request: Request, ledger: Ledger, at: Position, tasks: Sequence[Task]) -> Steps:
    """Run the tasks that have not finished. One alone runs inline; several run side by side."""
    todo = to_run(tasks, at.outcomes, _pending(at)) if at.outcomes else tasks
    if request.details:
        for task in [task for task in todo if task.node != START]:
            yield Emit(TaskStarted(request.namespace, task, spec.nodes[task.node]))
    if len(todo) == 1:
        task = todo[0]
        at.outcomes[task.index] = at.fresh[task] = yield Run(task)  # type: ignore[assignment]
        if at.saved is not None:
            _release_questions(ledger, at, [task])
        if ledger.patient:
            yield from _rehearse(at, [task])
        return
    yield Start(todo, request.max_concurrency)
    left, stop = len(todo), False
    while left:
        batch = cast("list[tuple[Task, Outcome]]", (yield Wait(stop)))
        if not batch:
            return
        left -= len(batch)
        for task, outcome in batch:
            at.outcomes[task.index] = at.fresh[task] = outcome
            # After a failure no task is started; those that are running are awaited and kept.
            stop = stop or isinstance(outcome, Failed | Escaped)
        if at.saved is not None:
            _release_questions(ledger, at, [task for task, _ in batch])
        if ledger.patient:
            yield from _rehearse(at, [task for task, _ in batch])
        if left:
            yield from _file(request, ledger, at, None)
            stop = stop or any([isinstance(at.outcomes[task.index], Failed) for task, _ in batch])


def _release_questions(ledger: Ledger, at: Position, ended: Iterable[Task]) -> None:
    """A task that is done needs no answer any more, whatever it asked before."""
    pending = _pending(at)
    if pending and at.saved is not None:
        done = {task.id for task in ended if isinstance(at.outcomes[task.index], Done)}
        asked = [found.question for found in at.saved.questions if not done.isdisjoint(found.question.path)]
        ledger.cancel([question.interrupt.id for question in asked if question.interrupt.id in pending])


def _rehearse(at: Position, tasks: Iterable[Task]) -> Steps:
    """Nothing is written before the end: find now what could not be stored then, and fail its node."""
    for task in tasks:
        outcome = at.outcomes[task.index]
        if isinstance(outcome, Done | Interrupted):
            try:
                yield Rehearse(outcome_commit(task, outcome))
            except UnserializableValueError as error:
                at.outcomes[task.index] = at.fresh[task] = Failed.of(unserializable(error, task.node))


def _advance(
    spec: GraphSpec, request: Request, ledger: Ledger, at: Position, tasks: Sequence[Task]
) -> Generator[Effect, object, tuple[Stop | None, StateError | None]]:
    """Every task is done: make, commit and emit the next checkpoint, or return why the updates cannot be merged or stored."""
    finished: list[tuple[str, Done]] = [(task.node, at.outcomes[task.index]) for task in tasks]  # type: ignore[misc]
    steps = at.steps + (tasks[0].node != START)
    mark = ledger.mark() if ledger.saves else ()
    try:
        made = apply(spec, at.checkpoint, finished, Stamp(at.head + 1, request.token), request.exported)
        stop = _stop(request, made, steps)
        if ledger.saves:
            keys = {key for _, done in finished for key, _ in done.writes}.union(spec.passing)
            commit = ledger.step(made, keys, stop)
            if commit is not None:
                yield commit
    except StateError as error:
        if mark:
            ledger.reset(mark)
        return None, error
    fresh, at.fresh = at.fresh, {}
    at.checkpoint, at.head, at.steps = made, made.n, steps
    at.outcomes, at.saved = {}, None
    at.trail.extend(made.wrote)
    if request.events:
        yield from _emit_updates(request, fresh)
        if any([done.writes for _, done in finished]):
            yield Emit(ValuesChanged(request.namespace, made.values))
        if request.details:
            yield Emit(CheckpointMade(request.namespace, made, request.metadata))
    return stop, None


def _assign(request: Request, ledger: Ledger, at: Position, tasks: Sequence[Task], error: StateError) -> Steps:
    """The updates of a superstep cannot be merged or stored: fail the tasks whose updates they are, so that only they run again."""
    if isinstance(error, UnserializableValueError):
        fresh, at.fresh = at.fresh, {}
        yield from _file_one_by_one(ledger, at, fresh, None)
        if request.events:
            yield from _emit_updates(request, fresh)
    if not _failures(at, tasks):
        blamed(at.outcomes, at.fresh, tasks, error)


def _halt(spec: GraphSpec, request: Request, ledger: Ledger, at: Position, tasks: Sequence[Task]) -> Generator[Effect, object, Finished]:
    """The superstep cannot finish: file what ended, then raise the first failure or hand out the questions."""
    yield from _file(request, ledger, at, Stop("error" if _failures(at, tasks) else "interrupted"))
    failures = _failures(at, tasks)
    if failures:
        raise raised(failures)
    questions = _questions(at)
    values = settled_values(spec, at.checkpoint, at.outcomes)
    if request.events:
        yield from _emit_pause(request, values, questions)
    escaped = next((outcome.command for outcome in at.outcomes.values() if isinstance(outcome, Escaped)), None)
    return Finished(at.checkpoint, values, questions, "interrupted", escaped)


def _finish(spec: GraphSpec, request: Request, at: Position, stop: Stop) -> Generator[Effect, object, Finished]:
    """Nothing more runs in this call: the end, a breakpoint, unanswered questions or the limit."""
    if stop.limit:
        raise GraphRecursionError(
            f"Recursion limit of {request.recursion_limit} reached with work left; the last nodes were {' -> '.join(at.trail)}.",
            hint="Check the condition that ends the loop or raise recursion_limit. The state is saved if there is a checkpointer.",
            limit=request.recursion_limit,
            nodes=tuple(at.trail),
        )
    questions = _questions(at)
    values = settled_values(spec, at.checkpoint, at.outcomes)
    if request.events and stop.status == "interrupted":
        yield from _emit_pause(request, values, questions)
    return Finished(at.checkpoint, values, questions, stop.status)


def _stop(request: Request, checkpoint: Checkpoint, steps: int, *, goes_on: bool = False) -> Stop | None:
    """Tell whether the run ends at ``checkpoint``. A run that goes on passes the breakpoint it may have stopped at."""
    if not checkpoint.frontier:
        return IDLE
    if steps >= request.recursion_limit:
        return Stop("error", limit=True)
    if request.interrupt_after and steps and not request.interrupt_after.isdisjoint(checkpoint.wrote):
        return Stop("interrupted")
    if request.interrupt_before and not goes_on and any([trigger.node in request.interrupt_before for trigger in checkpoint.frontier]):
        return Stop("interrupted")
    return None


def _all_done(at: Position, tasks: Iterable[Task]) -> bool:
    return all([isinstance(at.outcomes.get(task.index), Done) for task in tasks])


def _write(commit: Commit | None) -> Steps:
    if commit is not None:
        yield commit


def _file(request: Request, ledger: Ledger, at: Position, stop: Stop | None) -> Steps:
    """Make the fresh outcomes durable, then emit them."""
    fresh, at.fresh = at.fresh, {}
    mark = ledger.mark()
    try:
        yield from _write(ledger.file(fresh, stop))
    except UnserializableValueError:
        ledger.reset(mark)
        yield from _file_one_by_one(ledger, at, fresh, stop)
    if request.events:
        yield from _emit_updates(request, fresh)


def _file_one_by_one(ledger: Ledger, at: Position, fresh: dict[Task, Outcome], stop: Stop | None) -> Steps:
    """One of the outcomes cannot be stored: it fails its node instead, the others are kept. The run ends with this superstep."""
    for task, outcome in {**ledger.hurry(), **fresh}.items():
        mark = ledger.mark()
        try:
            yield from _write(ledger.file({task: outcome}, None))
        except UnserializableValueError as error:
            ledger.reset(mark)
            at.outcomes[task.index] = fresh[task] = Failed.of(unserializable(error, task.node))
            yield from _write(ledger.file({task: fresh[task]}, None))
    yield from _write(ledger.file({}, stop and Stop("error")))


def _pending(at: Position) -> frozenset[str]:
    return pending_ids(at.saved.questions, at.answered) if at.saved is not None else frozenset()


def _failures(at: Position, tasks: Iterable[Task]) -> list[tuple[Task, Failed]]:
    return [(task, outcome) for task in tasks if isinstance(outcome := at.outcomes.get(task.index), Failed)]


def _questions(at: Position) -> tuple[Question, ...]:
    """Return the open questions of the superstep, in order of application."""
    stored = at.saved.questions if at.saved is not None else ()
    settled = {asked.question.interrupt.id for asked in stored if asked.status != "pending"}.union(at.answered)
    asking = [outcome for _, outcome in sorted(at.outcomes.items()) if isinstance(outcome, Interrupted)]
    return tuple([question for outcome in asking for question in outcome.questions if question.interrupt.id not in settled])


def _emit_opening(spec: GraphSpec, request: Request, at: Position) -> Steps:
    frontier = at.checkpoint.frontier
    if not frontier or frontier[0].node != START:
        yield Emit(ValuesChanged(request.namespace, settled_values(spec, at.checkpoint, at.outcomes)))
    for index, outcome in sorted(at.outcomes.items()):
        if isinstance(outcome, Done) and not spec.nodes[frontier[index].node].has_failed(outcome):
            yield Emit(NodeFinished(request.namespace, frontier[index].node, outcome.writes, cached=True))


def _emit_pause(request: Request, values: Mapping[str, object], questions: tuple[Question, ...]) -> Steps:
    interrupts = tuple([question.interrupt for question in questions])
    yield Emit(Paused(request.namespace, interrupts))
    if interrupts:
        yield Emit(ValuesChanged(request.namespace, values, interrupts))


def _emit_updates(request: Request, outcomes: Mapping[Task, Outcome]) -> Steps:
    for task, outcome in outcomes.items():
        failure = Failed.of(outcome.cause) if isinstance(outcome, Done) and outcome.cause is not None else None
        if isinstance(outcome, Done) and task.node != START and failure is None:
            yield Emit(NodeFinished(request.namespace, task.node, outcome.writes, outcome.cached, task))
        if request.details and task.node != START:
            yield Emit(TaskEnded(request.namespace, task, failure or outcome))
