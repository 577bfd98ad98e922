"""Reading and editing what is saved."""

from __future__ import annotations

import pytest

from graphkit.core.channels import UntrackedValue
from graphkit.core.checkpoint import Trigger
from graphkit.core.command import MISSING, START, Command, Send
from graphkit.core.effects import History
from graphkit.core.engine import run
from graphkit.core.history import COPY, INPUT, Edit, get_history, get_state, update_state
from graphkit.core.request import Continue, NewTurn, Steer
from graphkit.core.task import Done, Escaped, Failed, Interrupted
from graphkit.errors import CheckpointNotFoundError, ConflictingWritesError, InvalidUpdateError, UnknownNodeError
from tests.unit.core.graphs import CHANNELS, asked, asks, graph, logs, question, request
from tests.unit.core.world import World


def edits(task):
    """Stand for the runtime: read the preset of an edit as a node's update, otherwise log the name."""
    if isinstance(task.preset, dict):
        return Done(tuple(task.preset.items()))
    return logs(task)


def fails(task):
    return Failed.of(ValueError("no"))


ACTIONS = dict.fromkeys(["a", "b", "c"], edits)
CHAIN = graph({START: "a", "a": "b", "b": "c"}, {**ACTIONS, START: edits}, starts=(("log", list),))


def ran(spec=CHAIN, **more):
    """Return a world in which a first run has been made."""
    world = World(spec)
    world.play(run(spec, request(NewTurn({"log": ["in"]}), "r1", durability="sync", **more)))
    return world


def edit(world, *supersteps, token="e1", **more):
    made = world.play(update_state(world.spec, request(None, token, durability="sync", **more), [list(edits) for edits in supersteps]))
    assert world.checkpoints[-1].id == made.id
    return made


def state(world, **more):
    return world.play(get_state(world.spec, request(**more)))


def go_on(world, token="r2", given=None):
    return world.play(run(world.spec, request(given or Continue(), token, durability="sync")))


def names(checkpoint):
    return [trigger.node for trigger in checkpoint.frontier]


# Reading


def test_a_thread_nobody_has_written_to_has_no_state():
    assert state(World(CHAIN)) is None


def test_the_newest_state_has_the_updates_of_finished_tasks_and_names_what_is_left():
    spec = graph({START: "a b"}, {"a": edits, "b": asks("sure?")}, starts=(("log", list),))
    world = ran(spec)

    view = state(world)

    assert view.values == {"log": ["in", "a"]}
    assert view.next == ("b",)
    assert [task.node for task in view.tasks] == ["a", "b"]
    assert view.outcomes[0] == Done((("log", ["a"]),))


def test_the_newest_checkpoint_by_id_is_still_the_newest():
    world = fanned()

    by_id, newest = state(world, checkpoint_id=world.checkpoints[-1].id), state(world)

    assert (by_id.saved, by_id.values, by_id.next) == (newest.saved, newest.values, newest.next)
    assert newest.values == {"log": ["in", "a"]}


def test_an_older_state_is_as_it_was_then():
    spec = graph({START: "a b", "a": "c"}, {**ACTIONS, "b": asks("sure?")}, starts=(("log", list),))
    world = ran(spec)
    go_on(world, given=Steer(resume="yes"))

    view = state(world, checkpoint_id=world.checkpoints[1].id)

    assert view.values == {"log": ["in"]}


def test_history_is_newest_first_without_updates_of_unfinished_supersteps():
    world = ran(graph({START: "a b"}, {"a": edits, "b": asks("sure?")}, starts=(("log", list),)))

    views = world.play(get_history(world.spec, request(), History(limit=1)))

    assert [(view.saved.checkpoint.step, view.values) for view in views] == [(0, {"log": ["in"]})]


def test_a_node_that_the_graph_has_lost_is_shown():
    world = ran(CHAIN, interrupt_before=frozenset({"b"}))

    view = world.play(get_state(graph({START: "a"}), request()))

    assert view.next == ("b",)


# Editing in the name of a node


def test_an_edit_is_a_checkpoint_as_if_the_node_had_run():
    world = ran(interrupt_before=frozenset({"b"}))

    made = edit(world, [Edit({"log": ["edit"]}, "b")])

    assert (made.source, made.step, made.wrote, made.parent) == ("update", 2, ("b",), world.checkpoints[-2].id)
    assert made.values == {"log": ["in", "a", "edit"]}
    assert names(made) == ["c"]
    assert world.status == "interrupted"
    assert go_on(world).values == {"log": ["in", "a", "edit", "c"]}


def test_an_edit_is_one_transaction_with_all_of_its_supersteps():
    world = ran()
    before = len(world.commits)

    made = edit(world, [Edit({"log": [1]}, "a"), Edit({"log": [2]}, "b")], [Edit({"log": [3]}, "c")], metadata={"user": "u"})

    assert len(world.commits) == before + 1
    assert (world.commits[-1].claim, world.commits[-1].release) == (True, "idle")
    assert [entry.checkpoint.wrote for entry in world.commits[-1].entries] == [("a", "b"), ("c",)]
    assert [entry.metadata for entry in world.commits[-1].entries] == [{"user": "u"}] * 2
    assert made.values == {"log": ["in", "a", "b", "c", 1, 2, 3]}


@pytest.mark.parametrize("update", [None, {}])
def test_an_edit_of_nothing_in_the_name_of_a_node_only_takes_its_ways(update):
    world = ran()

    made = edit(world, [Edit(update, "a")])

    assert made.values == world.checkpoints[-2].values
    assert names(made) == ["b"]


def test_without_a_name_the_node_that_wrote_last_is_meant():
    world = ran(interrupt_before=frozenset({"b"}))

    assert edit(world, [Edit({"log": ["edit"]})]).wrote == ("a",)


def test_on_a_new_thread_the_entry_is_meant():
    world = World(CHAIN)

    made = edit(world, [Edit({"log": ["edit"]})])

    assert (made.n, made.step, made.parent, made.wrote) == (0, -1, None, (START,))
    assert made.values == {"log": ["edit"]}
    assert go_on(world).values == {"log": ["edit", "a", "b", "c"]}


def test_on_an_input_checkpoint_the_entry_is_meant():
    world = ran()

    assert edit(world, [Edit({"log": ["edit"]})], checkpoint_id=world.checkpoints[0].id).wrote == (START,)


def test_where_no_node_wrote_last_the_only_node_is_meant():
    world = World(graph({START: "a"}, {"a": edits}, starts=(("log", list),)))
    first = edit(world, [Edit({"log": ["in"]}, INPUT)])
    second = edit(world, [Edit({"log": ["end"]}, "__end__")], token="e2")

    assert (first.step, second.step, second.wrote) == (-1, 0, ())
    assert edit(world, [Edit({"log": ["edit"]})], token="e3").wrote == ("a",)


@pytest.mark.parametrize(
    "spec, supersteps, text",
    [
        (graph({START: "a b"}, ACTIONS), [[Edit({"log": ["edit"]})]], "Ambiguous update, specify as_node: 'a', 'b' wrote last"),
        (CHAIN, [[Edit(None, INPUT)], [Edit({}, "a")]], "Expected a dict of values, got NoneType"),
        (CHAIN, [[Edit({}, COPY), Edit({}, "a")]], "must be alone in their superstep"),
        (CHAIN, [[Edit(5, INPUT)]], "Expected a dict of values, got int"),
        (CHAIN, [[Edit([5], "__end__")]], "Expected a dict of values, got list"),
    ],
)
def test_an_edit_that_is_none_is_refused_and_nothing_is_written(spec, supersteps, text):
    world = ran(spec)
    before = len(world.commits)

    with pytest.raises(InvalidUpdateError, match=text):
        edit(world, *supersteps)
    assert len(world.commits) == before


def test_where_no_node_wrote_last_and_there_are_several_the_name_is_missing():
    world = World(CHAIN)
    edit(world, [Edit({"log": []}, INPUT)])
    edit(world, [Edit(None, "__end__")], token="e2")

    with pytest.raises(InvalidUpdateError, match="specify as_node: no node wrote last"):
        edit(world, [Edit({"log": []})], token="e3")


def test_an_unknown_name_is_refused_with_the_nearest_one():
    world = ran(graph({START: "pick"}))

    with pytest.raises(UnknownNodeError, match=r"as_node='pik' is no node.*'pick'"):
        edit(world, [Edit({}, "pik")])


def test_an_unknown_checkpoint_is_refused():
    with pytest.raises(CheckpointNotFoundError, match="'nowhere' is not in the thread"):
        edit(ran(), [Edit({}, "a")], checkpoint_id="nowhere")


def test_what_the_runtime_says_of_the_update_is_raised():
    world = ran(graph({START: "a"}, {"a": edits, "b": fails}))

    with pytest.raises(ValueError, match=r"(?m)^no$") as caught:
        edit(world, [Edit({}, "b")])

    assert "'b'" in caught.value.__notes__[0]


@pytest.mark.parametrize("outcome", [Interrupted((question("t"),)), Escaped(Command(graph=Command.PARENT))])
def test_an_edit_whose_router_asks_is_refused(outcome):
    world = ran(graph({START: "a"}, {"a": edits, "b": lambda task: outcome}))
    before = len(world.commits)

    with pytest.raises(InvalidUpdateError, match="'b'"):
        edit(world, [Edit({"log": ["edit"]}, "b")])
    assert len(world.commits) == before


def test_updates_that_cannot_be_merged_are_refused():
    with pytest.raises(ConflictingWritesError):
        edit(ran(), [Edit({"last": 1}, "a"), Edit({"last": 2}, "b")])


# Editing at the borders


def test_an_edit_as_input_begins_a_turn():
    world = ran()

    made = edit(world, [Edit({"log": ["again"]}, INPUT)])

    assert (made.source, made.frontier) == ("input", (Trigger(START, {"log": ["again"]}),))
    assert go_on(world).values["log"] == ["in", "a", "b", "c", "again", "a", "b", "c"]


@pytest.mark.parametrize("update, log", [(None, ["in", "a"]), ({"log": ["end"]}, ["in", "a", "end"])])
def test_an_edit_as_the_end_leaves_nothing_to_run(update, log):
    world = ran(interrupt_before=frozenset({"b"}))

    made = edit(world, [Edit(update, "__end__")])

    assert (made.source, made.frontier, made.values) == ("update", (), {"log": log})
    assert world.status == "idle"


@pytest.mark.parametrize("as_node", [COPY, None])
def test_a_copy_is_a_new_branch_from_the_same_position(as_node):
    world = ran()
    old = world.checkpoints[2]

    made = edit(world, [Edit(None, as_node)], checkpoint_id=old.id)

    assert (made.source, made.parent, made.step, made.values) == ("fork", old.id, old.step + 1, world.values(old.id))
    assert names(made) == names(old)
    assert go_on(world).values == {"log": ["in", "a", "b", "c"]}


# Editing in the middle


def fanned():
    """Return a world where ``a`` has finished and ``b`` waits for an answer."""
    actions = {**ACTIONS, "b": lambda task: asks("sure?")(task) if task.preset is MISSING else edits(task), "x": edits}
    return ran(graph({START: "a b", "a": "c", "b": "c", "x": "b"}, actions, starts=(("log", list),)))


def test_tasks_that_the_new_frontier_still_has_stay_the_same_tasks():
    world = fanned()
    old = state(world)

    made = edit(world, [Edit({"log": ["edit"]}, "x")])
    view = state(world)

    assert made.origin == old.saved.checkpoint.origin
    assert view.tasks[0].id == old.tasks[1].id
    assert isinstance(view.outcomes[0], Interrupted)
    assert world.pending
    # ``a`` had finished: its update is merged, and where it led to is kept.
    assert view.next == ("b", "c")
    assert go_on(world, given=Steer(resume="yes")).values["log"] == ["in", "a", "edit", "yes", "c", "c"]


def test_finished_siblings_that_leave_the_frontier_are_merged_first_and_questions_cancelled():
    world = fanned()

    made = edit(world, [Edit({"log": ["edit"]}, "b")])

    assert made.values["log"] == ["in", "a", "edit"]
    assert world.pending == []
    assert go_on(world).values["log"] == ["in", "a", "edit", "c"]


def test_an_edit_at_an_older_checkpoint_takes_nothing_over():
    world = fanned()
    go_on(world, given=Steer(resume="yes"))
    old = world.checkpoints[1]

    made = edit(world, [Edit({"log": ["edit"]}, "x")], checkpoint_id=old.id)

    assert made.values["log"] == ["in", "edit"]
    assert [trigger.id for trigger in made.frontier] == [""]
    assert made.origin == made.n


def test_a_question_that_is_kept_over_two_supersteps_of_edits_is_still_pending():
    world = fanned()
    asking = world.pending

    edit(world, [Edit({"log": ["one"]}, "x")], [Edit({"log": ["two"]}, "x")])

    assert world.pending == asking
    assert go_on(world, given=Steer(resume="yes")).values["log"] == ["in", "a", "one", "two", "yes", "c"]


def test_an_edit_in_a_subgraph_leaves_the_questions_of_others_alone_and_the_thread_interrupted():
    world = fanned()
    foreign = question("elsewhere", namespace="other")
    own = question("gone", namespace="sub:1")
    for asking in (foreign, own):
        world.questions[asking.interrupt.id] = asked(asking)

    edit(world, [Edit({"log": ["edit"]}, "__end__")], namespace="sub:1")

    assert foreign.interrupt.id in world.pending
    assert own.interrupt.id not in world.pending
    assert world.status == "interrupted"


def test_an_edit_does_not_store_untracked_keys():
    spec = graph(
        {START: "a"},
        {"a": lambda task: Done(edits(task).writes, sends=(Send("a", {"lock": 1, "log": []}),))},
        channels={**CHANNELS, "lock": UntrackedValue()},
    )
    world = World(spec)

    edit(world, [Edit({"last": 1, "lock": 2}, "a")])

    assert world.values(world.checkpoints[-1].id) == {"last": 1}
    assert world.checkpoints[-1].frontier == (Trigger("a", {"log": []}),)
