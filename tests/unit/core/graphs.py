"""Graphs, checkpoints and saved positions for the tests of the core, in a few words each.

The action of a node is here a function from Task to Outcome: the core never looks at it, and the test's World calls it.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

from graphkit.core.channels import BinaryOperatorAggregate, LastValue
from graphkit.core.checkpoint import Checkpoint, Trigger
from graphkit.core.command import START, Interrupt
from graphkit.core.effects import Asked, Saved
from graphkit.core.graph import GraphSpec, Join, NodeSpec
from graphkit.core.ids import checkpoint_id
from graphkit.core.request import Continue, Request
from graphkit.core.resume import interrupt_id
from graphkit.core.task import Done, Failed, Interrupted, Question, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from graphkit.core.channels import Channel
    from graphkit.core.task import Outcome

    Node = Callable[[Task], Outcome]

CHANNELS: Mapping[str, Channel] = {
    "log": BinaryOperatorAggregate(list, operator.add),
    "total": BinaryOperatorAggregate(int, operator.add),
    "last": LastValue(),
}
"""``log`` and ``total`` add up, ``last`` takes one update a superstep."""

DIGEST = "the same question"


def logs(task: Task) -> Outcome:
    """Write the node's own name to the log."""
    return Done((("log", [task.node]),))


def fails(task: Task) -> Outcome:
    """Fail with the node's name."""
    return Failed.of(ValueError(task.node))


def asks(value: object, key: str = "log") -> Node:
    """Return a node that asks ``value`` and logs the answer."""

    def node(task: Task) -> Outcome:
        answer = task.answers.get("#0")
        if answer is None:
            return Interrupted((question(task.id, value, namespace=task.namespace),))
        return Done(((key, [answer.value]),))

    return node


def question(task: str, value: object = "?", slot: str = "#0", *, namespace: str = "", path: tuple[str, ...] = (), **more) -> Question:
    """Return what a task asks."""
    return Question(Interrupt(value, interrupt_id(task, slot), **more), slot, DIGEST, namespace, (*path, task))


def graph(edges: Mapping[str, str], actions: Mapping[str, Node] | None = None, **more) -> GraphSpec:
    """Return a graph: ``{"a": "b c"}`` is two edges; a node without an action logs its name.

    Args:
        edges: Targets by source, each a list of names in one string.
        actions: What nodes do.
        **more: ``joins={"a b": "c"}``, ``defer={"c"}``, or fields of GraphSpec.
    """
    actions = actions or {}
    joins = {
        f"{sources}:{target}": Join(f"{sources}:{target}", frozenset(sources.split()), target)
        for sources, target in more.pop("joins", {}).items()
    }
    defer = more.pop("defer", ())
    targets = [name for names in edges.values() for name in names.split()]
    names = dict.fromkeys([START, *edges, *targets, *actions, *[join.target for join in joins.values()]])
    nodes = {
        name: NodeSpec(
            name,
            actions.get(name, None if name == START else logs),
            tuple(edges.get(name, "").split()),
            tuple([join.name for join in joins.values() if name in join.sources]),
            name in defer,
        )
        for name in names
    }
    channels = more.pop("channels", CHANNELS)
    fields = {"starts": (), "checks": {}, "conditional_entry": False, **more}
    fields.setdefault("passing", tuple([key for key, channel in channels.items() if not channel.keeps]))
    fields.setdefault("untracked", frozenset([key for key, channel in channels.items() if not channel.stored]))
    return GraphSpec("shop", nodes, channels, joins, **fields)


def position(frontier: str | tuple[Trigger, ...] = "", n: int = 1, **more) -> Checkpoint:
    """Return a checkpoint of run ``old`` whose frontier has these nodes."""
    triggers = tuple([Trigger(name) for name in frontier.split()]) if isinstance(frontier, str) else frontier
    fields = {"step": n - 1, "source": "loop", "parent": None, "values": {}, "origin": n, **more}
    return Checkpoint(checkpoint_id(n, "old"), n, frontier=triggers, **fields)


def saved(checkpoint: Checkpoint, head: int | None = None, **more) -> Saved:
    """Return what a checkpointer would say of a checkpoint, the newest one unless ``head`` is given."""
    fields = {"outcomes": {}, "memos": {}, "questions": (), "metadata": {}, "created_at": 0.0, **more}
    return Saved(checkpoint, checkpoint.n if head is None else head, **fields)


def asked(question: Question, n: int = 1, status: str = "pending", answer: object = None) -> Asked:
    """Return a stored question."""
    return Asked(question, n, status, answer)  # type: ignore[arg-type]


def request(given=None, token: str = "new", **more) -> Request:
    """Return a request; without an input it goes on."""
    return Request(given if given is not None else Continue(), token, **more)


def tasks_of(checkpoint: Checkpoint, namespace: str = "") -> list[Task]:
    """Return a task for each entry of a frontier."""
    return [Task(t.node, t, index, checkpoint, namespace, {}, {}, 9) for index, t in enumerate(checkpoint.frontier)]
