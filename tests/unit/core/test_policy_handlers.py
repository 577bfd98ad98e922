"""How a failure reaches its error handler: as the outcome of the task that failed, and as an entry of the frontier."""

from __future__ import annotations

from graphkit.core.apply import route
from graphkit.core.checkpoint import Trigger
from graphkit.core.command import MISSING, START, Send
from graphkit.core.failure import NodeError, handed_over, node_error, sent_to_failed
from graphkit.core.graph import GraphSpec, Join, NodeSpec
from graphkit.core.task import Done, Failed
from graphkit.errors import NodeFailedError
from tests.unit.core.graphs import CHANNELS, position
from tests.unit.runtime.stage import task

JOIN = Join("j", frozenset({"a", "b"}), "d")
NODES = {
    START: NodeSpec(START),
    "a": NodeSpec("a", targets=("c",), joins=("j",), handler="h"),
    "b": NodeSpec("b", joins=("j",)),
    "c": NodeSpec("c"),
    "d": NodeSpec("d"),
    "h": NodeSpec("h"),
}
SPEC = GraphSpec("handled", NODES, CHANNELS, {"j": JOIN}, (), (), frozenset(), {}, conditional_entry=False)


def failed(error, at="a", *, storable=True):
    return handed_over(task(at), Failed.of(error), "h", storable=storable)


def test_a_failure_leads_to_the_handler_and_nowhere_else():
    error = KeyError("x")

    frontier, joins, _ = route(SPEC, position("a b"), [("a", failed(error)), ("b", Done())])

    assert [trigger.node for trigger in frontier] == ["h"]
    assert joins == {"j": frozenset({"b"})}
    assert frontier[0].cause is error


def test_a_node_with_a_handler_that_did_not_fail_follows_its_edges():
    done = Done(sends=(Send("c", 1),))

    frontier, joins, _ = route(SPEC, position("a"), [("a", done)])

    assert [(trigger.node, trigger.arg) for trigger in frontier] == [("c", MISSING), ("c", 1)]
    assert joins == {"j": frozenset({"a"})}


def test_what_is_stored_of_a_failure_tells_as_much_as_it_can():
    error = KeyError("x")
    [known] = failed(error).sends
    [unknown] = failed(error, storable=False).sends

    assert node_error(Trigger("h", known.arg)) == NodeError("a", error)
    told = node_error(Trigger("h", unknown.arg)).error
    assert isinstance(told, NodeFailedError)
    assert "KeyError('x')" in str(told)
    assert told.facts["node"] == "a"


def test_the_handler_sees_what_was_sent_to_the_node_that_failed():
    [by_edge] = failed(KeyError()).sends
    [by_send] = failed(KeyError(), Trigger("a", None)).sends

    assert sent_to_failed(Trigger("h", by_edge.arg)) is MISSING
    assert sent_to_failed(Trigger("h", by_send.arg)) is None
