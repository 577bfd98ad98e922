"""A model whose answers are values: what it says is checked against a form."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphkit.errors import ModelError, ModelRefusalError, ModelResponseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphkit.messages import AIMessage, MessageLike
    from graphkit.models.form import Form
    from graphkit.models.model import ChatModel

FENCE = "```"


@dataclass(frozen=True, slots=True)
class StructuredModel:
    """What ``ChatModel.with_structured_output`` returns.

    Args:
        model: The model, told about the form.
        form: The form.
        include_raw: Whether to return the message, too.
    """

    model: ChatModel
    form: Form
    include_raw: bool = False

    @property
    def name(self) -> str:
        """Provider and model."""
        return self.model.name

    def invoke(self, messages: MessageLike | Sequence[MessageLike], config: object = None, **settings: Any) -> Any:  # noqa: ANN401, ARG002
        """Return the answer as a value of the form; arguments as for ``ChatModel.generate``.

        Raises:
            ModelResponseError: The answer does not fit, or breaks off; the message says where.
            ModelRefusalError: The model declined.
            ModelError: And whatever else ``ChatModel.generate`` raises.
        """
        return self._result(self.model.generate(messages, **settings))

    async def ainvoke(self, messages: MessageLike | Sequence[MessageLike], config: object = None, **settings: Any) -> Any:  # noqa: ANN401, ARG002
        """As ``invoke``."""
        return self._result(await self.model.agenerate(messages, **settings))

    def _result(self, message: AIMessage) -> Any:  # noqa: ANN401 - of the form, or with the raw message
        if not self.include_raw:
            return self._value(message)
        try:
            return {"raw": message, "parsed": self._value(message), "parsing_error": None}
        except ModelError as error:
            return {"raw": message, "parsed": None, "parsing_error": error}

    def _value(self, message: AIMessage) -> Any:  # noqa: ANN401 - of the form
        output = self.form.output.name
        if message.stop_reason == "refusal":
            raise ModelRefusalError(f"{self.name} declined to answer: {message.text[:500]}", model=self.name)
        if message.stop_reason == "max_tokens":
            raise ModelResponseError(
                f"{self.name} ran out of tokens before the {output} was complete.", hint="Allow more: max_tokens=...", model=self.name
            )
        text = _json_of(message, output)
        if not text:
            raise ModelResponseError(
                f"{self.name} answered without a {output}.",
                hint="Try again, or another method= of with_structured_output().",
                model=self.name,
            )
        try:
            return self.form.read(text)
        except ValueError as error:
            raise ModelResponseError(
                f"What {self.name} answered is no {output}: {error}", hint="Try again; a retry policy on the node does so.", model=self.name
            ) from error


def _json_of(message: AIMessage, name: str) -> str:
    for call in message.tool_calls:
        if call["name"] == name:
            return json.dumps(call["args"])
    for broken in message.invalid_tool_calls:
        if broken["name"] == name:
            return broken["args"]
    text = message.text.strip()
    if text.startswith(FENCE) and text.endswith(FENCE) and "\n" in text:
        # Models without a guarded form like to wrap JSON as they would in a chat.
        return text[text.index("\n") : -len(FENCE)].strip()
    return text
