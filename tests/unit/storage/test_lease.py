"""Who holds a thread, and whether that process is still there."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from dataclasses import replace
from threading import Event
from typing import Any

import pytest

from graphkit.core.effects import Commit
from graphkit.errors import InvalidConfigError, ThreadBusyError
from graphkit.storage import InMemorySaver
from graphkit.storage.lease import Heartbeat, Process
from graphkit.storage.site import Site
from graphkit.testing import Clock


def ended_process() -> Process:
    """Describe a process of this machine that has ended."""
    code = "from graphkit.storage.lease import Process; p = Process.own(); print(p.pid, p.start)"
    pid, _, start = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout.strip().partition(" ")
    return replace(Process.own(), pid=int(pid), start=start)


def test_a_process_knows_itself_alive():
    own = Process.own()

    assert not own.knows_gone(own.token())
    assert own.token() != own.token()


def test_an_ended_process_is_gone():
    assert Process.own().knows_gone(ended_process().token())


def test_a_process_id_that_is_used_again_is_another_process():
    own = Process.own()

    assert own.knows_gone(replace(own, start="1").token())


def test_a_process_elsewhere_is_never_known_to_be_gone():
    own, gone = Process.own(), ended_process()

    assert not own.knows_gone(replace(gone, host="elsewhere").token())
    assert not own.knows_gone(replace(gone, boot="another").token())
    assert not own.knows_gone(replace(gone, space="another").token())


@pytest.mark.parametrize("odd", ["", "x", "a/b/c/d/e/f", "a/b/c/1/e", "////1/", "a/b/c/-1/e/f"])
def test_what_is_no_token_is_never_known_to_be_gone(odd):
    assert not Process.own().knows_gone(odd)


def test_a_zombie_is_gone():
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    own = Process.own()

    assert own.knows_gone(replace(own, pid=child.pid).token())

    child.wait()


def test_without_proc_a_process_is_looked_up_by_its_id(tmp_path):
    own = Process.own(tmp_path)
    gone = replace(own, pid=ended_process().pid)

    assert (own.boot, own.space, own.start) == ("", "", "")
    assert not own.knows_gone(own.token(), tmp_path)
    assert not own.knows_gone(replace(own, pid=1).token(), tmp_path)
    assert own.knows_gone(gone.token(), tmp_path)


def test_a_process_that_may_not_be_looked_up_is_not_known_to_be_gone(tmp_path, monkeypatch):
    def forbidden(pid, number):
        raise PermissionError

    monkeypatch.setattr(os, "kill", forbidden)
    own = Process.own(tmp_path)

    assert not own.knows_gone(own.token(), tmp_path)


class Grip:
    pass


def test_the_heart_beats_for_grips_in_use():
    beats: list[list[Grip]] = []
    heartbeat: Heartbeat[Grip] = Heartbeat(3600, beats.append)
    kept, dropped, forgotten = Grip(), Grip(), Grip()
    for grip in (kept, dropped, forgotten):
        heartbeat.keep(grip)
    heartbeat.drop(dropped)
    del forgotten, grip
    gc.collect()

    heartbeat.beat()
    heartbeat.drop(kept)
    heartbeat.beat()
    heartbeat.stop()

    assert beats == [[kept]]


def test_the_heart_beats_by_itself():
    beaten = Event()
    heartbeat: Heartbeat[Grip] = Heartbeat(0.001, lambda _: beaten.set())
    grip = Grip()

    heartbeat.keep(grip)

    assert beaten.wait(10)
    heartbeat.stop()


def test_the_thread_of_a_forgotten_heartbeat_ends():
    heartbeat: Heartbeat[Grip] = Heartbeat(0.001, lambda _: None)
    grip = Grip()
    heartbeat.keep(grip)
    thread: Any = heartbeat._thread
    del heartbeat
    gc.collect()

    thread.join(10)

    assert not thread.is_alive()


def test_the_heart_beats_again_after_a_stop():
    heartbeat: Heartbeat[Grip] = Heartbeat(3600, lambda _: None)
    grip = Grip()
    heartbeat.keep(grip)
    heartbeat.stop()
    heartbeat.stop()

    heartbeat.keep(grip)

    thread: Any = heartbeat._thread
    assert thread.is_alive()
    heartbeat.stop()


def test_the_lease_of_a_forgotten_hold_runs_out():
    clock = Clock()
    saver = InMemorySaver(clock=clock)
    hold = saver.hold("t")
    hold.write(hold.prepare("", Commit(claim=True)))
    del hold
    gc.collect()
    clock.advance(31)
    saver.extend_leases()
    rival = saver.hold("t")
    rival.load("")

    rival.write(rival.prepare("", Commit(claim=True)))

    assert rival.held


def test_a_dead_process_keeps_nobody_out(monkeypatch):
    saver = InMemorySaver()
    hold = saver.hold("t")
    hold._token = ended_process().token()
    hold.write(hold.prepare("", Commit(claim=True)))
    rival, late = saver.hold("t"), saver.hold("t")
    rival.load("")
    late.load("")

    rival.write(rival.prepare("", Commit(claim=True)))

    with pytest.raises(ThreadBusyError) as caught:
        late.write(late.prepare("", Commit(claim=True)))
    assert caught.value.facts["holder"] == rival.token


def test_a_dead_process_does_not_stop_upkeep():
    saver = InMemorySaver()
    for name in ("pruned", "deleted"):
        hold = saver.hold(name)
        hold._token = ended_process().token()
        hold.write(hold.prepare("", Commit(claim=True)))

    saver.prune(["pruned"])
    saver.delete_thread("deleted")

    assert [info.thread_id for info in saver.threads().items] == ["pruned"]


@pytest.mark.parametrize("odd", [0, -1, True, "30", None, float("inf"), float("nan")])
def test_a_lease_is_a_positive_number(odd):
    with pytest.raises(InvalidConfigError):
        InMemorySaver(lease=odd)


def test_new_threads_begin_at_different_epochs():
    site: Site = InMemorySaver()._site

    assert len({site.first_epoch() for _ in range(100)}) == 100
