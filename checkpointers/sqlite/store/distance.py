"""The SQL function ``vec_distance_cosine``: that of sqlite-vec, or our own where Python cannot load extensions."""

from __future__ import annotations

import sqlite3

from graphkit.storage.store.vectors import distance

NAME = "vec_distance_cosine"


def add_distance(connection: sqlite3.Connection) -> None:
    """Give a connection the function. Both compare every vector and find the same; sqlite-vec is faster."""
    if not _load(connection):
        connection.create_function(NAME, 2, distance, deterministic=True)


def _load(connection: sqlite3.Connection) -> bool:
    # Some builds of Python are made without support for extensions: those of macOS, and of pyenv where it is not asked for.
    if not hasattr(connection, "enable_load_extension"):
        return False
    try:
        import sqlite_vec  # type: ignore[import-untyped,import-not-found,unused-ignore]  # noqa: PLC0415 - only rankings need it
    except ImportError:
        return False
    connection.enable_load_extension(True)  # noqa: FBT003 - sqlite3's signature
    try:
        sqlite_vec.load(connection)
    except sqlite3.OperationalError:
        return False
    finally:
        connection.enable_load_extension(False)  # noqa: FBT003 - as above
    return True
