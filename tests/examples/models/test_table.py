"""The table of tools and answers, for every kind of model, in both drivers; each step by a graph and a saver of its own."""

from __future__ import annotations

import asyncio
from itertools import cycle

import pytest

from checkpointers.sqlite import SqliteSaver
from examples.email_assistant.graph import build
from graphkit import Command
from tests.examples.models.planned import PAIRS, SCENARIOS, SINGLES, Planned, effects, mail_for, require_end
from tests.examples.models.wires import WAYS, reached

DRIVERS = ("sync", "async")
SINGLE = list(SCENARIOS)[: len(SINGLES)]
PAIR = list(zip(list(SCENARIOS)[len(SINGLES) :], cycle([(way, driver) for driver in DRIVERS for way in WAYS]), strict=False))


@pytest.fixture
def play(tmp_path, toolbox):
    """Return a function that plays a scenario, the last question answered first; it returns what was seen on the way."""

    def step(model, driver, request):
        with SqliteSaver(tmp_path / "threads.db", synchronous="OFF") as saver:
            graph = build(model, toolbox).compile(checkpointer=saver)
            if driver == "async":
                asyncio.run(graph.ainvoke(request, thread_id="mail-1"))
            else:
                graph.invoke(request, thread_id="mail-1")
            return graph.get_state(thread_id="mail-1")

    def play(name, way, driver):
        cells, mail = SCENARIOS[name], mail_for(name)
        with reached(way, Planned(), [mail], toolbox.tools()) as model:
            saved = step(model, driver, {"thread": "mail-1", "mail": mail})
            asked = [question.value[0]["action_request"]["action"] for question in saved.interrupts]
            before = [effects(tmp_path)]
            for place in reversed(range(len(cells))):
                saved = step(model, driver, Command(resume={saved.interrupts[place].id: cells[place].given}))
                before.append(effects(tmp_path))
        return asked, before, saved

    return play


def require_played(name, asked, seen, saved):
    cells = SCENARIOS[name]
    assert asked == [cell.tool for cell in cells]
    # Nothing is done before the last question has its answer.
    assert seen[:-1] == [[]] * len(cells)
    assert (saved.next, saved.interrupts) == ((), ())
    require_end(cells, saved.values, seen[-1])


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", SINGLE)
def test_one_call_is_settled_as_the_table_says(play, name, way, driver):
    asked, seen, saved = play(name, way, driver)

    require_played(name, asked, seen, saved)


@pytest.mark.parametrize("name, way, driver", [(name, *how) for name, how in PAIR])
def test_two_calls_of_one_message_are_settled_as_the_table_says(play, name, way, driver):
    asked, seen, saved = play(name, way, driver)

    require_played(name, asked, seen, saved)


def test_every_pair_of_cells_is_played():
    assert len(PAIR) == len(PAIRS) == 100
