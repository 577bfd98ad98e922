"""The command `memory`."""

from __future__ import annotations

import argparse
import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from examples.email_assistant.memory import Memory
from examples.email_assistant.memory.command import add_arguments, run
from graphkit.errors import StorageUnavailableError
from graphkit.storage import InMemoryStore
from tests.examples.memory.conftest import OWNER, Answers, Hands, entry, mail_of

MEETING = Answers().edit("schedule_meeting", duration_minutes=45)
DEAR = Answers().rewrite("Hello Ada,", "Dear Ada,")


@pytest.fixture
def memory():
    made = Memory(InMemoryStore(), OWNER, clock=Hands())
    made.learn((*MEETING, *DEAR))
    return made


@pytest.fixture
def ask(memory):
    """Return a function that gives the exit code and what was printed."""

    def call(*arguments, width=120, memory=memory):
        parser = argparse.ArgumentParser()
        add_arguments(parser)
        out = io.StringIO()
        return run(parser.parse_args(arguments), memory, Console(file=out, width=width)), out.getvalue()

    return call


def test_the_list_shows_each_namespace_and_where_each_entry_comes_from(ask):
    code, shown = ask()

    assert code == 0
    for kind in ("triage", "response", "calendar"):
        assert f"email_assistant/mara%2Elindqvist@example%2Eorg/{kind}" in shown
    assert "nothing yet" in shown
    assert "Meetings take 45 minutes" in shown
    assert "2026-03-12 edit, Re: The pump" in shown
    assert DEAR[0].id in shown


@pytest.mark.parametrize("arguments", [["--kind", "calendar"], ["list", "--kind", "calendar"], ["--kind", "calendar", "list"]])
def test_one_kind_can_be_listed(ask, arguments):
    _, shown = ask(*arguments)

    assert "Meetings take 45 minutes" in shown
    assert "Greet" not in shown


@pytest.mark.parametrize("arguments", [["--json"], ["list", "--json"], ["--json", "list"]])
def test_the_list_as_json(ask, arguments):
    code, shown = ask(*arguments, width=20)

    document = json.loads(shown)
    assert code == 0
    assert document["schema"] == "graphkit-memory/1"
    assert document["user"] == OWNER
    assert [(one["kind"], len(one["preferences"])) for one in document["namespaces"]] == [("triage", 0), ("response", 1), ("calendar", 1)]
    (entry,) = document["namespaces"][2]["preferences"]
    assert entry == {
        "id": MEETING[0].id,
        "kind": "calendar",
        "rule": "Meetings take 45 minutes unless the mail says otherwise.",
        "applies_to": "*",
        "effect": {"duration_minutes": 45},
        "source": {
            "thread": "thread-1",
            "call_id": "call-1",
            "action": "edit",
            "subject": "Re: The pump",
            "change": "length: 30 -> 45 minutes",
            "sender": "ada@example.com",
        },
        "at": "2026-03-12T09:00:00+00:00",
        "status": "active",
        "replaces": None,
        "state": "active",
    }


def test_one_is_shown_with_its_history(ask, memory):
    memory.undo(MEETING[0].id)

    code, shown = ask("show", MEETING[0].id[:5])
    _, document = ask("--json", "show", MEETING[0].id)

    assert code == 0
    for words in ("length: 30 -> 45 minutes", "thread-1", "undone", "learned", "duration_minutes: 45"):
        assert words in shown
    assert [event["what"] for event in json.loads(document)["history"]] == ["learned", "undone"]


def test_undo_redo_and_forget_do_so(ask, memory):
    own = MEETING[0].id

    assert ask("undo", own)[0] == 0
    assert memory.recall().minutes_for(mail_of()) is None
    assert ask("redo", own)[0] == 0
    assert memory.recall().minutes_for(mail_of()) == 45
    assert json.loads(ask("forget", own, "--json")[1])["forgotten"] == own
    assert memory.recall().minutes_for(mail_of()) is None


def test_one_is_added_by_hand(ask, memory):
    code, shown = ask("add", "--kind", "response", "--for", "@example.com", "--set", "greeting=Hey {name},", "--set", "language=en")

    assert code == 0
    assert "Written." in shown
    assert memory.recall().greeting_for(mail_of()) == "Hey {name},"


def test_numbers_and_lists_may_be_given_as_effects(ask, memory):
    ask("add", "--kind", "calendar", "--set", "duration_minutes=20", "--set", "attendees_add=ben@example.org, cem@example.org")

    assert memory.recall().minutes_for(mail_of()) == 20
    assert memory.recall().attendees_for(mail_of()) == ("ben@example.org", "cem@example.org")


def test_an_edited_greeting_stays_one_for_its_language(ask, memory):
    code, _ = ask("edit", DEAR[0].id, "--set", "greeting=Hey {name},")

    newest = memory.recall().in_effect().of("response").entries[0]
    assert code == 0
    assert newest.effect == {"greeting": "Hey {name},", "language": "en"}
    ask("edit", newest.id, "--set", "greeting=Hey {name},", "--set", "language=")
    assert memory.recall().in_effect().of("response").entries[0].effect == {"greeting": "Hey {name},"}


def test_the_list_tells_what_is_replaced_and_undone(ask, memory):
    memory.edit(DEAR[0].id, rule="Greet kindly.")
    memory.undo(MEETING[0].id)

    states = {one["id"]: one["state"] for space in json.loads(ask("--json")[1])["namespaces"] for one in space["preferences"]}

    assert (states[DEAR[0].id], states[MEETING[0].id]) == ("replaced", "undone")
    assert sorted(states.values()) == ["active", "replaced", "undone"]


@pytest.mark.parametrize(
    "arguments, code, name",
    [
        (["show", "zz"], 1, "unknown-preference"),
        (["undo", ""], 1, "unknown-preference"),
        (["edit", "zz", "--rule", "x"], 1, "unknown-preference"),
        (["add", "--rule", "x"], 2, "option"),
        (["add", "--kind", "response"], 2, "invalid-preference"),
        (["add", "--kind", "triage", "--set", "label=delete"], 2, "invalid-preference"),
        (["add", "--kind", "triage", "--set", "label=ignore", "--for", "all"], 2, "invalid-preference"),
        (["edit", MEETING[0].id], 2, "option"),
    ],
)
def test_what_cannot_be_done_is_told_with_a_hint_and_an_exit_code(ask, memory, arguments, code, name):
    before = memory.recall()

    plain, in_json = ask(*arguments), ask("--json", *arguments)

    error = json.loads(in_json[1])["error"]
    assert (plain[0], in_json[0], error["code"]) == (code, code, name)
    assert error["message"]
    assert error["hint"]
    assert plain[1].startswith("memory: ")
    assert memory.recall() == before


@pytest.mark.parametrize("arguments", [["add", "--set", "label"], ["add", "--set", "=x"], ["add", "--set", "attendees_add=[1,]"], ["burn"]])
def test_options_that_cannot_be_read_end_with_2(ask, arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        ask(*arguments)

    assert caught.value.code == 2


def test_a_conflict_ends_with_1(ask, memory):
    memory.edit(DEAR[0].id, rule="Greet kindly.")

    code, shown = ask("edit", DEAR[0].id, "--rule", "Greet warmly.", "--json")

    assert (code, json.loads(shown)["error"]["code"]) == (1, "preference-conflict")


def test_a_store_that_is_gone_ends_with_2(ask):
    class Gone(InMemoryStore):
        def batch(self, ops):
            raise StorageUnavailableError("The database is gone.", hint="Look for it.")

    code, shown = ask(memory=Memory(Gone(), OWNER))

    assert code == 2
    assert "The database is gone." in shown


def test_hostile_words_do_not_reach_the_terminal_as_they_are(ask, memory):
    memory.write("response", "[red]Be brief[/red] [link=file:///etc]x[/link]")
    hostile = Answers(mail_of(Subject="Pump \x1b[2J\u202e [bold]x[/bold]"), thread="t\x1b[31m\n2")
    memory.learn(hostile.edit("schedule_meeting", duration_minutes=50))

    strange = entry("e1", applies_to="\x1b[2J@example.com", rule="Be \x1b[2J brief.")
    memory.learn([replace(strange, source=replace(strange.source, subject="\x1b[2J\u202e", change="\x1b[2J"))])

    everything = "".join([ask()[1], *[ask("show", one.id)[1] for one in memory.recall()], ask("--json")[1]])

    assert "\x1b" not in everything
    assert "\u202e" not in everything
    assert "[red]Be brief[/red]" in ask(width=300)[1]
    assert ask("--json")[1].isascii()
