"""Reading and editing what is saved: small programs over the same effects as a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from graphkit.core.apply import Stamp, apply, merged, restamped
from graphkit.core.checkpoint import Trigger
from graphkit.core.command import END, START
from graphkit.core.effects import Commit, History, Run
from graphkit.core.engine import load
from graphkit.core.entry import entry
from graphkit.core.failure import raised
from graphkit.core.ids import within
from graphkit.core.plan import by_place, finished
from graphkit.core.record import record, replace
from graphkit.core.task import Done, Failed, Task
from graphkit.core.turn import adapted, blank, carried, keep_ids, new_input, renewed, settled_values
from graphkit.errors import CheckpointNotFoundError, InvalidUpdateError, UnknownNodeError, nearest

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from graphkit.core.checkpoint import Checkpoint, Source
    from graphkit.core.effects import Effect, Entry, Program, Saved, Status
    from graphkit.core.graph import GraphSpec
    from graphkit.core.request import Request
    from graphkit.core.task import Outcome

INPUT = "__input__"
"""``as_node`` that treats the values as new input."""

COPY = "__copy__"
"""``as_node`` that clones the checkpoint onto a new branch."""


@record
class Edit:
    """One update made in the name of a node.

    Args:
        update: What the node would have returned.
        as_node: The node's name, INPUT, COPY, END, or None to find it.
    """

    update: object
    as_node: str | None = None


@record
class View:
    """A saved checkpoint with what is known of its superstep.

    Args:
        saved: As loaded.
        values: The state; at the newest checkpoint with the updates of finished tasks.
        tasks: The superstep's tasks.
        outcomes: What is known of them, by place.
        newest: Whether it is the newest checkpoint; an older one is shown as its superstep began.
    """

    saved: Saved
    values: Mapping[str, object]
    tasks: tuple[Task, ...]
    outcomes: Mapping[int, Outcome]
    newest: bool

    @property
    def next(self) -> tuple[str, ...]:
        """Nodes that still have to run."""
        return tuple([task.node for task in self.tasks if not (self.newest and isinstance(self.outcomes.get(task.index), Done))])


def get_state(spec: GraphSpec, request: Request) -> Program[View | None]:
    """Read one checkpoint; None if the thread has none.

    Raises:
        CheckpointNotFoundError: ``request.checkpoint_id`` is not in the thread.
    """
    saved = yield from load(request.checkpoint_id)
    return None if saved is None else view(spec, request, saved, newest=request.checkpoint_id is None or saved.checkpoint.n == saved.head)


def get_history(spec: GraphSpec, request: Request, query: History) -> Program[list[View]]:
    """Read checkpoints, newest first."""
    found = cast("list[Saved]", (yield query))
    return [view(spec, request, saved, newest=False) for saved in found]


def view(spec: GraphSpec, request: Request, saved: Saved, *, newest: bool) -> View:
    """Put together what is known of a checkpoint; nodes the graph no longer has are shown, too."""
    checkpoint = saved.checkpoint
    outcomes = by_place(checkpoint, request.namespace, saved.outcomes)
    tasks = tuple([Task(t.node, t, index, checkpoint, request.namespace, {}, {}, 0) for index, t in enumerate(checkpoint.frontier)])
    shown = adapted(spec, saved).checkpoint
    values = settled_values(spec, shown, outcomes) if newest else shown.values
    return View(saved, values, tasks, outcomes, newest)


def update_state(spec: GraphSpec, request: Request, supersteps: Sequence[Sequence[Edit]]) -> Program[Checkpoint]:
    """Write a checkpoint as if nodes had returned updates; each inner sequence is one superstep, all one transaction.

    The routers of those nodes run. Tasks that the new frontier has in common with the old one stay the same tasks, so
    finished siblings and pending questions of theirs live on; the other pending questions are cancelled.

    Raises:
        InvalidUpdateError: Several nodes could be meant and ``as_node`` is missing, or the update is none.
        UnknownNodeError: ``as_node`` is no node.
    """
    saved = yield from load(request.checkpoint_id)
    if saved is None and request.checkpoint_id is not None:
        raise CheckpointNotFoundError(
            f"Checkpoint {request.checkpoint_id!r} is not in the thread.",
            hint="Take the id from get_state_history().",
            checkpoint_id=request.checkpoint_id,
        )
    at = Desk(spec, request, saved)
    for edits in supersteps:
        yield from at.superstep(edits)
    yield at.commit()
    return at.checkpoint


class Desk:
    """An edit in progress: the checkpoint so far and the entries to be written."""

    def __init__(self, spec: GraphSpec, request: Request, saved: Saved | None) -> None:
        self.spec = spec
        self.request = request
        self.saved = saved
        self.stored = saved.checkpoint if saved is not None else None
        self.checkpoint = adapted(spec, saved).checkpoint if saved is not None else blank(spec)
        self.head = saved.head if saved is not None else -1
        self.newest = saved is not None and saved.checkpoint.n == saved.head
        self.outcomes: dict[int, Outcome] = by_place(self.checkpoint, request.namespace, saved.outcomes) if saved and self.newest else {}
        self.entries: list[Entry] = []

    def superstep(self, edits: Sequence[Edit]) -> Generator[Effect, object, None]:
        """Add the checkpoint of one superstep of edits."""
        names = [self._as_node(edit) for edit in edits]
        if len(edits) > 1 and set(names) & {INPUT, COPY, END}:
            raise InvalidUpdateError(
                f"as_node {INPUT!r}, {COPY!r} and {END!r} must be alone in their superstep.", hint="Give them a superstep of their own."
            )
        step = self.checkpoint.step + 1
        if names[0] == COPY:
            self._add(restamped(self.checkpoint, self._stamp("fork"), step=step, frontier=renewed(self.checkpoint)))
        elif names[0] == END:
            self._add(restamped(self.checkpoint, self._stamp("update"), step=step, values=self._values(edits[0].update), frontier=()))
        elif names[0] == INPUT:
            values = settled_values(self.spec, self.checkpoint, self.outcomes)
            self._add(new_input(self.checkpoint, values, _update(edits[0].update), self._stamp("input")))
        else:
            yield from self._as_nodes(names, edits)

    def commit(self) -> Commit:
        """Return the one transaction: claim, entries, cancellations, release."""
        questions = self.saved.questions if self.saved is not None else ()
        alive = {trigger.id for trigger in self.checkpoint.frontier if trigger.id}
        namespace = self.request.namespace
        cancelled = [
            asked.question.interrupt.id
            for asked in questions
            if asked.status == "pending" and within(asked.question.namespace, namespace) and not alive & set(asked.question.path)
        ]
        status: Status = "interrupted" if self.checkpoint.frontier or namespace else "idle"
        return Commit(tuple(self.entries), (), (), (), tuple(sorted(cancelled)), (), claim=True, release=status)

    def _as_nodes(self, names: Sequence[str], edits: Sequence[Edit]) -> Generator[Effect, object, None]:
        """Apply the edits as finished tasks. Finished siblings that do not stay in the frontier count as well, routing and all."""
        edited: list[tuple[str, Done]] = []
        for name, edit in zip(names, edits, strict=True):
            edited.append((name, (yield from self._outcome(name, edit))))
        base, stamp = self.checkpoint, self._stamp("update")
        old = carried(base, self.request.namespace) if self.newest else ()
        made = apply(self.spec, base, edited, stamp, {})
        kept = _ids(keep_ids(made.frontier, old))
        siblings = [(old[i].node, done) for i, done in finished(self.outcomes) if old[i].id not in kept]
        if siblings:
            gone = {old[i].id for i, _ in finished(self.outcomes)} - kept
            old = tuple([trigger if trigger.id not in gone else Trigger("") for trigger in old])
            made = replace(apply(self.spec, base, [*siblings, *edited], stamp, {}), wrote=tuple(names))
        frontier = keep_ids(made.frontier, old)
        live = {trigger.id: self.outcomes[i] for i, trigger in enumerate(old) if i in self.outcomes and trigger.id}
        self._add(replace(made, frontier=frontier, origin=base.origin if _ids(frontier) else made.n))
        self.outcomes = {i: live[trigger.id] for i, trigger in enumerate(frontier) if trigger.id in live}

    def _outcome(self, name: str, edit: Edit) -> Generator[Effect, object, Done]:
        """Let the runtime read the update and run the node's routers, as after a real run of the node."""
        checkpoint = replace(self.checkpoint, frontier=(self.spec.nodes[name].trigger,))
        preset = {} if edit.update is None else edit.update
        task = Task(name, checkpoint.frontier[0], 0, checkpoint, self.request.namespace, {}, {}, 0, resumed=True, preset=preset)
        outcome = cast("Outcome", (yield Run(task)))
        if isinstance(outcome, Failed):
            raise raised([(task, outcome)])
        if not isinstance(outcome, Done):
            raise InvalidUpdateError(f"An edit in the name of {name!r} cannot wait for an answer or leave its graph.", node=name)
        return outcome

    def _as_node(self, edit: Edit) -> str:
        if edit.as_node is not None:
            if edit.as_node in self.spec.nodes or edit.as_node in {INPUT, COPY, END}:
                return edit.as_node
            raise UnknownNodeError(
                f"as_node={edit.as_node!r} is no node of the graph.", hint=nearest(edit.as_node, self.spec.nodes), node=edit.as_node
            )
        if edit.update is None and self.checkpoint.id:
            return COPY
        writers = self.checkpoint.wrote
        if not writers:
            return START if not self.checkpoint.id or self.checkpoint.step < 0 else self._only_node()
        if len(set(writers)) > 1:
            raise InvalidUpdateError(f"Ambiguous update, specify as_node: {', '.join(map(repr, writers))} wrote last.", nodes=writers)
        return writers[0]

    def _only_node(self) -> str:
        names = [name for name in self.spec.nodes if name != START]
        if len(names) == 1:
            return names[0]
        raise InvalidUpdateError("Ambiguous update, specify as_node: no node wrote last.", nodes=tuple(names))

    def _values(self, update: object) -> Mapping[str, object]:
        values = settled_values(self.spec, self.checkpoint, self.outcomes)
        if update is None:
            return values
        return merged(self.spec, values, [(END, tuple(_update(update).items()))], self.checkpoint.step + 1)

    def _stamp(self, source: Source) -> Stamp:
        return Stamp(self.head + 1, self.request.token, source)

    def _add(self, made: Checkpoint) -> None:
        known = self.stored.values.keys() | made.values.keys() if self.stored is not None else made.values.keys()
        keys = [key for key in known if key in self.spec.channels]
        self.entries.append(entry(self.stored, made, keys, self.spec.untracked, self.request.metadata))
        self.stored = made
        self.checkpoint, self.head, self.outcomes, self.newest = made, made.n, {}, True


def _ids(frontier: Sequence[Trigger]) -> set[str]:
    return {trigger.id for trigger in frontier if trigger.id}


def _update(update: object) -> Mapping[str, object]:
    if isinstance(update, dict):
        return update
    raise InvalidUpdateError(f"Expected a dict of values, got {type(update).__name__}.", hint="Pass the update as a dict of state keys.")
