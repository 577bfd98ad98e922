"""Records that are damaged or not ours are reported; they never become other data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from graphkit.core.command import Command
from graphkit.core.effects import Commit, Filed, History, Memo
from graphkit.core.task import Done, Escaped, Interrupted
from graphkit.errors import CorruptCheckpointError
from graphkit.storage import InMemorySaver
from graphkit.testing.checkpointers.subject import Subject, question
from graphkit.testing.clock import Clock


def written():
    """Return a saver whose one thread uses every kind of record, and that thread's rows."""
    saver = InMemorySaver()
    run = Subject(lambda _: saver, Clock(), "sync").writer("t")
    asked = question("q")
    run.step({"x": 1, "y": [1]}, claim=True)
    run.step({"x": 2, "y": [1, 2]})
    outcomes = (Filed("a", 1, Done()), Filed("b", 1, Interrupted((asked,))))
    run.commit(Commit(outcomes=outcomes, memos=(Memo("a", 1, "k", 1),), asked=((asked, 1),), answers=((asked.interrupt.id, 1),)))
    backend: Any = saver._site.backend
    return saver, backend._threads["t"]


def damaged(field, blob):
    saver, thread = written()
    space = thread.namespaces[""]
    if field in ("record", "changes"):
        space.checkpoints[-1] = replace(space.checkpoints[-1], **{field: blob})
    elif field == "outcome":
        space.outcomes[1]["a"] = replace(space.outcomes[1]["a"], record=blob)
    elif field == "memo":
        space.memos[1]["a", "k"] = replace(space.memos[1]["a", "k"], record=blob)
    else:
        [(name, (number, row))] = thread.questions.items()
        thread.questions[name] = (number, replace(row, **{field.removeprefix("question "): blob}))
    return saver


FIELDS = ("record", "changes", "outcome", "memo", "question record", "question answer")


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("blob", [b"", b"garbage", b"\x00" * 40], ids=["empty", "garbage", "zeros"])
def test_bytes_that_are_no_record_are_damage(field, blob):
    with pytest.raises(CorruptCheckpointError):
        damaged(field, blob).hold("t").load("")


@pytest.mark.parametrize("field", ["record", "outcome", "question record"])
@pytest.mark.parametrize(
    "form", [None, 1, "x", [], [9], {}, [0], [1, 2, 3, 4, 5, 6], {"s": 1, "c": 99}, {"s": 1, "c": 0, "f": [[]]}], ids=str
)
def test_records_of_another_form_are_damage(field, form):
    saver, _ = written()

    with pytest.raises(CorruptCheckpointError):
        damaged(field, saver.codec.encode(form)).hold("t").load("")


def test_a_missing_row_is_damage():
    saver, thread = written()
    run = saver.hold("t")
    space = thread.namespaces[""]
    assert space.checkpoints[1].frame_n == 0
    space.checkpoints[1] = replace(space.checkpoints[1], n=2)
    space.positions[1] = 2
    space.checkpoints[1] = replace(space.checkpoints[1], depth=3)

    with pytest.raises(CorruptCheckpointError, match="built of 3 rows, but 2 are there"):
        run.load("")
    with pytest.raises(CorruptCheckpointError):
        run.history("", History())


def test_a_question_that_is_gone_leaves_its_outcome():
    saver, thread = written()
    thread.questions.clear()
    thread.namespaces[""].questions.clear()

    saved = saver.hold("t").load("")

    assert saved.outcomes["b"] == Interrupted(())


def test_an_outcome_that_is_never_stored_is_a_mistake_of_the_caller():
    saver, _ = written()

    with pytest.raises(AssertionError):
        saver.hold("t").prepare("", Commit(outcomes=(Filed("a", 0, Escaped(Command())),)))
