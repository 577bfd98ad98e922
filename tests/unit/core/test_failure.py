"""What failures look like to the caller, and which node answers for them."""

from __future__ import annotations

import pytest

from graphkit.core.failure import blamed, of_input, raised
from graphkit.core.task import Done, Failed, Interrupted
from graphkit.errors import ReducerError, StateError, UnserializableValueError
from tests.unit.core.graphs import position, tasks_of


class Closed(Exception):
    __slots__ = ()

    def __setattr__(self, name, value):
        raise AttributeError(name)


def test_the_node_s_own_exception_is_raised_with_the_node_s_name_in_its_notes():
    task = tasks_of(position("a"))[0]
    error = ValueError("no")

    assert raised([(task, Failed.of(error))]) is error
    assert error.__notes__ == [f"During task with name 'a' and id '{task.id}'"]
    assert not hasattr(error, "sibling_errors")


def test_a_note_is_not_written_twice():
    task = tasks_of(position("a"))[0]
    error = ValueError("no")

    for _ in range(2):
        raised([(task, Failed.of(error))])

    assert len(error.__notes__) == 1


def test_the_other_failures_of_the_superstep_are_attached_to_the_first():
    first, second, third = tasks_of(position("a b c"))
    error, other, another = ValueError("no"), KeyError("k"), OSError("gone")

    raised([(first, Failed.of(error)), (second, Failed.of(other)), (third, Failed.of(another))])

    assert "node 'b' failed, too: KeyError('k')" in error.__notes__[1]
    assert "node 'c' failed, too: OSError('gone')" in error.__notes__[2]
    assert error.sibling_errors == (other, another)  # type: ignore[attr-defined]


def test_an_exception_that_takes_no_attribute_is_raised_without_one():
    first, second = tasks_of(position("a b"))
    closed = Closed("no")

    assert raised([(first, Failed.of(closed)), (second, Failed.of(ValueError()))]) is closed


class Problems(Exception):
    def __len__(self):
        return len(self.args)


def test_an_exception_that_counts_as_false_is_raised_as_it_is():
    empty = Problems()

    assert raised([(tasks_of(position("a"))[0], Failed.of(empty))]) is empty


def done(key):
    return Done(((key, 1),))


UNSTORABLE = UnserializableValueError("A lock.", hint="Store no locks.", key="k", path="$.k", node="?")


@pytest.mark.parametrize(
    "outcomes, fresh, error, guilty",
    [
        ([done("k"), done("other"), done("k")], [0, 1, 2], ReducerError("no", key="k"), [0, 2]),
        ([done("k"), done("other"), done("k")], [1, 2], ReducerError("no", key="k"), [0, 2]),
        ([done("other"), done("other"), Interrupted(())], [1], ReducerError("no", key="k"), [1]),
        ([done("other"), done("other"), Interrupted(())], [], StateError("no"), [0, 1, 2]),
        ([done("k"), done("other"), done("k")], [1, 2], UNSTORABLE, [2]),
        ([done("k"), done("other"), done("k")], [1], UNSTORABLE, [0, 2]),
        ([done("other"), done("other"), done("other")], [1], UNSTORABLE, [1]),
        ([done("other"), done("other"), done("other")], [], UNSTORABLE, [0, 1, 2]),
    ],
)
def test_which_tasks_answer_for_updates_that_cannot_be_merged_or_stored(outcomes, fresh, error, guilty):
    tasks = tasks_of(position("a b c"))
    known = dict(enumerate(outcomes))
    new = {tasks[index]: outcomes[index] for index in fresh}

    blamed(known, new, tasks, error)

    assert [index for index, outcome in known.items() if isinstance(outcome, Failed)] == guilty
    assert {task.index for task, outcome in new.items() if isinstance(outcome, Failed)} == set(guilty)


def test_a_value_that_cannot_be_stored_names_the_node_that_wrote_it():
    tasks = tasks_of(position("a"))
    outcomes = {0: done("k")}

    blamed(outcomes, {}, tasks, UNSTORABLE)

    error = outcomes[0].error
    assert str(error).startswith("Node 'a': A lock. Store no locks.")
    assert error.facts == {"key": "k", "path": "$.k", "node": "a"}
    assert error.__cause__ is UNSTORABLE


def test_an_input_that_cannot_be_stored_names_the_type_and_the_path():
    error = of_input(UnserializableValueError("A lock.", hint="Store no locks.", key="k", path="$.k", type_name="Lock", node="__start__"))

    assert str(error).startswith("The input has a value of type Lock at $.k, which cannot be stored. Store no locks.")
    assert error.facts == {"key": "k", "path": "$.k", "type_name": "Lock"}


def test_an_answer_that_cannot_be_stored_says_so_itself():
    error = UnserializableValueError("The answer has a lock.", interrupt_id="i")

    assert of_input(error) is error
