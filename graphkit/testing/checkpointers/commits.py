"""What is written is read back, exactly, all or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkit.core.checkpoint import Trigger
from graphkit.core.command import Send
from graphkit.core.effects import Commit, Filed, Memo
from graphkit.core.record import replace
from graphkit.core.task import Done, Failed
from graphkit.errors import CheckpointNotFoundError, ConcurrentUpdateError, UnknownInterruptError, UnserializableValueError
from graphkit.testing.checkpointers.subject import refuses

if TYPE_CHECKING:
    from graphkit.testing.checkpointers.subject import Subject


def an_unknown_thread_is_empty(subject: Subject) -> None:
    """Reading makes no thread."""
    assert subject.load("t") is None
    assert subject.load("t", "sub") is None
    assert subject.load("t", checkpoint_id="00000000-x") is None
    assert subject.history("t") == []
    assert subject.call(subject.saver, "threads").items == ()


def a_checkpoint_comes_back_as_it_was(subject: Subject) -> None:
    """Every field, with the types of the values, and the metadata."""
    run = subject.writer("t")
    values = {
        "text": "a\0é",
        "pair": (1, 2),
        "set": {1, 2},
        "bytes": b"\x00\xff",
        "big": 2**70,
        "none": None,
        "nested": {"a": [{"b": (1,)}]},
    }
    checkpoint = replace(
        run.next(values),
        frontier=(Trigger("a"), Trigger("b", arg={"n": (1,)}), Trigger("c", id="ab" * 16), Trigger("d", arg=None, id="cd" * 16)),
        joins={"a+b->c": frozenset({"a"})},
        deferred=frozenset({"last"}),
        wrote=("a", "b"),
        children={"sub": "00000003-x"},
        exports=(("total", (1,)),),
        owner="ef" * 16,
        source="update",
        step=7,
    )

    run.commit(Commit((run.entry(checkpoint, metadata={"user": "u", "tags": ["x"]}),), claim=True))

    saved = subject.loaded("t")
    assert saved.checkpoint == checkpoint
    assert type(saved.checkpoint.values["pair"]) is tuple
    assert (saved.metadata, saved.head, saved.created_at) == ({"user": "u", "tags": ["x"]}, 0, subject.clock.now)


def every_kind_of_change_is_replayed(subject: Subject) -> None:
    """Set, append, replace in a list, patch a dict, drop a key: each checkpoint keeps its own values."""
    first = {"log": [[n] for n in range(9)], "map": {str(n): [n] for n in range(9)}, "x": 1, "gone": 1}
    log, table = [*first["log"], ["new"]], dict(first["map"])  # type: ignore[misc, call-overload]
    states: list[dict[str, object]] = [first, {**first, "log": log}, {**first, "log": log, "x": 2}]
    states.append({"log": [["changed"], *log[1:], ["more"]], "map": {**table, "3": ["patched"], "y": []}, "x": 2})
    states.append({**states[-1], "map": {key: value for key, value in states[-1]["map"].items() if key != "4"}, "log": []})  # type: ignore[attr-defined]
    states.append({})

    subject.thread("t", *states)

    assert [saved.checkpoint.values for saved in reversed(subject.history("t"))] == states
    assert list(subject.history("t")[2].checkpoint.values["map"]) == list(states[3]["map"])  # type: ignore[call-overload]
    for saved in subject.history("t"):
        assert subject.loaded("t", checkpoint_id=saved.checkpoint.id) == saved


def several_checkpoints_are_one_commit(subject: Subject) -> None:
    """An input and its first superstep are written together, and the second knows the first."""
    run = subject.writer("t")
    first = run.next({"log": []})
    second = replace(run.next({"log": [1]}), id="00000001-x", n=1, origin=1, parent=first.id)

    run.commit(Commit((run.entry(first), replace(run.entry(second), deltas=None)), claim=True))

    assert [saved.checkpoint for saved in subject.history("t")] == [second, first]


def positions_may_leave_gaps(subject: Subject) -> None:
    """A run that saves only at its end skips positions; the order is that of the positions."""
    run = subject.thread("t", {"log": [1]})
    again = subject.writer("t")
    late = replace(again.next({"log": [1, 2]}), id="00000009-x", n=9, origin=9)

    again.commit(Commit((again.entry(late),), claim=True, release="idle"))

    assert subject.loaded("t").head == 9
    assert [saved.checkpoint for saved in subject.history("t")] == [late, run.last[""]]


def nothing_is_aliased(subject: Subject) -> None:
    """What a caller changes after a write, or in what it has read, changes nothing stored."""
    inner = ["stored"]
    subject.thread("t", {"log": inner})
    inner.append("later")

    subject.loaded("t").checkpoint.values["log"].append("read")  # type: ignore[attr-defined]

    assert subject.loaded("t").checkpoint.values == {"log": ["stored"]}


def a_commit_may_be_prepared_before_the_last_is_written(subject: Subject) -> None:
    """As the drivers do when they write in the background."""
    run = subject.thread("t", {"log": [0]})
    run = subject.writer("t")
    first = run.next({"log": [0, 1]})
    one = run.hold.prepare("", Commit((run.entry(first),), claim=True))
    run.last[""], run.heads[""] = first, first.n
    two = run.hold.prepare("", Commit((run.entry(run.next({"log": [0, 1, 2]})),)))

    subject.call(run.hold, "write", one)
    subject.call(run.hold, "write", two)

    assert [saved.checkpoint.values for saved in subject.history("t")] == [{"log": [0, 1, 2]}, {"log": [0, 1]}, {"log": [0]}]


def a_value_that_cannot_be_stored_fails_before_the_write(subject: Subject) -> None:
    """The error names the key and the path; the run may go on without the value."""
    run = subject.thread("t", {"log": [1]})
    run = subject.writer("t")

    in_state = refuses(UnserializableValueError, run.step, {"log": [1, {"odd": object()}]}, claim=True).error
    in_send = refuses(
        UnserializableValueError, run.hold.prepare, "", Commit((run.entry(run.next({}, frontier=(Trigger("n", object()),))),))
    ).error
    in_metadata = refuses(UnserializableValueError, run.step, {"log": [1]}, metadata={"m": object()}).error
    filed = Commit(outcomes=(Filed("ab" * 16, 0, Done((("log", [object()]),))),))
    sent = Commit(outcomes=(Filed("ab" * 16, 0, Done((("log", []),), sends=(Send("n", {"x": object()}),))),))
    exporting = run.next({"log": [1]}, exports=(("total", object()),))
    in_export = refuses(UnserializableValueError, run.hold.prepare, "", Commit((run.entry(exporting),))).error
    in_outcome = refuses(UnserializableValueError, run.hold.prepare, "", filed).error
    in_sent = refuses(UnserializableValueError, run.hold.prepare, "", sent).error
    in_memo = refuses(UnserializableValueError, run.hold.prepare, "", Commit(memos=(Memo("ab" * 16, 0, "k", object()),))).error

    assert in_state.facts["key"] == "log"  # type: ignore[attr-defined]
    assert in_state.facts["path"] == "$.log[1].odd"  # type: ignore[attr-defined]
    assert in_send.facts["node"] == "n"  # type: ignore[attr-defined]
    assert "metadata" in str(in_metadata)
    assert in_export.facts["key"] == "total"  # type: ignore[attr-defined]
    assert (in_sent.facts["node"], in_sent.facts["path"]) == ("n", "$.x")  # type: ignore[attr-defined]
    assert in_outcome.facts["path"] == "$.log[0]"  # type: ignore[attr-defined]
    assert "'k'" in str(in_memo)
    assert len(subject.history("t")) == 1
    run.step({"log": [1, 2]}, claim=True, release="idle")
    assert subject.loaded("t").checkpoint.values == {"log": [1, 2]}


def outcomes_and_memos_belong_to_their_step(subject: Subject) -> None:
    """They are filed by task, a later one replaces an earlier one, and another step does not see them."""
    run = subject.writer("t")
    run.step({"x": 1}, claim=True)
    done = Done((("x", (2,)),), ("next",), (Send("worker", {"n": 1}),), {"sub": "00000000-x"})
    failed = Failed("KeyError('x')", "Traceback")
    run.commit(Commit(outcomes=(Filed("a", 0, failed), Filed("b", 0, failed)), memos=(Memo("a", 0, "k", (1,)), Memo("a", 0, "l", None))))
    run.commit(Commit(outcomes=(Filed("a", 0, done), Filed("c", 0, Done())), memos=(Memo("a", 0, "k", (2,)),)))

    filed = subject.loaded("t")
    run.step({"x": 2}, release="idle")

    assert filed.outcomes == {"a": done, "b": failed, "c": Done()}
    assert filed.memos == {"a": {"k": (2,), "l": None}}
    assert subject.loaded("t").outcomes == {}
    assert subject.loaded("t").memos == {}
    assert subject.history("t")[1].outcomes == filed.outcomes


def what_is_filed_can_be_carried_over(subject: Subject) -> None:
    """A checkpoint whose origin lies further back sees what was filed since then, and the latest of it."""
    run = subject.writer("t")
    run.step({"x": 1}, claim=True)
    run.commit(Commit(outcomes=(Filed("a", 0, Done()), Filed("b", 0, Done(goto=("old",)))), memos=(Memo("a", 0, "k", 1),)))
    run.commit(Commit((run.entry(replace(run.next({"x": 2}), origin=0)),)))
    run.commit(Commit(outcomes=(Filed("b", 1, Done(goto=("new",))),), memos=(Memo("a", 1, "l", 2),)))

    saved = subject.loaded("t")

    assert saved.outcomes == {"a": Done(), "b": Done(goto=("new",))}
    assert saved.memos == {"a": {"k": 1, "l": 2}}


def a_live_exception_is_stored_as_its_description(subject: Subject) -> None:
    """The rest of a failure comes back; the exception itself does not."""
    run = subject.writer("t")
    run.step({}, claim=True)
    run.commit(Commit(outcomes=(Filed("a", 0, Failed.of(ZeroDivisionError("by zero"))),)))

    outcome = subject.loaded("t").outcomes["a"]

    assert isinstance(outcome, Failed)
    assert (outcome.summary, outcome.error) == ("ZeroDivisionError('by zero')", None)


def namespaces_are_apart(subject: Subject) -> None:
    """Each has its own positions, checkpoints and outcomes."""
    run = subject.writer("t")
    run.step({"x": "root"}, claim=True)
    run.step({"x": "child"}, "node:ab|deep")
    run.step({"x": "child 2"}, "node:ab|deep")
    run.commit(Commit(outcomes=(Filed("a", 0, Done()),)), "node:ab|deep")

    assert subject.loaded("t").checkpoint.values == {"x": "root"}
    assert subject.loaded("t").outcomes == {}
    assert subject.loaded("t", "node:ab|deep").checkpoint.values == {"x": "child 2"}
    assert [saved.checkpoint.n for saved in subject.history("t", "node:ab|deep")] == [1, 0]
    assert subject.load("t", "node") is None


def a_checkpoint_id_must_exist(subject: Subject) -> None:
    """One that does not, or is of another run, is an error and not an empty state."""
    run = subject.thread("t", {"x": 1}, {"x": 2})

    assert subject.loaded("t", checkpoint_id=run.last[""].id).checkpoint.values == {"x": 2}
    for unknown in ("00000000-other", "00000007-x", "no id", "", "0000000g-x"):
        refuses(CheckpointNotFoundError, subject.load, "t", "", unknown)


def a_position_is_written_once(subject: Subject) -> None:
    """Writing it again is refused, and so is all that comes with it."""
    run = subject.writer("t")
    run.step({"x": 1}, claim=True)
    taken = replace(run.next({"x": 2}), n=0, id="00000000-other")

    refuses(ConcurrentUpdateError, run.commit, Commit((run.entry(taken),), outcomes=(Filed("a", 0, Done()),)))

    assert subject.loaded("t").outcomes == {}
    assert [saved.checkpoint.values for saved in subject.history("t")] == [{"x": 1}]


def a_refused_commit_leaves_nothing(subject: Subject) -> None:
    """Neither rows nor the claim."""
    run = subject.writer("t")
    entry = run.entry(run.next({"x": 1}))

    refuses(UnknownInterruptError, run.commit, Commit((entry,), answers=(("0" * 32, "yes"),), claim=True))

    assert subject.load("t") is None
    assert subject.call(subject.saver, "threads").items == ()
    assert not run.hold.held


def a_long_thread_is_read_back(subject: Subject) -> None:
    """Appends, a growing counter and a value that is replaced each time: keyframes come and go, the states stay right."""
    run = subject.writer("t")
    log: list[object] = []
    for n in range(150):
        log = [*log, {"n": n}]
        run.step({"log": log, "n": n, "blob": "x" * 500 + str(n)}, claim=n == 0)

    history = subject.history("t")

    assert [len(saved.checkpoint.values["log"]) for saved in history] == list(range(150, 0, -1))  # type: ignore[arg-type]
    assert [saved.checkpoint.values["blob"] for saved in history] == ["x" * 500 + str(n) for n in range(149, -1, -1)]
    assert subject.loaded("t") == history[0]
    assert subject.loaded("t", checkpoint_id=history[77].checkpoint.id) == history[77]


CHECKS = (
    an_unknown_thread_is_empty,
    a_checkpoint_comes_back_as_it_was,
    every_kind_of_change_is_replayed,
    several_checkpoints_are_one_commit,
    positions_may_leave_gaps,
    nothing_is_aliased,
    a_commit_may_be_prepared_before_the_last_is_written,
    a_value_that_cannot_be_stored_fails_before_the_write,
    outcomes_and_memos_belong_to_their_step,
    what_is_filed_can_be_carried_over,
    a_live_exception_is_stored_as_its_description,
    namespaces_are_apart,
    a_checkpoint_id_must_exist,
    a_position_is_written_once,
    a_refused_commit_leaves_nothing,
    a_long_thread_is_read_back,
)
