"""Which model works: rules without a key, a provider's model, or a server of one's own by its address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from examples.email_assistant.errors import OptionError
from examples.email_assistant.language import LanguageModel
from examples.email_assistant.rules.model import RuleModel
from graphkit.errors import GraphkitError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from zoneinfo import ZoneInfo

    from examples.email_assistant.mail.message import Address
    from examples.email_assistant.model import Model
    from graphkit.tools import Tool

RULES = "rules"
USUAL = {"ANTHROPIC_API_KEY": "anthropic:claude-sonnet-5", "OPENAI_API_KEY": "openai:gpt-5.4"}
"""Environment variable with a key -> the model that is taken when none is named."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A model, and what to tell about it: what it is, and how it was chosen."""

    model: Model
    note: str


def chosen(named: str | None, owner: Address, zone: ZoneInfo, tools: Sequence[Tool], environment: Mapping[str, str]) -> Choice:
    """Return the model of an option.

    Args:
        named: "rules", "provider:model", "URL#model" for a server that speaks OpenAI's Chat Completions, or None: the model of
            whatever key is in the environment, else the rules.
        owner: Whose mailbox it is.
        zone: The owner's time zone.
        tools: What the model may call.
        environment: Where keys are looked for.

    Raises:
        OptionError: There is no such model, or its key is missing.
    """
    if named is None:
        variable = next((variable for variable in USUAL if environment.get(variable, "").strip()), None)
        if variable is None:
            note = "patterns and templates; no key and no network is used. Set ANTHROPIC_API_KEY or OPENAI_API_KEY, or give --model."
            return Choice(RuleModel(owner, zone), note)
        return Choice(_language(USUAL[variable], owner, tools), f"chosen because {variable} is set; --model rules works without it.")
    if named == RULES:
        return Choice(RuleModel(owner, zone), "patterns and templates; no key and no network is used.")
    return Choice(_language(named, owner, tools), "as --model says; mail is sent to it.")


def _language(named: str, owner: Address, tools: Sequence[Tool]) -> LanguageModel:
    from graphkit.models import init_model  # noqa: PLC0415 - the rules need no SDK

    try:
        if named.startswith(("http://", "https://")):
            url, _, model = named.partition("#")
            return LanguageModel(init_model(f"openai-compatible:{model}", base_url=url), owner, tools)
        return LanguageModel(init_model(named), owner, tools)
    except GraphkitError as error:
        raise OptionError(f"--model {named}: {error.message}", hint=error.hint or "Give --model rules to work without one.") from error
