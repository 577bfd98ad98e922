"""The whole table: each answer to each tool, alone, beside any other one in the same message, and beside a tool without review."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from graphkit import Command, InMemorySaver
from tests.unit.agents.assistant import (
    PAIRS,
    SINGLES,
    WITH_PLAIN,
    agent,
    given,
    looked_at,
    name_of,
    require_end,
    require_first_message,
    start,
)

if TYPE_CHECKING:
    from tests.unit.agents.assistant import Cell

ORDERS = [[[0, 1]], [[0], [1]], [[1], [0]]]
"""Which questions are answered at a time; each pair of cells has another order in each driver."""


def answer_all(driver, graph, cells: tuple[Cell, ...], order):
    """Answer in this order; the questions stay where they are until they are answered."""
    asked = driver.get_state(graph, thread_id="t").interrupts
    reviewed = [cell for cell in cells if cell.answer]
    assert [question.value[0]["action_request"]["action"] for question in asked] == [cell.tool for cell in reviewed]
    for group in order:
        answers = {asked[place].id: given(reviewed[place]) for place in group if place < len(reviewed)}
        if answers:
            driver.invoke(graph, Command(resume=answers), thread_id="t")


def approve_redrafts(driver, graph):
    pending = driver.get_state(graph, thread_id="t").interrupts
    if pending:
        driver.invoke(graph, Command(resume={question.id: {"type": "accept"} for question in pending}), thread_id="t")


@pytest.mark.parametrize("cells", [*SINGLES, *WITH_PLAIN], ids=name_of)
def test_one_reviewed_call(driver, saver, cells):
    effects = []
    graph = agent(saver, effects.append)
    driver.invoke(graph, start(cells), thread_id="t")
    assert effects == []

    answer_all(driver, graph, cells, [[0]])

    require_first_message(cells, looked_at(driver.get_state(graph, thread_id="t")), effects)
    approve_redrafts(driver, graph)
    require_end(cells, looked_at(driver.get_state(graph, thread_id="t")), effects)


@pytest.mark.parametrize("cells", PAIRS, ids=name_of)
def test_two_reviewed_calls_in_one_message(driver, cells):
    effects = []
    graph = agent(InMemorySaver(), effects.append)
    driver.invoke(graph, start(cells), thread_id="t")

    answer_all(driver, graph, cells, ORDERS[(PAIRS.index(cells) + driver.is_async) % len(ORDERS)])

    require_first_message(cells, looked_at(driver.get_state(graph, thread_id="t")), effects)
    approve_redrafts(driver, graph)
    require_end(cells, looked_at(driver.get_state(graph, thread_id="t")), effects)


def test_nothing_runs_while_one_of_two_questions_is_open(driver, saver):
    effects = []
    cells = next(pair for pair in PAIRS if name_of(pair) == "write_email-accept+schedule_meeting-accept")
    graph = agent(saver, effects.append)
    driver.invoke(graph, start(cells), thread_id="t")
    asked = driver.get_state(graph, thread_id="t").interrupts

    left = driver.invoke(graph, Command(resume={asked[1].id: given(cells[1])}), thread_id="t")

    assert [question.id for question in left["__interrupt__"]] == [asked[0].id]
    assert [question.id for question in driver.get_state(graph, thread_id="t").interrupts] == [asked[0].id]
    assert effects == []
