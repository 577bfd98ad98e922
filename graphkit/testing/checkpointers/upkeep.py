"""What users write: put, delete, copy, prune; and how every argument is checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkit.core.checkpoint import Checkpoint, Trigger
from graphkit.core.effects import Commit, Filed, Memo
from graphkit.core.record import replace
from graphkit.core.task import Done, Interrupted, task_id
from graphkit.errors import (
    ConcurrentUpdateError,
    InvalidConfigError,
    InvalidIdError,
    MissingThreadIdError,
    ThreadBusyError,
    ThreadNotFoundError,
    UnserializableValueError,
)
from graphkit.storage import LEASE
from graphkit.testing.checkpointers.subject import config, question, refuses

if TYPE_CHECKING:
    from graphkit.testing.checkpointers.subject import Subject

ODD_IDS: tuple[object, ...] = (
    None,
    1,
    True,
    b"t",
    {"a": 1},
    "",
    ".",
    "..",
    "a b",
    "a\n",
    "a\0",
    "é",
    "a/b",
    "a%2f",
    "a'--",
    "a;b",
    "*",
    "x" * 201,
    "\ud800",
)


def odd_thread_ids_are_refused_everywhere(subject: Subject) -> None:
    """Before anything is read or written."""
    saver = subject.saver
    checkpoint = Checkpoint("00000000-x", 0, -1, "input", None, {})
    for odd in ODD_IDS:
        refuses(InvalidIdError, saver.hold, odd)
        refuses(InvalidIdError, subject.call, saver, "get_tuple", config(odd))
        refuses(InvalidIdError, subject.listed, config(odd))
        refuses(InvalidIdError, subject.listed, None, before=config(odd))
        refuses(InvalidIdError, subject.call, saver, "put", config(odd), checkpoint)
        refuses(InvalidIdError, subject.call, saver, "put_writes", config(odd), [], "a")
        refuses(InvalidIdError, subject.call, saver, "delete_thread", odd)
        refuses(InvalidIdError, subject.call, saver, "copy_thread", odd, "t")
        refuses(InvalidIdError, subject.call, saver, "copy_thread", "t", odd)
        refuses(InvalidIdError, subject.call, saver, "prune", [odd])
        if odd is not None:
            refuses(InvalidIdError, subject.call, saver, "pending_interrupts", thread_id=odd)
    assert subject.call(saver, "threads").items == ()


def ordinary_thread_ids_are_taken(subject: Subject) -> None:
    """All of the alphabet, and up to 200 characters."""
    for name in ("x" * 200, "a-b_c.d:e@f+g=h~i", "0", "None", "..."):
        subject.thread(name, {"name": name})

        assert subject.call(subject.saver, "get_tuple", config(name)).checkpoint.values == {"name": name}


def odd_configs_are_refused(subject: Subject) -> None:
    """With the error that says what is missing."""
    saver = subject.saver
    for nothing in (None, "t", 1, {"configurable": None}, {"configurable": "t"}):
        refuses(InvalidConfigError, subject.call, saver, "get_tuple", nothing)
    refuses(MissingThreadIdError, subject.call, saver, "get_tuple", {"configurable": {}})
    for namespace in (None, 1, "a\nb", "\ud800", "x" * 5000):
        refuses(InvalidIdError, subject.call, saver, "get_tuple", config("t", checkpoint_ns=namespace))
    refuses(InvalidIdError, subject.call, saver, "get_tuple", config("t", checkpoint_id=1))


def odd_limits_cursors_and_statuses_are_refused(subject: Subject) -> None:
    """Also a cursor of another list, and a list of threads that is one name."""
    saver = subject.saver
    subject.thread("a", {}), subject.thread("b", {})
    cursor = subject.call(saver, "threads", limit=1).cursor
    for odd in (0, -1, 1001, 2**70, True, "5", 1.0):
        refuses(InvalidConfigError, subject.listed, config("t"), limit=odd)
        refuses(InvalidConfigError, subject.call, saver, "threads", limit=odd)
        refuses(InvalidConfigError, subject.call, saver, "pending_interrupts", limit=odd)
        refuses(InvalidConfigError, subject.call, saver, "prune", ["t"], keep=odd)
    for stale in ("", "1", "AAAA", "!", 1, b"x", cursor + "x", cursor[:-4]):
        refuses(InvalidConfigError, subject.call, saver, "threads", cursor=stale)
    refuses(InvalidConfigError, subject.call, saver, "pending_interrupts", cursor=cursor)
    refuses(InvalidConfigError, subject.call, saver, "threads", status="done")
    refuses(InvalidIdError, subject.call, saver, "prune", "t")
    assert subject.call(saver, "threads", cursor=cursor, limit=1000).items[0].thread_id == "a"


def put_stores_a_checkpoint_as_it_is(subject: Subject) -> None:
    """In a new thread or after the newest one; its position has to be free."""
    saver = subject.saver
    first = Checkpoint("00000000-x", 0, -1, "input", None, {"x": (1,)}, (Trigger("a"),))
    second = replace(first, id="00000001-x", n=1, step=0, source="loop", parent=first.id, origin=1)

    made = subject.call(saver, "put", config("t"), first, {"user": "u"})
    subject.call(saver, "put", made, second)
    subject.call(saver, "put", config("t", checkpoint_ns="sub"), first)

    assert made == config("t", checkpoint_ns="", checkpoint_id=first.id)
    assert [item.checkpoint for item in subject.listed(config("t"))] == [second, first]
    assert subject.call(saver, "get_tuple", made).metadata["user"] == "u"
    assert subject.loaded("t", "sub").checkpoint == first
    refuses(ConcurrentUpdateError, subject.call, saver, "put", config("t"), replace(second, id="00000001-y"))
    refuses(InvalidIdError, subject.call, saver, "put", config("t"), replace(second, id="00000007-y"))
    refuses(
        UnserializableValueError, subject.call, saver, "put", config("t"), replace(second, id="00000002-x", n=2, values={"x": object()})
    )


def put_writes_files_an_outcome(subject: Subject) -> None:
    """Given as such or as LangGraph's pairs; a question in it is asked."""
    saver = subject.saver
    run = subject.thread("t", {"x": 1}, {"x": 2})
    asked = question("q")

    subject.call(saver, "put_writes", config("t"), [("x", 3)], "a")
    subject.call(saver, "put_writes", config("t", checkpoint_id=run.last[""].id), Done(goto=("b",)), "b")
    subject.call(saver, "put_writes", config("t"), Interrupted((asked,)), asked.task_id)

    saved = subject.loaded("t")
    assert saved.outcomes == {"a": Done((("x", 3),)), "b": Done(goto=("b",)), asked.task_id: Interrupted((asked,))}
    assert [info.status for info in subject.call(saver, "threads").items] == ["interrupted"]
    subject.call(saver, "put_writes", config("t"), [], "d")
    assert [write[0] for write in subject.call(saver, "get_tuple", config("t")).pending_writes] == sorted(["a", asked.task_id])
    assert [info.status for info in subject.call(saver, "threads").items] == ["interrupted"]
    refuses(ThreadNotFoundError, subject.call, saver, "put_writes", config("unknown"), [], "a")
    for odd in (None, "", 1, "a\n", "x" * 201):
        refuses(InvalidIdError, subject.call, saver, "put_writes", config("t"), [], odd)


def a_held_thread_is_left_alone(subject: Subject) -> None:
    """By everything but reading; a dead run protects nothing."""
    saver = subject.saver
    run = subject.writer("t")
    checkpoint = run.step({"x": 1}, claim=True)
    following = replace(checkpoint, id="00000001-x", n=1)

    refuses(ThreadBusyError, subject.call, saver, "put", config("t"), following)
    refuses(ThreadBusyError, subject.call, saver, "put_writes", config("t"), [], "a")
    refuses(ThreadBusyError, subject.call, saver, "delete_thread", "t")
    refuses(ThreadBusyError, subject.call, saver, "prune", ["t"])
    run.step({"x": 2})
    subject.clock.advance(LEASE + 1)
    subject.call(saver, "prune", ["t"])
    assert len(subject.history("t")) == 1
    subject.call(saver, "delete_thread", "t")
    assert subject.load("t") is None


def deleting_leaves_nothing(subject: Subject) -> None:
    """Neither of the thread, nor of its subgraphs, nor of its questions; other threads stay."""
    saver = subject.saver
    asked = question("q", namespace="sub")
    for name in ("t", "other"):
        run = subject.writer(name)
        run.step({"x": 1}, claim=True)
        run.step({"y": 1}, "sub")
        run.commit(Commit(asked=((asked, 0),), outcomes=(Filed("a", 0, Done()),), memos=(Memo("a", 0, "k", 1),)), "sub")
        run.release("interrupted")
    kept = subject.loaded("other"), subject.loaded("other", "sub")

    subject.call(saver, "delete_thread", "t")
    subject.call(saver, "delete_thread", "t")

    assert (subject.load("t"), subject.load("t", "sub")) == (None, None)
    assert [info.thread_id for info in subject.call(saver, "threads").items] == ["other"]
    assert [item.thread_id for item in subject.call(saver, "pending_interrupts").items] == ["other"]
    assert (subject.loaded("other"), subject.loaded("other", "sub")) == kept
    subject.thread("t", {"new": 1})
    assert [saved.checkpoint.values for saved in subject.history("t")] == [{"new": 1}]
    assert subject.loaded("t").outcomes == {}


def a_copy_goes_its_own_way(subject: Subject) -> None:
    """It has the history, the subgraphs and the open questions of its source, and shares nothing with it."""
    saver = subject.saver
    asked = question("q", namespace="sub")
    run = subject.writer("t")
    run.step({"log": [1]}, claim=True)
    run.step({"log": [1, 2]})
    run.step({"y": 1}, "sub")
    run.commit(Commit(asked=((asked, 0),), outcomes=(Filed("a", 0, Done()),), memos=(Memo("a", 0, "k", 1),)), "sub")
    run.commit(Commit(outcomes=(Filed("caller", 1, Interrupted((asked,))),), release="interrupted"))

    subject.call(saver, "copy_thread", "t", "copy")

    assert subject.history("copy") == subject.history("t")
    assert subject.history("copy", "sub") == subject.history("t", "sub")
    assert [item.thread_id for item in subject.call(saver, "pending_interrupts").items] == ["t", "copy"]
    assert [info.status for info in subject.call(saver, "threads").items] == ["interrupted", "interrupted"]
    again = subject.writer("copy")
    again.step({"log": [1, 2, 3]}, answers=((asked.interrupt.id, "yes"),), claim=True, release="idle")
    assert subject.loaded("t").checkpoint.values == {"log": [1, 2]}
    assert [item.thread_id for item in subject.call(saver, "pending_interrupts").items] == ["t"]
    subject.call(saver, "delete_thread", "t")
    assert subject.loaded("copy").checkpoint.values == {"log": [1, 2, 3]}
    refuses(ThreadNotFoundError, subject.call, saver, "copy_thread", "unknown", "new")
    refuses(InvalidConfigError, subject.call, saver, "copy_thread", "copy", "copy")


def the_copy_of_a_running_thread_is_not_busy(subject: Subject) -> None:
    """Its run is not in the copy."""
    run = subject.writer("t")
    run.step({"x": 1}, claim=True)

    subject.call(subject.saver, "copy_thread", "t", "copy")

    assert [info.status for info in subject.call(subject.saver, "threads").items] == ["error", "busy"]
    subject.thread("copy", {"x": 2})


def pruning_keeps_the_newest(subject: Subject) -> None:
    """As they were; the thread goes on as if nothing had happened. What was read before is stale."""
    run = subject.writer("t")
    log: list[int] = []
    for n in range(20):
        log = [*log, n]
        run.step({"log": log, "n": n}, claim=n == 0, metadata={"n": n}, outcomes=(Filed("a", n, Done()),))
    run.release("idle")
    before = subject.history("t")
    stale = subject.writer("t")

    subject.call(subject.saver, "prune", ["t", "unknown"], keep=5)

    assert subject.history("t") == before[:5]
    refuses(ConcurrentUpdateError, stale.step, {}, claim=True)
    again = subject.writer("t")
    again.step({"log": [*log, 20], "n": 20}, claim=True, release="idle")
    assert subject.history("t")[1:] == [replace(saved, head=20) for saved in before[:5]]
    subject.call(subject.saver, "prune", ["t"])
    assert [saved.checkpoint.values for saved in subject.history("t")] == [{"log": [*log, 20], "n": 20}]
    subject.call(subject.saver, "prune", ["t"], keep=1000)
    assert len(subject.history("t")) == 1


def pruning_keeps_what_a_pending_step_needs(subject: Subject) -> None:
    """Outcomes since its origin, its questions, the subgraphs its tasks have called and theirs in turn."""
    run = subject.writer("t")
    run.step({"x": 0}, claim=True)
    head = run.step({"x": 1})
    caller = task_id(head, "", 0)
    inner = replace(run.next({"y": 1}, "node:1"), owner=caller)
    run.commit(Commit((run.entry(inner, "node:1"),)), "node:1")
    deep = replace(run.next({"z": 1}, "node:1|deep:2"), owner=task_id(inner, "node:1", 0))
    run.commit(Commit((run.entry(deep, "node:1|deep:2"),)), "node:1|deep:2")
    over = replace(run.next({"old": 1}, "node:0"), owner="0" * 32)
    run.commit(Commit((run.entry(over, "node:0"),)), "node:0")
    asked, settled = question("q", namespace="node:1|deep:2"), question("s", namespace="node:1|deep:2")
    run.commit(Commit(asked=((asked, 0), (settled, 0)), answers=((settled.interrupt.id, 1),)), "node:1|deep:2")
    carried = replace(run.next({"x": 2}), origin=1, frontier=(Trigger("node", id=caller),))
    memos = (Memo(caller, 1, "k", 1),)
    run.commit(
        Commit((run.entry(carried),), outcomes=(Filed(caller, 1, Interrupted((asked, settled))),), memos=memos, release="interrupted")
    )
    names = ("", "node:1", "node:1|deep:2")
    before = [subject.loaded("t", name) for name in names]

    subject.call(subject.saver, "prune", ["t"])

    assert [subject.loaded("t", name) for name in names] == before
    assert before[0].outcomes == {caller: Interrupted((asked, settled))}
    assert subject.load("t", "node:0") is None
    assert len(subject.history("t")) == 1
    answered = Commit(answers=((asked.interrupt.id, "yes"),), claim=True, release="idle")
    subject.writer("t").commit(answered)


def pruning_keeps_the_state_of_stateful_subgraphs(subject: Subject) -> None:
    """As far back as a kept checkpoint points to it."""
    run = subject.writer("t")
    for n in range(4):
        child = run.step({"y": n}, "sub", claim=n == 0)
        run.commit(Commit((run.entry(run.next({"x": n}, children={"sub": child.id}, frontier=())),)))
    run.release("idle")

    subject.call(subject.saver, "prune", ["t"], keep=2)

    assert [saved.checkpoint.values for saved in subject.history("t")] == [{"x": 3}, {"x": 2}]
    assert [saved.checkpoint.values for saved in subject.history("t", "sub")] == [{"y": 3}, {"y": 2}]


CHECKS = (
    odd_thread_ids_are_refused_everywhere,
    ordinary_thread_ids_are_taken,
    odd_configs_are_refused,
    odd_limits_cursors_and_statuses_are_refused,
    put_stores_a_checkpoint_as_it_is,
    put_writes_files_an_outcome,
    a_held_thread_is_left_alone,
    deleting_leaves_nothing,
    a_copy_goes_its_own_way,
    the_copy_of_a_running_thread_is_not_busy,
    pruning_keeps_the_newest,
    pruning_keeps_what_a_pending_step_needs,
    pruning_keeps_the_state_of_stateful_subgraphs,
)
