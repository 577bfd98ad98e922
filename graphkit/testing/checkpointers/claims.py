"""One run per thread: claims, leases and what a run that has lost its thread may still do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkit.core.effects import Commit, Filed
from graphkit.core.task import Done
from graphkit.errors import ConcurrentUpdateError, LeaseLostError, ThreadBusyError
from graphkit.storage import LEASE
from graphkit.testing.checkpointers.subject import refuses

if TYPE_CHECKING:
    from graphkit.testing.checkpointers.subject import Subject


def a_held_thread_is_busy(subject: Subject) -> None:
    """Whoever comes second has written nothing; the first goes on undisturbed."""
    first = subject.writer("t")
    first.step({"x": 1}, claim=True)
    second = subject.writer("t")

    refuses(ThreadBusyError, second.step, {"x": 2}, claim=True)

    assert first.hold.held
    assert not second.hold.held
    first.step({"x": 3}, release="idle")
    assert [saved.checkpoint.values for saved in subject.history("t")] == [{"x": 3}, {"x": 1}]


def one_of_two_makes_a_new_thread(subject: Subject) -> None:
    """Both have read that there is no such thread."""
    first, second = subject.writer("t"), subject.writer("t")
    first.step({"x": 1}, claim=True, release="idle")

    refuses(ConcurrentUpdateError, second.step, {"x": 2}, claim=True)

    assert subject.loaded("t").checkpoint.values == {"x": 1}


def a_thread_that_moved_on_is_not_claimed(subject: Subject) -> None:
    """Also when the other run is over, and also when it only filed something."""
    subject.thread("t", {"x": 1})
    late, later = subject.writer("t"), subject.writer("t")
    other = subject.writer("t")
    other.commit(Commit(claim=True))
    other.commit(Commit(outcomes=(Filed("a", 0, Done()),), release="error"))

    refuses(ConcurrentUpdateError, late.step, {"x": 2}, claim=True)
    refuses(ConcurrentUpdateError, later.commit, Commit(claim=True))

    assert len(subject.history("t")) == 1


def a_claim_without_a_read_is_for_new_threads(subject: Subject) -> None:
    """What is there has not been seen."""
    subject.thread("t", {"x": 1})
    blind = subject.saver.hold("t")

    refuses(ConcurrentUpdateError, subject.call, blind, "write", blind.prepare("", Commit(claim=True)))


def reading_again_does_not_renew_the_claim(subject: Subject) -> None:
    """A run decides on what it has read first."""
    subject.thread("t", {"x": 1})
    run = subject.writer("t")
    subject.thread("t", {"x": 2})
    subject.call(run.hold, "load", "")

    refuses(ConcurrentUpdateError, run.commit, Commit(claim=True))


def an_abandoned_thread_is_taken_over(subject: Subject) -> None:
    """When its lease has run out. The run that comes back late cannot write, and knows it."""
    first = subject.writer("t")
    first.step({"x": 1}, claim=True)
    subject.clock.advance(LEASE + 1)
    second = subject.writer("t")
    second.step({"x": 2}, claim=True)

    refuses(LeaseLostError, first.step, {"x": 3})

    assert not first.hold.held
    assert second.hold.held
    assert [saved.checkpoint.values for saved in subject.history("t")] == [{"x": 2}, {"x": 1}]


def a_lost_lease_is_lost_after_the_release_too(subject: Subject) -> None:
    """The thread is free again, but not for the run that lost it."""
    first = subject.writer("t")
    first.step({"x": 1}, claim=True)
    subject.clock.advance(LEASE + 1)
    subject.thread("t", {"x": 2})

    refuses(LeaseLostError, first.commit, Commit(outcomes=(Filed("a", 0, Done()),), release="idle"))

    assert subject.loaded("t").outcomes == {}


def a_late_holder_keeps_what_nobody_took(subject: Subject) -> None:
    """A run that was away for longer than its lease goes on if the thread is still its own."""
    run = subject.writer("t")
    run.step({"x": 1}, claim=True)
    subject.clock.advance(LEASE * 10)

    run.step({"x": 2}, release="idle")

    assert subject.loaded("t").checkpoint.values == {"x": 2}


def every_write_extends_the_lease(subject: Subject) -> None:
    """A run that writes now and then is never taken for dead."""
    run = subject.writer("t")
    run.step({"x": 0}, claim=True)
    for n in range(1, 4):
        subject.clock.advance(LEASE - 1)
        run.step({"x": n})

    refuses(ThreadBusyError, subject.writer("t").step, {"x": 9}, claim=True)


def a_reader_of_a_dead_run_has_seen_all_of_it(subject: Subject) -> None:
    """What was read while the run still wrote is stale, although the run is gone and its epoch was its own."""
    run = subject.writer("t")
    run.step({"x": 1}, claim=True)
    early = subject.writer("t")
    run.commit(Commit(outcomes=(Filed("a", 0, Done()),)))
    subject.clock.advance(LEASE + 1)

    refuses(ConcurrentUpdateError, early.commit, Commit(claim=True))
    subject.writer("t").commit(Commit(claim=True))


def a_release_sets_the_status(subject: Subject) -> None:
    """With the last commit or by itself; a second one changes nothing."""
    for status in ("idle", "interrupted", "error"):
        run = subject.writer(status)
        run.step({"x": 1}, claim=True, release=status)
        assert not run.hold.held
    run = subject.writer("later")
    run.step({"x": 1}, claim=True)
    run.release("interrupted")
    run.release("error")

    assert not run.hold.held
    statuses = {info.thread_id: info.status for info in subject.call(subject.saver, "threads").items}
    assert statuses == {"idle": "idle", "interrupted": "interrupted", "error": "error", "later": "interrupted"}


def releasing_a_lost_thread_is_silent(subject: Subject) -> None:
    """And leaves it to its new holder."""
    first = subject.writer("t")
    first.step({"x": 1}, claim=True)
    subject.clock.advance(LEASE + 1)
    second = subject.writer("t")
    second.commit(Commit(claim=True))

    first.release("error")

    assert not first.hold.held
    second.step({"x": 2}, release="idle")


def a_hold_can_claim_again(subject: Subject) -> None:
    """After its own release nobody has written, so what it read is still true."""
    run = subject.thread("t", {"x": 1})

    run.step({"x": 2}, claim=True, release="idle")

    assert subject.loaded("t").checkpoint.values == {"x": 2}


def a_thread_that_was_deleted_is_gone(subject: Subject) -> None:
    """For those who have read it, and for the run that has lost it."""
    lost = subject.writer("t")
    lost.step({"x": 1}, claim=True)
    stale = subject.writer("t")
    subject.clock.advance(LEASE + 1)
    subject.call(subject.saver, "delete_thread", "t")

    refuses(LeaseLostError, lost.step, {"x": 2})
    refuses(ConcurrentUpdateError, stale.step, {"x": 2}, claim=True)

    assert subject.load("t") is None


def a_thread_made_anew_is_another_one(subject: Subject) -> None:
    """A run that has read the old one cannot claim the new one, however alike they are."""
    subject.thread("t", {"x": 1})
    stale = subject.writer("t")
    subject.call(subject.saver, "delete_thread", "t")
    subject.thread("t", {"x": 1})

    refuses(ConcurrentUpdateError, stale.step, {"x": 2}, claim=True)


def the_clock_orders_nothing(subject: Subject) -> None:
    """Not even when it runs backwards between two runs."""
    subject.thread("t", {"x": 1})
    subject.clock.advance(-86_400)
    subject.thread("t", {"x": 2})

    assert subject.loaded("t").checkpoint.values == {"x": 2}
    assert [saved.checkpoint.values for saved in subject.history("t")] == [{"x": 2}, {"x": 1}]


def the_heartbeat_extends_leases(subject: Subject) -> None:
    """While a node works for longer than a lease and writes nothing."""
    run = subject.writer("t")
    run.step({"x": 1}, claim=True)
    subject.clock.advance(LEASE - 1)
    subject.saver.extend_leases()
    subject.clock.advance(LEASE - 1)

    refuses(ThreadBusyError, subject.writer("t").step, {"x": 2}, claim=True)
    run.step({"x": 3}, release="idle")


CHECKS = (
    a_held_thread_is_busy,
    one_of_two_makes_a_new_thread,
    a_thread_that_moved_on_is_not_claimed,
    a_claim_without_a_read_is_for_new_threads,
    reading_again_does_not_renew_the_claim,
    an_abandoned_thread_is_taken_over,
    a_lost_lease_is_lost_after_the_release_too,
    a_late_holder_keeps_what_nobody_took,
    every_write_extends_the_lease,
    a_reader_of_a_dead_run_has_seen_all_of_it,
    a_release_sets_the_status,
    releasing_a_lost_thread_is_silent,
    a_hold_can_claim_again,
    a_thread_that_was_deleted_is_gone,
    a_thread_made_anew_is_another_one,
    the_clock_orders_nothing,
    the_heartbeat_extends_leases,
)
