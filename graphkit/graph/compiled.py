"""CompiledGraph: run a graph, read and edit its threads. Every async method is the twin of a sync one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast
from weakref import WeakSet

from graphkit.core.command import ROOT, START
from graphkit.core.record import record
from graphkit.core.request import NewTurn
from graphkit.errors import UnknownNodeError, nearest
from graphkit.graph import describe, thread
from graphkit.graph.config import read_config
from graphkit.graph.launch import launch, read_input
from graphkit.graph.output import GraphOutput, read_printing, read_projection
from graphkit.graph.running import achunks, aread, aresult, chunks, read, result
from graphkit.graph.stream import INTERRUPT
from graphkit.graph.thread import StateUpdate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
    from typing import TypeAlias, Unpack

    from graphkit.core.request import Finished
    from graphkit.graph.assemble import Parts
    from graphkit.graph.config import Config, RunOptions
    from graphkit.graph.launch import Launch
    from graphkit.graph.snapshot import StateSnapshot
    from graphkit.runtime import Action, Cached
    from graphkit.serde import Codec
    from graphkit.storage import Checkpointer

    ConfigLike: TypeAlias = Mapping[str, Any] | None
    Modes: TypeAlias = str | Sequence[str]

R = TypeVar("R")
T = TypeVar("T")


@record
class Options:
    """What a graph was compiled with."""

    checkpointer: Checkpointer | bool | None
    store: object
    interrupt_before: frozenset[str]
    interrupt_after: frozenset[str]
    debug: bool


class CompiledGraph:
    """A graph that runs. Immutable and safe to share between threads and event loops; made by ``StateGraph.compile``.

    Options of every run method are keyword arguments, described in RunOptions, or stand in LangGraph's config dict.

    Errors of every run method: RequestError and StateError before anything has run; StorageError when a commit fails,
    after which no node starts; what a node raises, with the node's name in its notes.
    """

    def __init__(self, parts: Parts, options: Options) -> None:
        self.parts = parts
        self.options = options
        self.name = parts.spec.name
        self.needs_loop = parts.needs_loop
        self._outputs = tuple([key for key, field in parts.output.fields.items() if field.managed is None])
        self._taught: WeakSet[Codec] = WeakSet()
        if not isinstance(options.checkpointer, bool | None):
            self.teach(options.checkpointer.codec)

    def teach(self, codec: Codec) -> None:
        """Make the classes of this graph's state, and of its subgraphs', known to a codec."""
        if codec in self._taught:
            return
        self._taught.add(codec)
        for schema in (self.parts.state, self.parts.input, self.parts.output):
            codec.register_schema(schema.cls)
        for field in self.parts.fields.values():
            codec.register_schema(field.annotation)
        for subgraph in self.parts.subgraphs.values():
            subgraph.teach(codec)

    @property
    def checkpointer(self) -> Checkpointer | bool | None:
        """The saver it was compiled with."""
        return self.options.checkpointer

    @property
    def store(self) -> object:
        """The store it was compiled with."""
        return self.options.store

    def invoke(
        self,
        input: object,
        config: ConfigLike = None,
        *,
        stream_mode: Modes = "values",
        print_mode: Modes = (),
        version: str = "v1",
        **options: Unpack[RunOptions],
    ) -> Any:  # noqa: ANN401 - the state's type is the user's
        """Run until the end, a question or a breakpoint.

        Args:
            input: A dict or instance of the input schema for a new turn, None to go on, a Command to answer or steer.
            config: As in LangGraph.
            stream_mode: "values" returns the state; other modes return the list of what ``stream`` yields.
            print_mode: Modes whose chunks are printed while the graph runs.
            version: "v2" returns a GraphOutput, which has the questions beside the state instead of in it.
            **options: See RunOptions.

        Returns:
            The output keys of the state. If questions are pending, ``"__interrupt__"`` holds the list of them.
        """
        if stream_mode != "values":
            return list(self.stream(input, config, stream_mode=stream_mode, print_mode=print_mode, version=version, **options))
        projection = read_printing(print_mode, version)
        started = launch(self, read_input(self, input), read_config(config, options), options, projection)
        return self._output(result(self, started), typed=version == "v2")

    async def ainvoke(
        self,
        input: object,
        config: ConfigLike = None,
        *,
        stream_mode: Modes = "values",
        print_mode: Modes = (),
        version: str = "v1",
        **options: Unpack[RunOptions],
    ) -> Any:  # noqa: ANN401 - as invoke
        """As ``invoke``; sync nodes run in threads."""
        if stream_mode != "values":
            streamed = self.astream(input, config, stream_mode=stream_mode, print_mode=print_mode, version=version, **options)
            return [chunk async for chunk in streamed]
        projection = read_printing(print_mode, version)
        started = launch(self, read_input(self, input), read_config(config, options), options, projection)
        return self._output(started.settle(await aresult(self, started)), typed=version == "v2")

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
        """Run and yield what happens; the run goes on as the caller asks for the next chunk.

        Args:
            input: As in invoke.
            config: As in invoke.
            stream_mode: "values" (the state after each superstep), "updates" ({node: update}), "custom" (what nodes
                write), "messages" (messages, and pieces of them, with metadata), "tasks" (tasks as they begin and end),
                "checkpoints" (each checkpoint), "debug" (both, with step and time), or a list of them, which yields
                (mode, chunk).
            subgraphs: Show subgraphs, too; chunks are then (namespace, chunk) or (namespace, mode, chunk).
            print_mode: Modes whose chunks are printed, whether they are yielded or not.
            version: "v2" yields dicts with ``type`` (the mode), ``ns`` and ``data``, and ``interrupts`` for values.
            **options: See RunOptions.

        Raises:
            InvalidStreamModeError: A mode does not exist. Raised at once, as are all errors of the request.
        """
        projection = read_projection(stream_mode, print_mode, version, subgraphs=subgraphs)
        return chunks(self, launch(self, read_input(self, input), read_config(config, options), options, projection), projection)

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
        projection = read_projection(stream_mode, print_mode, version, subgraphs=subgraphs)
        return achunks(self, launch(self, read_input(self, input), read_config(config, options), options, projection), projection)

    def batch(
        self,
        inputs: Sequence[object],
        config: ConfigLike | Sequence[ConfigLike] = None,
        *,
        return_exceptions: bool = False,
        **options: Unpack[RunOptions],
    ) -> list[Any]:
        """Invoke once per input, side by side in threads; results in the order of inputs.

        Args:
            inputs: One per run.
            config: One for all runs, or one per input.
            return_exceptions: Put exceptions into the result instead of raising the first.
            **options: See RunOptions; ``max_concurrency`` limits the runs at the same time, too.
        """
        from graphkit.graph.batch import batch  # noqa: PLC0415 - rarely needed

        return batch(self, inputs, config, options, return_exceptions=return_exceptions)

    async def abatch(
        self,
        inputs: Sequence[object],
        config: ConfigLike | Sequence[ConfigLike] = None,
        *,
        return_exceptions: bool = False,
        **options: Unpack[RunOptions],
    ) -> list[Any]:
        """As ``batch``, in the running event loop."""
        from graphkit.graph.batch import abatch  # noqa: PLC0415 - rarely needed

        return await abatch(self, inputs, config, options, return_exceptions=return_exceptions)

    def get_state(self, config: ConfigLike = None, *, thread_id: str | None = None, subgraphs: bool = False) -> StateSnapshot:
        """Return a thread's state at its newest checkpoint, or at ``checkpoint_id`` of the config.

        Args:
            config: Names the thread; ``checkpoint_ns`` addresses a subgraph.
            thread_id: Short form.
            subgraphs: Put the snapshots of unfinished subgraphs into their tasks' ``state``.

        Raises:
            ThreadNotFoundError: The thread has no checkpoints.
            CheckpointNotFoundError: The checkpoint is not in the thread.
            MissingCheckpointerError: The graph has no saver.
        """
        return read(thread.state(self, _at(config, thread_id), subgraphs=subgraphs))

    async def aget_state(self, config: ConfigLike = None, *, thread_id: str | None = None, subgraphs: bool = False) -> StateSnapshot:
        """As ``get_state``."""
        return await aread(thread.state(self, _at(config, thread_id), subgraphs=subgraphs))

    def get_state_history(
        self,
        config: ConfigLike = None,
        *,
        thread_id: str | None = None,
        filter: Mapping[str, object] | None = None,
        before: ConfigLike = None,
        limit: int | None = None,
    ) -> Iterator[StateSnapshot]:
        """Return the checkpoints of a thread, newest first, those of all branches.

        Args:
            config: Names the thread and, by ``checkpoint_ns``, a subgraph.
            thread_id: Short form.
            filter: Metadata that must be equal, as ``{"source": "loop"}``.
            before: Config of a checkpoint; only older ones are returned.
            limit: How many at most.

        Raises:
            ThreadNotFoundError: The thread has no checkpoints.
        """
        return iter(read(thread.history(self, _at(config, thread_id), thread.query(filter, read_config(before), limit))))

    async def aget_state_history(
        self,
        config: ConfigLike = None,
        *,
        thread_id: str | None = None,
        filter: Mapping[str, object] | None = None,
        before: ConfigLike = None,
        limit: int | None = None,
    ) -> AsyncIterator[StateSnapshot]:
        """As ``get_state_history``."""
        for found in await aread(thread.history(self, _at(config, thread_id), thread.query(filter, read_config(before), limit))):
            yield found

    def update_state(
        self, config: ConfigLike, values: object, as_node: str | None = None, *, thread_id: str | None = None
    ) -> dict[str, object]:
        """Write a checkpoint as if ``as_node`` had returned ``values``; return the config of the new checkpoint.

        Args:
            config: Names the thread, and by ``checkpoint_id`` where to fork from.
            values: An update; None with ``as_node=END`` clears what would run next, None alone copies the checkpoint.
            as_node: A node, whose edges and routers then run; START; END; ``"__input__"``; ``"__copy__"``. By default
                the node that wrote last.
            thread_id: Short form.

        Raises:
            InvalidUpdateError: It is no update, or ``as_node`` is needed.
            UnknownNodeError: ``as_node`` is no node.
            ThreadBusyError: A run holds the thread.
        """
        return read(thread.update(self, _at(config, thread_id), [[StateUpdate(values, as_node)]]))

    async def aupdate_state(
        self, config: ConfigLike, values: object, as_node: str | None = None, *, thread_id: str | None = None
    ) -> dict[str, object]:
        """As ``update_state``."""
        return await aread(thread.update(self, _at(config, thread_id), [[StateUpdate(values, as_node)]]))

    def bulk_update_state(
        self, config: ConfigLike, supersteps: Sequence[Sequence[StateUpdate]], *, thread_id: str | None = None
    ) -> dict[str, object]:
        """Write several supersteps of updates in one transaction; each inner sequence is one superstep."""
        return read(thread.update(self, _at(config, thread_id), supersteps))

    async def abulk_update_state(
        self, config: ConfigLike, supersteps: Sequence[Sequence[StateUpdate]], *, thread_id: str | None = None
    ) -> dict[str, object]:
        """As ``bulk_update_state``."""
        return await aread(thread.update(self, _at(config, thread_id), supersteps))

    def run_inside(self, state: Mapping[str, object], exported: Mapping[str, bool]) -> Finished:
        """Run as a node of another graph."""
        started = self._launch_inside(state, exported)
        return result(self, started)

    async def arun_inside(self, state: Mapping[str, object], exported: Mapping[str, bool]) -> Finished:
        """As ``run_inside``."""
        started = self._launch_inside(state, exported)
        return started.settle(await aresult(self, started))

    def breakpoints(self, wanted: Sequence[str] | str | None, compiled: frozenset[str]) -> frozenset[str]:
        """Return the breakpoints of a call; those of compile if the call names none.

        Raises:
            UnknownNodeError: One is no node.
        """
        if wanted is None:
            return compiled
        nodes = self.parts.spec.nodes.keys() - {START}
        names = frozenset(nodes) if wanted == "*" else frozenset([wanted] if isinstance(wanted, str) else wanted)
        for name in names - nodes:
            raise UnknownNodeError(f"The breakpoint {name!r} is no node of the graph.", hint=nearest(name, nodes), node=name)
        return names

    def _launch_inside(self, state: Mapping[str, object], exported: Mapping[str, bool]) -> Launch:
        update = dict(self.parts.read_input(state.get(ROOT) if ROOT in self.parts.fields else state, {}, None))
        return launch(self, NewTurn(update), read_config(None), {}, exported=exported)

    def _output(self, finished: Finished, *, typed: bool = False) -> Any:  # noqa: ANN401 - the state's type is the user's
        """Return the output keys of the result, with the list of pending questions if there are any."""
        values = finished.values
        if typed:
            shown = values.get(ROOT) if ROOT in self.parts.fields else {key: values[key] for key in self._outputs if key in values}
            return GraphOutput(shown, finished.interrupts)
        if ROOT in self.parts.fields:
            return {INTERRUPT: list(finished.interrupts)} if finished.questions else values.get(ROOT)
        output: dict[str, object] = {key: values[key] for key in self._outputs if key in values}
        if finished.questions:
            output[INTERRUPT] = list(finished.interrupts)
        return output

    get_graph = describe.get_graph
    aget_graph = describe.aget_graph
    get_subgraphs = describe.get_subgraphs
    aget_subgraphs = describe.aget_subgraphs
    get_input_schema = describe.get_input_schema
    get_output_schema = describe.get_output_schema
    config_schema = describe.config_schema
    get_input_jsonschema = describe.get_input_jsonschema
    get_output_jsonschema = describe.get_output_jsonschema
    get_context_jsonschema = describe.get_context_jsonschema
    get_config_jsonschema = describe.get_config_jsonschema

    def clear_cache(self, nodes: Sequence[str] | None = None) -> None:
        """Forget the results that nodes with a cache_policy have kept; those of subgraphs are theirs to clear.

        Args:
            nodes: Names of nodes; all by default.

        Raises:
            UnknownNodeError: One is no node.
            StorageError: The cache failed.
        """
        for kept in self._kept(nodes):
            kept.cache.clear([kept.namespace])

    async def aclear_cache(self, nodes: Sequence[str] | None = None) -> None:
        """As ``clear_cache``."""
        for kept in self._kept(nodes):
            await kept.cache.aclear([kept.namespace])

    def _kept(self, nodes: Sequence[str] | None) -> list[Cached]:
        known = self.parts.spec.nodes
        for name in nodes or ():
            if name not in known:
                raise UnknownNodeError(
                    f"clear_cache() names {name!r}, which is no node of the graph.", hint=nearest(name, known), node=name
                )
        actions = [cast("Action", known[name].action) for name in (known if nodes is None else nodes)]
        return [action.cached for action in actions if action.cached is not None]


def _at(config: ConfigLike, thread_id: str | None) -> Config:
    return read_config(config, {"thread_id": thread_id})
