"""Which tasks a checkpoint asks for, and which of them still have to run."""

from __future__ import annotations

import pytest

from graphkit.core.checkpoint import Trigger
from graphkit.core.command import Command
from graphkit.core.plan import by_place, finished, pending_ids, plan, resumed, to_run
from graphkit.core.task import Answer, Done, Escaped, Failed, Interrupted, Outcome
from graphkit.errors import GraphChangedError
from tests.unit.core.graphs import DIGEST, asked, graph, position, question, saved, tasks_of

SHOP = graph({"__start__": "pick pack send"})


def test_there_is_one_task_for_each_entry_of_the_frontier_in_its_order():
    at = position((Trigger("pick"), Trigger("send", {"to": 1}), Trigger("send", {"to": 2})))

    tasks = plan(SHOP, at, "sub", 7)

    assert [(task.node, task.index, task.trigger.arg) for task in tasks[1:]] == [("send", 1, {"to": 1}), ("send", 2, {"to": 2})]
    assert {(task.checkpoint.id, task.namespace, task.remaining, task.resumed) for task in tasks} == {(at.id, "sub", 7, False)}


def test_planning_again_gives_the_same_ids():
    at = position("pick pack")

    assert [task.id for task in plan(SHOP, at, "", 1)] == [task.id for task in plan(SHOP, at, "", 9)]


def test_a_frontier_that_names_a_node_the_graph_has_lost_is_an_error_with_the_nearest_name():
    with pytest.raises(GraphChangedError, match=r"waits for node 'pik'.*'shop'.*Did you mean 'pick'") as caught:
        plan(SHOP, position("pik"), "", 1)

    assert caught.value.facts == {"node": "pik"}


def test_resumed_tasks_have_their_answers_and_memos():
    at = position("pick pack")
    pick, pack = tasks_of(at)
    known = saved(
        at,
        memos={pack.id: {"once": 5}},
        questions=(
            asked(question(pick.id, slot="#0"), status="answered", answer="old"),
            asked(question(pick.id, slot="#1")),
            asked(question(pick.id, slot="#2")),
            asked(question(pack.id), status="cancelled"),
        ),
    )
    new = question(pick.id, slot="#1").interrupt.id

    first, second = resumed([pick, pack], known, {new: None}, {})

    assert first.answers == {"#0": Answer("old", DIGEST), "#1": Answer(None, DIGEST)}
    assert (first.id, first.resumed, first.memos) == (pick.id, True, {})
    assert (second.answers, second.memos) == ({}, {"once": 5})


def test_resumed_tasks_know_which_stateful_subgraphs_the_others_have_called():
    tasks = tasks_of(position("pick pack send"))
    outcomes: dict[int, Outcome] = {
        0: Done(children={"sub": "c1"}),
        1: Interrupted((question("t", namespace="other"),)),
        2: Escaped(Command()),
    }

    taken = [task.taken for task in resumed(tasks, saved(position()), {}, outcomes)]

    assert taken == [{"other"}, {"sub"}, {"sub", "other"}]


ASKING = question("t1")
OTHER = question("t1", slot="#1")


@pytest.mark.parametrize(
    "outcome, pending, runs",
    [
        (None, set(), True),
        (Done(), set(), False),
        (Failed("ValueError('no')"), set(), True),
        (Interrupted(()), set(), True),
        (Interrupted((ASKING,)), {ASKING.interrupt.id}, False),
        (Interrupted((ASKING,)), set(), True),
        (Interrupted((ASKING, OTHER)), {OTHER.interrupt.id}, True),
        (Interrupted((ASKING, OTHER)), {ASKING.interrupt.id, OTHER.interrupt.id}, False),
    ],
)
def test_which_outcomes_leave_a_task_to_run(outcome, pending, runs):
    task = tasks_of(position("pick"))[0]
    outcomes = {} if outcome is None else {0: outcome}

    assert to_run([task], outcomes, frozenset(pending)) == ([task] if runs else [])


def test_pending_is_what_was_neither_answered_before_nor_now():
    questions = [
        asked(question("a")),
        asked(question("b")),
        asked(question("c"), status="answered"),
        asked(question("d"), status="cancelled"),
    ]

    assert pending_ids(questions, [question("b").interrupt.id]) == {question("a").interrupt.id}


def test_stored_outcomes_find_their_place_by_task_id():
    at = position("pick pack")
    pack = tasks_of(at)[1]

    assert by_place(at, "", {pack.id: Done(), "of another branch": Done()}) == {1: Done()}
    assert by_place(at, "", {}) == {}


def test_finished_tasks_are_listed_in_order_of_application():
    outcomes: dict[int, Outcome] = {2: Done((("last", 2),)), 0: Done(), 1: Failed("E()")}

    assert finished(outcomes) == [(0, Done()), (2, Done((("last", 2),)))]
