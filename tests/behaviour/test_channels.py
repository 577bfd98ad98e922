"""Channels: what becomes of several updates of a key in one superstep, and how long a value stays."""

from __future__ import annotations

import operator
from typing import Annotated, TypedDict

import pytest

from graphkit import (
    START,
    AnyValue,
    BinaryOperatorAggregate,
    Command,
    EphemeralValue,
    LastValue,
    Overwrite,
    Send,
    StateGraph,
    Topic,
    UntrackedValue,
)
from graphkit.errors import ConflictingWritesError, InvalidUpdateError


class Fold(TypedDict):
    log: Annotated[list[str], operator.add]
    last: str


class Explicit(TypedDict):
    last: Annotated[str, LastValue]
    agree: Annotated[str, AnyValue]
    brief: Annotated[str, EphemeralValue]
    newest: Annotated[str, EphemeralValue(str, guard=False)]
    secret: Annotated[str, UntrackedValue]
    topic: Annotated[list[str], Topic]
    collected: Annotated[list[str], Topic(str, accumulate=True)]
    total: Annotated[int, BinaryOperatorAggregate(int, operator.add)]


def steps(schema, *updates):
    """Return a chain of nodes n0, n1, ... that return the given updates, and what each of them has seen."""
    seen: list[dict[str, object]] = []

    def node(update):
        def run(state):
            seen.append(dict(state))
            return update

        return run

    builder = StateGraph(schema).add_sequence([(f"n{index}", node(update)) for index, update in enumerate(updates)])
    return builder.add_edge(START, "n0"), seen


def side_by_side(schema, **updates):
    builder = StateGraph(schema)
    for name, update in updates.items():
        builder.add_node(name, lambda state, update=update: update).add_edge(START, name)
    return builder.compile()


def test_two_updates_of_a_plain_key_in_one_superstep_are_an_error_that_names_key_and_nodes(driver):
    graph = side_by_side(Fold, a={"last": "a"}, b={"last": "b"})

    with pytest.raises(ConflictingWritesError, match=r"At key 'last': Can receive only one value per step.*'a', 'b'") as caught:
        driver.invoke(graph, {})

    assert isinstance(caught.value, InvalidUpdateError)
    assert caught.value.facts["key"] == "last"


def test_one_update_per_superstep_of_a_plain_key_replaces_it(driver):
    builder, seen = steps(Fold, {"last": "a"}, {"last": "b"}, None)

    assert driver.invoke(builder.compile(), {})["last"] == "b"
    assert [state.get("last") for state in seen] == [None, "a", "b"]


@pytest.mark.parametrize("overwrite", [Overwrite(["new"]), {"__overwrite__": ["new"]}])
def test_overwrite_replaces_the_value_and_the_other_updates_of_the_superstep(driver, overwrite):
    graph = side_by_side(Fold, a={"log": ["a"]}, b={"log": overwrite}, c={"log": ["c"]})

    assert driver.invoke(graph, {"log": ["old"]}) == {"log": ["new"]}


def test_two_overwrites_of_a_key_in_one_superstep_are_an_error(driver):
    graph = side_by_side(Fold, a={"log": Overwrite(["a"])}, b={"log": Overwrite(["b"])})

    with pytest.raises(ConflictingWritesError, match="'log'"):
        driver.invoke(graph, {})


def test_overwrite_of_a_plain_key_just_sets_it(driver):
    assert driver.invoke(side_by_side(Fold, a={"last": Overwrite("a")}), {"last": "old"})["last"] == "a"


def test_overwrite_works_in_the_input(driver, saver):
    builder, _ = steps(Fold, {"log": ["node"]})
    graph = builder.compile(saver)
    driver.invoke(graph, {"log": ["first"]}, thread_id="t")

    assert driver.invoke(graph, {"log": Overwrite(["second"])}, thread_id="t") == {"log": ["second", "node"]}


def test_overwrite_does_not_outlive_its_superstep(driver):
    builder, _ = steps(Fold, {"log": Overwrite(["new"])}, {"log": ["more"]})

    assert driver.invoke(builder.compile(), {"log": ["old"]}) == {"log": ["new", "more"]}


def test_updates_of_one_superstep_are_folded_in_the_order_of_node_names(driver):
    graph = side_by_side(Fold, c={"log": ["c"]}, a={"log": ["a"]}, b={"log": ["b"]})

    assert driver.invoke(graph, {"log": ["i"]}) == {"log": ["i", "a", "b", "c"]}


def test_last_value_takes_one_update(driver):
    with pytest.raises(ConflictingWritesError, match="'last'"):
        driver.invoke(side_by_side(Explicit, a={"last": "a"}, b={"last": "b"}), {})


def test_any_value_takes_several_updates_and_is_emptied_when_it_is_not_written(driver):
    builder = StateGraph(Explicit)
    seen: dict[str, object] = {}
    for name in "ab":
        builder.add_node(name, lambda state: {"agree": "same"}).add_edge(START, name).add_edge(name, "c")
    builder.add_node("c", lambda state: seen.update(c=state.get("agree")))
    builder.add_node("d", lambda state: seen.update(d=state.get("agree"))).add_edge("c", "d")

    driver.invoke(builder.compile(), {})

    assert seen == {"c": "same", "d": None}


def test_an_ephemeral_value_lives_for_one_superstep(driver):
    builder, seen = steps(Explicit, {"brief": "x"}, {"last": "b"}, None)

    result = driver.invoke(builder.compile(), {})

    assert [state.get("brief") for state in seen] == [None, "x", None]
    assert "brief" not in result


def test_a_guarded_ephemeral_value_takes_one_update_and_an_unguarded_one_the_last(driver):
    with pytest.raises(ConflictingWritesError, match="'brief'"):
        driver.invoke(side_by_side(Explicit, a={"brief": "a"}, b={"brief": "b"}), {})

    assert driver.invoke(side_by_side(Explicit, b={"newest": "b"}, a={"newest": "a"}), {})["newest"] == "b"


def test_a_topic_is_emptied_with_each_superstep_unless_it_accumulates(driver):
    builder, seen = steps(Explicit, {"topic": "a", "collected": "a"}, {"topic": ["b", "c"], "collected": ["b", "c"]}, {"last": "x"}, None)

    driver.invoke(builder.compile(), {})

    assert [state.get("topic", []) for state in seen] == [[], ["a"], ["b", "c"], []]
    assert [state.get("collected", []) for state in seen] == [[], ["a"], ["a", "b", "c"], ["a", "b", "c"]]


def test_a_topic_collects_the_updates_of_parallel_nodes_in_order(driver):
    assert driver.invoke(side_by_side(Explicit, b={"topic": "b"}, a={"topic": ["a", "aa"]}), {})["topic"] == ["a", "aa", "b"]


def test_an_aggregate_channel_folds_with_its_operator(driver):
    assert driver.invoke(side_by_side(Explicit, a={"total": 2}, b={"total": 3}), {"total": 1})["total"] == 6


def test_an_untracked_value_is_seen_while_the_run_lasts_and_never_stored(driver, saver):
    builder, seen = steps(Explicit, {"secret": "s"}, {"last": "x"}, None)
    graph = builder.compile(saver, interrupt_before=["n2"])

    result = driver.invoke(graph, {}, thread_id="t")
    stored = [snapshot.values for snapshot in driver.history(graph, thread_id="t")]
    driver.invoke(graph, None, thread_id="t")

    assert result["secret"] == "s"
    assert [state.get("secret") for state in seen] == [None, "s", None]
    assert not any("secret" in values for values in stored)


def test_an_untracked_value_in_a_send_is_not_stored_either(driver, saver):
    seen: list[object] = []
    builder = StateGraph(Explicit).add_node("a", lambda state: Command(goto=Send("b", {"secret": "s", "last": "x"})))
    builder.add_node("b", seen.append).add_edge(START, "a")
    graph = builder.compile(saver)

    driver.invoke(graph, {}, thread_id="t", interrupt_before=["b"])
    driver.invoke(graph, None, thread_id="t")

    assert seen == [{"last": "x"}]


def test_a_key_that_is_not_written_keeps_its_value_over_turns(driver, saver):
    builder, _ = steps(Fold, {"log": ["node"]})
    graph = builder.compile(saver)
    driver.invoke(graph, {"last": "kept"}, thread_id="t")

    assert driver.invoke(graph, {"log": ["two"]}, thread_id="t") == {"last": "kept", "log": ["node", "two", "node"]}


class Counting:
    """A channel of a user: counts updates."""

    keeps = True
    stored = True

    def initial(self) -> object:
        return 0

    def merge(self, current: object, updates: object) -> object:
        return current + len(updates)  # type: ignore[operator, arg-type]


class Counted(TypedDict):
    visits: Annotated[int, Counting()]


def test_anything_with_the_form_of_a_channel_is_one(driver):
    assert driver.invoke(side_by_side(Counted, a={"visits": "x"}, b={"visits": "y"}), {}) == {"visits": 2}
