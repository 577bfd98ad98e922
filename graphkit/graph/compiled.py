"""CompiledGraph: run a graph, read and edit its threads. Every async method is the twin of a sync one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast
from weakref import WeakSet

from graphkit.core.command import END, ROOT, START
from graphkit.core.record import record
from graphkit.core.request import NewTurn
from graphkit.errors import UnknownNodeError, nearest
from graphkit.graph import thread
from graphkit.graph.config import read_config, read_modes
from graphkit.graph.launch import launch, read_input
from graphkit.graph.stream import INTERRUPT, Projection
from graphkit.graph.thread import StateUpdate
from graphkit.runtime import drive

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator, Mapping, Sequence
    from typing import TypeAlias, Unpack

    from graphkit.core.events import Event
    from graphkit.core.request import Finished
    from graphkit.graph.assemble import Parts
    from graphkit.graph.config import Config, RunOptions
    from graphkit.graph.draw import Drawing
    from graphkit.graph.launch import Launch
    from graphkit.graph.snapshot import StateSnapshot
    from graphkit.graph.thread import Reading
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

    def invoke(self, input: object, config: ConfigLike = None, *, stream_mode: Modes = "values", **options: Unpack[RunOptions]) -> Any:  # noqa: ANN401 - the state's type is the user's
        """Run until the end, a question or a breakpoint.

        Args:
            input: A dict or instance of the input schema for a new turn, None to go on, a Command to answer or steer.
            config: As in LangGraph.
            stream_mode: "values" returns the state; other modes return the list of what ``stream`` yields.
            **options: See RunOptions.

        Returns:
            The output keys of the state. If questions are pending, ``"__interrupt__"`` holds the list of them.
        """
        if stream_mode != "values":
            return list(self.stream(input, config, stream_mode=stream_mode, **options))
        started = launch(self, read_input(self, input), read_config(config, options), options)
        return self._output(started.settle(_exhausted(self._drive(started), started.run.emit)))

    async def ainvoke(
        self, input: object, config: ConfigLike = None, *, stream_mode: Modes = "values", **options: Unpack[RunOptions]
    ) -> Any:  # noqa: ANN401 - as invoke
        """As ``invoke``; sync nodes run in threads."""
        if stream_mode != "values":
            return [chunk async for chunk in self.astream(input, config, stream_mode=stream_mode, **options)]
        started = launch(self, read_input(self, input), read_config(config, options), options)
        return self._output(started.settle(await self._aexhausted(started)))

    def stream(
        self,
        input: object,
        config: ConfigLike = None,
        *,
        stream_mode: Modes = "updates",
        subgraphs: bool = False,
        **options: Unpack[RunOptions],
    ) -> Iterator[Any]:
        """Run and yield what happens; the run goes on as the caller asks for the next chunk.

        Args:
            input: As in invoke.
            config: As in invoke.
            stream_mode: "values" (the state after each superstep), "updates" ({node: update}), "custom" (what nodes
                write), or a list of them, which yields (mode, chunk).
            subgraphs: Show subgraphs, too; chunks are then (namespace, chunk) or (namespace, mode, chunk).
            **options: See RunOptions.

        Raises:
            InvalidStreamModeError: A mode does not exist. Raised at once, as are all errors of the request.
        """
        projection = Projection(read_modes(stream_mode), not isinstance(stream_mode, str), subgraphs)
        return self._chunks(launch(self, read_input(self, input), read_config(config, options), options, projection), projection)

    def astream(
        self,
        input: object,
        config: ConfigLike = None,
        *,
        stream_mode: Modes = "updates",
        subgraphs: bool = False,
        **options: Unpack[RunOptions],
    ) -> AsyncIterator[Any]:
        """As ``stream``."""
        projection = Projection(read_modes(stream_mode), not isinstance(stream_mode, str), subgraphs)
        return self._achunks(launch(self, read_input(self, input), read_config(config, options), options, projection), projection)

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
        return self._read(thread.state(self, _at(config, thread_id), subgraphs=subgraphs))

    async def aget_state(self, config: ConfigLike = None, *, thread_id: str | None = None, subgraphs: bool = False) -> StateSnapshot:
        """As ``get_state``."""
        return await self._aread(thread.state(self, _at(config, thread_id), subgraphs=subgraphs))

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
        return iter(self._read(thread.history(self, _at(config, thread_id), thread.query(filter, read_config(before), limit))))

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
        for found in await self._aread(thread.history(self, _at(config, thread_id), thread.query(filter, read_config(before), limit))):
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
        return self._read(thread.update(self, _at(config, thread_id), [[StateUpdate(values, as_node)]]))

    async def aupdate_state(
        self, config: ConfigLike, values: object, as_node: str | None = None, *, thread_id: str | None = None
    ) -> dict[str, object]:
        """As ``update_state``."""
        return await self._aread(thread.update(self, _at(config, thread_id), [[StateUpdate(values, as_node)]]))

    def bulk_update_state(
        self, config: ConfigLike, supersteps: Sequence[Sequence[StateUpdate]], *, thread_id: str | None = None
    ) -> dict[str, object]:
        """Write several supersteps of updates in one transaction; each inner sequence is one superstep."""
        return self._read(thread.update(self, _at(config, thread_id), supersteps))

    async def abulk_update_state(
        self, config: ConfigLike, supersteps: Sequence[Sequence[StateUpdate]], *, thread_id: str | None = None
    ) -> dict[str, object]:
        """As ``bulk_update_state``."""
        return await self._aread(thread.update(self, _at(config, thread_id), supersteps))

    def get_graph(self) -> Drawing:
        """Return the declared nodes and edges, for ``draw_mermaid()`` and ``draw_ascii()``."""
        from graphkit.graph.draw import Drawing, Line  # noqa: PLC0415 - rarely needed

        return Drawing((*self.parts.spec.nodes, END), tuple([Line(*line) for line in self.parts.lines]))

    def run_inside(self, state: Mapping[str, object], exported: Mapping[str, bool]) -> Finished:
        """Run as a node of another graph."""
        started = self._launch_inside(state, exported)
        return started.settle(_exhausted(self._drive(started), started.run.emit))

    async def arun_inside(self, state: Mapping[str, object], exported: Mapping[str, bool]) -> Finished:
        """As ``run_inside``."""
        started = self._launch_inside(state, exported)
        return started.settle(await self._aexhausted(started))

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

    def _output(self, finished: Finished) -> Any:  # noqa: ANN401 - the state's type is the user's
        """Return the output keys of the result, with the list of pending questions if there are any."""
        values = finished.values
        if ROOT in self.parts.fields:
            return {INTERRUPT: list(finished.interrupts)} if finished.questions else values.get(ROOT)
        output: dict[str, object] = {key: values[key] for key in self._outputs if key in values}
        if finished.questions:
            output[INTERRUPT] = list(finished.interrupts)
        return output

    def _drive(self, started: Launch) -> Generator[Event, None, Finished]:
        """Drive a run in this thread, or in a loop of its own if a node can only be awaited."""
        live = started.projection is not None and started.projection.live
        if not self.needs_loop:
            return drive(started.program, self.parts.spec, started.run, live=live)
        from graphkit.runtime.bridge import drive_in_loop  # noqa: PLC0415 - imports asyncio

        return drive_in_loop(started.program, self.parts.spec, started.run, live=live)

    def _chunks(self, started: Launch, projection: Projection) -> Iterator[Any]:
        events = self._drive(started)
        try:
            while True:
                yield from projection.chunks(next(events), started.run.namespace)
        except StopIteration as end:
            started.settle(end.value)
        finally:
            events.close()

    async def _achunks(self, started: Launch, projection: Projection) -> AsyncIterator[Any]:
        from graphkit.runtime import aio  # noqa: PLC0415 - imports asyncio

        events = aio.drive(started.program, self.parts.spec, started.run, live=projection.live)
        try:
            async for event in events:
                if isinstance(event, aio.Result):
                    started.settle(cast("Finished", event.value))
                    return
                for chunk in projection.chunks(event, started.run.namespace):
                    yield chunk
        finally:
            await events.aclose()

    def _aexhausted(self, started: Launch) -> Coroutine[Any, Any, Finished]:
        from graphkit.runtime import aio  # noqa: PLC0415 - imports asyncio

        return aio.result_of(started.program, self.parts.spec, started.run)

    def _read(self, reading: Reading[T]) -> T:
        return reading.show(_exhausted(drive(reading.program, reading.spec, reading.run)))

    async def _aread(self, reading: Reading[T]) -> T:
        from graphkit.runtime import aio  # noqa: PLC0415 - imports asyncio

        return reading.show(await aio.result_of(reading.program, reading.spec, reading.run))


def _at(config: ConfigLike, thread_id: str | None) -> Config:
    return read_config(config, {"thread_id": thread_id})


def _exhausted(events: Generator[Event, None, R], emit: Callable[[Event], None] | None = None) -> R:
    """Return what a driven program returns; events of a subgraph go to the parent's stream."""
    while True:
        try:
            event = next(events)
            if emit is not None:
                emit(event)
        except StopIteration as end:
            result: R = end.value
            return result
