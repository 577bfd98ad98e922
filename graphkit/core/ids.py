"""Names derived from other names; nothing here is random and nothing reads a clock."""

from __future__ import annotations

ROOT_NAMESPACE = ""
LEVEL = "|"
"""Separates the levels of a namespace: ``parent:task|child:task``."""


HEX = frozenset("0123456789abcdef")


def derive(*parts: object) -> str:
    """Return 32 hexadecimal digits that depend on every part and on their borders."""
    from hashlib import blake2b  # noqa: PLC0415 - loads OpenSSL, which importing graphkit should not

    text = "\x1f".join([str(part) for part in parts])
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def checkpoint_id(n: int, token: str) -> str:
    """Return the id of the ``n``-th checkpoint of a namespace; ``token`` is the run's, so ids never repeat."""
    return f"{n:08x}-{token}"


def position(checkpoint_id: str) -> int | None:
    """Return the ``n`` inside a checkpoint id, or None if the text is no checkpoint id."""
    head, _, token = checkpoint_id.partition("-")
    return int(head, 16) if len(head) == 8 and token and not set(head) - HEX else None


def looks_like_interrupt_id(text: object) -> bool:
    """Tell whether ``text`` has the form of an interrupt id: 32 lower-case hexadecimal digits."""
    return isinstance(text, str) and len(text) == 32 and not set(text) - HEX


def child_namespace(parent: str, node: str, task_id: str | None, call: int) -> str:
    """Return the namespace of a subgraph called in a task.

    Args:
        parent: Namespace of the calling graph, ``""`` at the root.
        node: Name of the calling node.
        task_id: The calling task for a subgraph that starts afresh with each call, None for one that keeps its state.
        call: 0 for the task's first subgraph call, then 1, 2, ...; from 1 on it is part of the namespace.
    """
    own = node if task_id is None else f"{node}:{task_id}"
    levels = [parent, own] if parent else [own]
    if call:
        levels.append(str(call))
    return LEVEL.join(levels)


def within(namespace: str, ancestor: str) -> bool:
    """Tell whether ``namespace`` is ``ancestor`` or a subgraph of it."""
    return not ancestor or namespace == ancestor or namespace.startswith(ancestor + LEVEL)
