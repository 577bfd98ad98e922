"""A mail whose every part attacks the screen."""

from __future__ import annotations

import pytest
from textual.events import Paste
from textual.widgets import Input, TextArea

from examples.email_assistant.inbox.port import Original, Refused, Said
from tests.examples.inbox.conftest import ARGS, NOW, PaperDesk, question

ATTACK = "[red]M[/red][@click=app.quit]x[/] \x1b[2J\x1b]0;t\x07\x9b31m \u202egpj.exe\u2066 \u200b\r \U000e0041 ❗日本 e\u0301 [bold"
HOSTILE = question(
    1,
    subject=ATTACK,
    sender=f'"{ATTACK}" <x@evil.example>',
    description=f"**From:** {ATTACK}\n\n> {ATTACK}\n\n**Note:** {ATTACK}",
    args={**ARGS, "to": f"{ATTACK} <x@evil.example>", "content": f"{ATTACK}\n{ATTACK}"},
    outsiders=(f"x@evil.example{ATTACK}",),
)
MAIL = Original(f"{ATTACK} <x@evil.example>", (ATTACK,), (ATTACK,), ATTACK, NOW, f"{ATTACK}\n" * 3, (ATTACK,))
OBEYED = set("\x1b\x07\x9b\r\u202e\u2066\u200b\U000e0041")


@pytest.fixture
def hostile_desk():
    refused = Refused("failed", ATTACK, ATTACK, is_pending=True)
    return PaperDesk([HOSTILE, question(2)], mail=MAIL, said=(Said(ATTACK, ATTACK),), model=ATTACK, results=[refused])


def segments(screen) -> str:
    """What would be written to the terminal, without the styles."""
    return "".join(segment.text for strip in screen.app.screen._compositor.render_strips() for segment in strip)


async def test_nothing_of_a_hostile_mail_reaches_the_terminal_as_a_command(sitting, hostile_desk):
    async with sitting(hostile_desk, size=(200, 100)) as screen:
        seen = [segments(screen)]
        for keys in (["e"], ["escape"], ["r"], ["escape"], ["a"], ["y"], ["q"], ["escape"], ["l"], ["escape"]):
            await screen.press(*keys)
            seen.append(segments(screen))
        await screen.pass_time(5)
        seen.append(segments(screen))
        await screen.press("l")
        seen.append(segments(screen))

    for written in seen:
        assert not OBEYED & set(written)
    assert "␛[2J" in seen[0]
    assert "[red]M[/red]" in seen[0]
    assert "⟨U+202E⟩" in seen[0]
    assert "So far" in seen[0]


async def test_the_difference_of_a_hostile_draft_is_inert_too(sitting, hostile_desk):
    hostile_desk.objection = lambda question, answer: None
    async with sitting(hostile_desk, size=(200, 50)) as screen:
        await screen.press("e")
        assert not OBEYED & set(segments(screen))
        body = screen.app.screen.query_one(TextArea)
        body.text += "\nmore"
        screen.app.screen.query(Input).last().value = "\x1b[2Jchanged"
        await screen.press("ctrl+s")
        written = segments(screen)

    assert "+ ␛[2Jchanged" in written
    assert not OBEYED & set(written)


async def test_rows_stay_aligned_around_wide_and_combining_characters(sitting):
    names = ["日本語の差出人さんです", "e\u0301le\u0301gant", "👩\u200d🔧 Mechanic", "Z\u0310\u0311\u0312\u0313\u0314\u0315algo", "plain"]
    desk = PaperDesk([question(place, sender=name, subject=name * 9) for place, name in enumerate(names)])
    async with sitting(desk, size=(100, 30)) as screen:
        strips = screen.app.screen._compositor.render_strips()

    assert {strip.cell_length for strip in strips} == {100}
    assert all("│" in strip.text for strip in strips[1:11])


async def test_what_is_pasted_becomes_visible_before_it_is_given(sitting):
    desk = PaperDesk([question(1)])
    async with sitting(desk, undo=0) as screen:
        await screen.press("r")
        screen.app.post_message(Paste("see \x1b[2J"))
        await screen.settle()
        assert not OBEYED & set(segments(screen))
        await screen.press("ctrl+s")

        assert desk.given[0][2]["args"] == "see ␛[2J"
