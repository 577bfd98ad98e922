"""Which errors a model is told about, and in which words."""

from __future__ import annotations

import pytest

from graphkit.errors import InvalidConfigError, ToolInvocationError, UnknownToolError
from graphkit.tools.policy import correctable_error, error_words, read_policy


def of_values(error: ValueError | KeyError) -> str:
    return f"about {error}"


def of_all(error):
    return "all"


def of_nothing() -> str:
    return "nothing"


def of_text(error: str) -> str:
    return error


def unresolved(error: Missing) -> str:  # type: ignore[name-defined]  # noqa: F821 - what it is about
    return "?"


class Handler:
    def only_values(self, error: ValueError) -> str:
        return "value"


@pytest.mark.parametrize(
    "given, told, not_told",
    [
        (correctable_error, [ToolInvocationError("x")], [ValueError(), UnknownToolError("x")]),
        (True, [ValueError(), ToolInvocationError("x")], [KeyboardInterrupt()]),
        (False, [], [ValueError(), ToolInvocationError("x")]),
        ("words", [ValueError(), OSError()], [SystemExit()]),
        (ValueError, [ValueError(), UnicodeError()], [KeyError()]),
        ((ValueError, KeyError), [ValueError(), KeyError()], [OSError()]),
        ((), [], [ValueError()]),
        (of_values, [ValueError(), KeyError()], [OSError()]),
        (of_all, [ValueError(), OSError()], [KeyboardInterrupt()]),
        (of_nothing, [OSError()], []),
        (unresolved, [OSError()], []),
        (Handler().only_values, [ValueError()], [OSError()]),
    ],
)
def test_the_form_says_which_errors_are_told(given, told, not_told):
    policy = read_policy(given)

    assert [policy.covers(error) for error in told] == [True] * len(told)
    assert [policy.covers(error) for error in not_told] == [False] * len(not_told)


@pytest.mark.parametrize("given", [None, 3, int, KeyboardInterrupt, (ValueError, 3), (ValueError, BaseException), of_text, ["a"]])
def test_other_forms_are_refused(given):
    with pytest.raises(InvalidConfigError):
        read_policy(given)


def test_the_words_say_what_happened_without_the_code():
    assert error_words(ValueError("no")) == "Error: ValueError: no"
    assert error_words(UnknownToolError("No x.", hint="Try y.")) == "Error: No x. Try y."
    assert correctable_error(ToolInvocationError("a: is required")).startswith("Error: a: is required")
    assert read_policy("words").words(ValueError()) == "words"
    assert read_policy(of_values).words(ValueError("x")) == "about x"
