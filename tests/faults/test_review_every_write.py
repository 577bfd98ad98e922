"""A reviewed run whose k-th write goes wrong, for every k: nothing runs without its answer, nothing twice, and the end is the same."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from typing import get_args

import pytest

from graphkit import Command
from graphkit.errors import StorageUnavailableError, ThreadNotFoundError
from graphkit.storage import Checkpointer
from graphkit.storage.memory import MemoryBackend
from graphkit.testing import Clock
from tests.faults.faulty import Died, Faulty, Mode
from tests.unit.agents.assistant import PLAIN, Cell, agent, effect, expected, given, looked_at, require_end, start

CELLS = (Cell("write_email", "edit"), PLAIN, Cell("schedule_meeting", "accept"), Cell("question", "response"))
REVIEWED = [cell for cell in CELLS if cell.answer]
ANSWERS = {cell.tool: given(cell) for cell in REVIEWED}
CONFIG = {"configurable": {"thread_id": "t"}, "max_concurrency": 1}


class World:
    """What is left when a process dies: the database, the clock and the effects."""

    def __init__(self):
        self.backend = MemoryBackend()
        self.clock = Clock()
        self.effects: list[str] = []
        self.lost: Counter[str] = Counter()
        self.answered: set[str] = set()

    def act(self, faulty, what):
        faulty.act()
        tool = what.partition(" ")[0]
        assert len(self.answered) == len(REVIEWED), f"{tool} ran before every question had its answer"
        self.effects.append(what)

    def live(self, k, mode, *, is_async):
        """Live one life; return whether the work is done and how many writes it took."""
        self.clock.advance(31)
        faulty = Faulty(self.backend, k, mode)
        saver = Checkpointer(faulty, clock=self.clock)
        graph = agent(saver, lambda what: self.act(faulty, what))
        try:
            for step in self.steps(graph):
                with suppress(StorageUnavailableError):
                    if is_async:
                        asyncio.run(graph.ainvoke(step, CONFIG))
                    else:
                        graph.invoke(step, CONFIG)
        except Died:
            return False, faulty.writes
        else:
            return True, faulty.writes
        finally:
            self.lost += faulty.lost
            saver._site.heartbeat.stop()

    def steps(self, graph):
        """Yield what to give the graph until nothing is left to do; one question is answered at a time, the last one first."""
        while True:
            try:
                state = graph.get_state(CONFIG)
            except ThreadNotFoundError:
                yield start(CELLS)
                continue
            if state.interrupts:
                question = state.interrupts[-1]
                self.answered.add(question.id)
                yield Command(resume={question.id: ANSWERS[question.value[0]["action_request"]["action"]]})
            elif state.next:
                yield None
            else:
                return


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("mode", get_args(Mode))
def test_a_failure_at_any_write(mode, is_async):
    k = 0
    while True:
        k += 1
        world = World()
        done, writes = world.live(k, mode, is_async=is_async)
        if not done:
            done, _ = world.live(0, mode, is_async=is_async)
        assert done, k

        state = looked_at(agent(Checkpointer(world.backend, clock=world.clock), print).get_state(CONFIG))
        wanted, _, _, _ = expected(CELLS)
        # An effect whose result was in the very write that was lost is all that may happen again.
        allowed = Counter(wanted) + Counter({each: 1 for place, each in lost_effects() if world.lost[f"memo call-{place}/result"]})
        assert Counter(world.effects) <= allowed, (k, world.effects, world.lost)
        assert set(world.effects) == set(wanted), (k, world.effects)
        require_end(CELLS, state, wanted)
        if writes < k:
            break
    assert k > 10


def lost_effects():
    """Return (place of the call, effect) of each call that has an effect."""
    done = expected(CELLS)[1]
    return [(place, effect(cell.tool, done[place])) for place, cell in enumerate(CELLS) if cell.answer != "response"]
