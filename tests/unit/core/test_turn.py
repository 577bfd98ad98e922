"""How a run begins: the cases of ``core/turn.py``, one after the other."""

from __future__ import annotations

import pytest

from graphkit.core.channels import EphemeralValue
from graphkit.core.checkpoint import Trigger
from graphkit.core.command import MISSING, START, Send
from graphkit.core.ids import checkpoint_id
from graphkit.core.request import Continue, NewTurn, Steer
from graphkit.core.resume import interrupt_id
from graphkit.core.task import Done, Failed, Interrupted, task_id
from graphkit.core.turn import adapted, blank, keep_ids, open_turn, settled_values, with_targets
from graphkit.errors import (
    AmbiguousResumeError,
    ConflictingWritesError,
    EmptyInputError,
    NothingToResumeError,
    UnknownKeyError,
    UnknownNodeError,
)
from tests.unit.core.graphs import CHANNELS, asked, graph, position, question, request, saved, tasks_of

SHOP = graph(
    {"__start__": "pick pack", "pick": "send", "pack": "send"}, joins={"pick pack": "send"}, starts=(("log", list), ("total", int))
)
ROUTED = graph({"__start__": ""}, conditional_entry=True, starts=(("log", list),))


def names(frontier):
    return [trigger.node for trigger in frontier]


def steps(opening):
    return [(made.n, made.step, made.source) for made in opening.made]


# 1. input, nothing saved


def test_an_input_on_a_new_thread_makes_the_input_checkpoint_and_the_first_step():
    opening = open_turn(SHOP, request(NewTurn({"log": ["in"]}), owner="caller"), None)

    first, second = opening.made
    assert steps(opening) == [(0, -1, "input"), (1, 0, "loop")]
    assert (first.parent, first.values, first.frontier) == (None, {"log": [], "total": 0}, (Trigger(START, {"log": ["in"]}),))
    assert (second.parent, second.values, names(second.frontier)) == (first.id, {"log": ["in"], "total": 0}, ["pack", "pick"])
    assert first.owner == second.owner == "caller"
    assert (opening.checkpoint, opening.before, opening.saved) == (second, None, None)


def test_where_user_code_decides_where_a_turn_begins_start_is_a_task():
    opening = open_turn(ROUTED, request(NewTurn({"log": ["in"]})), None)

    assert steps(opening) == [(0, -1, "input")]
    assert names(opening.checkpoint.frontier) == [START]


def test_an_input_without_any_key_is_an_input():
    assert names(open_turn(SHOP, request(NewTurn({})), None).checkpoint.frontier) == ["pack", "pick"]


def test_an_input_with_an_unknown_key_is_refused():
    with pytest.raises(UnknownKeyError, match=r"'logs'.*'log'"):
        open_turn(SHOP, request(NewTurn({"logs": []})), None)


# 2. input, saved


def test_an_input_on_a_finished_thread_begins_a_new_turn_after_the_newest_checkpoint():
    at = position(
        n=4,
        step=3,
        values={"log": ["old"], "total": 0},
        joins={"pick pack:send": {"pick"}},
        deferred=frozenset({"send"}),
        exports=(("log", []),),
    )

    opening = open_turn(SHOP, request(NewTurn({"log": ["new"]})), saved(at, head=7))

    first, second = opening.made
    assert steps(opening) == [(8, 4, "input"), (9, 5, "loop")]
    assert (first.parent, first.values, first.joins, first.deferred, first.exports) == (
        at.id,
        {"log": ["old"], "total": 0},
        {},
        frozenset(),
        (),
    )
    assert second.values == {"log": ["old", "new"], "total": 0}
    assert opening.before is not None
    assert opening.before.id == at.id


def test_an_input_in_the_middle_keeps_the_updates_of_finished_tasks_and_cancels_questions():
    at = position("pack pick", n=4, values={"log": ["old"], "total": 0})
    pack, pick = tasks_of(at)
    asking = question(pick.id)
    known = saved(at, outcomes={pack.id: Done((("log", ["pack"]),)), pick.id: Interrupted((asking,))}, questions=(asked(asking),))

    opening = open_turn(SHOP, request(NewTurn({})), known)

    assert opening.checkpoint.values["log"] == ["old", "pack"]
    assert opening.cancelled == (asking.interrupt.id,)
    assert opening.outcomes == {}


def test_an_input_at_an_older_checkpoint_takes_nothing_that_was_finished_later():
    at = position("pick", n=4, values={"log": ["old"], "total": 0})
    known = saved(at, head=9, outcomes={tasks_of(at)[0].id: Done((("log", ["pick"]),))})

    opening = open_turn(SHOP, request(NewTurn({})), known)

    assert steps(opening)[0][0] == 10
    assert opening.checkpoint.values["log"] == ["old"]


def test_an_input_to_a_subgraph_whose_state_the_parent_has_never_seen_begins_without_a_parent():
    opening = open_turn(SHOP, request(NewTurn({}), path=("t",), owner="t"), saved(blank(SHOP), head=5))

    assert (opening.made[0].n, opening.made[0].parent, opening.before) == (6, None, None)


# 3. no input, nothing saved


def test_no_input_on_a_new_thread_is_refused():
    with pytest.raises(EmptyInputError, match="no saved thread"):
        open_turn(SHOP, request(Continue()), None)


# 4. no input, saved


def test_no_input_goes_on_with_what_is_known_of_the_tasks():
    at = position("pack pick send", n=4)
    _, pick, send = tasks_of(at)
    outcome = Done((("last", 1),))
    known = saved(at, outcomes={pick.id: outcome, send.id: Failed("failures run again and are forgotten")})

    opening = open_turn(SHOP, request(Continue()), known)

    assert (opening.checkpoint, opening.made, opening.outcomes, opening.saved) == (at, (), {1: outcome}, known)


def test_no_input_on_a_finished_thread_makes_nothing_also_at_an_older_checkpoint():
    for head in (4, 9):
        opening = open_turn(SHOP, request(Continue()), saved(position(n=4), head=head))

        assert (opening.made, opening.cancelled) == ((), ())


# 5. no input, an older checkpoint


def test_an_older_checkpoint_is_forked_under_new_ids():
    at = position((Trigger("pack", id="carried"), Trigger("pick", 5)), n=4, step=2, values={"log": ["old"]}, origin=3)
    pending = question("somewhere")
    known = saved(at, head=9, outcomes={"carried": Done()}, questions=(asked(pending), asked(question("b"), status="answered")))

    opening = open_turn(SHOP, request(Continue()), known)

    (fork,) = opening.made
    assert (fork.n, fork.step, fork.source, fork.parent, fork.origin) == (10, 3, "fork", at.id, 10)
    assert fork.frontier == (Trigger("pack"), Trigger("pick", 5))
    assert (fork.values, opening.outcomes, opening.saved) == (at.values, {}, None)
    assert opening.cancelled == (pending.interrupt.id,)
    assert opening.before == at


def test_a_fork_of_an_input_checkpoint_takes_the_step_of_start_again():
    at = position((Trigger(START, {"log": ["in"]}),), n=0, step=-1, values={"log": [], "total": 0})

    opening = open_turn(SHOP, request(Continue()), saved(at, head=3))

    assert steps(opening) == [(4, 0, "fork"), (5, 1, "loop")]
    assert opening.checkpoint.values["log"] == ["in"]


def test_an_input_checkpoint_that_an_edit_left_is_entered():
    at = position((Trigger(START, {"log": ["in"]}),), n=3)

    opening = open_turn(SHOP, request(Continue()), saved(at))

    assert steps(opening) == [(4, 3, "loop")]
    assert opening.saved is None


def test_a_subgraph_does_not_cancel_the_questions_of_its_parent():
    known = saved(position("pick", n=4), head=9, questions=(asked(question("parent")),))

    assert open_turn(SHOP, request(Continue(), path=("t",), owner="t"), known).cancelled == ()


def test_a_call_of_a_subgraph_that_is_resumed_goes_on_where_it_was_whatever_its_input():
    at = position("pick", n=4, owner="t")

    opening = open_turn(SHOP, request(NewTurn({"log": ["again"]}), path=("t",), owner="t"), saved(at))

    assert (opening.checkpoint, opening.made) == (at, ())


# 6. Command


def test_an_answer_changes_no_checkpoint():
    at = position("pack pick", n=4)
    asking = question(tasks_of(at)[1].id)
    known = saved(at, questions=(asked(asking),))

    opening = open_turn(SHOP, request(Steer(resume="yes")), known)

    assert (opening.checkpoint, opening.made, opening.saved) == (at, (), known)
    assert opening.resolved.answers == ((asking.interrupt.id, "yes"),)


def test_an_update_and_a_jump_are_a_checkpoint_on_which_the_old_tasks_stay_the_same():
    at = position((Trigger("pick"), Trigger("pick", 5)), n=4, step=3, values={"log": ["old"]}, origin=2)
    ids = [task.id for task in tasks_of(at)]
    outcome = Interrupted((question(ids[0]),))

    opening = open_turn(
        SHOP,
        request(Steer((("log", ["cmd"]),), ("pack", Send("send", 6), "pick"))),
        saved(at, outcomes={ids[0]: outcome, ids[1]: Done()}),
    )

    made = opening.checkpoint
    assert steps(opening) == [(5, 4, "update")]
    assert (made.parent, made.origin, made.values) == (at.id, 2, {"log": ["old", "cmd"]})
    assert made.frontier == (Trigger("pack"), Trigger("pick", id=ids[0]), Trigger("pick", 5, ids[1]), Trigger("send", 6))
    assert opening.outcomes == {1: outcome, 2: Done()}


def test_a_command_that_changes_nothing_makes_no_checkpoint():
    assert open_turn(SHOP, request(Steer()), saved(position("pick"))).made == ()


def test_a_value_of_one_superstep_survives_a_command():
    spec = graph({}, channels={**CHANNELS, "note": EphemeralValue()})
    at = position("pick", values={"note": 1})

    assert open_turn(spec, request(Steer((("last", 2),))), saved(at)).checkpoint.values == {"note": 1, "last": 2}
    assert open_turn(spec, request(Steer((("note", 2),))), saved(at)).checkpoint.values == {"note": 2}


def test_a_command_on_a_new_thread_begins_with_the_start_values():
    opening = open_turn(SHOP, request(Steer((("log", ["cmd"]),), ("pick",)), owner="caller"), None)

    made = opening.checkpoint
    assert steps(opening) == [(0, -1, "update")]
    assert (made.parent, made.origin, made.owner) == (None, 0, "caller")
    assert made.values == {"log": ["cmd"], "total": 0}
    assert names(made.frontier) == ["pick"]


def test_an_answer_on_a_new_thread_is_refused():
    with pytest.raises(NothingToResumeError, match="does not exist"):
        open_turn(SHOP, request(Steer(resume=None)), None)


@pytest.mark.parametrize("target", ["pik", Send("pik", 1)])
def test_a_jump_to_an_unknown_node_is_refused_before_anything_else(target):
    with pytest.raises(UnknownNodeError, match=r"'pik'.*'pick'"):
        open_turn(SHOP, request(Steer((), (target,), "yes")), None)


@pytest.mark.parametrize("target", [START, Send(START, {})])
def test_a_command_cannot_jump_to_the_entry(target):
    with pytest.raises(UnknownNodeError):
        open_turn(SHOP, request(Steer((), (target,))), saved(position("pick")))


def test_an_ambiguous_answer_is_refused():
    known = saved(position("pick"), questions=(asked(question("a")), asked(question("b"))))

    with pytest.raises(AmbiguousResumeError):
        open_turn(SHOP, request(Steer(resume="yes")), known)


def test_an_answer_at_an_older_checkpoint_makes_a_branch_with_the_question_on_it():
    at = position("pack pick", n=4, step=3)
    asking = question(tasks_of(at)[1].id)
    pending = asked(question("later"), n=8)

    opening = open_turn(SHOP, request(Steer(resume="no")), saved(at, head=8, questions=(asked(asking, n=4, status="answered"), pending)))

    moved = interrupt_id(task_id(opening.checkpoint, "", 1), "#0")
    assert steps(opening) == [(9, 4, "fork")]
    assert opening.resolved.answers == ((moved, "no"),)
    assert opening.cancelled == (pending.question.interrupt.id,)
    assert opening.saved is not None
    assert [known.question.interrupt.id for known in opening.saved.questions] == [moved]
    assert opening.before == at


def test_an_answer_an_update_and_a_jump_at_an_older_checkpoint_make_one_branch():
    at = position("pick", n=4, step=3, values={"log": []})
    known = saved(at, head=8, questions=(asked(question(tasks_of(at)[0].id), n=4),))

    opening = open_turn(SHOP, request(Steer((("log", ["cmd"]),), ("pack",), "yes")), known)

    fork, edit = opening.made
    assert steps(opening) == [(9, 4, "fork"), (10, 5, "update")]
    assert (fork.parent, edit.parent, edit.origin) == (at.id, fork.id, 9)
    assert edit.frontier == (Trigger("pack"), Trigger("pick", id=task_id(fork, "", 0)))
    assert opening.resolved.answers[0][0] == interrupt_id(task_id(fork, "", 0), "#0")


# parts


def test_an_old_checkpoint_gets_the_defaults_of_new_keys_and_loses_those_the_graph_does_not_know():
    old = saved(position("pick", values={"gone": 1, "total": 5}))

    assert adapted(SHOP, old).checkpoint.values == {"log": [], "total": 5}
    assert old.checkpoint.values == {"gone": 1, "total": 5}


def test_a_default_that_is_missing_or_lasts_one_superstep_is_not_filled_in():
    spec = graph({}, channels={**CHANNELS, "note": EphemeralValue()}, starts=(("last", lambda: MISSING), ("note", int), ("log", list)))

    assert adapted(spec, saved(position())).checkpoint.values == {"log": []}


def test_a_checkpoint_that_fits_is_taken_as_it_is():
    fitting = saved(position(values={"log": [], "total": 0, "last": 1}))

    assert adapted(SHOP, fitting) is fitting


def test_settled_values_are_the_values_with_finished_tasks_merged_in():
    at = position("pack pick", values={"log": ["old"]})

    assert settled_values(SHOP, at, {0: Done((("log", ["pack"]),)), 1: Failed("E()")}) == {"log": ["old", "pack"]}
    assert settled_values(SHOP, at, {1: Failed("E()")}) is at.values


def test_settled_values_that_cannot_be_merged_are_an_error():
    with pytest.raises(ConflictingWritesError):
        settled_values(SHOP, position("pack pick"), {0: Done((("last", 1),)), 1: Done((("last", 2),))})


def test_jump_targets_stand_in_the_order_of_application():
    frontier = (Trigger("m", id="1"), Trigger("s", 1, "2"))

    assert with_targets(frontier, ("z", Send("a", 2), "m", "b")) == (
        Trigger("b"),
        Trigger("m", id="1"),
        Trigger("z"),
        Trigger("s", 1, "2"),
        Trigger("a", 2),
    )


def test_equal_entries_keep_their_ids_once_each():
    old = (Trigger("a", id="1"), Trigger("s", 5, "2"), Trigger("s", 5, "3"), Trigger("b", id="4"))
    new = (Trigger("a"), Trigger("s", 5), Trigger("s", 6), Trigger("s", 5), Trigger("s", 5))

    assert [trigger.id for trigger in keep_ids(new, old)] == ["1", "2", "", "3", ""]


def test_new_checkpoints_of_a_run_have_its_token_in_their_ids():
    opening = open_turn(SHOP, request(NewTurn({}), token="abc"), None)

    assert [made.id for made in opening.made] == [checkpoint_id(0, "abc"), checkpoint_id(1, "abc")]
