"""Golden transcripts: every effect of a run in its order, as a reader of the engine expects it.

After a wanted change, ``python -m tests.unit.core.test_transcripts`` writes them anew; the diff belongs in the review.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from graphkit.core.command import START
from graphkit.core.engine import run
from graphkit.core.history import Edit, update_state
from graphkit.core.request import Continue, NewTurn, Steer
from graphkit.core.task import Failed
from graphkit.errors import GraphRecursionError
from tests.unit.core.graphs import asks, graph, logs, request
from tests.unit.core.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

GOLDEN = Path(__file__).parents[2] / "golden" / "transcripts"

STARTS = (("log", list),)
CHAIN = graph({START: "a", "a": "b", "b": "c"}, starts=STARTS)


def calls(world, *given, **more):
    """Return what is asked of the world by runs with these inputs, one after the other."""
    for number, (what, value) in enumerate(given, 1):
        wanted = request(value, f"r{number}", **{"durability": "sync", "events": True, **more})
        world.lines.append(f"# {what}")
        with suppress(ValueError, GraphRecursionError):
            world.play(run(world.spec, wanted))
        world.lines.append("")
    return world.lines[:-1]


HELLO = ("invoke({'log': ['in']})", NewTurn({"log": ["in"]}))
AGAIN = ("invoke(None)", Continue())


def one_node():
    return calls(World(graph({START: "a"}, starts=STARTS)), HELLO)


def fan_out():
    return calls(
        World(graph({START: "a", "a": "b c d", "b": "e", "c": "e", "d": "e"}, starts=STARTS), last_first=True), HELLO, max_concurrency=2
    )


def interrupt_and_resume():
    world = World(graph({START: "a b c"}, {"b": asks("sure?")}, starts=STARTS))
    return calls(world, HELLO, AGAIN, ("invoke(Command(resume='yes'))", Steer(resume="yes")))


def failure():
    failures = [Failed.of(ValueError("no luck"))]

    def unlucky(task):
        return failures.pop() if failures else logs(task)

    world = World(graph({START: "a b c"}, {"b": unlucky}, starts=STARTS))
    return calls(world, HELLO, AGAIN)


def breakpoint_before():
    return calls(World(graph({START: "a", "a": "b"}, starts=STARTS)), HELLO, AGAIN, interrupt_before=frozenset({"b"}))


def recursion_limit():
    return calls(World(graph({START: "a", "a": "b", "b": "a"}, starts=STARTS)), HELLO, recursion_limit=2)


def durability_async():
    return calls(World(CHAIN), HELLO, durability="async")


def durability_exit():
    return calls(World(CHAIN), HELLO, durability="exit")


def without_a_checkpointer():
    return calls(World(CHAIN, saves=False), HELLO, durability=None)


def new_input_on_a_question():
    return calls(World(graph({START: "a b"}, {"b": asks("sure?")}, starts=STARTS)), HELLO, HELLO)


def edit_and_go_on():
    world = World(graph({START: "a", "a": "b"}, starts=STARTS))
    lines = [*calls(world, HELLO, interrupt_before=frozenset({"b"})), "", "# update_state({...}, as_node='a')"]
    before = len(world.lines)
    world.play(update_state(world.spec, request(token="e1", durability="sync"), [[Edit({}, "a")]]))
    return [*lines, *world.lines[before:]]


STORIES: dict[str, Callable[[], list[str]]] = {
    story.__name__: story
    for story in (
        one_node,
        fan_out,
        interrupt_and_resume,
        failure,
        breakpoint_before,
        recursion_limit,
        durability_async,
        durability_exit,
        without_a_checkpointer,
        new_input_on_a_question,
        edit_and_go_on,
    )
}


@pytest.mark.parametrize("name", STORIES)
def test_effects_come_in_the_order_of_the_transcript(name):
    assert "\n".join(STORIES[name]()) + "\n" == (GOLDEN / f"{name}.txt").read_text("utf-8")


def test_there_is_a_story_for_each_transcript():
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(STORIES)


if __name__ == "__main__":
    for name, story in STORIES.items():
        (GOLDEN / f"{name}.txt").write_text("\n".join(story()) + "\n", "utf-8")
