"""What the owner does about one mail changes what the assistant does about the next one, with every kind of model."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from examples.email_assistant.cli import main
from examples.email_assistant.evaluation import shipped
from examples.email_assistant.graph import build
from examples.email_assistant.mail.message import Mail, parse
from examples.email_assistant.memory import Memory
from examples.email_assistant.rules.letters import has_gap
from examples.email_assistant.rules.model import RuleModel
from graphkit import Command, CompiledGraph, InMemorySaver
from graphkit.storage import InMemoryStore
from graphkit.testing import ModelServer
from tests.examples.conftest import BERLIN, NOW, OWNER
from tests.examples.models.brain import Brain
from tests.examples.models.wires import OFFLINE, WAYS, asked, terminal

RULES = RuleModel(OWNER, BERLIN)
MEET = "Hello Mara,\n\ncould we meet on Tuesday 17 March about the valve?\n\nThank you"
SEND = "Hello Mara,\n\nplease send me the test report by Tuesday 17 March.\n\nThank you"
TELL = "Hello Mara,\n\nfor your information: the report of the rig is in the folder. No action is needed.\n\nThank you"
ADA, BEN = "Ada Stern <ada@example.com>", "Ben Okafor <ben@example.net>"


def raw(number: int, sender: object, body: str) -> str:
    headers = [f"From: {sender}", "To: mara.lindqvist@example.org", f"Subject: Valve {number}", f"Message-ID: <{number}@example.com>"]
    rest = ["Date: Wed, 11 Mar 2026 10:00:00 +0100", "Content-Type: text/plain; charset=utf-8"]
    return "\n".join([*headers, *rest, "", body])


def letter(number: int, sender: str, body: str) -> Mail:
    return parse(raw(number, sender, body).encode(), file=f"{number}.eml")


class Hands:
    """A clock that goes on by a minute each time it is looked at."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self):
        self.now += timedelta(minutes=1)
        return self.now


@dataclass
class Owner:
    """One person with their assistant and their memory; ``prompts`` are what a model was asked, empty without one."""

    graph: CompiledGraph
    memory: Memory
    known: list[Mail]
    prompts: list[str] = field(default_factory=list)

    def get(self, mail: Mail):
        """Let a mail come in; return what is asked about it: action and arguments, or the outcome."""
        self.known.append(mail)
        return self._seen(self.graph.invoke({"thread": mail.file, "mail": mail}, thread_id=mail.file))

    def say(self, mail: Mail, kind: str, args=None):
        """Answer the question about a mail, and return the next one."""
        return self._seen(self.graph.invoke(Command(resume=[{"type": kind, "args": args}]), thread_id=mail.file))

    def _seen(self, result):
        if "__interrupt__" not in result:
            return result["outcome"], {}
        (question,) = result["__interrupt__"]
        request = question.value[0]["action_request"]
        return request["action"].removeprefix("Email Assistant: "), request["args"]


@pytest.fixture(params=WAYS)
def owner_of(request, toolbox):
    """Return a function that sets up an owner's assistant; all of them share one store."""
    store, clock, known = InMemoryStore(), Hands(), list[Mail]()
    box = type(toolbox)(toolbox.postbox, toolbox.invitations, toolbox.agenda, BERLIN, clock)
    brain = Brain(RULES, known)

    def owner(model, address):
        memory = Memory(store, address, clock=clock)
        return Owner(build(model, box, memory).compile(checkpointer=InMemorySaver()), memory, known, brain.prompts)

    if request.param == OFFLINE:
        yield lambda address=OWNER.address: owner(RULES, address)
        return
    with asked(request.param, brain, box.tools()) as model:
        yield lambda address=OWNER.address: owner(model, address)


@pytest.fixture
def owner(owner_of):
    return owner_of()


def test_an_edited_closing_is_that_of_the_next_draft(owner):
    first, following = letter(1, ADA, SEND), letter(2, BEN, SEND)
    _, draft = owner.get(first)
    assert "Best regards" in draft["content"]
    owner.say(first, "edit", draft | {"content": draft["content"].replace("Best regards", "Warm wishes")})

    action, next_draft = owner.get(following)

    assert action == "write_email"
    assert next_draft["content"].endswith("Warm wishes\nMara Lindqvist\n")
    assert "Best regards" not in next_draft["content"]


def test_an_edited_length_is_that_of_the_next_meeting(owner):
    first, following = letter(1, ADA, MEET), letter(2, BEN, MEET)
    action, meeting = owner.get(first)
    assert (action, meeting["duration_minutes"]) == ("schedule_meeting", 30)
    owner.say(first, "edit", meeting | {"duration_minutes": 45})

    action, next_meeting = owner.get(following)

    assert (action, next_meeting["duration_minutes"]) == ("schedule_meeting", 45)


def test_words_about_a_meeting_count_for_the_next_one(owner):
    first, following = letter(1, ADA, MEET), letter(2, BEN, MEET)
    owner.get(first)
    owner.say(first, "response", "60 minutes, please")

    _, next_meeting = owner.get(following)

    assert next_meeting["duration_minutes"] == 60


def test_who_was_ignored_is_only_shown_next_time_and_then_no_more(owner):
    first, second, third, other = (letter(number, sender, SEND) for number, sender in ((1, ADA), (2, ADA), (3, ADA), (4, BEN)))
    assert owner.get(first)[0] == "write_email"
    assert owner.say(first, "ignore")[0] == "cancelled by you"
    assert owner.get(second)[0] == "notify"
    assert owner.say(second, "ignore")[0] == "seen by you"

    assert owner.get(third)[0] == "ignored"
    assert owner.get(other)[0] == "write_email"


def test_who_was_answered_though_only_shown_gets_a_draft_next_time(owner):
    first, second, other = letter(1, ADA, TELL), letter(2, ADA, TELL), letter(3, BEN, TELL)
    assert owner.get(first)[0] == "notify"
    owner.say(first, "response", "Thank you, I have seen it.")

    assert owner.get(second)[0] == "write_email"
    assert owner.get(other)[0] == "notify"


def test_words_that_hold_always_are_in_every_later_prompt(owner):
    first, following = letter(1, ADA, SEND), letter(2, BEN, SEND)
    owner.get(first)
    owner.say(first, "response", "Always keep it short.")
    owner.prompts.clear()

    owner.get(following)

    (learned,) = owner.memory.recall()
    assert "Always keep it short." in learned.rule
    assert all("Always keep it short." in prompt for prompt in owner.prompts if "You work on one mail" in prompt)


@pytest.mark.parametrize("body", [SEND, MEET])
def test_what_was_accepted_teaches_nothing(owner, body):
    first, following = letter(1, ADA, body), letter(2, ADA, body)
    action, args = owner.get(first)
    while (asked_next := owner.say(first, "accept"))[0] != "done":
        assert asked_next[0] == "write_email"

    assert len(owner.memory.recall()) == 0
    again, next_args = owner.get(following)
    assert again == action
    assert {name: value for name, value in next_args.items() if name not in {"subject", "start_time"}} == {
        name: value for name, value in args.items() if name not in {"subject", "start_time"}
    }


def test_an_edit_of_what_belongs_to_the_mail_teaches_nothing(owner):
    first = letter(1, ADA, SEND)
    _, draft = owner.get(first)
    owner.say(first, "edit", draft | {"content": draft["content"].replace("17 March", "18 March"), "subject": "Re: the valve"})

    assert len(owner.memory.recall()) == 0


def test_undoing_brings_back_what_was_before_and_redoing_what_was_learned(owner):
    mails = [letter(number, sender, SEND) for number, sender in enumerate([ADA, BEN, BEN], 1)]
    _, draft = owner.get(mails[0])
    owner.say(mails[0], "edit", draft | {"content": draft["content"].replace("Best regards", "Warm wishes")})
    (learned,) = owner.memory.recall()
    owner.memory.undo(learned.id)

    assert "Best regards" in owner.get(mails[1])[1]["content"]
    owner.memory.redo(learned.id)
    assert "Warm wishes" in owner.get(mails[2])[1]["content"]


def test_what_one_owner_likes_is_nothing_to_another(owner_of):
    mara, other = owner_of(), owner_of("ravi@example.org")
    first, following = letter(1, ADA, MEET), letter(2, ADA, MEET)
    _, meeting = mara.get(first)
    mara.say(first, "edit", meeting | {"duration_minutes": 45})

    assert other.get(following)[1]["duration_minutes"] == 30
    assert len(other.memory.recall()) == 0
    assert len(mara.memory.recall()) == 1


@pytest.mark.parametrize("case", [case for case in shipped() if "injection" in case.kinds], ids=lambda case: case.id)
def test_an_injection_is_not_learned_from_however_it_is_answered(owner, case):
    action, args = owner.get(case.mail)
    while action in {"notify", "question", "write_email", "schedule_meeting"}:
        is_ready = action in {"write_email", "schedule_meeting"} and not has_gap(args.get("content", ""))
        kind = "accept" if is_ready else "response"
        action, args = owner.say(case.mail, kind, None if kind == "accept" else case.instruction or case.knows or "No.")

    # That the owner answered this sender is all there is to learn.
    assert [one.effect for one in owner.memory.recall()] in ([], [{"label": "respond"}])
    told = json.dumps([[one.rule, one.source.change] for one in owner.memory.recall()])
    assert not any(text in told for text in case.expected.never)
    assert args == {}


@pytest.mark.parametrize("way", WAYS)
def test_the_command_shows_what_was_learned_and_takes_it_back(way, tmp_path, monkeypatch, capsys):
    folder, data = tmp_path / "box", tmp_path / "data"
    for part in ("new", "cur", "tmp"):
        (folder / part).mkdir(parents=True)
    decision = 'subject = "Valve 1"\ntool = "schedule_meeting"\nanswer = "edit"\nargs = { duration_minutes = 45 }'
    (tmp_path / "edit.toml").write_text(f"[[decision]]\n{decision}\n")
    letters = {number: letter(number, BEN if number > 1 else ADA, MEET) for number in (1, 2, 3)}

    def run(*arguments):
        assert main([*arguments, "--data", str(data), "--mailbox", str(folder), "--now", "2026-03-12T09:00"]) == 0
        return capsys.readouterr().out

    def comes(number):
        text = (
            f"From: {letters[number].sender}\nTo: mara.lindqvist@example.org\nSubject: Valve {number}\nMessage-ID: <{number}@example.com>\n"
        )
        date = "Date: Wed, 11 Mar 2026 10:00:00 +0100\nContent-Type: text/plain; charset=utf-8\n"
        (folder / "new" / f"{number}.eml").write_text(f"{text}{date}\n{MEET}")
        run("run", "--decisions", str(tmp_path / "edit.toml"), *typed.arguments)
        waiting = json.loads(run("inbox", *typed.arguments, "--json"))
        return {one["subject"]: one["args"].get("duration_minutes") for one in waiting["waiting"]}

    with ModelServer(Brain(RULES, letters.values())) as server:
        typed = terminal(way, server)
        for name, value in typed.environment.items():
            monkeypatch.setenv(name, value)
        comes(1)
        assert comes(2)["Valve 2"] == 45
        listed = json.loads(run("memory", "--json"))
        (learned,) = [one for space in listed["namespaces"] for one in space["preferences"]]
        assert (listed["user"], learned["effect"], learned["state"]) == (OWNER.address, {"duration_minutes": 45}, "active")
        shown = run("memory")
        assert learned["id"][:6] in shown
        assert "undone" not in shown
        run("memory", "undo", learned["id"][:6])

        assert comes(3)["Valve 3"] == 30
        assert "undone" in run("memory")
