"""The editor of the person at the terminal."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from examples.email_assistant.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable

    Editor = Callable[[str], str]
    """Takes text, returns it as a person left it. Raises OptionError when there is no editor or it fails."""

USUAL = ("sensible-editor", "nano", "vi")
NAME_ONE = "Set EDITOR to the editor you like, as in EDITOR=nano; or use the form."


def edit(text: str) -> str:
    """Let ``$VISUAL``, ``$EDITOR`` or a usual editor change a text. The terminal must be free.

    Raises:
        OptionError: There is none, it failed, or it left something that is no text.
    """
    command = _command()
    with TemporaryDirectory(prefix="inbox-") as folder:
        path = Path(folder) / "answer.txt"
        path.write_text(text, encoding="utf-8")
        try:
            # The command is the user's own choice; it is run without a shell.
            finished = subprocess.run([*command, str(path)], check=False)  # noqa: S603
            changed = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise OptionError(f"The editor {command[0]!r} cannot be used: {error}.", hint=NAME_ONE) from error
    if finished.returncode != 0:
        raise OptionError(f"The editor {command[0]!r} ended with code {finished.returncode}; nothing was taken over.", hint=NAME_ONE)
    return changed


def _command() -> list[str]:
    chosen = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""
    try:
        named = shlex.split(chosen)
    except ValueError as error:
        raise OptionError(f"EDITOR {chosen!r} cannot be read: {error}.", hint=NAME_ONE) from error
    found = named or next(([name] for name in USUAL if shutil.which(name)), [])
    if not found:
        raise OptionError("There is no editor.", hint=NAME_ONE)
    return found
