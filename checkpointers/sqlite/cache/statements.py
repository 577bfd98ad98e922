"""All the SQL of the cache, named and described.

One table, beside those of the checkpointer in the same file. A cache is never migrated: another form of the table gets
another name, and begins empty.
"""

from __future__ import annotations

from typing import Final

CREATE: Final = """
    CREATE TABLE IF NOT EXISTS cache_entries_1 (
        namespace TEXT NOT NULL,
        key TEXT NOT NULL,
        record BLOB NOT NULL,
        expires_at REAL,
        PRIMARY KEY (namespace, key)
    ) STRICT, WITHOUT ROWID
"""
"""``namespace`` is a JSON list of its parts; ``record`` is a record of the codec; ``expires_at`` is seconds since the epoch, or NULL."""

CREATE_INDEX: Final = "CREATE INDEX IF NOT EXISTS cache_entries_1_by_expiry ON cache_entries_1 (expires_at) WHERE expires_at IS NOT NULL"

BEGIN_READ: Final = "BEGIN"
BEGIN_WRITE: Final = "BEGIN IMMEDIATE"
COMMIT: Final = "COMMIT"
ROLLBACK: Final = "ROLLBACK"

READ: Final = """
    SELECT record FROM cache_entries_1
    WHERE namespace = :namespace AND key = :key AND (expires_at IS NULL OR expires_at > :now)
"""

WRITE: Final = """
    INSERT INTO cache_entries_1 (namespace, key, record, expires_at) VALUES (:namespace, :key, :record, :expires_at)
    ON CONFLICT (namespace, key) DO UPDATE SET record = excluded.record, expires_at = excluded.expires_at
"""

SWEEP: Final = "DELETE FROM cache_entries_1 WHERE expires_at <= :now"

DELETE: Final = "DELETE FROM cache_entries_1 WHERE namespace = :namespace"
DELETE_ALL: Final = "DELETE FROM cache_entries_1"
