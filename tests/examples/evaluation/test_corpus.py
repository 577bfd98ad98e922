"""The labelled mails that come with the example, and how a corpus is read."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from examples.email_assistant.evaluation import corpus as front
from examples.email_assistant.evaluation import load, shipped
from examples.email_assistant.evaluation.case import LABELS
from examples.email_assistant.evaluation.corpus import HALVES, HERE
from examples.email_assistant.evaluation.desk import toolbox
from examples.email_assistant.evaluation.errors import CorpusError
from tests.examples.conftest import NOW

HEAD = 'now = 2026-03-12T09:00:00+01:00\nowner = "me@example.org"\n'
ENTRY = '[mail.one]\nlabel = "notify"\nwhy = "news"\nlanguage = "en"\nkinds = ["news"]\n'
RESERVED = re.compile(r"@(?:[\w-]+\.)*example\.(?:org|com|net)\b")


@pytest.fixture
def box(tmp_path):
    """Return a function that makes a corpus of one mail and of the given labels."""

    def make(labels: str) -> Path:
        (tmp_path / "one.eml").write_text("From: ada@example.com\nSubject: News\n\nIt rains.\n")
        (tmp_path / "labels.toml").write_text(labels)
        return tmp_path

    return make


def test_both_halves_have_enough_of_every_label(corpus):
    counted = Counter((case.half, case.label) for case in corpus)

    assert {half: sum(counted[half, label] for label in LABELS) for half in HALVES} == {"dev": 44, "held_back": 44}
    assert min(counted[half, label] for half in HALVES for label in LABELS) >= 7


def test_both_halves_have_attacks_and_other_languages(corpus):
    for half in HALVES:
        cases = [case for case in corpus if case.half == half]

        assert sum("injection" in case.kinds for case in cases) >= 5
        assert len({case.language for case in cases}) >= 6
        assert {"thread", "cc", "html", "newsletter", "bounce", "invitation", "duplicate", "receipt", "deadline", "security"} <= {
            kind for case in cases for kind in case.kinds
        }


def test_every_mail_to_be_answered_expects_something_of_a_run(corpus):
    assert [case.id for case in corpus if case.label == "respond" and not (case.expected and case.expected.sends)] == []


def test_every_attack_names_what_must_not_happen(corpus):
    assert [case.id for case in corpus if "injection" in case.kinds and not (case.expected and case.expected.never)] == []


def test_what_must_not_happen_is_what_the_attack_asks_for(corpus):
    for case in corpus:
        if case.half == "held_back" and case.expected:
            source = f"{case.mail.text}\n{case.mail.hidden}\n{[str(one) for one in (*case.mail.to, *case.mail.cc)]}".casefold()
            # The words of her own calendar are no words of the mail.
            known = [one for one in case.expected.never if one not in {"Supplier day", "Dentist"}]

            assert [one for one in known if one.casefold() not in " ".join(source.split())] == [], case.id


def test_expected_tools_and_arguments_exist(corpus, tmp_path):
    tools = toolbox(tmp_path, lambda: NOW).node().tools_by_name
    for case in corpus:
        wanted = case.expected
        if wanted:
            assert {*wanted.tools, *wanted.unwanted} <= tools.keys(), case.id
            assert [wish for wish in wanted.arguments if wish.name not in tools[wish.tool].parameters["properties"]] == [], case.id


def test_answers_are_expected_to_go_to_those_who_wrote(corpus):
    for case in corpus:
        if case.expected and case.expected.sends:
            circle = {case.mail.reply_to.address, *case.mail.participants}

            assert case.mail.reply_to.address in case.expected.draft.to, case.id
            assert {*case.expected.draft.to, *case.expected.draft.cc} <= circle, case.id


def test_all_addresses_are_made_up(corpus):
    for case in corpus:
        text = case.mail.text + case.mail.hidden + " ".join(case.mail.participants)

        assert [found for found in re.findall(r"@[\w.-]+\w", text) if "." in found and not RESERVED.fullmatch(found)] == [], case.id


def test_held_back_mail_is_no_copy_of_dev_mail(corpus):
    texts = {half: {case.mail.fresh for case in corpus if case.half == half} for half in HALVES}

    assert texts["dev"] & texts["held_back"] == set()


def test_ids_are_unique(corpus):
    assert len({case.id for case in corpus}) == len(corpus)


def test_no_mail_is_damaged_unless_it_is_meant_to_be(corpus):
    assert [case.id for case in corpus if case.mail.damage and "damaged" not in case.kinds] == []


def test_one_half_can_be_had_alone():
    assert {case.half for case in shipped("dev")} == {"dev"}


def test_the_halves_are_the_folders():
    assert sorted(path.name for path in HERE.iterdir()) == sorted(HALVES)
    assert front.HALVES == HALVES


def test_a_corpus_of_your_own_is_named_after_its_folder(box):
    folder = box(HEAD + ENTRY)

    (case,) = load(folder)

    assert (case.id, case.half, case.label, case.expected, case.owner) == ("one", folder.name, "notify", None, "me@example.org")


def test_a_mail_without_a_label_is_told(box):
    with pytest.raises(CorpusError, match="no label for one"):
        load(box(HEAD))


@pytest.mark.parametrize(
    "labels, complaint",
    [
        ("now = ", "cannot be read"),
        (ENTRY, "'now' has to be a time with its zone"),
        (HEAD.replace("+01:00", "") + ENTRY, "'now' has to be a time with its zone"),
        (HEAD + ENTRY.replace("mail.one", "mail.two"), "there is no file two.eml"),
        (HEAD + ENTRY.replace('"notify"', '"later"'), "'label' has to be one of ignore, notify, respond"),
        (HEAD + ENTRY.replace('why = "news"', "why = 1"), "'why' has to be a text"),
        (HEAD + ENTRY.replace('["news"]', "[1]"), "'kinds' has to be a list of texts"),
        (HEAD + ENTRY + "colour = 1", "mail, one: unknown colour"),
        (HEAD + ENTRY + 'order = "wild"', "'order' has to be one of exact, subsequence, any"),
        (HEAD + ENTRY + 'arguments = [{ tool = "write_email", name = "to" }]', "arguments 1: it needs either 'is'"),
        (HEAD + ENTRY + 'arguments = [{ tool = "a", name = "b", is = 1, contains = "c" }]', "it needs either 'is'"),
        (HEAD + ENTRY + "arguments = [1]", "'arguments' has to be a list of tables"),
        (HEAD + ENTRY + 'draft = "none"', "'draft' has to be a table"),
        (HEAD + ENTRY + 'draft = { days = ["Friday"] }', "'days' has to be a list of dates"),
        (HEAD + ENTRY + 'draft = { mentions = "x" }', "'mentions' has to be a list of lists of texts"),
    ],
)
def test_labels_that_do_not_fit_are_told_with_their_place(box, labels, complaint):
    with pytest.raises(CorpusError, match=re.escape(complaint)):
        load(box(labels))


def test_a_file_that_is_no_mail_is_told(box):
    folder = box(HEAD + ENTRY)
    (folder / "one.eml").write_text("\nno sender")

    with pytest.raises(CorpusError, match="has no sender"):
        load(folder)
