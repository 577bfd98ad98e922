"""A compiled graph as a node of another graph.

Keys of the same name are shared. The child's input are the parent's values of its input keys. What it hands back are
its *writes*: for a key with the same reducer in both graphs the updates themselves, so that nothing is folded in
twice; for any other shared key the final value, if the child wrote it at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkit.core.apply import OVERWRITTEN
from graphkit.core.channels import BinaryOperatorAggregate
from graphkit.core.command import MISSING, Overwrite
from graphkit.runtime import Action, Handed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphkit.core.request import Finished
    from graphkit.core.task import Write
    from graphkit.graph.compiled import CompiledGraph
    from graphkit.graph.schema import Field
    from graphkit.graph.update import Update
    from graphkit.runtime import Router


def subgraph_action(child: CompiledGraph, fields: Mapping[str, Field], read_update: Update, routers: tuple[Router, ...]) -> Action:
    """Return the action that runs ``child`` inside a graph with ``fields``."""
    inputs = [key for key, field in child.parts.input.fields.items() if key in fields and field.managed is None]
    exported = {
        key: _is_same(fields[key], field) for key, field in child.parts.output.fields.items() if key in fields and field.managed is None
    }

    def read(values: Mapping[str, object], _remaining: int) -> object:
        return {key: values[key] for key in inputs if key in values}

    def call(state: Mapping[str, object]) -> Handed:
        return Handed(_handed(child.run_inside(state, exported)))

    async def acall(state: Mapping[str, object]) -> Handed:
        return Handed(_handed(await child.arun_inside(state, exported)))

    return Action(call, acall, read, read_update, routers=routers)


def _handed(finished: Finished) -> tuple[Write, ...]:
    values = finished.checkpoint.values
    handed: list[Write] = []
    for key, update in finished.checkpoint.exports:
        if update is not MISSING and update != OVERWRITTEN:
            handed.append((key, update))
        elif key in values:
            handed.append((key, values[key] if update is MISSING else Overwrite(values[key])))
    return tuple(handed)


def _is_same(ours: Field, theirs: Field) -> bool:
    """Tell whether two keys fold updates in the same way, so that updates can be handed from one to the other."""
    mine, other = ours.channel, theirs.channel
    return isinstance(mine, BinaryOperatorAggregate) and isinstance(other, BinaryOperatorAggregate) and mine.operator == other.operator
