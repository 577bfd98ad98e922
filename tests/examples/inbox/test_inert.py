"""Text of strangers on the screen: nothing in it is obeyed, nothing in it is hidden."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from examples.email_assistant.inbox.inert import fitted, inert, line


@pytest.mark.parametrize(
    "written, shown",
    [
        ("\x1b[31mred", "␛[31mred"),
        ("bell\x07", "bell␇"),
        ("delete\x7f", "delete␡"),
        ("c1 \x9b2J", "c1 ⟨U+009B⟩2J"),
        ("exe\u202egpj", "exe⟨U+202E⟩gpj"),
        ("\u2066isolated\u2069", "⟨U+2066⟩isolated⟨U+2069⟩"),
        ("zero\u200bwidth", "zero⟨U+200B⟩width"),
        ("ma\u200dra", "ma⟨U+200D⟩ra"),
        ("tag\U000e0041", "tag⟨U+E0041⟩"),
        ("filler\u3164", "filler⟨U+3164⟩"),
        ("line\u2028break", "line⟨U+2028⟩break"),
        ("over\rwritten", "over␍written"),
        ("surrogate\ud800", "surrogate⟨U+D800⟩"),
        ("a" + "\u0301" * 30, "a" + "\u0301" * 4 + "⟨+26 marks⟩"),
    ],
)
def test_what_a_terminal_would_obey_or_hide_becomes_visible(written, shown):
    assert inert(written) == shown


@pytest.mark.parametrize(
    "text",
    ["two\nlines", "Grüße", "日本語", "e\u0301", "👩\u200d🔧", "می\u200cخواهم", "हिन्दी", "[red]markup[/red]", "❤\ufe0f", "ไม่ต้องกังวล"],
)
def test_ordinary_text_of_any_language_stays_as_it_is(text):
    assert inert(text) == text


def test_line_ends_and_tabs_become_plain_ones():
    assert inert("a\r\nb\tc") == "a\nb    c"


@given(st.text(alphabet=st.characters()))
def test_no_character_without_a_picture_is_left(text):
    left = {unicodedata.category(character) for character in inert(text) if character not in "\n\u200c\u200d"}

    assert not left & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@given(st.text(), st.integers(1, 60))
def test_a_fitted_line_fits_and_a_short_one_is_not_cut(text, width):
    shown = fitted(text, width)

    assert cell_len(shown) <= width
    assert "\n" not in shown
    if cell_len(line(text)) <= width:
        assert shown == line(text)


def test_a_line_of_wide_characters_is_cut_between_characters():
    assert fitted("日本語の件名", 7) == "日本語…"
    assert fitted("日本語の件名", 8) == "日本語…"
