"""The pictures of the documents, made from what they show: ``make pictures``, or ``python -m docs.pictures.make [FOLDER]``."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import TYPE_CHECKING

from examples.email_assistant.graph import build
from examples.email_assistant.inbox.picture import NOW, OWNER, ZONE, picture
from examples.email_assistant.mail.outbox import Outbox
from examples.email_assistant.meetings.agenda import Agenda
from examples.email_assistant.meetings.invitation import Invitations
from examples.email_assistant.rules.model import RuleModel
from examples.email_assistant.tools import Toolbox

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

HERE = Path(__file__).parent


def inbox(folder: Path) -> str:
    """Draw the terminal inbox after a small run over the demo mailbox."""
    return asyncio.run(picture(folder))


def email_assistant(folder: Path) -> str:
    """Draw the graph of the e-mail assistant."""
    meetings = folder / "meetings"
    toolbox = Toolbox(Outbox(folder / "outbox", OWNER), Invitations(meetings, OWNER), Agenda(None, meetings, ZONE), ZONE, _now)
    return build(RuleModel(OWNER, ZONE), toolbox).compile().get_graph().draw_svg()


def _now() -> datetime:
    return NOW


PICTURES: Mapping[str, Callable[[Path], str]] = MappingProxyType({"inbox.svg": inbox, "email-assistant.svg": email_assistant})
"""File name -> what draws it; it gets an empty folder to work in."""


def made(name: str) -> str:
    """Return a picture as it is made today."""
    with TemporaryDirectory() as folder:
        return PICTURES[name](Path(folder)).rstrip("\n") + "\n"


def main() -> None:
    """Write all pictures."""
    # A picture without colours would be what this variable asks for.
    os.environ.pop("NO_COLOR", None)
    folder = Path(sys.argv[1]) if sys.argv[1:] else HERE
    for name in PICTURES:
        (folder / name).write_text(made(name), encoding="utf-8")
        sys.stdout.write(f"{folder / name}\n")


if __name__ == "__main__":
    main()
