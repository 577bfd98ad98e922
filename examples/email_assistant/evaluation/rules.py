"""The sorting of the built-in rules as a subject of an evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from examples.email_assistant.rules.reading import read
from examples.email_assistant.rules.triage import Triage, triage

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from examples.email_assistant.mail.message import Address, Mail


@dataclass(frozen=True, slots=True)
class RuleSorter:
    """Sorts as the built-in rules do, without the graph around them.

    Args:
        owner: Whose mailbox it is.
        zone: The owner's time zone.
    """

    owner: Address
    zone: ZoneInfo

    @property
    def name(self) -> str:
        """The name of the rules."""
        return "rules-v1 (no AI)"

    def triage(self, mail: Mail, now: datetime) -> Triage:
        """Sort one mail."""
        return triage(mail, read(mail, (mail.date or now).astimezone(self.zone).date()), self.owner)
