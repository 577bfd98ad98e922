"""Who takes part in a conversation, and who does not. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from examples.email_assistant.errors import ToolError
from examples.email_assistant.mail.letter import recipients

if TYPE_CHECKING:
    from collections.abc import Iterable

    from examples.email_assistant.mail.letter import Letter
    from examples.email_assistant.mail.message import Address, Mail


def outsiders(letter: Letter, mail: Mail) -> tuple[str, ...]:
    """Return the recipients of a letter who are not part of the mail it answers, each once, in lower case.

    A Reply-To that is not also the sender or a recipient is an outsider: it is where a forged mail collects its answers. A line that is
    no list of addresses counts as a whole: what cannot be read is not known to be safe.
    """
    return strangers([*_addresses(letter.to), *_addresses(letter.cc)], mail)


def strangers(addresses: Iterable[str], mail: Mail) -> tuple[str, ...]:
    """Return which plain addresses, such as the guests of a meeting, are not part of a mail; each once, in lower case."""
    known = mail.participants
    return tuple(dict.fromkeys(one for address in addresses if (one := address.strip().lower()) and one not in known))


def copied(mail: Mail, owner: Address) -> tuple[Address, ...]:
    """Return who else should get a reply: everybody in To and Cc but the owner and the person the reply goes to."""
    without = {owner.address.lower(), mail.sender.address, mail.reply_to.address}
    found = {one.address: one for one in reversed((*mail.to, *mail.cc)) if one.address not in without}
    return tuple(reversed(found.values()))


def _addresses(line: str) -> list[str]:
    if not line.strip():
        return []
    try:
        return [one.addr_spec for one in recipients(line)]
    except ToolError:
        return [line]
