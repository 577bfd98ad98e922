"""Which tool calls a person reviews, and what that person may answer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args

from graphkit.errors import InvalidConfigError, UnknownToolError, nearest

if TYPE_CHECKING:
    from datetime import timedelta

    from graphkit.messages import ToolCall

AnswerType = Literal["accept", "edit", "ignore", "response"]
"""Run the call; run it with other arguments; do not run it and end; do not run it, say something and go on."""

Allowed: TypeAlias = frozenset[AnswerType]
OnIgnore = Literal["call", "all"]

ANSWERS: Final[Allowed] = frozenset(get_args(AnswerType))
RUNS: Final[Allowed] = frozenset({"accept", "edit"})

Allow: TypeAlias = "Collection[AnswerType] | Literal[True] | Callable[[ToolCall, Any], Collection[AnswerType] | Literal[True]]"
Describe: TypeAlias = "Callable[[ToolCall, Any], str]"
Warn: TypeAlias = "Callable[[ToolCall, Any], Collection[str]]"
Check: TypeAlias = "Callable[[ToolCall, Any], str | None]"


@dataclass(frozen=True, slots=True)
class Review:
    """How calls of one tool are reviewed.

    The functions get the call and the state. What they return becomes part of the question, so it must depend on
    nothing else: a question that changes while it waits is refused with InterruptMismatchError.

    Args:
        allow: The answers that are taken, or True for all four, or a function that decides for each call.
        describe: Makes the text that is shown, Markdown by convention; by default the arguments, one by one.
        warn: Lines to show above that text, such as recipients nobody has written to before.
        check: Says what is wrong with an edited call, None if nothing is. It sees the call as edited. The person is
            then asked again, with that sentence in the description.
        deadline: How long after it was asked the question expires. It is stored with the question; nothing fires.
    """

    allow: Allow = True
    describe: Describe | None = None
    warn: Warn | None = None
    check: Check | None = None
    deadline: timedelta | None = None

    def __post_init__(self) -> None:
        if not callable(self.allow):
            allowed_from(self.allow, "this tool")

    def allowed(self, call: ToolCall, state: object) -> Allowed:
        """Return the answers that are taken for a call."""
        return allowed_from(self.allow(call, state) if callable(self.allow) else self.allow, call["name"])


ReviewLike: TypeAlias = "Review | Collection[AnswerType] | Literal[True]"


@dataclass(frozen=True, slots=True)
class Reviews:
    """Which tools are reviewed and how; calls of any other tool run at once.

    Args:
        tools: Tool name -> answers that are taken, True for all four, or a Review.
        describe: Makes the text that is shown for tools whose Review has none.
        on_ignore: When a person ignores one of several calls: "call" asks on about the others, "all" cancels those that
            have no answer yet. What was approved runs in both cases, and then the run ends.
        max_redrafts: How often a person may send the calls of a tool back since the last human message; after that
            "response" is no answer any more. It does not count for a tool that only takes "response" and "ignore".

    Raises:
        InvalidConfigError: An answer or an option does not exist, or a tool takes no answer at all.
    """

    tools: Mapping[str, Review]
    describe: Describe | None = None
    on_ignore: OnIgnore = field(default="call", kw_only=True)
    max_redrafts: int = field(default=3, kw_only=True)

    def __init__(
        self,
        tools: Mapping[str, ReviewLike],
        describe: Describe | None = None,
        *,
        on_ignore: OnIgnore = "call",
        max_redrafts: int = 3,
    ) -> None:
        if not isinstance(tools, Mapping):
            raise InvalidConfigError(f"{tools!r:.100} says of no tool how it is reviewed.", hint='Pass {"tool name": True} or the like.')
        if on_ignore not in get_args(OnIgnore):
            raise InvalidConfigError(f"on_ignore={on_ignore!r} does not exist.", hint="Use 'call' or 'all'.")
        if max_redrafts < 0:
            raise InvalidConfigError(f"max_redrafts={max_redrafts!r} is no number of times.")
        object.__setattr__(self, "tools", {name: _review(name, like) for name, like in tools.items()})
        object.__setattr__(self, "describe", describe)
        object.__setattr__(self, "on_ignore", on_ignore)
        object.__setattr__(self, "max_redrafts", max_redrafts)

    @classmethod
    def of(cls, given: Mapping[str, ReviewLike] | Reviews) -> Reviews:
        """Read what somebody passed."""
        return given if isinstance(given, Reviews) else cls(given)

    def require_known(self, names: Collection[str]) -> None:
        """Check that each reviewed tool exists: behind a misspelt name a tool would run without review.

        Raises:
            UnknownToolError: One does not.
        """
        for name in self.tools:
            if name not in names:
                raise UnknownToolError(f"{name!r} is to be reviewed, but there is no such tool.", hint=nearest(name, names), tool=name)


def allowed_from(given: object, owner: str) -> Allowed:
    """Read a collection of answers.

    Raises:
        InvalidConfigError: It is empty, or an answer does not exist.
    """
    if given is True:
        return ANSWERS
    names = list(given) if isinstance(given, Collection) and not isinstance(given, str | Mapping) else None
    if not names:
        raise InvalidConfigError(
            f"{given!r} are no answers for a review of {owner}.",
            hint=f"Name some of {', '.join(get_args(AnswerType))}, or pass True for all. Leave out a tool that runs without review.",
        )
    for name in names:
        if name not in ANSWERS:
            raise InvalidConfigError(f"{name!r} is no answer for a review of {owner}.", hint=nearest(name, ANSWERS))
    return frozenset(names)


def _review(name: str, like: object) -> Review:
    if isinstance(like, Review):
        return like
    return Review(allow=allowed_from(like, repr(name)))
