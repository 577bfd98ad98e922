"""One node run: what nodes and routers may do, and the outcome that comes of it, with and without an event loop."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from graphkit.core.checkpoint import Trigger
from graphkit.core.command import END, START, Command, Send
from graphkit.core.effects import Run
from graphkit.core.task import Done, Escaped, Failed, Interrupted
from graphkit.errors import (
    GraphInterrupt,
    InterruptSwallowedError,
    InvalidUpdateError,
    ParentCommand,
    RunError,
    UnknownNodeError,
)
from graphkit.runtime import Handed
from graphkit.scope import config_of, interrupt
from tests.unit.runtime.stage import DRIVERS, action, graph, program, router, scope, task


def awaited(function):
    """Return a coroutine function that does the same."""

    async def coroutine(*args, **kwargs):
        await asyncio.sleep(0)
        return function(*args, **kwargs)

    return coroutine


def sync_node(function, routers=(), **more):
    return action(function, routers=tuple([router(found) for found in routers]), **more)


def async_node(function, routers=(), **more):
    return action(None, awaited(function), routers=tuple([router(found) for found in routers]), **more)


def async_router(function, routers=(), **more):
    return action(function, routers=tuple([router(awaited(found), is_async=True) for found in routers]), **more)


KINDS = {
    "sync": (sync_node, "threads"),
    "sync in a loop": (sync_node, "loop"),
    "async": (async_node, "loop"),
    "async from sync code": (async_node, "bridge"),
    "sync with an async router": (async_router, "loop"),
}


@pytest.fixture(params=KINDS)
def outcome(request):
    """Return what comes of a node with this function and these routers."""
    make, driver = KINDS[request.param]

    def ran(function, *routers, at=None, hold=None, run=None, **more):
        spec = graph(a=make(function, routers, **more), b=action(), c=action())
        (found,) = DRIVERS[driver](program(Run(at or task("a", {"log": ["old"]}))), spec, scope(hold, **(run or {}))).result
        return found

    return ran


def error(found):
    assert isinstance(found, Failed)
    return found.error


UPDATE = {"log": ["new"]}
WRITES = (("log", ["new"]),)


@pytest.mark.parametrize(
    "result, done",
    [
        (None, Done()),
        ({}, Done()),
        (UPDATE, Done(WRITES)),
        ([UPDATE, None, UPDATE], Done(WRITES * 2)),
        (Handed((("last", 1),)), Done((("last", 1),))),
        (Command(), Done()),
        (Command(update=UPDATE), Done(WRITES)),
        (Command(update=[("last", 1), ("last", 2)]), Done((("last", 1), ("last", 2)))),
        (Command(goto="b"), Done((), ("b",))),
        (Command(goto=["b", END, Send("c", 1), "c"]), Done((), ("b", "c"), (Send("c", 1),))),
        ([Command(update=UPDATE, goto="b"), UPDATE, Command(goto="c")], Done(WRITES * 2, ("b", "c"))),
    ],
)
def test_what_a_node_may_return(outcome, result, done):
    assert outcome(lambda state: result) == done


@pytest.mark.parametrize(
    "result, kind, text",
    [
        (Command(goto="d"), UnknownNodeError, "goto=.*of node 'a' names 'd', which is no node"),
        (Command(goto=START), UnknownNodeError, "names '__start__'"),
        (Command(goto=Send(END, 1)), UnknownNodeError, "names '__end__'"),
        (Command(resume=1), InvalidUpdateError, "only a caller can answer"),
        (Command(graph="elsewhere"), InvalidUpdateError, "graph='elsewhere'"),
        (Command(graph=Command.PARENT), InvalidUpdateError, "its graph has no parent"),
        (5, AttributeError, "items"),
    ],
)
def test_what_a_node_may_not_return(outcome, result, kind, text):
    with pytest.raises(kind, match=text):
        raise error(outcome(lambda state: result))


def test_a_command_for_the_parent_escapes_from_a_subgraph(outcome):
    command: Command[str] = Command(graph=Command.PARENT, goto="x")

    assert outcome(lambda state: command, run={"path": ("t",)}) == Escaped(command)


def test_a_command_for_the_parent_does_not_go_with_other_updates(outcome):
    found = outcome(lambda state: [Command(graph=Command.PARENT), UPDATE], run={"path": ("t",)})

    with pytest.raises(InvalidUpdateError, match="would be lost"):
        raise error(found)


def test_a_command_that_a_subgraph_hands_up_counts_as_the_node_s_own(outcome):
    def node(state):
        raise ParentCommand(Command(graph=Command.PARENT, update=UPDATE, goto="b"))

    assert outcome(node) == Done(WRITES, ("b",))


@pytest.mark.parametrize("raised", [ParentCommand(), ParentCommand("b"), GraphInterrupt(("?",))])
def test_control_flow_raised_by_hand_is_an_error(outcome, raised):
    def node(state):
        raise raised

    with pytest.raises(RunError, match=r"Node 'a' raised .* by hand"):
        raise error(outcome(node))


@pytest.mark.parametrize("raised", [ValueError("no"), StopIteration(5), RecursionError()])
def test_whatever_a_node_raises_is_its_outcome(outcome, raised):
    def node(state):
        raise raised

    found = error(outcome(node))

    assert found is raised or isinstance(found, RuntimeError)


def test_a_node_sees_the_state_or_the_argument_of_its_send(outcome):
    seen: list[Any] = []

    outcome(seen.append)
    outcome(seen.append, at=task(Trigger("a", "mail")))

    assert seen == [{"log": ["old"]}, "mail"]


def test_a_node_without_parameters_is_called_without_any(outcome):
    assert outcome(lambda: UPDATE, takes_state=False) == Done(WRITES)


def test_services_are_parameters_by_name(outcome):
    def node(state, config):
        return {"log": [config["configurable"]["checkpoint_ns"]]}

    assert outcome(node, services=(("config", config_of),)) == Done((("log", [""]),))


def test_an_update_in_the_node_s_name_is_read_as_if_it_had_returned_it(outcome):
    called: list[Any] = []

    found = outcome(called.append, lambda state: state["log"][-1], at=task("a", {"log": []}, preset={"log": ["b"]}))

    assert (called, found) == ([], Done((("log", ["b"]),), ("b",)))


# Questions


def test_a_question_interrupts(outcome, hold):
    found = outcome(lambda state: interrupt("sure?"), hold=hold)

    assert isinstance(found, Interrupted)
    assert [question.interrupt.value for question in found.questions] == ["sure?"]


def test_a_question_that_the_node_swallows_is_an_error(outcome, hold):
    def node(state):
        try:
            interrupt("sure?")
        except BaseException:  # noqa: BLE001 - that is the mistake
            return UPDATE

    with pytest.raises(InterruptSwallowedError, match="Node 'a' went on"):
        raise error(outcome(node, hold=hold))


def test_a_router_may_ask(outcome, hold):
    assert isinstance(outcome(lambda state: UPDATE, lambda state: interrupt("where?"), hold=hold), Interrupted)


def test_a_question_that_a_router_swallows_is_an_error(outcome, hold):
    def where(state):
        try:
            interrupt("where?")
        except BaseException:  # noqa: BLE001 - that is the mistake
            return "b"

    with pytest.raises(InterruptSwallowedError):
        raise error(outcome(lambda state: UPDATE, where, hold=hold))


# Routers


@pytest.mark.parametrize(
    "result, goto, sends",
    [
        ("b", ("b",), ()),
        (END, (), ()),
        ([], (), ()),
        (["c", "b"], ("c", "b"), ()),
        (("c", END), ("c",), ()),
        (Send("b", 1), (), (Send("b", 1),)),
        ([Send("b", 1), "c"], ("c",), (Send("b", 1),)),
    ],
)
def test_where_a_router_may_lead(outcome, result, goto, sends):
    assert outcome(lambda state: UPDATE, lambda state: result) == Done(WRITES, goto, sends)


@pytest.mark.parametrize(
    "result, text",
    [
        ("d", "names 'd', which is no node"),
        (START, "did not return a valid destination, but '__start__'"),
        (None, "did not return a valid destination, but None"),
        ([["b"]], r"did not return a valid destination, but \['b'\]"),
        (Send("d", 1), "names 'd', which is no node"),
    ],
)
def test_where_a_router_may_not_lead(outcome, result, text):
    with pytest.raises(UnknownNodeError, match=f"Router 'where' of node 'a' {text}"):
        raise error(outcome(lambda state: UPDATE, lambda state: result))


def test_a_router_sees_the_node_s_own_update(outcome):
    seen: list[Any] = []

    def where(state):
        seen.append(state["log"])
        return END

    outcome(lambda state: UPDATE, where)
    outcome(lambda state: None, where)

    assert seen == [["old", "new"], ["old"]]


def test_ways_of_all_routers_are_taken_together_with_goto(outcome):
    found = outcome(lambda state: Command(goto="b"), lambda state: "c", lambda state: [Send("b", 1)])

    assert found == Done((), ("b", "c"), (Send("b", 1),))


def test_a_router_that_fails_leaves_the_node_unfinished(outcome):
    with pytest.raises(ZeroDivisionError):
        raise error(outcome(lambda state: UPDATE, lambda state: 1 / 0))


def test_a_router_is_not_asked_when_the_node_escapes(outcome):
    found = outcome(lambda state: Command(graph=Command.PARENT), lambda state: 1 / 0, run={"path": ("t",)})

    assert isinstance(found, Escaped)


def mapped(result, path_map, **more):
    spec = graph(a=action(lambda state: None, routers=(router(lambda *_: result, path_map=path_map, **more),)), b=action())
    (found,) = DRIVERS["threads"](program(Run(task("a"))), spec, scope()).result
    return found


@pytest.mark.parametrize("result", [True, "yes", 5])
def test_a_path_map_turns_results_into_names(result):
    assert mapped(result, {True: "b", "yes": "b", 5: "b"}) == Done((), ("b",))


def test_a_path_map_does_not_keep_a_router_from_sending():
    assert mapped(Send("b", 1), {}) == Done((), (), (Send("b", 1),))


@pytest.mark.parametrize("result", ["yess", {}])
def test_a_result_that_the_path_map_does_not_have_is_refused(result):
    with pytest.raises(UnknownNodeError, match="is not in its path_map"):
        raise error(mapped(result, {"yes": "b"}))


def test_a_router_may_have_no_parameters_and_services():
    seen: list[Any] = []

    def where(config=None):
        seen.append(config)
        return "b"

    routers = (router(where, takes_state=False), router(where, takes_state=False, services=(("config", config_of),)))
    spec = graph(a=action(lambda state: None, routers=routers), b=action())
    DRIVERS["threads"](program(Run(task("a"))), spec, scope())

    assert seen[0] is None
    assert seen[1]["recursion_limit"] == 25


# Other tasks


def test_start_hands_its_input_on_and_asks_its_routers():
    spec = graph(start=action(routers=(router(lambda state: "a"),)), a=action())

    (found,) = DRIVERS["threads"](program(Run(task(Trigger(START, UPDATE)))), spec, scope()).result

    assert found == Done(WRITES, ("a",))


class Refused(InvalidUpdateError):
    pass


def test_an_error_in_an_update_names_the_node():
    def update(*_):
        raise Refused("No such key.", hint="Use another.", key="k")

    (found,) = DRIVERS["threads"](program(Run(task("a"))), graph(a=action(lambda state: 5, update=update)), scope()).result

    assert isinstance(found.error, Refused)
    assert str(found.error).startswith("Node 'a': No such key. Use another.")
    assert found.error.facts == {"key": "k", "node": "a"}


# Changes in place


@pytest.mark.parametrize(
    "change, at",
    [
        (lambda state: state["log"].append("x"), task("a", {"log": []})),
        (lambda state: state.pop("log"), task("a", {"log": []})),
        (lambda state: state.append("x"), task(Trigger("a", []))),
    ],
)
def test_debug_finds_what_a_node_changes_in_place(change, at):
    (found,) = DRIVERS["threads"](program(Run(at)), graph(a=lambda state: change(state) and None), scope(debug=True)).result

    with pytest.raises(InvalidUpdateError, match=r"Node 'a' changed .* in place"):
        raise error(found)


@pytest.mark.parametrize("at", [task("a", {"log": []}), task(Trigger("a", [])), task(Trigger("a", None))])
def test_debug_lets_nodes_be_that_change_nothing(at):
    (found,) = DRIVERS["threads"](program(Run(at)), graph(a=lambda state: UPDATE), scope(debug=True)).result

    assert found == Done(WRITES)


def test_debug_has_nothing_to_find_in_a_node_without_parameters():
    spec = graph(a=action(lambda: UPDATE, takes_state=False))
    (found,) = DRIVERS["threads"](program(Run(task("a"))), spec, scope(debug=True)).result

    assert found == Done(WRITES)
