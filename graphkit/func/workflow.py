"""Workflow: what ``@entrypoint`` makes of a function. It is called as a compiled graph is."""

from __future__ import annotations

from functools import update_wrapper
from typing import TYPE_CHECKING, Any, cast

from graphkit.func.showing import TaskProjection
from graphkit.graph.config import read_config
from graphkit.graph.launch import launch, read_input
from graphkit.graph.output import read_projection
from graphkit.graph.running import achunks, chunks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
    from typing import TypeAlias, Unpack

    from graphkit.graph import CompiledGraph, RunOptions, StateSnapshot
    from graphkit.storage import Checkpointer

    ConfigLike: TypeAlias = Mapping[str, Any] | None
    Modes: TypeAlias = str | Sequence[str]


class Workflow:
    """A function that runs as a graph of one node; made by ``@entrypoint``.

    It has the methods of CompiledGraph that run it and that read and edit its threads; the state is what the function
    returned last. As a node of a graph it gets the node's input, and what it returns is the node's update. ``graph`` has
    everything else.

    Args:
        function: The function.
        graph: The graph that runs it.
    """

    def __init__(self, function: Callable[..., Any], graph: CompiledGraph) -> None:
        update_wrapper(cast("Callable[..., Any]", self), function)
        self.graph = graph
        self.name = graph.name

    def __repr__(self) -> str:
        return f"Workflow({self.name!r})"

    @property
    def checkpointer(self) -> Checkpointer | bool | None:
        """The saver it was made with."""
        return self.graph.checkpointer

    @property
    def store(self) -> object:
        """The store it was made with."""
        return self.graph.store

    def invoke(
        self,
        input: object,
        config: ConfigLike = None,
        *,
        stream_mode: Modes = "values",
        print_mode: Modes = (),
        version: str = "v1",
        **options: Unpack[RunOptions],
    ) -> Any:  # noqa: ANN401 - the function's type
        """Run the function and return what it returns.

        Args:
            input: The function's input; None to go on with a call that failed, a Command to answer.
            config: As in LangGraph.
            stream_mode: "values" returns the result; other modes return the list of what ``stream`` yields.
            print_mode: Modes whose chunks are printed while it runs.
            version: "v2" returns a GraphOutput.
            **options: See RunOptions.

        Returns:
            The result; ``{"__interrupt__": [...]}`` if questions are pending.
        """
        if stream_mode != "values":
            return list(self.stream(input, config, stream_mode=stream_mode, print_mode=print_mode, version=version, **options))
        return self.graph.invoke(input, config, print_mode=print_mode, version=version, **options)

    async def ainvoke(
        self,
        input: object,
        config: ConfigLike = None,
        *,
        stream_mode: Modes = "values",
        print_mode: Modes = (),
        version: str = "v1",
        **options: Unpack[RunOptions],
    ) -> Any:  # noqa: ANN401 - the function's type
        """As ``invoke``; a sync function runs in a thread."""
        if stream_mode != "values":
            streamed = self.astream(input, config, stream_mode=stream_mode, print_mode=print_mode, version=version, **options)
            return [chunk async for chunk in streamed]
        return await self.graph.ainvoke(input, config, print_mode=print_mode, version=version, **options)

    def stream(
        self,
        input: object,
        config: ConfigLike = None,
        *,
        stream_mode: Modes = "updates",
        subgraphs: bool = False,
        print_mode: Modes = (),
        version: str = "v1",
        **options: Unpack[RunOptions],
    ) -> Iterator[Any]:
        """Run and yield what happens.

        Args:
            input: As in invoke.
            config: As in invoke.
            stream_mode: As in CompiledGraph. "updates" yields ``{task name: result}`` for each task as it ends and
                ``{entrypoint name: result}`` at last, "values" the result.
            subgraphs: Show graphs that are called inside, too.
            print_mode: Modes whose chunks are printed.
            version: "v2" yields dicts with ``type``, ``ns`` and ``data``.
            **options: See RunOptions.
        """
        projection = TaskProjection.of(read_projection(stream_mode, print_mode, version, subgraphs=subgraphs))
        started = launch(self.graph, read_input(self.graph, input), read_config(config, options), options, projection)
        return chunks(self.graph, started, projection)

    def astream(
        self,
        input: object,
        config: ConfigLike = None,
        *,
        stream_mode: Modes = "updates",
        subgraphs: bool = False,
        print_mode: Modes = (),
        version: str = "v1",
        **options: Unpack[RunOptions],
    ) -> AsyncIterator[Any]:
        """As ``stream``."""
        projection = TaskProjection.of(read_projection(stream_mode, print_mode, version, subgraphs=subgraphs))
        started = launch(self.graph, read_input(self.graph, input), read_config(config, options), options, projection)
        return achunks(self.graph, started, projection)

    def batch(
        self,
        inputs: Sequence[object],
        config: ConfigLike | Sequence[ConfigLike] = None,
        *,
        return_exceptions: bool = False,
        **options: Unpack[RunOptions],
    ) -> list[Any]:
        """Invoke once per input, side by side; see ``CompiledGraph.batch``."""
        return self.graph.batch(inputs, config, return_exceptions=return_exceptions, **options)

    async def abatch(
        self,
        inputs: Sequence[object],
        config: ConfigLike | Sequence[ConfigLike] = None,
        *,
        return_exceptions: bool = False,
        **options: Unpack[RunOptions],
    ) -> list[Any]:
        """As ``batch``, in the running event loop."""
        return await self.graph.abatch(inputs, config, return_exceptions=return_exceptions, **options)

    def get_state(self, config: ConfigLike = None, *, thread_id: str | None = None, subgraphs: bool = False) -> StateSnapshot:
        """Return a thread's state; ``values`` is what the last finished call returned."""
        return self.graph.get_state(config, thread_id=thread_id, subgraphs=subgraphs)

    async def aget_state(self, config: ConfigLike = None, *, thread_id: str | None = None, subgraphs: bool = False) -> StateSnapshot:
        """As ``get_state``."""
        return await self.graph.aget_state(config, thread_id=thread_id, subgraphs=subgraphs)

    def get_state_history(
        self,
        config: ConfigLike = None,
        *,
        thread_id: str | None = None,
        filter: Mapping[str, object] | None = None,
        before: ConfigLike = None,
        limit: int | None = None,
    ) -> Iterator[StateSnapshot]:
        """Return the checkpoints of a thread, newest first; see ``CompiledGraph.get_state_history``."""
        return self.graph.get_state_history(config, thread_id=thread_id, filter=filter, before=before, limit=limit)

    def aget_state_history(
        self,
        config: ConfigLike = None,
        *,
        thread_id: str | None = None,
        filter: Mapping[str, object] | None = None,
        before: ConfigLike = None,
        limit: int | None = None,
    ) -> AsyncIterator[StateSnapshot]:
        """As ``get_state_history``."""
        return self.graph.aget_state_history(config, thread_id=thread_id, filter=filter, before=before, limit=limit)

    def update_state(
        self, config: ConfigLike, values: object, as_node: str | None = None, *, thread_id: str | None = None
    ) -> dict[str, object]:
        """Write a checkpoint as if the function had returned ``values``; ``entrypoint.final`` works, too."""
        return self.graph.update_state(config, values, as_node, thread_id=thread_id)

    async def aupdate_state(
        self, config: ConfigLike, values: object, as_node: str | None = None, *, thread_id: str | None = None
    ) -> dict[str, object]:
        """As ``update_state``."""
        return await self.graph.aupdate_state(config, values, as_node, thread_id=thread_id)
