"""The editor of the person: chosen, run without a shell, its failures told."""

from __future__ import annotations

import pytest

from examples.email_assistant.errors import OptionError
from examples.email_assistant.inbox.editor import edit


@pytest.fixture
def chosen(monkeypatch):
    """Return a function that chooses an editor; nothing else is on the PATH of the environment."""

    def choose(**names: str) -> None:
        for name in ("VISUAL", "EDITOR"):
            monkeypatch.delenv(name, raising=False)
        for name, value in names.items():
            monkeypatch.setenv(name, value)

    return choose


def test_the_text_comes_back_as_the_editor_left_it(chosen):
    chosen(EDITOR="sed -i s/Tuesday/Grüße/")

    assert edit("free on Tuesday\n") == "free on Grüße\n"


def test_the_visual_editor_comes_first(chosen):
    chosen(VISUAL="sed -i s/a/b/", EDITOR="false")

    assert edit("a") == "b"


def test_nothing_of_the_text_or_the_editor_is_read_by_a_shell(chosen, tmp_path):
    chosen(EDITOR=f"sed -i -e s/a/b/ ; touch {tmp_path / 'made'}")

    with pytest.raises(OptionError):
        edit("a")

    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    "editor, problem",
    [("false", "ended with code 1"), ("no-such-editor", "cannot be used"), ("'unclosed", "cannot be read"), ("rm", "cannot be used")],
)
def test_an_editor_that_fails_is_told(chosen, editor, problem):
    chosen(EDITOR=editor)

    with pytest.raises(OptionError, match=problem) as caught:
        edit("a")

    assert caught.value.hint


def test_without_any_editor_the_person_is_told_to_choose_one(chosen, monkeypatch, tmp_path):
    chosen()
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(OptionError, match="There is no editor"):
        edit("a")
