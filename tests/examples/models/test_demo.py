"""The demo with every kind of model: the same mails, the same meetings, the same ends; each run says and keeps which model it was."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from checkpointers.sqlite import SqliteSaver
from examples.email_assistant.cli import main
from examples.email_assistant.evaluation.desk import toolbox
from examples.email_assistant.graph import build
from examples.email_assistant.mail import maildir
from examples.email_assistant.mail.message import Mail
from examples.email_assistant.rules.model import RuleModel
from examples.email_assistant.state import exchanges
from graphkit.testing import ModelServer
from tests.examples.conftest import BERLIN, EXAMPLE, NOW, OWNER
from tests.examples.models.brain import Brain
from tests.examples.models.wires import OFFLINE, WAYS, WIRES, terminal

DEMO = ["--decisions", str(EXAMPLE / "demo.toml")]
RULES = RuleModel(OWNER, BERLIN)
MAILS = [mail for mail in maildir.read(EXAMPLE / "mailbox") if isinstance(mail, Mail)]


@dataclass(frozen=True)
class Played:
    """A run of the demo: its folder, the model's name, what it printed, what the server refused; and a second run."""

    data: Path
    model: str
    output: str
    refused: list[str]
    again: str
    asked_again: int

    @property
    def written(self):
        paths = [path for path in self.data.rglob("*.*") if path.suffix in {".eml", ".ics"}]
        return {str(path.relative_to(self.data)): path.read_bytes() for path in sorted(paths)}

    def threads(self):
        """Return where every thread stands, by thread."""
        with SqliteSaver(self.data / "assistant.db") as saver:
            graph = build(RULES, toolbox(self.data, lambda: NOW)).compile(checkpointer=saver)
            return {one.thread_id: graph.get_state(thread_id=one.thread_id) for one in saver.threads(limit=100).items}


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """Return a function that plays the demo with a kind of model, once."""
    known: dict[str, Played] = {}

    def play(way, capsys):
        if way not in known:
            data = tmp_path_factory.mktemp(way)
            with ModelServer(Brain(RULES, MAILS)) as server, pytest.MonkeyPatch.context() as patched:
                typed = terminal(way, server)
                for name, value in typed.environment.items():
                    patched.setenv(name, value)
                capsys.readouterr()
                outputs, asked = [], []
                for _ in range(2):
                    assert main(["--data", str(data), *DEMO, *typed.arguments]) == 0
                    outputs.append(capsys.readouterr().out)
                    asked.append(len(server.requests))
                refused = [request.refusal for request in server.requests if request.refusal]
            known[way] = Played(data, typed.name, outputs[0], refused, outputs[1], asked[1] - asked[0])
        return known[way]

    return play


def told(state):
    """Return what a thread came to, in words that do not depend on the model's name."""
    done = [(one.call["name"], one.call["args"], one.fate, one.content) for one in exchanges(state.values.get("messages", []))]
    requests = [question.value[0]["action_request"] for question in state.interrupts]
    triage = state.values["triage"]
    return triage.label, "; ".join(triage.reasons), state.values["outcome"], done, requests


@pytest.mark.parametrize("wire", WIRES)
def test_over_a_wire_the_demo_writes_the_same_bytes_and_comes_to_the_same_ends(wire, played, capsys):
    offline, served = played(OFFLINE, capsys), played(wire, capsys)

    assert served.refused == []
    assert len(served.written) == 17
    assert served.written == offline.written
    ends, expected = served.threads(), offline.threads()
    assert len(expected) == 31
    assert {name: told(state) for name, state in ends.items()} == {name: told(state) for name, state in expected.items()}


@pytest.mark.parametrize("way", WAYS)
def test_the_model_is_told_and_stored_with_each_run(way, played, capsys):
    run = played(way, capsys)

    assert f"Model {run.model}: " in run.output
    assert ("no AI" in run.output) == (way == OFFLINE)
    for state in run.threads().values():
        assert state.values["model"] == run.model
        assert state.metadata["model"] == run.model


@pytest.mark.parametrize("way", WAYS)
def test_a_second_run_asks_no_model_and_writes_nothing(way, played, capsys):
    run = played(way, capsys)

    assert "0 finished now, 29 earlier, 2 waiting for you" in run.again
    assert run.asked_again == 0
    assert len(run.written) == 17
