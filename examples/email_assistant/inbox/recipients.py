"""Who would get something that was not part of the conversation before."""

from __future__ import annotations

from email.utils import getaddresses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from examples.email_assistant.inbox.port import Arguments, Original, Value

ADDRESS_ARGUMENTS = ("to", "cc", "bcc", "attendees")


def strangers(args: Arguments, mail: Original) -> tuple[str, ...]:
    """Return the addresses among arguments that neither wrote nor got a mail, in the order they are named."""
    present = {address.lower() for one in (mail.sender, *mail.to, *mail.cc) for address in _addresses(one)}
    written = [address for name in ADDRESS_ARGUMENTS for one in _entries(args.get(name, "")) for address in _addresses(one)]
    return tuple(dict.fromkeys(address for address in written if address.lower() not in present))


def _entries(value: Value) -> list[str]:
    return value if isinstance(value, list) else [str(value)]


def _addresses(text: str) -> list[str]:
    """Return the addresses in a header; the whole text when none can be made out, so that it is never taken for nothing."""
    found = [address for _, address in getaddresses([text]) if address]
    return found or [text.strip()] * bool(text.strip())
