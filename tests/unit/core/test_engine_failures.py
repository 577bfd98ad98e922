"""What a run does when nodes, updates or the storage fail, and what is left for the next one."""

from __future__ import annotations

import pytest

from graphkit.core.command import START, Command
from graphkit.core.effects import Commit
from graphkit.core.request import Continue, NewTurn, Steer
from graphkit.core.task import Done, Escaped
from graphkit.errors import (
    ConflictingWritesError,
    ReducerError,
    StorageUnavailableError,
    UnserializableValueError,
)
from tests.unit.core.graphs import asks, fails, graph, logs
from tests.unit.core.world import World, begin, play

STARTS = (("log", list),)
CHAIN = graph({START: "a", "a": "b"}, starts=STARTS)
FAN = {START: "a b c"}


def fails_once():
    """Return a node that fails, and works the next time."""
    failures = [1]
    return lambda task: fails(task) if failures and failures.pop() else logs(task)


# Failures


def test_finished_siblings_of_a_failed_task_are_not_repeated():
    world = World(graph({**FAN, "a": "d"}, {"b": fails_once()}, starts=STARTS))

    with pytest.raises(ValueError, match=r"(?m)^b$"):
        begin(world)
    assert world.status == "error"

    assert play(world, Continue(), "r2").values == {"log": ["in", "a", "b", "c", "d"]}
    assert world.called == ["a", "b", "c", "b", "d"]


def test_after_a_failure_no_task_is_started():
    world = World(graph(FAN, {"a": fails}))

    with pytest.raises(ValueError, match=r"(?m)^a$"):
        begin(world, max_concurrency=1)
    assert world.called == ["a"]


def test_after_a_failure_those_that_run_are_awaited_and_kept():
    world = World(graph(FAN, {"a": fails_once()}, starts=STARTS))

    with pytest.raises(ValueError, match=r"(?m)^a$"):
        begin(world, max_concurrency=2)
    assert play(world, Continue(), "r2").values == {"log": ["in", "a", "b", "c"]}
    assert world.called == ["a", "b", "a", "c"]


def test_a_failure_beside_a_question_is_raised_and_the_question_kept():
    world = World(graph(FAN, {"a": asks("sure?"), "b": fails_once()}, starts=STARTS))

    with pytest.raises(ValueError, match=r"(?m)^b$"):
        begin(world)
    assert len(world.pending) == 1

    assert play(world, Steer(resume="yes"), "r2").values == {"log": ["in", "yes", "b", "c"]}


def test_all_failures_of_a_superstep_are_in_the_exception_of_the_first():
    world = World(graph(FAN, {"a": fails, "c": fails}), last_first=True)

    with pytest.raises(ValueError, match=r"(?m)^a$") as caught:
        begin(world)
    assert [str(error) for error in caught.value.sibling_errors] == ["c"]  # type: ignore[attr-defined]


def test_a_command_for_the_parent_counts_more_than_a_failure_of_an_earlier_run():
    world = World(graph({START: "a b"}, {"a": fails, "b": fails}))
    world.held = True
    with pytest.raises(ValueError, match=r"(?m)^a$"):
        begin(world, path=("t",), owner="t")

    world.spec = graph({START: "a b"}, {"a": lambda _: Escaped(Command(graph=Command.PARENT)), "b": fails})
    finished = play(world, Continue(), "r2", path=("t",), owner="t", max_concurrency=1)

    assert finished.escaped is not None
    assert world.called == ["a", "b", "a"]


def test_updates_that_cannot_be_merged_fail_the_nodes_that_wrote_them():
    both = {"a": lambda _: Done((("last", 1),)), "b": lambda _: Done((("last", 2),))}
    world = World(graph(FAN, both, starts=STARTS))

    with pytest.raises(ConflictingWritesError, match="nodes 'a', 'b'"):
        begin(world)
    assert world.status == "error"

    world.spec = graph(FAN, {"a": both["a"]}, starts=STARTS)
    assert play(world, Continue(), "r2").values == {"log": ["in", "b", "c"], "last": 1}
    assert world.called == ["a", "b", "c", "a", "b"]


def test_an_input_that_the_reducer_refuses_is_raised_and_nothing_is_written():
    world = World(CHAIN)

    with pytest.raises(ReducerError, match="'log'"):
        play(world, NewTurn({"log": 5}))
    assert world.commits == []


# Storage


def refusing(*positions):
    """Return a storage that refuses commits at these positions, counted from 0."""
    count = iter(range(99))

    def refuse(_):
        if next(count) in positions:
            raise StorageUnavailableError("The disk is full.")

    return refuse


@pytest.mark.parametrize("durability", ["sync", "async"])
@pytest.mark.parametrize("failed, ran", [(0, {"": 0}), (1, {"sync": 1, "async": 2}), (2, {"sync": 2, "async": 3}), (3, {"": 3})])
def test_after_a_failed_commit_no_further_node_starts(durability, failed, ran):
    world = World(graph({START: "a", "a": "b", "b": "c"}), refuse=refusing(failed))

    with pytest.raises(StorageUnavailableError):
        begin(world, durability=durability)
    assert len(world.called) == ran.get(durability, ran.get(""))


@pytest.mark.parametrize("failed", range(4))
def test_what_was_committed_before_a_failed_commit_is_where_the_thread_goes_on(failed):
    world = World(graph({START: "a", "a": "b", "b": "c"}, starts=STARTS), refuse=refusing(failed))
    with pytest.raises(StorageUnavailableError):
        begin(world)
    world.held = False

    finished = play(world, Continue(), "r2") if failed else begin(world, token="r2")

    assert finished.values == {"log": ["in", "a", "b", "c"]}


def unstorable(commit: Commit):
    """Refuse commits with a set anywhere in a value or an outcome, as a codec refuses what it does not know."""
    for entry in commit.entries:
        for key, value in entry.checkpoint.values.items():
            if {5} in (value if isinstance(value, list) else [value]):
                raise UnserializableValueError("A set.", key=key)
    for filed in commit.outcomes:
        if isinstance(filed.outcome, Done) and "{5}" in repr(filed.outcome.writes):
            raise UnserializableValueError("A set.", task_id=filed.task_id)


def test_an_input_that_cannot_be_stored_is_refused_before_anything_runs():
    world = World(CHAIN, refuse=unstorable)

    with pytest.raises(UnserializableValueError, match="The input has a value"):
        play(world, NewTurn({"log": [{5}]}))
    assert (world.called, world.commits) == ([], [])


def returns_set(task):
    return Done((("log", [{5}]),))


@pytest.mark.parametrize("node", ["a", "b", "c"])
def test_a_value_that_cannot_be_stored_fails_its_node_and_only_that_one_runs_again(node):
    world = World(graph(FAN, {node: returns_set}, starts=STARTS), refuse=unstorable)

    with pytest.raises(UnserializableValueError, match=f"Node '{node}': A set"):
        begin(world)
    assert world.status == "error"

    world.spec = graph(FAN, starts=STARTS)
    assert play(world, Continue(), "r2").values == {"log": ["in", "a", "b", "c"]}
    assert world.called == ["a", "b", "c", node]


def test_after_a_value_that_cannot_be_stored_no_task_is_started():
    world = World(graph(FAN, {"a": returns_set}), refuse=unstorable)

    with pytest.raises(UnserializableValueError, match="Node 'a'"):
        begin(world, max_concurrency=1)
    assert world.called == ["a"]


def test_a_value_that_cannot_be_stored_beside_a_question_fails_its_node():
    world = World(graph({START: "a b"}, {"a": asks("sure?"), "b": returns_set}, starts=STARTS), refuse=unstorable)

    with pytest.raises(UnserializableValueError, match="Node 'b'"):
        begin(world)
    assert (world.status, len(world.pending)) == ("error", 1)

    world.spec = graph({START: "a b"}, {"a": asks("sure?")}, starts=STARTS)
    assert play(world, Steer(resume="yes"), "r2").values == {"log": ["in", "yes", "b"]}


@pytest.mark.parametrize("edges", [{START: "a"}, {START: "a b"}, {START: "x", "x": "a"}])
def test_at_exit_a_value_that_cannot_be_stored_fails_its_node_when_it_returns(edges):
    world = World(graph({**edges, "a": "c"}, {"a": returns_set}, starts=STARTS), refuse=unstorable)

    with pytest.raises(UnserializableValueError, match="Node 'a': A set"):
        begin(world, durability="exit")
    assert (world.status, "c" in world.called) == ("error", False)

    world.spec = graph({**edges, "a": "c"}, starts=STARTS)
    others = [node for node in world.called if node != "a"]
    finished = play(world, Continue(), "r2", "exit")
    assert finished.values == {"log": ["in", *sorted({*others, "a"}, key="xab".index), "c"]}
    assert [node for node in world.called if node not in {"a", "c"}] == others


def test_at_exit_failures_and_questions_are_kept_as_well():
    world = World(graph(FAN, {"a": fails_once(), "b": asks("sure?")}, starts=STARTS))

    with pytest.raises(ValueError, match=r"(?m)^a$"):
        begin(world, durability="exit")
    assert len(world.pending) == 1

    assert play(world, Steer(resume="yes"), "r2", "exit").values == {"log": ["in", "a", "yes", "c"]}
    assert world.called == ["a", "b", "c", "a", "b"]


@pytest.mark.parametrize("durability", ["sync", "exit"])
def test_a_merged_value_that_cannot_be_stored_fails_the_nodes_that_wrote_it(durability):
    def merges_to_a_set(value):
        return value if value != ["in", "a"] else [{5}]

    world = World(graph({START: "a b"}, {"b": lambda _: Done()}, starts=STARTS, checks={"log": merges_to_a_set}), refuse=unstorable)

    with pytest.raises(UnserializableValueError, match="Node 'a': A set"):
        begin(world, durability=durability, events=True)
    assert world.status == "error"

    world.spec = graph({START: "a b"}, {"b": lambda _: Done()}, starts=STARTS)
    assert play(world, Continue(), "r2", durability).values == {"log": ["in", "a"]}
    assert world.called == ["a", "b", "a"]
