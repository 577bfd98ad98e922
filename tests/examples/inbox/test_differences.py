"""The difference an edit makes, and the forms arguments are edited in."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.email_assistant.errors import InvalidReplyError
from examples.email_assistant.inbox import forms
from examples.email_assistant.inbox.difference import changes, compared
from examples.email_assistant.inbox.port import Arguments

TEXTS = st.text(max_size=40)
ARGUMENTS = st.dictionaries(
    st.sampled_from(["to", "cc", "subject", "attendees", "duration_minutes"]),
    st.one_of(TEXTS, st.integers(0, 999), st.lists(TEXTS, max_size=3)),
    max_size=5,
).flatmap(lambda args: st.one_of(st.just(args), TEXTS.map(lambda content: {**args, "content": content})))


def signed(before: str, after: str) -> list[str]:
    return [f"{line.sign}{line.text}" for line in compared(before, after)]


def test_a_changed_line_shows_both_sides_and_marks_the_changed_words():
    gone, come = compared("the rig is free on Tuesday at ten", "the rig is free on Wednesday at ten")

    assert (gone.sign, gone.text) == ("-", "the rig is free on Tuesday at ten")
    assert [piece.text for piece in gone.pieces if piece.is_changed] == ["Tuesday"]
    assert [piece.text for piece in come.pieces if piece.is_changed] == ["Wednesday"]


def test_added_and_removed_lines_carry_their_sign():
    assert signed("a\nb\nc", "a\nc\nd") == [" a", "-b", " c", "+d"]


def test_long_unchanged_parts_are_left_out_with_their_count():
    before = "\n".join(str(number) for number in range(20))

    assert signed(before, before + "\nnew") == ["…18 lines unchanged", " 18", " 19", "+new"]


def test_lines_with_nothing_in_common_are_not_compared_word_by_word():
    gone, come = compared("one two three", "1 / 2 / 3 / 4")

    assert [piece.is_changed for piece in (*gone.pieces, *come.pieces)] == [True, True]


@given(TEXTS, TEXTS)
def test_a_difference_holds_all_of_both_sides(before, after):
    lines = compared(before, after)
    left_out = sum(int(line.text.split()[0]) for line in lines if line.sign == "…")

    assert sum(line.sign in " -" for line in lines) + left_out == len(before.split("\n"))
    assert sum(line.sign in " +" for line in lines) + left_out == len(after.split("\n"))


def test_only_changed_arguments_are_named_and_lists_are_compared_as_text():
    found = changes({"to": "a", "attendees": ["x"], "minutes": 30}, {"to": "a", "attendees": ["x", "y"], "minutes": 45, "cc": "z"})

    assert [change.name for change in found] == ["attendees", "minutes", "cc"]
    assert [line.text for line in found[0].lines] == ["x", "x, y"]


@given(ARGUMENTS)
def test_arguments_come_back_from_the_editor_as_they_went(args):
    assert forms.read(forms.written(args), args) == args


@given(ARGUMENTS)
def test_arguments_come_back_when_the_editor_changes_line_ends_to_its_own(args):
    assert forms.read(forms.written(args).replace("\n", "\r\n"), args) == args


def test_the_text_form_is_a_header_for_each_argument_and_the_content_below():
    args: Arguments = {"to": "ada@example.com", "content": "Hello\n\nAda", "subject": "Re: rig"}

    assert forms.written(args) == "to: ada@example.com\nsubject: Re: rig\n\nHello\n\nAda\n"


def test_hostile_text_goes_to_the_editor_as_json_escapes():
    text = forms.written({"to": "a@example.com", "content": "\x1b[2J\u202e"})

    assert text.isascii()
    assert "\x1b" not in text


def test_edited_fields_keep_the_type_of_what_they_were():
    args: Arguments = {"attendees": ["a@example.com"], "minutes": 30, "day": "2026-03-12"}

    assert forms.read("attendees: a@example.com, b@example.com\nminutes: 45\nday: 12\n", args) == {
        "attendees": ["a@example.com", "b@example.com"],
        "minutes": 45,
        "day": "12",
    }


@pytest.mark.parametrize(
    "text, problem",
    [
        ("to a@example.com\n", "'to a@example.com' is no argument"),
        ("to: a\nto: b\n", "stands there twice"),
        ("{broken", "This is no JSON"),
        ("{}[]", "This is no JSON"),
        ('{"to": null}', "to cannot be None"),
        ('{"to": true}', "to cannot be True"),
        ('{"to": {"a": 1}}', "to cannot be"),
    ],
)
def test_what_is_in_neither_form_is_told(text, problem):
    with pytest.raises(InvalidReplyError, match=re.escape(problem)):
        forms.read(text, {"to": "a"})


def test_a_field_that_shows_hidden_characters_gives_them_back_unless_it_is_changed():
    assert forms.field_value("a⟨U+200B⟩b", "a\u200bb") == "a\u200bb"
    assert forms.field_value("ab", "a\u200bb") == "ab"
