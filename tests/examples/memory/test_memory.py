"""Preferences in a store: kept once, apart for each user, changed without losing anything, undone and forgotten."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from checkpointers.sqlite import SqliteStore
from examples.email_assistant.memory import Memory
from examples.email_assistant.memory.errors import (
    InvalidPreferenceError,
    PreferenceConflictError,
    UnknownPreferenceError,
    UnreadablePreferenceError,
)
from examples.email_assistant.memory.shelf import level_of
from graphkit.storage import InMemoryStore, PutOp
from tests.examples.memory.conftest import OWNER, Answers, Hands, entry, mail_of

DEAR = Answers().rewrite("Hello Ada,", "Dear Ada,")
HI = Answers(call_id="call-2", thread="thread-2").rewrite("Hello Ada,", "Hi Ada,")


class Interrupted(InMemoryStore):
    """A store in which somebody else is quicker: ``first`` runs once, before the next write."""

    first: Callable[[], object] | None = None

    def batch(self, ops):
        ops = list(ops)
        if self.first is not None and any(isinstance(op, PutOp) for op in ops):
            other, self.first = self.first, None
            other()
        return super().batch(ops)


def test_what_was_learned_is_recalled_as_it_was(memory):
    new = memory.learn(DEAR)

    assert new == DEAR
    assert memory.recall().entries == DEAR
    assert memory.recall().greeting_for(mail_of()) == "Dear {name},"


def test_learning_twice_changes_nothing(memory):
    memory.learn(DEAR)

    later = Answers(now=Hands()()).rewrite("Hello Ada,", "Dear Ada,")

    assert memory.learn(later) == ()
    assert memory.recall().entries == DEAR
    assert [event.what for event in memory.history(DEAR[0].id)] == ["learned"]


def test_a_process_that_dies_in_the_middle_of_learning_learns_the_rest_when_it_runs_again(tmp_path):
    lessons = Answers().edit("schedule_meeting", duration_minutes=45, start_time="10:00")
    with SqliteStore(tmp_path / "assistant.db") as store:
        Memory(store, OWNER).learn(lessons[:1])

    with SqliteStore(tmp_path / "assistant.db") as store:
        again = Memory(store, OWNER)

        assert again.learn(lessons) == lessons[1:]
        assert len(again.recall()) == 2
        assert again.learn(lessons) == ()


def test_two_that_learn_the_same_at_once_learn_it_once():
    store = Interrupted()
    one, other = Memory(store, OWNER), Memory(store, OWNER)
    store.first = lambda: other.learn(DEAR)

    assert one.learn(DEAR) == ()
    assert one.recall().entries == DEAR


def test_a_new_one_about_the_same_thing_replaces_the_old_one_until_it_is_undone(memory):
    memory.learn(DEAR)

    (new,) = memory.learn(HI)

    assert new.replaces == DEAR[0].id
    assert memory.recall().greeting_for(mail_of()) == "Hi {name},"
    memory.undo(new.id)
    assert memory.recall().greeting_for(mail_of()) == "Dear {name},"


def test_undo_and_redo_keep_the_entry_and_a_line_each(memory):
    memory.learn(DEAR)
    own = DEAR[0].id

    memory.undo(own)
    memory.undo(own)
    assert memory.recall().greeting_for(mail_of()) is None
    assert memory.learn(DEAR) == ()
    assert memory.get(own).status == "undone"
    memory.redo(own)

    assert memory.recall().entries == DEAR
    assert [event.what for event in memory.history(own)] == ["learned", "undone", "redone"]


def test_what_was_forgotten_is_gone_and_is_not_learned_again_from_the_same_answer(memory, store):
    memory.learn(DEAR)
    own = DEAR[0].id

    memory.forget(own)
    memory.forget(own)

    assert memory.learn(DEAR) == ()
    assert len(memory.recall()) == 0
    assert [event.what for event in memory.history(own)] == ["learned", "forgotten"]
    assert not [item for item in store.search(()) if "Dear" in repr(item.value) or "pump" in repr(item.value)]
    with pytest.raises(UnknownPreferenceError):
        memory.redo(own)


def test_what_is_written_by_hand_applies_and_words_itself(memory):
    written = memory.write("calendar", effect={"duration_minutes": 20}, applies_to="@Example.com")

    assert memory.recall().minutes_for(mail_of()) == 20
    assert (written.rule, written.applies_to, written.source.action) == (
        "Meetings take 20 minutes unless the mail says otherwise.",
        "@example.com",
        "by hand",
    )


def test_writing_the_same_in_the_same_moment_writes_it_once_and_again_after_it_was_forgotten(store):
    moment = Hands()()
    memory = Memory(store, OWNER, clock=lambda: moment)

    first = memory.write("response", "Be brief.")
    assert memory.write("response", "Be brief.") == first
    memory.forget(first.id)
    again = memory.write("response", "Be brief.")

    assert memory.recall().entries == (again,)


@pytest.mark.parametrize(
    "kind, fields",
    [
        ("taste", {"rule": "Be brief."}),
        ("response", {}),
        ("response", {"rule": " \n\x00"}),
        ("response", {"rule": "x" * 301}),
        ("response", {"effect": {"duration_minutes": 20}}),
        ("response", {"effect": {"greeting": "Dear {0.__class__},"}}),
        ("response", {"effect": {"greeting": "Dear {name},\nBcc: eve@example.net"}}),
        ("response", {"effect": {"greeting": ""}}),
        ("response", {"effect": {"language": "English"}}),
        ("calendar", {"effect": {"duration_minutes": True}}),
        ("calendar", {"effect": {"duration_minutes": 0}}),
        ("calendar", {"effect": {"earliest": "25:00"}}),
        ("calendar", {"effect": {"attendees_add": ["nobody"]}}),
        ("triage", {"effect": {"label": "delete"}}),
        ("triage", {"effect": {"label": "ignore"}, "applies_to": "everyone"}),
        ("triage", {"effect": {"label": "ignore"}, "applies_to": "a b@example.com"}),
    ],
)
def test_what_cannot_be_kept_is_refused_with_a_hint(memory, kind, fields):
    with pytest.raises(InvalidPreferenceError) as caught:
        memory.write(kind, **fields)

    assert caught.value.hint
    assert len(memory.recall()) == 0


def test_an_edit_stands_in_for_the_old_one_and_keeps_it(memory):
    memory.learn(DEAR)
    old = DEAR[0]

    new = memory.edit(old.id, effect={"greeting": "Hey {name},"})

    assert (new.replaces, new.source.action, new.source.subject, new.rule) == (
        old.id,
        "by hand",
        "Re: The pump",
        'Greet with "Hey {name},".',
    )
    assert memory.recall().greeting_for(mail_of()) == "Hey {name},"
    assert [(event.what, event.id, event.by) for event in memory.history(new.id) if event.what != "written"] == [
        ("learned", old.id, ""),
        ("edited", old.id, new.id),
    ]
    assert memory.history(new.id) == memory.history(old.id)
    memory.undo(new.id)
    assert memory.recall().greeting_for(mail_of()) == "Dear {name},"


def test_an_edit_of_the_words_keeps_the_effect(memory):
    memory.learn(DEAR)

    new = memory.edit(DEAR[0].id, rule="Greet people kindly.")

    assert (new.rule, new.effect) == ("Greet people kindly.", DEAR[0].effect)


def test_an_edit_that_changes_nothing_is_none(memory):
    memory.learn(DEAR)

    assert memory.edit(DEAR[0].id, rule=DEAR[0].rule) == DEAR[0]
    assert len(memory.recall()) == 1


def test_of_two_edits_at_once_the_second_one_is_told():
    store = Interrupted()
    one, other = Memory(store, OWNER), Memory(store, OWNER)
    one.learn(DEAR)
    store.first = lambda: other.edit(DEAR[0].id, rule="The other's words.")

    with pytest.raises(PreferenceConflictError) as caught:
        one.edit(DEAR[0].id, rule="My words.")

    (newest,) = one.recall().in_effect()
    assert newest.rule == "The other's words."
    assert newest.id in caught.value.hint


def test_an_edit_and_an_undo_at_once_are_both_kept():
    store = Interrupted()
    one, other = Memory(store, OWNER), Memory(store, OWNER)
    one.learn(DEAR)
    store.first = lambda: other.undo(DEAR[0].id)

    new = one.edit(DEAR[0].id, rule="My words.")

    assert one.get(DEAR[0].id).status == "undone"
    assert sorted(event.what for event in one.history(new.id)) == ["edited", "learned", "undone", "written"]


def test_an_entry_that_was_forgotten_meanwhile_is_not_brought_back():
    store = Interrupted()
    one, other = Memory(store, OWNER), Memory(store, OWNER)
    one.learn(DEAR)
    store.first = lambda: other.forget(DEAR[0].id)

    with pytest.raises(UnknownPreferenceError):
        one.undo(DEAR[0].id)

    assert len(one.recall()) == 0


def test_no_change_is_lost_when_many_change_one_entry(tmp_path):
    with SqliteStore(tmp_path / "assistant.db") as first, SqliteStore(tmp_path / "assistant.db") as second:
        memories = [Memory(first, OWNER), Memory(second, OWNER)]
        memories[0].learn(DEAR)
        own = DEAR[0].id
        work = [change for memory in memories for change in [memory.undo, memory.redo] * 6]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda change: change(own), work))

        log = first.get(memories[0].namespace("response"), own).value["log"]
        steps = [line["what"] for line in log]

        assert steps[1::2] == ["undone"] * len(steps[1::2])
        assert steps[2::2] == ["redone"] * len(steps[2::2])
        assert memories[1].get(own).status == ("undone" if steps[-1] == "undone" else "active")


def test_users_never_see_each_other(store):
    mara, ben = Memory(store, OWNER), Memory(store, "ben@example.org")
    mara.learn(DEAR)

    assert len(ben.recall()) == 0
    for change in (ben.get, ben.undo, ben.redo, ben.forget, ben.history, ben.find):
        with pytest.raises(UnknownPreferenceError):
            change(DEAR[0].id)
    assert ben.learn(HI) == HI
    assert mara.recall().entries == DEAR


def test_upper_and_lower_case_are_one_user(store):
    Memory(store, "Mara.Lindqvist@Example.org ").learn(DEAR)

    assert Memory(store, OWNER).recall().entries == DEAR


HOSTILE = [
    "a.b@example.org",
    "a%2Eb@example.org",
    "a-b@example.org",
    "a/b@example.org",
    "*",
    "..",
    "a\x00b",
    "a\nb",
    "\ud800",
    "ü@example.org",
    "u\u0308@example.org",
    "a~b",
    "triage",
    "x" * 500,
    "x" * 501,
    ("x" * 80) + "~" + "0" * 64,
    "日本" * 100,
]


def test_users_with_strange_names_are_kept_apart():
    store = InMemoryStore()
    for user in HOSTILE:
        assert len(Memory(store, user).recall()) == 0
        Memory(store, user).write("response", f"Rule of user {HOSTILE.index(user)}.")

    assert len({level_of(user) for user in HOSTILE}) == len(HOSTILE)
    assert [[one.rule for one in Memory(store, user).recall()] for user in HOSTILE] == [
        [f"Rule of user {place}."] for place in range(len(HOSTILE))
    ]


def test_nobody_can_take_the_name_that_a_long_name_is_shortened_to():
    long = "x" * 500

    assert level_of(level_of(long)) != level_of(long)


@pytest.mark.parametrize("user", ["", "  ", "\n"])
def test_a_user_without_a_name_is_refused(user):
    with pytest.raises(InvalidPreferenceError):
        Memory(InMemoryStore(), user)


@pytest.mark.parametrize("id", ["", "..", "a b", "x" * 2000, "\x00", "zz"])
def test_an_id_that_is_none_is_told(memory, id):
    with pytest.raises(UnknownPreferenceError):
        memory.get(id)
    with pytest.raises(UnknownPreferenceError):
        memory.find(id)


def test_the_beginning_of_an_id_is_enough_when_it_is_the_only_one(memory):
    memory.learn([entry("abc1"), entry("abd2")])

    assert memory.find("abc") == "abc1"
    with pytest.raises(UnknownPreferenceError, match="Several"):
        memory.find("ab")


@pytest.mark.parametrize(
    "damage",
    [
        {"at": "yesterday"},
        {"at": "2026-03-12T09:00:00"},
        {"kind": "triage"},
        {"effect": {"greeting": "{x}"}},
        {"effect": []},
        {"source": None},
        {"status": "odd"},
        {"rule": 5},
        {"log": [{"at": "2026-03-12T09:00:00+00:00", "what": "odd"}]},
    ],
)
def test_a_damaged_entry_is_told_and_can_be_forgotten(memory, store, damage):
    memory.learn(DEAR)
    namespace, own = memory.namespace("response"), DEAR[0].id
    store.put(namespace, own, store.get(namespace, own).value | damage)

    with pytest.raises(UnreadablePreferenceError, match=own):
        memory.recall()
    memory.forget(memory.find(own))

    assert len(memory.recall()) == 0


def test_what_others_keep_in_the_same_store_does_not_matter(memory, store):
    store.put((*memory.namespace("response"), "drafts"), "k", {"a": 1})
    store.put(("email_assistant", memory.namespace("response")[1]), "k", {"a": 1})
    memory.learn(DEAR)

    assert memory.recall().entries == DEAR


def test_preferences_do_not_expire_and_are_not_embedded():
    seconds = [0.0]
    embedded = []

    def embed(texts):
        embedded.extend(texts)
        return [[1.0]] * len(texts)

    store = InMemoryStore(ttl={"default_ttl": 1}, clock=lambda: seconds[0], index={"dims": 1, "embed": embed})
    memory = Memory(store, OWNER)
    memory.learn(DEAR)
    memory.undo(DEAR[0].id)
    seconds[0] = 1e9

    assert len(memory.recall()) == 1
    assert embedded == []


def test_many_preferences_are_recalled_newest_first(memory):
    many = [entry(f"e{number:04}", effect={}, hours=number) for number in range(1100)]
    for start in range(0, 1100, 100):
        memory._shelf.put(*[memory._shelf.entry(one, (), 0) for one in many[start : start + 100]])

    recalled = memory.recall()

    assert list(recalled) == many[::-1]
