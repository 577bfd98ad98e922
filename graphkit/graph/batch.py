"""Many runs of one graph side by side."""

from __future__ import annotations

from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from graphkit.errors import InvalidConfigError
from graphkit.graph.config import read_config
from graphkit.runtime.pool import Pool

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graphkit.graph.compiled import CompiledGraph
    from graphkit.graph.config import RunOptions


def batch(graph: CompiledGraph, inputs: Sequence[object], config: object, options: RunOptions, *, return_exceptions: bool) -> list[Any]:
    """Invoke once per input in threads; see ``CompiledGraph.batch``."""
    configs = _configs(inputs, config)
    results: list[object] = [None] * len(inputs)
    done: SimpleQueue[int] = SimpleQueue()

    def invoke(index: int) -> None:
        try:
            results[index] = graph.invoke(inputs[index], configs[index], **options)
        except BaseException as error:  # noqa: BLE001 - raised or returned below
            results[index] = _Raised(error)
        done.put(index)

    pool = Pool(read_config(configs[0] if configs else None, options).max_concurrency)
    pool.start([partial(copy_context().run, invoke, index) for index in range(len(inputs))])
    for _ in inputs:
        done.get()
    return _unwrapped(results, return_exceptions=return_exceptions)


async def abatch(
    graph: CompiledGraph, inputs: Sequence[object], config: object, options: RunOptions, *, return_exceptions: bool
) -> list[Any]:
    """Invoke once per input in the running loop; see ``CompiledGraph.abatch``."""
    import asyncio  # noqa: PLC0415 - sync users do not need it

    configs = _configs(inputs, config)
    gate = asyncio.Semaphore(read_config(configs[0] if configs else None, options).max_concurrency or max(len(inputs), 1))

    async def invoke(index: int) -> object:
        async with gate:
            try:
                return await graph.ainvoke(inputs[index], configs[index], **options)
            except Exception as error:  # noqa: BLE001 - raised or returned below
                return _Raised(error)

    return _unwrapped(await asyncio.gather(*[invoke(index) for index in range(len(inputs))]), return_exceptions=return_exceptions)


class _Raised:
    __slots__ = ("error",)

    def __init__(self, error: BaseException) -> None:
        self.error = error


def _configs(inputs: Sequence[object], config: object) -> list[Mapping[str, Any] | None]:
    if not isinstance(config, list | tuple):
        return [config] * len(inputs)  # type: ignore[list-item]
    if len(config) != len(inputs):
        raise InvalidConfigError(f"{len(inputs)} inputs, but {len(config)} configs.", hint="Pass one config for all, or one per input.")
    return list(config)


def _unwrapped(results: Sequence[object], *, return_exceptions: bool) -> list[Any]:
    for result in results:
        if isinstance(result, _Raised) and not return_exceptions:
            raise result.error
    return [result.error if isinstance(result, _Raised) else result for result in results]
