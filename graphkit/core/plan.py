"""Which tasks a checkpoint asks for, and which of them still have to run. Pure.

The frontier is written down, so planning is reading: one task per entry, in order, with the same ids every time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkit.core.record import replace
from graphkit.core.task import Answer, Done, Interrupted, Task, task_id
from graphkit.errors import GraphChangedError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from graphkit.core.checkpoint import Checkpoint
    from graphkit.core.effects import Asked, Saved
    from graphkit.core.graph import GraphSpec
    from graphkit.core.task import Outcome

NO_ANSWERS: Mapping[str, Answer] = {}
NOTHING: Mapping[str, object] = {}


def plan(spec: GraphSpec, checkpoint: Checkpoint, namespace: str, remaining: int) -> tuple[Task, ...]:
    """Return one fresh task per frontier entry, in order of application.

    Raises:
        GraphChangedError: The frontier names a node that the graph no longer has.
    """
    nodes = spec.nodes
    tasks = []
    for index, trigger in enumerate(checkpoint.frontier):
        if trigger.node not in nodes:
            raise _changed(spec, trigger.node)
        tasks.append(Task(trigger.node, trigger, index, checkpoint, namespace, NO_ANSWERS, NOTHING, remaining))
    return tuple(tasks)


def resumed(tasks: Iterable[Task], saved: Saved, answers: Mapping[str, object], outcomes: Mapping[int, Outcome]) -> tuple[Task, ...]:
    """Return the tasks of a loaded superstep with the answers and memos they have collected.

    Args:
        tasks: As planned.
        saved: What the checkpointer knows.
        answers: By interrupt id: answers given just now, not yet in ``saved``.
        outcomes: What is known of the tasks, by place in the frontier.
    """
    given: dict[str, dict[str, Answer]] = {}
    for asked in saved.questions:
        question = asked.question
        if question.interrupt.id in answers:
            answer = Answer(answers[question.interrupt.id], question.digest)
        elif asked.status == "answered":
            answer = Answer(asked.answer, question.digest)
        else:
            continue
        given.setdefault(question.task_id, {})[question.slot] = answer
    return tuple([_continued(task, given, saved, _taken(outcomes, task.index)) for task in tasks])


def _taken(outcomes: Mapping[int, Outcome], place: int) -> frozenset[str]:
    """Return the stateful subgraph namespaces that other tasks of the superstep have called."""
    others = [outcome for index, outcome in outcomes.items() if index != place]
    children = [namespace for outcome in others if isinstance(outcome, Done) for namespace in outcome.children]
    asking = [question.namespace for outcome in others if isinstance(outcome, Interrupted) for question in outcome.questions]
    return frozenset([*children, *asking])


def _continued(task: Task, given: Mapping[str, Mapping[str, Answer]], saved: Saved, taken: frozenset[str]) -> Task:
    identity = task.id
    return replace(task, answers=given.get(identity, {}), memos=saved.memos.get(identity, {}), resumed=True, taken=taken)


def to_run(tasks: Sequence[Task], outcomes: Mapping[int, Outcome], pending: frozenset[str]) -> list[Task]:
    """Return the tasks that have to run: not the finished ones, not those whose questions are all unanswered.

    Args:
        tasks: The superstep's tasks.
        outcomes: What is known of them, by place in the frontier.
        pending: Ids of the interrupts that are still unanswered.
    """
    return [task for task in tasks if not _settled(outcomes.get(task.index), pending)]


def pending_ids(questions: Iterable[Asked], answered: Iterable[str] = ()) -> frozenset[str]:
    """Return the ids of the questions nobody has answered."""
    return frozenset([asked.question.interrupt.id for asked in questions if asked.status == "pending"]) - frozenset(answered)


def by_place(checkpoint: Checkpoint, namespace: str, outcomes: Mapping[str, Outcome]) -> dict[int, Outcome]:
    """Return stored outcomes by their task's place in the frontier instead of its id."""
    if not outcomes:
        return {}
    ids = [task_id(checkpoint, namespace, index) for index in range(len(checkpoint.frontier))]
    return {index: outcomes[identity] for index, identity in enumerate(ids) if identity in outcomes}


def finished(outcomes: Mapping[int, Outcome]) -> list[tuple[int, Done]]:
    """Return (place in the frontier, outcome) of every finished task of a superstep, in order."""
    return [(index, outcome) for index, outcome in sorted(outcomes.items()) if isinstance(outcome, Done)]


def _settled(outcome: Outcome | None, pending: frozenset[str]) -> bool:
    if isinstance(outcome, Done):
        return True
    if not isinstance(outcome, Interrupted) or not outcome.questions:
        return False
    return all([question.interrupt.id in pending for question in outcome.questions])


def _changed(spec: GraphSpec, node: str) -> GraphChangedError:
    return GraphChangedError(
        f"The thread waits for node {node!r}, which graph {spec.name!r} no longer has.",
        hint=f"{nearest(node, spec.nodes)} Add the node again or move the thread on with update_state(..., as_node=...).",
        node=node,
    )
