"""How a run begins: what the input, the saved thread and the request together mean. Pure.

The cases (``saved`` is the loaded checkpoint, if there is one):

1. input, nothing saved          -> a new thread
2. input, saved                  -> a new turn; finished tasks of a half-done superstep are merged, pending questions cancelled
3. no input, nothing saved       -> EmptyInputError
4. no input, saved               -> go on with what has not finished
5. no input, an older checkpoint -> a fork: the same frontier under new ids, so nothing of the old branch is reused
6. Command                       -> answers, update and goto are applied to the saved frontier, which keeps its ids
"""

from __future__ import annotations

from collections import Counter
from dataclasses import field
from typing import TYPE_CHECKING, assert_never

from graphkit.core.apply import Stamp, apply, merged, require_nodes, restamped
from graphkit.core.checkpoint import Checkpoint, Trigger
from graphkit.core.command import MISSING, START, Send
from graphkit.core.ids import checkpoint_id
from graphkit.core.plan import by_place, finished, pending_ids
from graphkit.core.record import record, replace
from graphkit.core.request import Continue, NewTurn, Steer
from graphkit.core.resume import Resolved, answered, forked_answers
from graphkit.core.task import Done, Failed, task_id
from graphkit.errors import EmptyInputError, NothingToResumeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graphkit.core.effects import Saved
    from graphkit.core.graph import GraphSpec
    from graphkit.core.request import Request
    from graphkit.core.task import Outcome


@record
class Opening:
    """The first decision of a run.

    Args:
        checkpoint: Where the run stands now.
        before: The checkpoint whose values the first new one is compared with; None when everything is new.
        made: New checkpoints on the way to ``checkpoint``, oldest first.
        outcomes: What is known of the tasks of ``checkpoint``, by place in the frontier.
        resolved: Answers to be written, with the questions they belong to.
        cancelled: Questions nobody will answer any more.
        saved: The loaded checkpoint if its frontier goes on, None if every task is new.
        turn: Whether a new turn begins.
    """

    checkpoint: Checkpoint
    before: Checkpoint | None
    made: tuple[Checkpoint, ...] = ()
    outcomes: Mapping[int, Outcome] = field(default_factory=dict)
    resolved: Resolved = field(default_factory=Resolved)
    cancelled: tuple[str, ...] = ()
    saved: Saved | None = None
    turn: bool = False


def open_turn(spec: GraphSpec, request: Request, saved: Saved | None) -> Opening:
    """Decide how the run begins.

    Raises:
        RequestError: The input asks for something that the thread cannot do; nothing has happened.
    """
    if saved is not None and request.path and saved.checkpoint.owner == request.owner:
        opening = _go_on(request, saved)
    else:
        match request.input:
            case NewTurn(update):
                opening = _new_turn(spec, request, saved, update)
            case Continue():
                opening = _go_on(request, _existing(saved))
            case Steer() as steer:
                opening = _steer(spec, request, saved, steer)
            case _:
                assert_never(request.input)
    return opening if spec.conditional_entry else _entered(spec, request, opening)


def adapted(spec: GraphSpec, saved: Saved) -> Saved:
    """Return a loaded checkpoint as this graph sees it: without keys it does not know, with the defaults of new ones."""
    values = saved.checkpoint.values
    missing = [(key, make) for key, make in spec.starts if key not in values and key not in spec.passing]
    if not missing and values.keys() <= spec.channels.keys():
        return saved
    kept = {key: value for key, value in values.items() if key in spec.channels}
    defaults = {key: value for key, make in missing if (value := make()) is not MISSING}
    return replace(saved, checkpoint=replace(saved.checkpoint, values={**defaults, **kept}))


def blank(spec: GraphSpec, owner: str = "") -> Checkpoint:
    """Return the position before the first input: start values, step -2, never stored."""
    return Checkpoint("", -1, -2, "input", None, spec.start_values(), owner=owner)


def settled_values(spec: GraphSpec, checkpoint: Checkpoint, outcomes: Mapping[int, Outcome]) -> Mapping[str, object]:
    """Return the values with the updates of the superstep's finished tasks merged in."""
    done = finished(outcomes)
    if not done:
        return checkpoint.values
    written = [(checkpoint.frontier[index].node, outcome.writes) for index, outcome in done]
    return merged(spec, checkpoint.values, written, checkpoint.step + 1)


def carried(checkpoint: Checkpoint, namespace: str) -> tuple[Trigger, ...]:
    """Return the frontier with the task ids written into it, to live on in another checkpoint."""
    return tuple([replace(trigger, id=task_id(checkpoint, namespace, index)) for index, trigger in enumerate(checkpoint.frontier)])


def renewed(checkpoint: Checkpoint) -> tuple[Trigger, ...]:
    """Return the frontier without task ids, so that every task is a new one."""
    return tuple([Trigger(trigger.node, trigger.arg, timeout=trigger.timeout) for trigger in checkpoint.frontier])


def new_input(base: Checkpoint, values: Mapping[str, object], update: Mapping[str, object], stamp: Stamp) -> Checkpoint:
    """Return the checkpoint of a new turn: START runs next, with ``update``; joins begin anew."""
    return Checkpoint(
        checkpoint_id(stamp.n, stamp.token),
        stamp.n,
        base.step + 1,
        stamp.source,
        base.id or None,
        values,
        (Trigger(START, update),),
        children=base.children,
        origin=stamp.n,
        owner=base.owner,
    )


def _new_turn(spec: GraphSpec, request: Request, saved: Saved | None, update: Mapping[str, object]) -> Opening:
    if saved is None:
        base = blank(spec, request.owner)
        made = new_input(base, base.values, update, Stamp(0, request.token, "input"))
        return Opening(made, None, (made,), turn=True)
    old = replace(saved.checkpoint, owner=request.owner)
    values = settled_values(spec, old, by_place(old, request.namespace, saved.outcomes)) if old.n == saved.head else old.values
    made = new_input(old, values, update, Stamp(saved.head + 1, request.token, "input"))
    return Opening(made, old if old.id else None, (made,), cancelled=_all_pending(request, saved), turn=True)


def _go_on(request: Request, saved: Saved) -> Opening:
    checkpoint = saved.checkpoint
    if checkpoint.n == saved.head or not checkpoint.frontier:
        return Opening(checkpoint, checkpoint, outcomes=_unfailed(request, saved), saved=saved)
    fork = _fork(checkpoint, request, saved)
    return Opening(fork, checkpoint, (fork,), cancelled=_all_pending(request, saved))


def _steer(spec: GraphSpec, request: Request, saved: Saved | None, steer: Steer) -> Opening:
    require_nodes(spec, [target if isinstance(target, str) else target.node for target in steer.goto], "Command(goto=...)")
    if saved is None:
        if steer.resume is not MISSING:
            raise NothingToResumeError("Command(resume=...) on a thread that does not exist.", hint="Check the thread id.")
        base = blank(spec, request.owner)
        return _edited(spec, request, Opening(base, None), steer, 0)
    if saved.checkpoint.n != saved.head:
        return _steer_fork(spec, request, saved, steer)
    resolved = answered(steer.resume, saved.questions)
    outcomes = _unfailed(request, saved)
    opening = Opening(saved.checkpoint, saved.checkpoint, (), outcomes, resolved, (), saved)
    return _edited(spec, request, opening, steer, saved.head + 1)


def _steer_fork(spec: GraphSpec, request: Request, saved: Saved, steer: Steer) -> Opening:
    """A Command at an older checkpoint: a new branch, whose questions the answers belong to."""
    fork = _fork(saved.checkpoint, request, saved)
    resolved = forked_answers(steer.resume, saved, fork, request.namespace)
    known = replace(saved, questions=resolved.asked, outcomes={}, memos={})
    opening = Opening(fork, saved.checkpoint, (fork,), {}, resolved, _all_pending(request, saved), known)
    return _edited(spec, request, opening, steer, saved.head + 2)


def _unfailed(request: Request, saved: Saved) -> dict[int, Outcome]:
    """Return what is known of the superstep; failed tasks run again, so their failures do not count any more."""
    outcomes = by_place(saved.checkpoint, request.namespace, saved.outcomes)
    return {place: outcome for place, outcome in outcomes.items() if not isinstance(outcome, Failed)}


def _edited(spec: GraphSpec, request: Request, opening: Opening, steer: Steer, n: int) -> Opening:
    """Add the checkpoint of the Command's update and goto, if it has any; pending tasks keep their ids."""
    old = opening.checkpoint
    if old.id and not steer.writes and not steer.goto:
        return opening
    values = merged(spec, old.values, [("Command", steer.writes)], old.step + 1)
    passing = {key: old.values[key] for key in spec.passing if key in old.values and key not in values}
    carried_over = carried(old, request.namespace)
    frontier = with_targets(carried_over, steer.goto)
    stamp = Stamp(n, request.token, "update")
    made = restamped(old, stamp, step=old.step + 1, values={**values, **passing}, frontier=frontier)
    made = replace(made, origin=old.origin if old.id else n)
    outcomes = {_place(frontier, trigger.id): opening.outcomes[i] for i, trigger in enumerate(carried_over) if i in opening.outcomes}
    return replace(opening, checkpoint=made, made=(*opening.made, made), outcomes=outcomes)


def _place(frontier: tuple[Trigger, ...], task: str) -> int:
    return next(index for index, trigger in enumerate(frontier) if trigger.id == task)


def with_targets(frontier: tuple[Trigger, ...], goto: Sequence[str | Send]) -> tuple[Trigger, ...]:
    """Return ``frontier`` with jump targets added, in order of application; a node already waiting is not added twice."""
    edges = {trigger.node: trigger for trigger in frontier if trigger.arg is MISSING}
    sends = [trigger for trigger in frontier if trigger.arg is not MISSING]
    for target in goto:
        if isinstance(target, Send):
            sends.append(Trigger(target.node, target.arg, timeout=target.limit))
        else:
            edges.setdefault(target, Trigger(target))
    return (*[edges[name] for name in sorted(edges)], *sends)


def keep_ids(frontier: tuple[Trigger, ...], old: tuple[Trigger, ...]) -> tuple[Trigger, ...]:
    """Return ``frontier`` with the ids of equal entries of ``old``, so that their tasks stay the same tasks."""
    used: Counter[str] = Counter()
    kept = []
    for trigger in frontier:
        same = next(
            (
                other
                for other in old
                if (other.node, other.arg, other.timeout) == (trigger.node, trigger.arg, trigger.timeout) and not used[other.id]
            ),
            None,
        )
        if same is not None:
            used[same.id] += 1
        kept.append(same or trigger)
    return tuple(kept)


def _fork(checkpoint: Checkpoint, request: Request, saved: Saved) -> Checkpoint:
    stamp = Stamp(saved.head + 1, request.token, "fork")
    return restamped(checkpoint, stamp, step=checkpoint.step + 1, frontier=renewed(checkpoint))


def _entered(spec: GraphSpec, request: Request, opening: Opening) -> Opening:
    """Take the step of START at once when no user code decides where a turn begins."""
    frontier = opening.checkpoint.frontier
    if len(frontier) != 1 or frontier[0].node != START:
        return opening
    head = opening.checkpoint.n
    made = apply(spec, opening.checkpoint, [(START, start_outcome(frontier[0]))], Stamp(head + 1, request.token), request.exported)
    return replace(opening, checkpoint=made, made=(*opening.made, made), outcomes={}, saved=None)


def start_outcome(trigger: Trigger) -> Done:
    """Return what START does with its input: hand it on as an update."""
    update = trigger.arg
    return Done(tuple(update.items())) if isinstance(update, dict) else Done()


def _existing(saved: Saved | None) -> Saved:
    if saved is None:
        raise EmptyInputError("Received no input, and there is no saved thread to continue.", hint="Pass an input, or check the thread id.")
    return saved


def _all_pending(request: Request, saved: Saved) -> tuple[str, ...]:
    return () if request.path else tuple(sorted(pending_ids(saved.questions)))
