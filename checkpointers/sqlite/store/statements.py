"""All the SQL of the store, named and described. No statement is put together anywhere else, or from parts.

The tables, beside those of the checkpointer in the same file::

    store_state    one row: the version of these tables, the number of the last change, the size of the vectors
    store_items    one row per item; ``namespace`` is its path, each string with a dot after it
    store_vectors  what items are found by: little-endian 32-bit floats, of length one

Times are seconds since the epoch, ``ttl`` is seconds. ``record`` is a record of the codec. An item is there while
``expires_at`` is NULL or after ``:now``. The paths that begin with another path lie from ``:low`` up to, not including, ``:high``.
"""

from __future__ import annotations

from typing import Final

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        """
        CREATE TABLE store_state (
            one INTEGER PRIMARY KEY CHECK (one = 1),
            version INTEGER NOT NULL,
            changes INTEGER NOT NULL,
            dims INTEGER
        ) STRICT
        """,
        "INSERT INTO store_state (one, version, changes) VALUES (1, 0, 0)",
        """
        CREATE TABLE store_items (
            number INTEGER PRIMARY KEY,
            namespace TEXT NOT NULL,
            key TEXT NOT NULL,
            record BLOB NOT NULL,
            created_at REAL NOT NULL,
            updated_at REAL NOT NULL,
            changed INTEGER NOT NULL,
            ttl REAL,
            expires_at REAL,
            UNIQUE (namespace, key)
        ) STRICT
        """,
        "CREATE INDEX store_items_by_expiry ON store_items (expires_at) WHERE expires_at IS NOT NULL",
        """
        CREATE TABLE store_vectors (
            item INTEGER NOT NULL REFERENCES store_items (number) ON DELETE CASCADE,
            vector BLOB NOT NULL
        ) STRICT
        """,
        "CREATE INDEX store_vectors_by_item ON store_vectors (item)",
    ),
)
"""For each version of the tables, the statements that lead to it from the version before."""

# The file --------------------------------------------------------------------------------------------------------------

COUNT_STATE: Final = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'store_state'"
"""0 in a file in which no store has been yet."""

READ_VERSION: Final = "SELECT version FROM store_state"
WRITE_VERSION: Final = "UPDATE store_state SET version = :version"

# Transactions ------------------------------------------------------------------------------------------------------------

BEGIN_READ: Final = "BEGIN"
BEGIN_WRITE: Final = "BEGIN IMMEDIATE"
COMMIT: Final = "COMMIT"
ROLLBACK: Final = "ROLLBACK"

# The state ---------------------------------------------------------------------------------------------------------------

COUNT_CHANGE: Final = "UPDATE store_state SET changes = changes + 1 RETURNING changes"
"""Numbers are never given again, so a version means one write, also after its item was deleted."""

READ_DIMS: Final = "SELECT dims FROM store_state WHERE dims IS NOT NULL AND EXISTS (SELECT 1 FROM store_vectors)"
WRITE_DIMS: Final = "UPDATE store_state SET dims = :dims"

# Items -------------------------------------------------------------------------------------------------------------------

READ_ITEM: Final = """
    SELECT number, ttl, namespace, key, record, created_at, updated_at, changed FROM store_items
    WHERE namespace = :namespace AND key = :key AND (expires_at IS NULL OR expires_at > :now)
"""

READ_FOUND: Final = """
    SELECT number, ttl, namespace, key, record, created_at, updated_at, changed FROM store_items
    WHERE number = :number
"""

WRITE_ITEM: Final = """
    INSERT INTO store_items (namespace, key, record, created_at, updated_at, changed, ttl, expires_at)
    VALUES (:namespace, :key, :record, :created_at, :now, :changed, :ttl, :now + :ttl)
    ON CONFLICT (namespace, key) DO UPDATE SET
        record = excluded.record, created_at = excluded.created_at, updated_at = excluded.updated_at,
        changed = excluded.changed, ttl = excluded.ttl, expires_at = excluded.expires_at
    RETURNING number
"""
"""Without a ttl the sum is NULL, which is for ever."""

DELETE_ITEM: Final = "DELETE FROM store_items WHERE namespace = :namespace AND key = :key"
REFRESH_ITEM: Final = "UPDATE store_items SET expires_at = :now + ttl WHERE number = :number"
SWEEP: Final = "DELETE FROM store_items WHERE expires_at <= :now"

WRITE_VECTOR: Final = "INSERT INTO store_vectors (item, vector) VALUES (:item, :vector)"
DELETE_VECTORS: Final = "DELETE FROM store_vectors WHERE item = :item"

# Searches ----------------------------------------------------------------------------------------------------------------

FIND: Final = """
    SELECT number, NULL FROM store_items
    WHERE namespace >= :low AND namespace < :high AND (expires_at IS NULL OR expires_at > :now)
    ORDER BY changed DESC, namespace, key
    LIMIT :limit OFFSET :offset
"""

RANK: Final = """
    SELECT number, round(max(coalesce(1.0 - vec_distance_cosine(vector, :vector), 0.0)), :digits) AS score
    FROM store_items JOIN store_vectors ON item = number
    WHERE namespace >= :low AND namespace < :high AND (expires_at IS NULL OR expires_at > :now)
    GROUP BY number
    ORDER BY score DESC, changed DESC, namespace, key
    LIMIT :limit OFFSET :offset
"""
"""Compares every vector below the namespace, so nothing is lost to expired items, filters or pages. The distance of a vector of
zeros is NULL; it has nothing in common with anything."""

LIST_NAMESPACES: Final = """
    SELECT DISTINCT namespace FROM store_items
    WHERE namespace >= :low AND namespace < :high AND (expires_at IS NULL OR expires_at > :now)
"""
