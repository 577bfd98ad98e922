"""What is written when: the table of durability against what happens in a run."""

from __future__ import annotations

import pytest

from graphkit.core.channels import UntrackedValue
from graphkit.core.checkpoint import Trigger
from graphkit.core.command import START
from graphkit.core.delta import Append, Set
from graphkit.core.effects import Commit, Filed
from graphkit.core.ledger import Ledger, Stop, outcome_commit
from graphkit.core.request import Continue, NewTurn, Steer
from graphkit.core.task import Done, Escaped, Failed, Interrupted
from graphkit.core.turn import Opening, adapted, open_turn
from tests.unit.core.graphs import CHANNELS, asked, graph, position, question, request, saved, tasks_of

SHOP = graph({"__start__": "pick", "pick": "pack"}, starts=(("log", list),))
IDLE = Stop("idle")
DURABILITIES = ("sync", "async", "exit")


def begun(durability, given=None, known=None, *, stop=None, spec=SHOP, **more):
    """Return (ledger after its first commit, the opening, that commit)."""
    wanted = request(given if given is not None else NewTurn({"log": ["in"]}), durability=durability, **more)
    opening = open_turn(spec, wanted, known)
    ledger = Ledger(spec, wanted)
    return ledger, opening, ledger.open(opening, stop, known)


def after(opening, n=2, **more):
    """Return a checkpoint that follows the opening's."""
    at = opening.checkpoint
    return position("pack", n=n, parent=at.id, values={"log": [*at.values["log"], "more"]}, **more)


def sources(commit):
    return [entry.checkpoint.source for entry in commit.entries]


@pytest.mark.parametrize("stop", [None, IDLE, Stop("interrupted")])
def test_without_a_checkpointer_nothing_is_written(stop):
    ledger, opening, commit = begun(None, stop=stop)

    assert (ledger.saves, ledger.eager) == (False, False)
    assert commit is None
    assert ledger.step(after(opening), ["log"], stop) is None
    assert ledger.file({tasks_of(opening.checkpoint)[0]: Done()}, stop) is None


@pytest.mark.parametrize("durability, entries", [("sync", ["input", "loop"]), ("async", ["input", "loop"]), ("exit", [])])
def test_the_first_commit_claims_the_thread_and_is_waited_for(durability, entries):
    _, _, commit = begun(durability)

    assert (commit.claim, commit.release, commit.wait) == (True, None, True)
    assert sources(commit) == entries


@pytest.mark.parametrize("durability", DURABILITIES)
def test_the_first_commit_may_be_the_last(durability):
    _, opening, commit = begun(durability, stop=IDLE)

    assert (commit.claim, commit.release, commit.wait) == (True, "idle", True)
    assert commit.entries[-1].checkpoint.id == opening.checkpoint.id


@pytest.mark.parametrize("durability", DURABILITIES)
def test_a_finished_thread_that_is_continued_writes_nothing(durability):
    _, _, commit = begun(durability, Continue(), saved(position()), stop=IDLE)

    assert commit is None


@pytest.mark.parametrize("durability", DURABILITIES)
def test_a_thread_that_still_waits_for_all_answers_writes_nothing(durability):
    _, _, commit = begun(durability, Continue(), saved(position("pick")), stop=Stop("interrupted"))

    assert commit is None


@pytest.mark.parametrize("durability", DURABILITIES)
def test_a_continued_thread_is_claimed_with_a_commit_of_nothing_else(durability):
    _, _, commit = begun(durability, Continue(), saved(position("pick")))

    assert commit == Commit(claim=True, durable=False)


def test_answers_and_cancellations_ride_on_the_first_commit():
    at = position("pick", n=4)
    asking = question(tasks_of(at)[0].id)
    known = saved(at, questions=(asked(asking),))

    _, _, answered = begun("exit", Steer(resume="yes"), known)
    _, _, cancelled = begun("exit", NewTurn({}), known)

    assert (answered.answers, answered.cancelled) == (((asking.interrupt.id, "yes"),), ())
    assert (cancelled.answers, cancelled.cancelled) == ((), (asking.interrupt.id,))


def test_the_questions_of_a_fork_are_written_with_their_answers():
    at = position("pick", n=4)
    known = saved(at, head=8, questions=(asked(question(tasks_of(at)[0].id), n=4),))

    _, opening, commit = begun("sync", Steer(resume="yes"), known)

    assert commit.asked == ((opening.resolved.asked[0].question, 9),)
    assert commit.answers == opening.resolved.answers


@pytest.mark.parametrize("durability", DURABILITIES)
def test_an_answer_after_which_the_thread_still_waits_is_written_and_the_thread_given_back(durability):
    known = saved(position("pick"), questions=(asked(question("another task")),))

    _, opening, commit = begun(durability, Steer(resume="yes"), known, stop=Stop("interrupted"))

    assert commit == Commit(answers=opening.resolved.answers, claim=True, release="interrupted")


@pytest.mark.parametrize("durability, wait", [("sync", True), ("async", False)])
def test_each_superstep_is_a_commit_of_what_changed(durability, wait):
    ledger, opening, _ = begun(durability)

    first = ledger.step(after(opening), ["log"], None)
    second = ledger.step(after(opening, n=3), ["total"], None)

    assert [entry.deltas for entry in (*first.entries, *second.entries)] == [{"log": Append(["more"])}, {}]
    assert (first.claim, first.release, first.wait) == (False, None, wait)


@pytest.mark.parametrize("durability", ["sync", "async"])
def test_the_last_superstep_gives_the_thread_back_and_is_waited_for(durability):
    ledger, opening, _ = begun(durability)

    commit = ledger.step(after(opening), ["log"], IDLE)

    assert (commit.release, commit.wait) == ("idle", True)


def test_at_exit_only_the_end_is_written_against_what_was_stored_before():
    before = position(n=4, values={"log": ["old"], "last": 1})
    ledger, opening, first = begun("exit", NewTurn({"log": ["in"]}), saved(before))
    end = after(opening, n=7)

    silent = ledger.step(after(opening, n=6), ["log"], None)
    commit = ledger.step(end, ["log"], IDLE)

    assert (first.entries, silent) == ((), None)
    assert [(entry.checkpoint.n, entry.checkpoint.parent) for entry in commit.entries] == [(7, before.id)]
    assert commit.entries[0].deltas["log"] == Append(["in", "more"])


def test_at_exit_the_end_of_a_new_thread_is_written_whole():
    ledger, opening, _ = begun("exit")

    commit = ledger.step(after(opening), ["log"], IDLE)

    assert [(entry.checkpoint.parent, entry.deltas) for entry in commit.entries] == [(None, None)]


def test_at_exit_a_failure_writes_the_last_checkpoint_and_every_outcome_of_its_superstep():
    ledger, _opening, _ = begun("exit")
    made = position("pack pick", n=2, values={"log": []})
    ledger.step(made, ["log"], None)
    pack, pick = tasks_of(made)

    silent = ledger.file({pack: Done()}, None)
    commit = ledger.file({pick: Failed("E()")}, Stop("error"))

    assert silent is None
    assert [entry.checkpoint.n for entry in commit.entries] == [2]
    assert [filed.task_id for filed in commit.outcomes] == [pack.id, pick.id]
    assert commit.release == "error"


def test_at_exit_outcomes_of_a_superstep_that_ended_are_forgotten():
    ledger, opening, _ = begun("exit")
    (task,) = tasks_of(opening.checkpoint)
    ledger.file({task: Done()}, None)

    commit = ledger.step(after(opening), ["log"], IDLE)

    assert commit.outcomes == ()


@pytest.mark.parametrize("durability, wait", [("sync", True), ("async", False)])
def test_outcomes_of_a_superstep_that_goes_on_are_filed_with_their_questions(durability, wait):
    ledger, opening, _ = begun(durability)
    (task,) = tasks_of(opening.checkpoint)
    own, childs = question(task.id), question("child's task", path=(task.id,))
    outcome = Interrupted((own, childs))

    commit = ledger.file({task: outcome}, None)

    assert [(filed.task_id, filed.n, filed.outcome) for filed in commit.outcomes] == [(task.id, 1, outcome)]
    assert commit.asked == ((own, 1),)
    assert (commit.claim, commit.release, commit.wait) == (False, None, wait)


def test_a_command_for_the_parent_is_never_filed():
    ledger, opening, _ = begun("sync", path=("t",))

    assert ledger.file({tasks_of(opening.checkpoint)[0]: Escaped(None)}, Stop("interrupted")) is None  # type: ignore[arg-type]


def test_filing_nothing_at_the_end_only_gives_the_thread_back():
    ledger, _, _ = begun("sync")

    assert ledger.file({}, None) is None
    assert ledger.file({}, Stop("interrupted")) == Commit(release="interrupted")


@pytest.mark.parametrize("durability", DURABILITIES)
def test_a_subgraph_neither_claims_nor_releases_the_thread(durability):
    ledger, opening, first = begun(durability, path=("t",), owner="t")

    last = ledger.step(after(opening), ["log"], IDLE)

    assert (last.claim, last.release) == (False, None)
    assert first is None or (first.claim, first.release) == (False, None)


def test_after_a_reset_the_failed_commit_counts_as_never_made():
    ledger, opening, _ = begun("sync")
    mark = ledger.mark()
    made = after(opening)
    first = ledger.step(made, ["log"], None)
    ledger.reset(mark)

    assert ledger.step(made, ["log"], None) == first


def test_in_a_hurry_what_was_held_back_until_the_end_is_handed_out_and_everything_is_written_at_once():
    before = position(n=1, values={"log": ["old"]})
    ledger, _, _ = begun("exit", NewTurn({}), saved(before))
    made = position("pack pick", n=4, parent="never stored", values={"log": ["old"]})
    ledger.step(made, ["log"], None)
    pack, pick = tasks_of(made)
    ledger.file({pack: Done()}, None)

    behind = ledger.hurry()
    first, second = ledger.file(behind, None), ledger.file({pick: Failed("E()")}, None)

    assert [(entry.checkpoint.n, entry.checkpoint.parent) for entry in first.entries] == [(4, before.id)]
    assert [filed.task_id for filed in first.outcomes] == [pack.id]
    assert (second.entries, [filed.task_id for filed in second.outcomes]) == ((), [pick.id])


UNTRACKED = graph({"__start__": "pick"}, channels={**CHANNELS, "lock": UntrackedValue()})


def test_untracked_keys_are_left_out_of_values_and_of_arguments():
    at = position(
        (Trigger("pick", {"lock": 1, "log": []}), Trigger("pick", {"log": []}), Trigger("pick", 5)), values={"lock": 1, "last": 2}
    )
    ledger = Ledger(UNTRACKED, request(durability="sync"))

    commit = ledger.open(Opening(at, None, (at,)), None, None)

    assert commit is not None
    stored = commit.entries[0].checkpoint
    assert stored.values == {"last": 2}
    assert [trigger.arg for trigger in stored.frontier] == [{"log": []}, {"log": []}, 5]
    assert at.values == {"lock": 1, "last": 2}


def test_a_change_of_an_untracked_key_is_no_change():
    ledger, _, _ = begun("sync", spec=UNTRACKED)

    commit = ledger.step(position(n=2, values={"lock": 2, "last": 3}), ["lock", "last"], None)

    assert commit.entries[0].deltas == {"last": Set(3)}


def test_the_first_entry_on_an_old_thread_has_the_defaults_that_the_graph_has_got_since():
    old = saved(position("pick", values={"last": 1, "gone": 2}))
    now = adapted(SHOP, old)
    ledger = Ledger(SHOP, request(durability="sync"))
    ledger.open(open_turn(SHOP, request(durability="sync"), now), None, old)

    first = ledger.step(position("pack", n=2, values={**now.checkpoint.values, "last": 2}), ["last"], None)
    second = ledger.step(position(n=3, values={**now.checkpoint.values, "last": 3}), ["last"], None)

    assert first is not None
    assert first.entries[0].deltas == {"log": Set([]), "last": Set(2)}
    assert second is not None
    assert second.entries[0].deltas == {"last": Set(3)}


def test_one_outcome_makes_a_commit_with_its_questions():
    (task,) = tasks_of(position("pick", n=4))
    own = question(task.id)
    outcome = Interrupted((own, question("child's task", path=(task.id,))))

    assert outcome_commit(task, outcome) == Commit(outcomes=(Filed(task.id, 4, outcome),), asked=((own, 4),))


def test_every_checkpoint_has_the_user_s_metadata():
    ledger, opening, first = begun("sync", metadata={"user": "u"})
    second = ledger.step(after(opening), ["log"], IDLE)

    assert [entry.metadata for entry in (*first.entries, *second.entries)] == [{"user": "u"}] * 3


def test_the_input_is_the_argument_of_start_in_the_stored_frontier():
    _, _, commit = begun("sync")

    assert commit.entries[0].checkpoint.frontier == (Trigger(START, {"log": ["in"]}),)
