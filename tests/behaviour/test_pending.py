"""What waits for a human, over all threads: pending_interrupts, paged, and the status of the threads."""

from __future__ import annotations

import asyncio
import operator
import time
from typing import Annotated, TypedDict

import pytest

from graphkit import START, Command, StateGraph, interrupt
from graphkit.errors import InvalidConfigError, InvalidIdError


class State(TypedDict):
    log: Annotated[list[object], operator.add]


@pytest.fixture(params=["sync", "async"])
def listed(request, saver):
    """The list of pending questions, by the saver's sync or async method."""
    if request.param == "sync":
        return saver.pending_interrupts
    return lambda **options: asyncio.run(saver.apending_interrupts(**options))


def asking(name):
    return lambda state: {"log": [interrupt(name)]}


def graph_of(saver, *names):
    builder = StateGraph(State)
    for name in names:
        builder.add_node(name, asking(name)).add_edge(START, name)
    return builder.compile(checkpointer=saver)


def pages(listed, **options):
    """Return all pages, following the cursors."""
    found = [listed(**options)]
    while found[-1].cursor is not None:
        found.append(listed(cursor=found[-1].cursor, **options))
    return found


def values(page):
    return [(item.thread_id, item.interrupt.value) for item in page.items]


def test_nothing_waits_at_first_and_nothing_after_the_last_answer(saver, listed):
    graph = graph_of(saver, "a")
    before = listed()
    graph.invoke({"log": []}, thread_id="t")
    during = listed()
    graph.invoke(Command(resume=1), thread_id="t")

    assert (before.items, before.cursor) == ((), None)
    assert values(during) == [("t", "a")]
    assert listed().items == ()


def test_each_question_is_listed_as_it_was_asked(saver, listed):
    began = time.time()
    inner = graph_of(None, "deep")
    graph = StateGraph(State).add_node("child", inner).add_edge(START, "child").add_node("flat", asking("flat")).add_edge(START, "flat")
    compiled = graph.compile(checkpointer=saver)
    asked = compiled.invoke({"log": []}, thread_id="t")["__interrupt__"]

    items = listed().items

    assert {item.interrupt.id: item.interrupt.value for item in items} == {question.id: question.value for question in asked}
    assert {item.interrupt.value: item.namespace.partition(":")[0] for item in items} == {"deep": "child", "flat": ""}
    assert all(began <= item.created_at <= time.time() for item in items)


def test_every_question_that_is_listed_can_be_answered_with_what_the_list_says(saver, listed):
    graph = graph_of(saver, "a", "b")
    for number in range(3):
        graph.invoke({"log": []}, thread_id=f"t{number}")

    while items := listed(limit=1).items:
        [item] = items
        graph.invoke(Command(resume={item.interrupt.id: f"for {item.interrupt.value}"}), thread_id=item.thread_id)

    assert [graph.get_state(thread_id=f"t{number}").values for number in range(3)] == [{"log": ["for a", "for b"]}] * 3


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 50])
def test_pages_cover_all_threads_once_oldest_first(saver, listed, limit):
    graph = graph_of(saver, "a")
    for number in (3, 1, 6, 0, 5, 2, 4):
        graph.invoke({"log": []}, thread_id=f"t{number}")

    found = pages(listed, limit=limit)

    assert [thread_id for page in found for thread_id, _ in values(page)] == ["t3", "t1", "t6", "t0", "t5", "t2", "t4"]
    assert [len(page.items) for page in found] == [limit] * (7 // limit) + ([7 % limit] if 7 % limit else [])


def test_a_cursor_holds_though_the_questions_before_it_are_answered(saver, listed):
    graph = graph_of(saver, "a")
    for number in range(4):
        graph.invoke({"log": []}, thread_id=f"t{number}")
    first = listed(limit=2)

    for thread_id, _ in values(first):
        graph.invoke(Command(resume=1), thread_id=thread_id)

    assert [thread_id for thread_id, _ in values(listed(limit=2, cursor=first.cursor))] == ["t2", "t3"]


def test_the_list_can_be_of_one_thread(saver, listed):
    graph = graph_of(saver, "a", "b")
    for thread_id in ("t", "u"):
        graph.invoke({"log": []}, thread_id=thread_id)

    assert sorted(values(listed(thread_id="u"))) == [("u", "a"), ("u", "b")]
    assert listed(thread_id="nobody").items == ()
    assert [len(page.items) for page in pages(listed, thread_id="u", limit=1)] == [1, 1]


def test_cancelled_answered_and_deleted_questions_are_gone(saver, listed):
    graph = graph_of(saver, "a", "b")
    for thread_id in ("cancelled", "answered", "deleted", "edited"):
        graph.invoke({"log": []}, thread_id=thread_id)
    old = {item.interrupt.id for item in listed(thread_id="cancelled").items}

    graph.invoke({"log": []}, thread_id="cancelled")
    [first, _] = listed(thread_id="answered").items
    graph.invoke(Command(resume={first.interrupt.id: 1}), thread_id="answered")
    saver.delete_thread("deleted")
    graph.update_state(None, None, as_node="__end__", thread_id="edited")

    assert old.isdisjoint(item.interrupt.id for item in listed().items)
    assert sorted(values(listed())) == [("answered", "b"), ("cancelled", "a"), ("cancelled", "b")]


def test_threads_tell_how_many_questions_they_wait_with(saver):
    graph = graph_of(saver, "a", "b")
    for thread_id in ("t", "u", "v"):
        graph.invoke({"log": []}, thread_id=thread_id)
    for thread_id, count in (("u", 1), ("v", 2)):
        for item in saver.pending_interrupts(thread_id=thread_id, limit=count).items:
            graph.invoke(Command(resume={item.interrupt.id: 1}), thread_id=thread_id)

    assert {found.thread_id: (found.status, found.pending) for found in saver.threads().items} == {
        "t": ("interrupted", 2),
        "u": ("interrupted", 1),
        "v": ("idle", 0),
    }
    assert sorted(found.thread_id for found in saver.threads(status="interrupted").items) == ["t", "u"]


@pytest.mark.parametrize("options", [{"limit": 0}, {"limit": -1}, {"limit": "5"}, {"limit": True}, {"cursor": "?"}, {"cursor": 7}], ids=str)
def test_wrong_limits_and_cursors_are_refused(saver, listed, options):
    with pytest.raises(InvalidConfigError):
        listed(**options)


def test_the_cursor_of_another_list_and_a_malformed_thread_id_are_refused(saver, listed):
    graph = graph_of(saver, "a")
    for thread_id in ("t", "u"):
        graph.invoke({"log": []}, thread_id=thread_id)

    with pytest.raises(InvalidConfigError):
        listed(cursor=saver.threads(limit=1).cursor)
    with pytest.raises(InvalidIdError):
        listed(thread_id="no/slash")
