"""Calling a tool from code: plain arguments or a ToolCall, sync or async, in a run or outside of one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import Annotated, Any

import pytest
from pydantic import BaseModel

from graphkit import Runtime
from graphkit.errors import InvalidConfigError, InvalidStateError, OutsideRunError, ToolError, ToolInvocationError
from graphkit.messages import ToolMessage
from graphkit.storage import InMemoryStore, Store
from graphkit.tools import InjectedState, InjectedStore, InjectedToolCallId, ToolRuntime, tool
from graphkit.tools.runtime import runtime_for

WORD: ContextVar[str] = ContextVar("word", default="unset")


class Mood(BaseModel):
    mood: str
    energy: int = 1


def invoked(way, called, *args):
    return called.invoke(*args) if way == "sync" else asyncio.run(called.ainvoke(*args))


@tool
def shout(text: str) -> str:
    """Shout."""
    return text.upper()


@tool
async def whisper(text: str) -> str:
    """Whisper."""
    await asyncio.sleep(0)
    return text.lower()


@tool
def failing(text: str) -> str:
    """Fail."""
    raise StopIteration(text) if text == "stop" else ValueError(text)


@tool(response_format="content_and_artifact")
def look_up(text: str) -> Any:
    """Look up."""
    return (text, {"raw": text}) if text != "alone" else text


@pytest.fixture(params=["sync", "async"])
def way(request):
    return request.param


@pytest.mark.parametrize("called, said", [(shout, "HI"), (whisper, "hi")])
def test_plain_arguments_give_the_result_and_a_tool_call_gives_a_tool_message(way, called, said):
    call = {"name": called.name, "args": {"text": "Hi"}, "id": "c1"}

    assert invoked(way, called, {"text": "Hi"}) == said
    assert invoked(way, called, call) == invoked(way, called, {**call, "type": "tool_call"})
    assert invoked(way, called, call) == ToolMessage(said, "c1", name=called.name)


def test_only_async_functions_are_async():
    assert (shout.is_async, whisper.is_async) == (False, True)


def test_a_call_of_another_tool_is_refused(way):
    with pytest.raises(ToolInvocationError, match="given a call of 'other'"):
        invoked(way, shout, {"name": "other", "args": {"text": "a"}, "id": "c"})


def test_a_tool_may_have_parameters_named_like_the_parts_of_a_call():
    @tool
    def label(name: str, args: list[str], id: str) -> str:
        """Label."""
        return name + args[0] + id

    assert label.invoke({"name": "a", "args": ["b"], "id": "c"}) == "abc"


def test_an_artifact_goes_into_the_message_and_not_to_the_model(way):
    message = invoked(way, look_up, {"name": "look_up", "args": {"text": "a"}, "id": "c"})

    assert (message.content, message.artifact) == ("a", {"raw": "a"})
    assert invoked(way, look_up, {"text": "a"}) == ("a", {"raw": "a"})


def test_a_tool_that_promised_a_pair_has_to_return_one(way):
    with pytest.raises(ToolError, match="returned 'alone'"):
        invoked(way, look_up, {"name": "look_up", "args": {"text": "alone"}, "id": "c"})


def test_a_sync_tool_runs_in_a_thread_of_its_own_under_async_with_the_context_of_the_caller():
    @tool
    def where() -> list[Any]:
        """Where am I."""
        return [threading.get_ident(), WORD.get()]

    async def call():
        WORD.set("here")
        return await where.ainvoke({})

    thread, word = asyncio.run(call())

    assert thread != threading.get_ident()
    assert word == "here"


def test_an_async_tool_is_invoked_from_a_running_loop_as_well():
    async def call():
        return whisper.invoke({"text": "Hi"})

    assert asyncio.run(call()) == "hi"


def test_a_sync_wrapper_of_a_coroutine_function_is_awaited(way):
    async def inner(text: str) -> str:
        return text + "!"

    @wraps(inner)
    def outer(text: str):
        return inner(text)

    assert invoked(way, tool(outer, description="Wrap."), {"text": "a"}) == "a!"


def test_what_a_tool_raises_is_raised(way):
    with pytest.raises(ValueError, match="over"):
        invoked(way, failing, {"text": "over"})


def test_an_exception_that_a_coroutine_cannot_raise_is_wrapped():
    with pytest.raises(RuntimeError, match="StopIteration"):
        invoked("async", failing, {"text": "stop"})


def injected(**options):
    state = options.pop("state", None)
    made = runtime_for(state, {"metadata": {"a": 1}}, (shout,), options.pop("call_id", None))
    for name, value in options.items():
        setattr(made, name, value)
    return made


@tool
def everything(  # noqa: PLR0917 - it is about everything
    text: str,
    state: Annotated[dict, InjectedState],
    mood: Annotated[str, InjectedState("mood")],
    store: Annotated[Any, InjectedStore()],
    call_id: Annotated[str, InjectedToolCallId],
    runtime: ToolRuntime,
    config: dict[str, Any],
    writer: Callable[[object], None],
    shelf: Store,
    maybe: Annotated[str | None, InjectedState("nothing")],
    unless: Annotated[str, InjectedState("nothing")] = "default",
    node: Runtime | None = None,
) -> list[Any]:
    """Take everything."""
    return [state, mood, store, call_id, runtime, config, writer, shelf, maybe, unless, node]


def test_a_model_sees_nothing_of_what_is_injected():
    assert list(everything.parameters["properties"]) == ["text"]
    assert list(everything.args_schema.model_fields) == ["text"]


@pytest.mark.parametrize("name", ["state", "mood", "call_id", "runtime", "config", "writer", "store", "node"])
def test_a_model_cannot_give_what_is_injected(name):
    with pytest.raises(ToolInvocationError) as raised:
        everything.check_args({"text": "a", name: "mine"})

    assert list(dict(raised.value.facts["arguments"])) == [name]  # type: ignore[call-overload]


def test_everything_is_injected():
    store = InMemoryStore()
    runtime = injected(state={"mood": "good"}, store=store, call_id="c7")

    found = everything.run({"text": "a"}, runtime)

    assert found == [
        {"mood": "good"}, "good", store, "c7", runtime, {"metadata": {"a": 1}}, runtime.stream_writer, store, None, "default", None,
    ]  # fmt: skip


def test_a_dict_called_config_with_words_for_the_model_is_the_models():
    @tool
    def chart(config: Annotated[dict[str, Any], "how to draw"], store: str, runtime: int, writer: str) -> str:
        """Draw."""
        return "drawn"

    assert list(chart.parameters["properties"]) == ["config", "store", "runtime", "writer"]


def test_the_state_comes_in_the_class_that_the_tool_names():
    @tool
    def feel(state: Annotated[Mood, InjectedState]) -> str:
        """Feel."""
        return f"{state.mood} {state.energy}"

    assert feel.run({}, injected(state={"mood": "good", "other": 1})) == "good 1"
    assert feel.run({}, injected(state=Mood(mood="bad", energy=3))) == "bad 3"
    with pytest.raises(InvalidStateError, match="as Mood"):
        feel.run({}, injected(state={"other": 1}))


def of_key(key):
    def read(mood: str) -> str:
        return mood

    read.__annotations__ = {"mood": Annotated[str, InjectedState(key)]}
    return tool(read, description="Read.")


@pytest.mark.parametrize("state", [{"mood": "good"}, Mood(mood="good")])
def test_a_key_that_the_state_does_not_have_is_named(state):
    with pytest.raises(InvalidStateError, match=r"'moood'.*Did you mean 'mood'"):
        of_key("moood").run({}, injected(state=state))


def test_outside_of_a_run_what_is_missing_is_named():
    @tool
    def storing(store: Annotated[Store, InjectedStore()]) -> str:
        """Store."""
        return "stored"

    @tool
    def answering(call_id: Annotated[str, InjectedToolCallId]) -> str:
        """Answer."""
        return call_id

    @tool
    def running(runtime: Runtime) -> str:
        """Run."""
        return "ran"

    with pytest.raises(OutsideRunError, match="wants the state as 'mood'"):
        of_key("mood").invoke({})
    with pytest.raises(OutsideRunError, match="the runtime of the node"):
        running.invoke({})
    with pytest.raises(InvalidConfigError, match="the graph has none"):
        storing.invoke({})
    with pytest.raises(ToolInvocationError, match="Pass a ToolCall"):
        answering.invoke({})
    assert answering.invoke({"name": "answering", "args": {}, "id": "c"}).content == "c"


def test_the_config_of_the_caller_is_used_outside_of_a_run(way):
    @tool
    def tell(config: dict[str, Any], writer: Callable[[object], None]) -> Any:
        """Tell."""
        writer("nobody listens")
        return config["metadata"]

    assert invoked(way, tell, {}, {"metadata": {"a": 1}}) == {"a": 1}
