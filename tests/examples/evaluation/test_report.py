"""What comes out: JSON that fits its schema, a picture, tables, exit codes."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from rich.console import Console

import examples.email_assistant.evaluation as package
from examples.email_assistant.evaluation import Expected, Progress, Proposed, Report, Returned, Sent, Sorting, evaluate, picture, to_json
from examples.email_assistant.evaluation.command import add_arguments, run
from examples.email_assistant.evaluation.sorting import Sorted
from examples.email_assistant.evaluation.tables import show
from tests.examples.evaluation.conftest import Scripted, case_of, letter
from tests.examples.evaluation.test_judge import Noted
from tests.examples.evaluation.test_working import STOPS

SCHEMA = json.loads((Path(package.__file__).parent / "report.schema.json").read_text("utf-8"))
ROOT = Path(package.__file__).parents[3]


@pytest.fixture(scope="module")
def report(corpus, rules):
    return evaluate(corpus, rules)


@pytest.fixture
def console():
    return Console(file=StringIO(), width=100, highlight=False, soft_wrap=True)


def options(*arguments):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(arguments)


def with_one(**changes):
    """Return a report of one result."""
    usual = {"id": "x", "half": "dev", "language": "en", "kinds": (), "expected": "ignore", "found": "notify", "reasons": ("it rains",)}
    return Report("s", (changes.get("half", "dev"),), Sorting((Sorted(**(usual | changes)),)))


def test_the_json_fits_its_schema(report):
    document = json.loads(to_json(report))

    jsonschema.validate(document, SCHEMA)
    assert document["triage"]["dev"]["confusion"]["respond"] == {"ignore": 0, "notify": 4, "respond": 17}
    assert document["runs"] is None


def test_the_json_of_runs_and_failures_fits_too():
    document = json.loads(to_json(evaluate([case_of(expected=Expected(tools=("question",)))], Scripted(STOPS, label="later"))))

    jsonschema.validate(document, SCHEMA)
    assert document["triage"]["dev"]["results"][0]["found"] == "failed"
    assert document["runs"]["dev"]["results"][0]["failed"][0]["check"] == "as many mails as expected"


def test_the_schema_refuses_what_is_no_report():
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"format": 1}, SCHEMA)


def test_the_same_report_gives_the_same_text(report):
    assert to_json(report) == to_json(report)
    assert picture(report) == picture(report)


def test_the_picture_is_svg_with_every_number_of_the_matrix(report):
    tree = ET.fromstring(picture(report))
    texts = [one.text or "" for one in tree.iter() if one.get("class") in {"count", "soft"}]

    assert [int(one) for one in texts if one.isdigit()] == [6, 1, 0, 1, 14, 1, 0, 4, 17, 5, 5, 1, 1, 11, 3, 0, 6, 12]
    assert "prefers-color-scheme: dark" in picture(report)


def test_bars_are_as_long_as_their_figures(report):
    drawn = re.findall(r'<rect class="recall" x="502" y="\d+" width="([\d.]+)"', picture(report))
    recalls = [score.recall for half in report.halves for score in report.triage.of(half).confusion.scores]

    assert [float(one) / 176 for one in drawn] == [pytest.approx(one, abs=1e-3) for one in recalls]


def test_the_picture_stays_whole_with_failures_and_hostile_names():
    text = picture(with_one(found="failed", half='<script>&"'))

    ET.fromstring(text)
    assert "<script>" not in text


def test_the_tables_say_what_was_measured(report, console):
    show(console, report)

    said = console.file.getvalue()
    assert "development half: 37 of 44 right = 84% (95 %: 71% to 92%)" in said
    assert "held-back half: 28 of 44 right = 64% (95 %: 49% to 76%)" in said


def test_reasons_are_shown_for_the_development_half_only(console):
    show(console, with_one(half="dev"))
    show(console, with_one(half="held_back", reasons=("it snows",)))

    assert "it rains" in console.file.getvalue()
    assert "it snows" not in console.file.getvalue()


def test_control_characters_of_a_mail_do_not_reach_the_terminal(console):
    show(console, with_one(reasons=("\x1b[31mred [bold]\u202e",)))

    assert "\N{REPLACEMENT CHARACTER}[31mred [bold]\N{REPLACEMENT CHARACTER}" in console.file.getvalue()
    assert "\x1b" not in console.file.getvalue()


def test_the_command_writes_what_it_is_asked_for(console, rules, tmp_path):
    code = run(options("--half", "dev", "--json", str(tmp_path / "r.json"), "--svg", str(tmp_path / "r.svg")), rules, console)

    assert code == 0
    assert list(json.loads((tmp_path / "r.json").read_text("utf-8"))["triage"]) == ["dev"]
    assert ET.parse(tmp_path / "r.svg").getroot().tag.endswith("svg")


def test_the_command_fails_below_the_demanded_share(console, rules):
    assert run(options("--half", "dev", "--at-least", "0.8"), rules, console) == 0
    assert run(options("--half", "dev", "--at-least", "0.95"), rules, console) == 1
    assert "84% sorted right, 95% demanded" in console.file.getvalue()


def test_the_command_fails_when_a_promise_is_broken(console):
    class Hasty(Scripted):
        def run(self, case):
            self.stops = [Progress((Proposed("w", "write_email", {}), Sent("w", letter()), Returned("w")))]
            return super().run(case)

    assert run(options("--half", "dev"), Hasty([]), console) == 1
    assert "BROKEN: 01-firmware-question, no effect before approval: sent for call 'w'" in console.file.getvalue()


def test_a_place_that_cannot_be_written_is_told(console, rules, tmp_path):
    assert run(options("--half", "dev", "--json", str(tmp_path / "none" / "r.json")), rules, console) == 2
    assert "cannot be written" in console.file.getvalue()


def test_a_judge_that_is_not_there_is_told_before_anything_is_measured(console, rules):
    assert run(options("--judge"), rules, console) == 2
    assert console.file.getvalue().startswith("evaluate: There is no judge.")


def test_a_judge_is_asked_only_when_it_is_wished_for(console):
    judge = Noted()

    class Busy(Scripted):
        def run(self, case):
            self.stops = list(STOPS)
            return super().run(case)

    run(options("--half", "dev"), Busy([]), console, judge)
    before = len(judge.asked)
    run(options("--half", "dev", "--judge"), Busy([]), console, judge)

    assert (before, len(judge.asked) > 0) == (0, True)


@pytest.mark.parametrize("arguments", [("--half", "test"), ("--at-least", "90"), ("--at-least", "most")])
def test_options_that_make_no_sense_are_refused(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        options(*arguments)

    assert stop.value.code == 2


def test_the_command_can_be_run():
    done = subprocess.run(
        [sys.executable, "-m", "examples.email_assistant", "evaluate", "--half", "dev"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "Evaluation of rules-v1 (no AI)" in done.stdout
