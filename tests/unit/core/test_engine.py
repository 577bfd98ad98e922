"""The order of one run, driven by hand: what is asked of the world, and what comes of its answers."""

from __future__ import annotations

import pytest

from graphkit.core.channels import EphemeralValue
from graphkit.core.checkpoint import Trigger
from graphkit.core.command import START, Command, Send
from graphkit.core.effects import Load, Run
from graphkit.core.engine import run
from graphkit.core.events import NodeFinished, Paused, ValuesChanged
from graphkit.core.history import Edit, update_state
from graphkit.core.ids import checkpoint_id
from graphkit.core.request import Continue, NewTurn, Steer
from graphkit.core.task import Done, Escaped, Interrupted
from graphkit.errors import (
    CheckpointNotFoundError,
    GraphRecursionError,
    InterruptAlreadyAnsweredError,
    UnknownInterruptError,
)
from tests.unit.core.graphs import CHANNELS, asks, fails, graph, logs, position, question, request, saved
from tests.unit.core.world import World, begin, play

STARTS = (("log", list),)
CHAIN = graph({START: "a", "a": "b"}, starts=STARTS)
FAN = {START: "a b c"}


@pytest.mark.parametrize("durability", ["sync", "async", "exit", None])
def test_a_chain_runs_to_its_end(durability):
    world = World(CHAIN, saves=durability is not None)

    finished = begin(world, durability=durability)

    assert (finished.values, finished.status, finished.questions) == ({"log": ["in", "a", "b"]}, "idle", ())
    assert world.called == ["a", "b"]
    assert world.status == ("idle" if durability else None)


@pytest.mark.parametrize("last_first", [False, True])
@pytest.mark.parametrize("limit", [None, 1, 2])
def test_the_result_does_not_depend_on_the_order_in_which_tasks_end(last_first, limit):
    world = World(graph({**FAN, "a": "d", "b": "d"}, starts=STARTS), last_first=last_first)

    finished = begin(world, max_concurrency=limit)

    assert finished.values == {"log": ["in", "a", "b", "c", "d"]}


def test_a_superstep_of_one_task_runs_alone_and_several_side_by_side():
    world = World(graph({START: "a", "a": "b c"}))

    begin(world)

    assert [line for line in world.lines if line.startswith(("Run", "Start"))] == ["Run a", "Start b c"]


def test_what_is_emitted_has_been_committed_before():
    world = World(graph({**FAN, "a": "d"}, {"b": asks("sure?")}, starts=STARTS))

    begin(world, events=True)

    emitted = [index for index, line in enumerate(world.lines) if line.startswith("Emit update")]
    for index in emitted:
        node = world.lines[index].split()[3].rstrip(":")
        assert any([f"outcome of {node}:" in line or f"'{node}'" in line for line in world.lines[:index]])


def test_without_a_reader_nothing_is_emitted():
    world = World(graph(FAN, {"b": asks("sure?")}))

    begin(world)

    assert world.events == []


# Loading


@pytest.mark.parametrize("more", [{"fresh": True}, {"durability": None}])
def test_where_nothing_can_be_saved_nothing_is_loaded(more):
    program = run(CHAIN, request(NewTurn({}), **{"durability": "sync", **more}))

    assert not isinstance(next(program), Load)


def test_an_unknown_checkpoint_is_refused_before_anything_runs():
    world = World(CHAIN)

    with pytest.raises(CheckpointNotFoundError, match="'nowhere' is not in the thread"):
        play(world, checkpoint_id="nowhere")
    assert (world.called, world.commits) == ([], [])


def called(known, base=None, found=None, owner="new call"):
    """Drive a subgraph's program until its first commit; return (checkpoints it asked for, commit)."""
    program = run(CHAIN, request(NewTurn({"log": ["in"]}), path=("t",), owner=owner, base=base, durability="sync"))
    loads, effect = [], next(program)
    replies = [known, found]
    while isinstance(effect, Load):
        loads.append(effect.checkpoint_id)
        effect = program.send(replies.pop(0))
    program.close()
    return loads, effect


def test_a_subgraph_that_keeps_its_state_goes_on_from_where_its_parent_saw_it():
    base = position(n=3, values={"log": ["seen"]}, owner="old call")
    newer = saved(position(n=7, values={"log": ["unseen"]}, owner="other branch"))

    loads, commit = called(newer, base.id, saved(base, head=7))

    assert loads == [None, base.id]
    assert [entry.checkpoint.n for entry in commit.entries] == [8, 9]
    assert commit.entries[-1].checkpoint.values == {"log": ["seen", "in"]}


@pytest.mark.parametrize("base", [None, "gone"])
def test_a_subgraph_that_its_parent_has_not_seen_begins_afresh(base):
    newer = saved(position(n=7, values={"log": ["unseen"]}, owner="other branch"))

    loads, commit = called(newer, base)

    assert loads == ([None] if base is None else [None, base])
    assert commit.entries[-1].checkpoint.values == {"log": ["in"]}
    assert (commit.entries[0].checkpoint.n, commit.entries[0].checkpoint.parent, commit.entries[0].deltas) == (8, None, None)


def test_a_subgraph_whose_newest_checkpoint_is_where_its_parent_saw_it_needs_one_load():
    base = position(n=3, values={"log": ["seen"]}, owner="old call")

    loads, commit = called(saved(base), base.id)

    assert loads == [None]
    assert commit.entries[-1].checkpoint.values == {"log": ["seen", "in"]}


def test_a_resumed_call_of_a_subgraph_goes_on_where_it_was():
    loads, effect = called(saved(position("b", n=3, owner="t", values={"log": []})), owner="t")

    assert loads == [None]
    assert isinstance(effect, Run)
    assert effect.task.node == "b"


# Questions


def test_a_question_pauses_and_its_answer_continues():
    world = World(graph(FAN, {"b": asks("sure?")}, starts=STARTS))

    paused = begin(world)
    assert ([i.value for i in paused.interrupts], paused.status, world.status) == (["sure?"], "interrupted", "interrupted")
    assert paused.values == {"log": ["in", "a", "c"]}

    finished = play(world, Steer(resume="yes"), "r2")
    assert finished.values == {"log": ["in", "a", "yes", "c"]}
    assert world.called == ["a", "b", "c", "b"]


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_answers_may_come_one_by_one_and_only_the_answered_task_runs(durability):
    world = World(graph(FAN, {"a": asks("one?"), "c": asks("two?")}, starts=STARTS))
    one, two = [i.id for i in begin(world, durability=durability).interrupts]

    half = play(world, Steer(resume={two: "2"}), "r2", durability=durability)
    assert [i.id for i in half.interrupts] == [one]
    assert world.pending == [one]

    finished = play(world, Steer(resume="1"), "r3", durability=durability)
    assert finished.values == {"log": ["in", "1", "b", "2"]}
    assert world.called == ["a", "b", "c", "c", "a"]


def test_a_thread_that_waits_for_answers_only_says_so_when_it_is_continued():
    world = World(graph(FAN, {"a": asks("one?")}))
    begin(world)
    before = list(world.commits)

    paused = play(world, Continue(), "r2", events=True)

    assert ([i.value for i in paused.interrupts], paused.status) == (["one?"], "interrupted")
    assert world.commits == before
    assert world.called == ["a", "b", "c"]
    assert [type(event) for event in world.events] == [ValuesChanged, NodeFinished, NodeFinished, Paused, ValuesChanged]
    assert all([event.cached for event in world.events if isinstance(event, NodeFinished)])


def test_answers_are_checked_against_their_schema_before_the_claim():
    def strict(task):
        return Interrupted((question(task.id, response_schema={"type": "string"}),)) if not task.answers else logs(task)

    world = World(graph({START: "a"}, {"a": strict}))
    begin(world)
    world.lines.clear()

    play(world, Steer(resume="yes"), "r2")

    assert world.lines[:3] == ["Load the newest checkpoint", "Check answers 'yes' against {'type': 'string'}", "Commit"]


@pytest.mark.parametrize("resume, kind", [({"f" * 32: "yes"}, UnknownInterruptError), ("again", InterruptAlreadyAnsweredError)])
def test_an_answer_that_the_saver_refuses_runs_nothing_and_consumes_nothing(resume, kind):
    world = World(graph(FAN, {"a": asks("one?"), "b": asks("two?")}))
    one, two = [i.id for i in begin(world).interrupts]
    play(world, Steer(resume={one: "1"}), "r2")
    before = list(world.called)

    with pytest.raises(kind):
        play(world, Steer(resume={two: "2", **({one: resume} if resume == "again" else resume)}), "r3")

    assert (world.pending, world.called) == ([two], before)


def test_a_new_turn_cancels_what_is_pending():
    world = World(graph({START: "a"}, {"a": asks("sure?")}))
    (asking,) = begin(world).interrupts

    begin(world, token="r2")

    assert world.questions[asking.id].status == "cancelled"
    assert len(world.pending) == 1


def test_an_answer_at_an_older_checkpoint_makes_a_branch():
    world = World(graph({START: "a"}, {"a": asks("sure?")}, starts=STARTS))
    at = begin(world).checkpoint.id
    assert play(world, Steer(resume="yes"), "r2").values == {"log": ["in", "yes"]}

    branch = play(world, Steer(resume="no"), "r3", checkpoint_id=at)

    assert branch.values == {"log": ["in", "no"]}
    assert world.pending == []
    assert [checkpoint.source for checkpoint in world.checkpoints] == ["input", "loop", "loop", "fork", "loop"]


# Going on


def test_a_superstep_whose_tasks_have_all_finished_goes_on():
    spec = graph({START: "a b", "b": "x", "x": "a", "a": "d"}, {"b": fails, "x": lambda _: Done((("log", ["edit"]),))}, starts=STARTS)
    world = World(spec)
    with pytest.raises(ValueError, match=r"(?m)^b$"):
        begin(world)
    world.play(update_state(spec, request(token="e1", durability="sync"), [[Edit({"log": ["edit"]}, "x")]]))

    finished = play(world, Continue(), "r2")

    assert (finished.values, finished.status) == ({"log": ["in", "edit", "a", "d"]}, "idle")
    assert world.called == ["a", "b", "x", "d"]


def test_a_fork_runs_everything_after_it_again():
    world = World(graph({START: "a", "a": "b"}, starts=STARTS))
    begin(world)

    finished = play(world, Continue(), "r2", checkpoint_id=checkpoint_id(1, "r1"))

    assert finished.values == {"log": ["in", "a", "b"]}
    assert world.called == ["a", "b", "a", "b"]
    assert finished.checkpoint.step == 3


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_the_limit_counts_supersteps_and_the_state_is_kept(durability):
    world = World(graph({START: "a", "a": "b", "b": "a"}, starts=STARTS))

    with pytest.raises(GraphRecursionError, match="Recursion limit of 3 reached with work left; the last nodes were a -> b -> a") as caught:
        begin(world, durability=durability, recursion_limit=3)
    assert (caught.value.facts, world.status) == ({"limit": 3, "nodes": ("a", "b", "a")}, "error")

    with pytest.raises(GraphRecursionError, match="b -> a -> b"):
        play(world, Continue(), "r2", recursion_limit=3)
    assert world.called == ["a", "b", "a", "b", "a", "b"]


def test_a_run_that_ends_exactly_at_the_limit_is_finished():
    assert begin(World(CHAIN), recursion_limit=2).status == "idle"


def test_tasks_know_how_many_supersteps_remain():
    remaining = []

    def node(task):
        remaining.append(task.remaining)
        return logs(task)

    begin(World(graph({START: "a", "a": "b", "b": "c"}, dict.fromkeys("abc", node))), recursion_limit=5)

    assert remaining == [4, 3, 2]


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_a_breakpoint_before_a_node_stops_once(durability):
    world = World(CHAIN)

    held = begin(world, durability=durability, interrupt_before=frozenset({"b"}), events=True)
    assert (held.status, held.values, world.called, world.status) == ("interrupted", {"log": ["in", "a"]}, ["a"], "interrupted")
    assert world.events[-1] == Paused("", ())
    assert world.filed == {}

    assert play(world, Continue(), "r2", interrupt_before=frozenset({"b"})).values == {"log": ["in", "a", "b"]}


def test_a_breakpoint_before_the_first_node_stops_before_anything_runs():
    world = World(CHAIN)

    assert begin(world, interrupt_before=frozenset({"a"})).status == "interrupted"
    assert world.called == []
    assert len(world.commits) == 1


def test_a_breakpoint_after_a_node_stops_when_it_has_run():
    world = World(CHAIN)

    assert begin(world, interrupt_after=frozenset({"a"})).values == {"log": ["in", "a"]}
    assert play(world, Continue(), "r2", interrupt_after=frozenset({"a"})).values == {"log": ["in", "a", "b"]}


def test_a_breakpoint_after_the_last_node_is_the_end():
    assert begin(World(CHAIN), interrupt_after=frozenset({"b"})).status == "idle"


def test_a_finished_thread_that_is_continued_does_nothing():
    world = World(CHAIN)
    begin(world)
    before = len(world.commits)

    assert play(world, Continue(), "r2").status == "idle"
    assert len(world.commits) == before


# Subgraphs and routes


def test_a_command_for_the_parent_ends_the_subgraph_and_is_handed_up():
    command: Command[str] = Command(graph=Command.PARENT, goto="x")
    world = World(graph(FAN, {"b": lambda _: Escaped(command)}, starts=STARTS))
    world.held = True

    finished = begin(world, path=("t",), owner="t")

    assert finished.escaped is command
    assert [filed.outcome for filed in world.filed.values()] == [Done((("log", ["a"]),)), Done((("log", ["c"]),))]


def test_a_command_for_the_parent_keeps_further_tasks_from_starting():
    world = World(graph(FAN, {"a": lambda _: Escaped(Command(graph=Command.PARENT))}))
    world.held = True

    begin(world, path=("t",), max_concurrency=1)

    assert world.called == ["a"]


def test_where_a_router_decides_start_is_run_and_counts_as_no_superstep():
    def start(task):
        return Done(tuple(task.trigger.arg.items()), ("b",), (Send("a", 1),))

    world = World(graph({START: ""}, {START: start, "a": logs, "b": logs}, conditional_entry=True, starts=STARTS))

    finished = begin(world, recursion_limit=1, events=True)

    assert finished.values == {"log": ["in", "b", "a"]}
    assert world.called == [START, "b", "a"]
    assert [event.node for event in world.events if isinstance(event, NodeFinished)] == ["b", "a"]


def test_a_value_of_one_superstep_is_dropped_from_storage_when_it_is_gone():
    channels = {**CHANNELS, "note": EphemeralValue()}
    world = World(graph({START: "a", "a": "b", "b": "c"}, {"a": lambda _: Done((("note", 1),))}, channels=channels, starts=STARTS))

    begin(world)

    assert ["note" in checkpoint.values for checkpoint in world.checkpoints] == [False, False, True, False, False]


def test_a_superstep_that_writes_nothing_changes_no_values():
    world = World(graph({START: "a"}, {"a": lambda _: Done()}))

    begin(world, events=True)

    assert world.commits[-1].entries[0].deltas == {}
    assert [type(event) for event in world.events] == [ValuesChanged, NodeFinished]


def test_sends_run_side_by_side_with_their_own_arguments():
    seen = []

    def worker(task):
        seen.append(task.trigger)
        return Done((("log", [task.trigger.arg]),))

    world = World(graph({START: "a"}, {"a": lambda _: Done(sends=(Send("w", 2), Send("w", 1))), "w": worker}, starts=STARTS))

    assert begin(world).values == {"log": ["in", 2, 1]}
    assert seen == [Trigger("w", 2), Trigger("w", 1)]
