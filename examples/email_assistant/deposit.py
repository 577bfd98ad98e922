"""Files that are written once and never again. Only this file writes what the assistant hands to the outside world.

A file appears complete under its final name or not at all: it is written and synced under another name, then linked. The link fails
when the name exists, so a second writer with the same name (after a crash, or in another process) changes nothing.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from uuid import uuid4

from examples.email_assistant.errors import OutboxError

if TYPE_CHECKING:
    from pathlib import Path


def deposit(path: Path, content: bytes, *, staging: Path) -> Path:
    """Write a file unless it is there already, and return its path.

    Args:
        path: The final name. A file of this name is left as it is.
        content: All bytes of the file.
        staging: A folder on the same file system for the unfinished file.

    Raises:
        OutboxError: The disk is full, read-only, or cannot link files.
    """
    try:
        if not path.exists():
            _write_and_link(path, content, staging)
    except OSError as error:
        raise OutboxError(
            f"{path} cannot be written: {error.strerror}.", hint="Nothing was handed out; make room or give another --data DIR."
        ) from error
    return path


def folder(path: Path) -> Path:
    """Return the folder, made with its parents if need be.

    Raises:
        OutboxError: It cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutboxError(f"The folder {path} cannot be made: {error.strerror}.", hint="Give another place with --data DIR.") from error
    return path


def _write_and_link(path: Path, content: bytes, staging: Path) -> None:
    unfinished = staging / f"{path.name}.{uuid4().hex}"
    try:
        with unfinished.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(unfinished, path)
        except FileExistsError:
            return
        _sync_folder(path.parent)
    finally:
        unfinished.unlink(missing_ok=True)


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
