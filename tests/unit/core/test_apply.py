"""The barrier: what a superstep makes of a checkpoint."""

from __future__ import annotations

import operator

import pytest

from graphkit.core.apply import OVERWRITTEN, Stamp, apply, merged, require_nodes, restamped, route
from graphkit.core.channels import BinaryOperatorAggregate, EphemeralValue, LastValue
from graphkit.core.checkpoint import Trigger
from graphkit.core.command import MISSING, Overwrite, Send
from graphkit.core.ids import checkpoint_id
from graphkit.core.task import Done
from graphkit.errors import ConflictingWritesError, InvalidStateError, ReducerError, UnknownKeyError, UnknownNodeError
from tests.unit.core.graphs import CHANNELS, graph, position

SHOP = graph({"__start__": "pick", "pick": "pack bill", "pack": "", "bill": ""})
STAMP = Stamp(5, "new")


def names(frontier) -> object:
    return [trigger.node for trigger in frontier]


def test_a_superstep_makes_the_next_checkpoint():
    at = position("pick", n=3, values={"log": ["in"]}, owner="task", origin=2, children={"sub": "c1"})

    made = apply(SHOP, at, [("pick", Done((("log", ["pick"]), ("last", 1)), children={"sub": "c2", "new": "c3"}))], STAMP, {})

    assert (made.id, made.n, made.step, made.source) == (checkpoint_id(5, "new"), 5, 3, "loop")
    assert (made.parent, made.origin, made.owner, made.wrote) == (at.id, 5, "task", ("pick",))
    assert made.values == {"log": ["in", "pick"], "last": 1}
    assert names(made.frontier) == ["bill", "pack"]
    assert made.children == {"sub": "c2", "new": "c3"}
    assert at.values == {"log": ["in"]}


def test_updates_are_folded_in_order_of_application():
    written = [("a", (("log", [1]), ("log", [2]))), ("b", (("log", [3]),))]

    assert merged(SHOP, {"log": [0]}, written, 1)["log"] == [0, 1, 2, 3]


def test_a_key_of_one_superstep_is_gone_after_the_next_one():
    spec = graph({}, channels={"note": EphemeralValue(), "last": LastValue()})

    assert merged(spec, {"note": 1, "last": 1}, [("a", (("last", 2),))], 1) == {"last": 2}
    assert merged(spec, {"note": 1}, [("a", (("note", 2),))], 1) == {"note": 2}
    assert merged(spec, {}, [], 1) == {}


def test_a_merged_value_is_what_its_check_makes_of_it():
    spec = graph({}, checks={"last": str})

    assert merged(spec, {}, [("a", (("last", 5),))], 1) == {"last": "5"}


def refuses(value):
    raise InvalidStateError(f"{value} is too much", hint="Take less.")


def broken(left, right):
    raise ZeroDivisionError("by zero")


@pytest.mark.parametrize(
    "spec, written, kind, text",
    [
        (SHOP, [("a", (("lst", 1),))], UnknownKeyError, "The update of node 'a' has the key 'lst'.*Did you mean 'last'"),
        (
            SHOP,
            [("a", (("last", 1),)), ("b", (("last", 2),))],
            ConflictingWritesError,
            "At key 'last': Can receive only one value per step; 2 updates came in superstep 4 .nodes 'a', 'b'.*Give the key a reducer",
        ),
        (
            graph({}, checks={"last": refuses}),
            [("a", (("last", 9),))],
            InvalidStateError,
            "'last' after superstep 4 .node 'a'.*too much.*Take less",
        ),
        (
            graph({}, channels={"last": BinaryOperatorAggregate(None, broken)}),
            [("a", (("last", 1), ("last", 2)))],
            ReducerError,
            "The reducer of 'last' failed in superstep 4 on the update of node 'a': ZeroDivisionError: by zero",
        ),
    ],
)
def test_what_cannot_be_merged_names_the_key_and_the_nodes(spec, written, kind, text):
    with pytest.raises(kind, match=text) as caught:
        merged(spec, {}, written, 4)

    assert caught.value.facts["key"] == written[0][1][0][0]
    assert set(caught.value.facts["nodes"]) == {node for node, _ in written}
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize(
    "finished, frontier",
    [
        ([("bill", Done()), ("pack", Done())], []),
        ([("pick", Done())], ["bill", "pack"]),
        ([("bill", Done(goto=("pick",))), ("pack", Done(goto=("pick",)))], ["pick"]),
        ([("pick", Done(goto=("pick", "pack")))], ["bill", "pack", "pick"]),
    ],
)
def test_nodes_are_triggered_once_and_stand_by_name(finished, frontier):
    assert names(route(SHOP, position(), finished)[0]) == frontier


def test_sends_come_after_nodes_in_the_order_they_were_issued():
    done = [("bill", Done(sends=(Send("pick", 2), Send("bill", 1)))), ("pack", Done(goto=("pack",), sends=(Send("pick", 2),)))]

    frontier, _, _ = route(SHOP, position(), done)

    assert frontier == (Trigger("pack"), Trigger("pick", 2), Trigger("bill", 1), Trigger("pick", 2))


JOINED = graph({"__start__": "a b c", "a": "a"}, joins={"a b": "both"})
JOIN = "a b:both"


def test_a_join_waits_for_all_of_its_sources_and_then_begins_anew():
    frontier, joins, _ = route(JOINED, position(), [("a", Done())])
    assert names(frontier) == ["a"]
    assert joins == {JOIN: {"a"}}

    frontier, joins, _ = route(JOINED, position(joins=joins), [("a", Done())])
    assert names(frontier) == ["a"]
    assert joins == {JOIN: {"a"}}

    frontier, joins, _ = route(JOINED, position(joins={**joins, "other": {"x"}}), [("b", Done())])
    assert names(frontier) == ["both"]
    assert joins == {"other": {"x"}}


def test_a_join_whose_sources_arrive_together_fires_at_once():
    frontier, joins, _ = route(JOINED, position(), [("b", Done()), ("a", Done())])

    assert names(frontier) == ["a", "both"]
    assert joins == {}


LATE = graph({"__start__": "a late", "a": "b", "b": "late", "late": ""}, defer={"late"})


def test_a_deferred_node_waits_until_nothing_else_is_left():
    frontier, _, deferred = route(LATE, position(), [("__start__", Done())])
    assert names(frontier) == ["a"]
    assert deferred == {"late"}

    frontier, _, deferred = route(LATE, position(deferred=deferred), [("a", Done())])
    assert names(frontier) == ["b"]
    assert deferred == {"late"}

    frontier, _, deferred = route(LATE, position(deferred=deferred), [("b", Done())])
    assert names(frontier) == ["late"]
    assert deferred == frozenset()


def test_a_send_keeps_a_deferred_node_waiting():
    frontier, _, deferred = route(LATE, position(deferred=frozenset({"late"})), [("late", Done(sends=(Send("b", 1),)))])

    assert names(frontier) == ["b"]
    assert deferred == {"late"}


def test_a_deferred_node_that_alone_was_triggered_runs_next():
    frontier, _, deferred = route(LATE, position(), [("b", Done())])

    assert names(frontier) == ["late"]
    assert deferred == frozenset()


def test_exports_are_the_updates_of_shared_reducer_keys_and_the_names_of_other_shared_keys():
    at = position(values={"log": []}, exports=(("log", ["before"]),))
    done = [
        ("__start__", Done((("log", ["input"]),))),
        ("pack", Done((("log", ["pack"]), ("last", 1), ("total", 5)))),
        ("bill", Done((("last", 2), ("log", ["bill"])))),
    ]
    spec = graph({"__start__": "pack bill"}, channels={**CHANNELS, "last": BinaryOperatorAggregate(int, operator.add)})

    made = apply(spec, at, done, STAMP, {"log": True, "last": False})

    assert made.exports == (("log", ["before"]), ("log", ["pack"]), ("last", MISSING), ("log", ["bill"]))


@pytest.mark.parametrize("overwrite", [Overwrite(["new"]), {"__overwrite__": ["new"]}])
def test_a_shared_reducer_key_that_was_overwritten_is_exported_as_one_overwrite(overwrite):
    at = position(values={"log": []}, exports=(("log", ["before"]), ("total", 1)))
    done = [("bill", Done((("log", overwrite),))), ("pack", Done((("total", 2),)))]

    made = apply(SHOP, at, done, STAMP, {"log": True, "total": True})
    later = apply(SHOP, made, [("pick", Done((("log", ["later"]),)))], Stamp(6, "new"), {"log": True})

    assert made.exports == (("total", 1), ("log", OVERWRITTEN), ("total", 2))
    assert later.exports == made.exports


def test_a_graph_that_exports_nothing_keeps_what_it_has():
    at = position(exports=(("log", ["before"]),))

    assert apply(SHOP, at, [("pack", Done((("log", ["x"]),)))], STAMP, {}).exports == at.exports


def test_a_restamped_checkpoint_is_the_same_position_under_a_new_identity():
    at = position("pick", values={"last": 1}, owner="task")

    made = restamped(at, Stamp(9, "new", "fork"), step=4)

    assert (made.id, made.n, made.origin, made.source, made.parent, made.step) == (checkpoint_id(9, "new"), 9, 9, "fork", at.id, 4)
    assert (made.values, made.frontier, made.owner) == (at.values, at.frontier, "task")


def test_an_unknown_node_is_refused_with_the_nearest_name():
    require_nodes(SHOP, ["pick", "pack"], "goto")

    with pytest.raises(UnknownNodeError, match=r"goto names 'pck', which is no node.*'pack'"):
        require_nodes(SHOP, ["pick", "pck"], "goto")


def test_the_hint_for_an_unknown_node_leaves_the_entry_out():
    with pytest.raises(UnknownNodeError, match="Known: 'bill', 'pack', 'pick'"):
        require_nodes(SHOP, ["zzzz"], "goto")
