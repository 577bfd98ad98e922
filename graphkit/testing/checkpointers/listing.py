"""What users read: history, forks, tuples, lists and pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphkit.core.delta import diff
from graphkit.core.effects import Commit, Entry, Filed
from graphkit.core.record import replace
from graphkit.core.task import Done, Failed, Interrupted
from graphkit.errors import CheckpointNotFoundError, InvalidConfigError
from graphkit.storage import LEASE
from graphkit.testing.checkpointers.subject import config, question, refuses

if TYPE_CHECKING:
    from graphkit.testing.checkpointers.subject import Subject


def history_is_read_newest_first(subject: Subject) -> None:
    """With limit, before and filter, alone and together."""
    run = subject.writer("t")
    for n in range(12):
        run.step({"n": n}, claim=n == 0, metadata={"even": n % 2 == 0, "n": n})

    def found(**query: Any) -> list[int]:  # noqa: ANN401 - History's fields
        return [saved.checkpoint.n for saved in subject.history("t", **query)]

    assert found() == list(range(11, -1, -1))
    assert found(limit=3) == [11, 10, 9]
    assert found(before=3) == [2, 1, 0]
    assert found(before=0) == []
    assert found(limit=2, before=6) == [5, 4]
    assert found(filter={"even": True}, limit=3) == [10, 8, 6]
    assert found(filter={"even": True, "n": 4}) == [4]
    assert found(filter={"source": "input"}) == [0]
    assert found(filter={"step": 5}) == [6]
    assert found(filter={"unknown": None}) == []


def a_filter_searches_the_whole_history(subject: Subject) -> None:
    """However far back the checkpoint is."""
    run = subject.writer("t")
    for n in range(200):
        run.step({"n": n}, claim=n == 0, metadata={"mark": True} if n == 3 else {})

    [found] = subject.history("t", filter={"mark": True}, limit=1)

    assert found.checkpoint.values == {"n": 3}
    assert found.head == 199


def a_fork_keeps_both_branches(subject: Subject) -> None:
    """The newest checkpoint is the head, whatever it was made from; its deltas are against its parent."""
    run = subject.thread("t", {"log": ["a"]}, {"log": ["a", "b"]}, {"log": ["a", "b", "c"]})
    again = subject.writer("t")
    old = subject.call(again.hold, "load", "", subject.history("t")[1].checkpoint.id).checkpoint
    values = {"log": [*old.values["log"], "d"]}
    fork = replace(again.next(values), parent=old.id, source="fork")
    again.commit(Commit((Entry(fork, diff(old.values, values, values)),), claim=True))
    forked = subject.loaded("t").checkpoint
    again.step({"log": [*values["log"], "e"]}, release="idle")

    assert forked == fork
    assert subject.loaded("t").checkpoint.values == {"log": ["a", "b", "d", "e"]}
    assert [saved.checkpoint.values["log"][-1] for saved in subject.history("t")] == ["e", "d", "c", "b", "a"]  # type: ignore[index]
    assert subject.loaded("t", checkpoint_id=fork.id).checkpoint.parent == old.id
    assert subject.loaded("t", checkpoint_id=run.last[""].id).checkpoint.values == {"log": ["a", "b", "c"]}


def a_tuple_has_langgraphs_form(subject: Subject) -> None:
    """Configs that name it and its parent, metadata, and what is filed with it."""
    run = subject.writer("t")
    first = run.step({"x": 1}, claim=True, metadata={"user": "u", "source": "mine", "step": 9})
    second = run.step({"x": 2})
    asked = question("q")
    outcomes = (Filed("a", 1, Done((("x", 3), ("x", 4)))), Filed("b", 1, Failed("KeyError('no')")), Filed("c", 1, Interrupted((asked,))))
    run.commit(Commit(outcomes=outcomes, asked=((asked, 1),), release="interrupted"))

    newest = subject.call(subject.saver, "get_tuple", config("t"))
    oldest = subject.call(subject.saver, "get_tuple", config("t", checkpoint_id=first.id, checkpoint_ns=""))

    assert newest.config == config("t", checkpoint_ns="", checkpoint_id=second.id)
    assert newest.parent_config == oldest.config
    assert newest.checkpoint == second
    assert newest.metadata == {"source": "loop", "step": 0, "parents": {}}
    assert newest.pending_writes == [
        ("a", "x", 3),
        ("a", "x", 4),
        ("b", "__error__", "KeyError('no')"),
        ("c", "__interrupt__", (asked.interrupt,)),
    ]
    assert oldest.metadata == {"source": "input", "step": -1, "parents": {}, "user": "u"}
    assert oldest.parent_config is None
    assert subject.call(subject.saver, "get_tuple", config("unknown")) is None
    refuses(CheckpointNotFoundError, subject.call, subject.saver, "get_tuple", config("t", checkpoint_id="00000000-other"))


def a_list_goes_through_a_thread(subject: Subject) -> None:
    """Newest first; of one namespace; or of every thread's root graph."""
    run = subject.writer("t")
    checkpoints = [run.step({"n": n}, claim=n == 0, metadata={"even": n % 2 == 0}) for n in range(5)]
    run.step({"y": 1}, "sub", release="idle")
    subject.thread("u", {"n": 9})

    def numbers(*args: object, **options: object) -> list[object]:
        return [item.checkpoint.values.get("n") for item in subject.listed(*args, **options)]

    assert numbers(config("t")) == [4, 3, 2, 1, 0]
    assert numbers(config("t"), limit=2) == [4, 3]
    assert numbers(config("t"), before=config("t", checkpoint_id=checkpoints[2].id)) == [1, 0]
    assert numbers(config("t"), filter={"even": False}) == [3, 1]
    assert numbers(config("t"), filter={"even": True}, limit=1) == [4]
    assert numbers(config("t", checkpoint_id=checkpoints[2].id)) == [2]
    assert numbers(config("t", checkpoint_ns="sub")) == [None]
    assert numbers() == [9, 4, 3, 2, 1, 0]
    assert numbers(None, limit=3) == [9, 4, 3]
    assert numbers(config("unknown")) == []
    refuses(InvalidConfigError, subject.listed, config("t"), before=config("t"))


def a_list_holds_nothing_while_it_is_read(subject: Subject) -> None:
    """A write and a read in the middle of it go through; long lists come in pages."""
    run = subject.writer("t")
    for n in range(230):
        run.step({"n": n}, claim=n == 0)
    run.release("idle")

    seen = []
    for item in subject.saver.list(config("t")):
        seen.append(item.checkpoint.values["n"])
        if len(seen) == 3:
            subject.thread("t", {"n": "new"})
            assert subject.loaded("t").checkpoint.values == {"n": "new"}

    assert seen == list(range(229, -1, -1))
    assert len(subject.listed(config("t"))) == 231


def threads_are_listed_in_pages(subject: Subject) -> None:
    """Newest first, with the number of their open questions."""
    for number in range(7):
        subject.thread(f"t{number}", {"n": number}, status="interrupted" if number % 2 else "idle")
        subject.clock.advance(1)
    asked = question("q")
    subject.writer("t3").commit(Commit(asked=((asked, 0),), claim=True, release="interrupted"))

    found, cursor = [], None
    while True:
        page = subject.call(subject.saver, "threads", limit=3, cursor=cursor)
        found.extend(page.items)
        cursor = page.cursor
        if cursor is None:
            break

    assert [info.thread_id for info in found] == [f"t{number}" for number in range(6, -1, -1)]
    assert [info.pending for info in found] == [0, 0, 0, 1, 0, 0, 0]
    assert found[3].updated_at == subject.clock.now
    assert found[0].updated_at == subject.clock.now - 1
    waiting = subject.call(subject.saver, "threads", status="interrupted", limit=2)
    assert [info.thread_id for info in waiting.items] == ["t5", "t3"]
    rest = subject.call(subject.saver, "threads", status="interrupted", limit=2, cursor=waiting.cursor)
    assert ([info.thread_id for info in rest.items], rest.cursor) == (["t1"], None)


def the_thread_of_a_dead_run_is_in_error(subject: Subject) -> None:
    """It is busy until its lease has run out."""
    subject.thread("failed", {"n": 1}, status="error")
    subject.writer("working").step({"n": 1}, claim=True)

    def ids(status: str) -> list[str]:
        return [info.thread_id for info in subject.call(subject.saver, "threads", status=status).items]

    before = ids("busy"), ids("error")
    subject.clock.advance(LEASE + 1)
    after = ids("busy"), ids("error")

    assert before == (["working"], ["failed"])
    assert after == ([], ["working", "failed"])
    assert [info.status for info in subject.call(subject.saver, "threads").items] == ["error", "error"]
    assert (ids("idle"), ids("interrupted")) == ([], [])


CHECKS = (
    history_is_read_newest_first,
    a_filter_searches_the_whole_history,
    a_fork_keeps_both_branches,
    a_tuple_has_langgraphs_form,
    a_list_goes_through_a_thread,
    a_list_holds_nothing_while_it_is_read,
    threads_are_listed_in_pages,
    the_thread_of_a_dead_run_is_in_error,
)
