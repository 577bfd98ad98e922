"""All the SQL of this backend, named and described. No statement is put together anywhere else, or from parts.

The tables::

    threads      one row per thread: who holds it, its epoch, its status
    namespaces   gives each (thread, namespace) a small integer, ``space`` below
    checkpoints  the rows of all chains; the key is ``space << 32 | n``, so one B-tree holds them in order without an index
    outcomes     what tasks of unfinished supersteps have done
    memos        what ``once`` remembers
    questions    one row per question, with its answer

Times are seconds since the epoch. ``record``, ``changes`` and ``answer`` are records of the codec.
"""

from __future__ import annotations

from typing import Final

APPLICATION_ID: Final = 0x67_72_6B_74
"""What marks a database file as graphkit's: "grkt"."""

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        """
        CREATE TABLE threads (
            number INTEGER PRIMARY KEY,
            thread_id TEXT NOT NULL UNIQUE,
            epoch INTEGER NOT NULL,
            holder TEXT,
            lease_until REAL NOT NULL,
            status TEXT NOT NULL,
            updated_at REAL NOT NULL
        ) STRICT
        """,
        "CREATE INDEX threads_by_status ON threads (status)",
        """
        CREATE TABLE namespaces (
            space INTEGER PRIMARY KEY,
            thread INTEGER NOT NULL REFERENCES threads (number),
            namespace TEXT NOT NULL,
            UNIQUE (thread, namespace)
        ) STRICT
        """,
        """
        CREATE TABLE checkpoints (
            key INTEGER PRIMARY KEY,
            id TEXT NOT NULL,
            frame_n INTEGER NOT NULL,
            depth INTEGER NOT NULL,
            origin INTEGER NOT NULL,
            created_at REAL NOT NULL,
            record BLOB NOT NULL,
            changes BLOB
        ) STRICT
        """,
        """
        CREATE TABLE outcomes (
            space INTEGER NOT NULL REFERENCES namespaces (space),
            n INTEGER NOT NULL,
            task_id TEXT NOT NULL,
            record BLOB NOT NULL,
            PRIMARY KEY (space, n, task_id)
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE memos (
            space INTEGER NOT NULL REFERENCES namespaces (space),
            n INTEGER NOT NULL,
            task_id TEXT NOT NULL,
            key TEXT NOT NULL,
            record BLOB NOT NULL,
            PRIMARY KEY (space, n, task_id, key)
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE questions (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            thread INTEGER NOT NULL REFERENCES threads (number),
            id TEXT NOT NULL,
            space INTEGER NOT NULL REFERENCES namespaces (space),
            n INTEGER NOT NULL,
            status TEXT NOT NULL,
            created_at REAL NOT NULL,
            record BLOB NOT NULL,
            answer BLOB,
            UNIQUE (thread, id)
        ) STRICT
        """,
        "CREATE INDEX questions_by_step ON questions (space, n)",
        "CREATE INDEX questions_pending_of_thread ON questions (thread) WHERE status = 'pending'",
        "CREATE INDEX questions_pending ON questions (number) WHERE status = 'pending'",
    ),
)
"""For each version of the schema, the statements that lead to it from the version before."""

# The file --------------------------------------------------------------------------------------------------------------

READ_MARKS: Final = """
    SELECT
        (SELECT application_id FROM pragma_application_id),
        (SELECT user_version FROM pragma_user_version),
        (SELECT count(*) FROM sqlite_schema)
"""
"""Whose file it is, its version, and how many tables and indexes it has; read at once, because another process may be making them."""

WRITE_APPLICATION_ID: Final = "PRAGMA application_id = 1735551860"
"""The number is APPLICATION_ID; a PRAGMA takes no parameters."""

WRITE_VERSION: Final = ("PRAGMA user_version = 1",)
"""For each version of the schema, the statement that notes it."""

SET_WAL: Final = "PRAGMA journal_mode = WAL"
SET_FOREIGN_KEYS: Final = "PRAGMA foreign_keys = ON"
SET_CACHE: Final = "PRAGMA cache_size = -16384"
"""In KiB, taken as it is needed. A group of a thousand writes does not fit into the 2 MiB that SQLite takes by itself; what does not
fit is written to the log early and read back."""
SET_SYNCHRONOUS: Final = {
    "OFF": "PRAGMA synchronous = OFF",
    "NORMAL": "PRAGMA synchronous = NORMAL",
    "FULL": "PRAGMA synchronous = FULL",
    "EXTRA": "PRAGMA synchronous = EXTRA",
}

WAITS_FOR_DISK: Final = frozenset({SET_SYNCHRONOUS["FULL"], SET_SYNCHRONOUS["EXTRA"]})
"""The levels at which a commit is not over before it is on the disk."""

# Transactions ------------------------------------------------------------------------------------------------------------

BEGIN_READ: Final = "BEGIN"
BEGIN_WRITE: Final = "BEGIN IMMEDIATE"
COMMIT: Final = "COMMIT"
ROLLBACK: Final = "ROLLBACK"

SAVE: Final = "SAVEPOINT change"
KEEP: Final = "RELEASE change"
UNDO: Final = "ROLLBACK TO change"
"""A refused change of a group is undone alone."""

# The thread ---------------------------------------------------------------------------------------------------------------

FIND_THREAD: Final = "SELECT number, epoch, holder, lease_until, status FROM threads WHERE thread_id = :thread_id"

MAKE_THREAD: Final = """
    INSERT INTO threads (thread_id, epoch, holder, lease_until, status, updated_at)
    VALUES (:thread_id, :epoch, :holder, :lease_until, :status, :now)
"""
"""Its number is the id of the row."""

FIND_WRITER: Final = """
    SELECT number, epoch, holder, lease_until, space
    FROM threads LEFT JOIN namespaces ON thread = number AND namespace = :namespace
    WHERE thread_id = :thread_id
"""
"""Where a write begins: who holds the thread, and the namespace if there is one. Whether the writer may write is decided on this."""

TAKE_THREAD: Final = """
    UPDATE threads SET epoch = epoch + 1, holder = :holder, lease_until = :lease_until, status = 'busy', updated_at = :now
    WHERE number = :number
"""
"""Claim it. For this and the next two the conditions have been checked in the same transaction."""

KEEP_THREAD: Final = "UPDATE threads SET epoch = epoch + 1, lease_until = :lease_until, updated_at = :now WHERE number = :number"
"""Extend the lease with a write of the holder."""

GIVE_THREAD: Final = """
    UPDATE threads SET epoch = epoch + 1, holder = NULL, lease_until = :lease_until, status = :status, updated_at = :now
    WHERE number = :number
"""
"""Give it back, or claim it and give it back at once."""

EXTEND_LEASE: Final = "UPDATE threads SET lease_until = :lease_until WHERE thread_id = :thread_id AND holder = :holder"

TOUCH_THREAD: Final = "UPDATE threads SET epoch = epoch + 1 WHERE number = :number"
"""Whoever has read the thread has to read it again."""

DELETE_THREAD: Final = "DELETE FROM threads WHERE number = :number"

LIST_THREADS: Final = """
    SELECT number, thread_id, CASE WHEN status = 'busy' AND lease_until < :now THEN 'error' ELSE status END, updated_at,
        (SELECT count(*) FROM questions WHERE thread = threads.number AND questions.status = 'pending')
    FROM threads
    WHERE number < :after
    ORDER BY number DESC LIMIT :limit
"""

LIST_THREADS_OF_STATUS: Final = """
    SELECT number, thread_id, status, updated_at,
        (SELECT count(*) FROM questions WHERE thread = threads.number AND questions.status = 'pending')
    FROM threads INDEXED BY threads_by_status
    WHERE number < :after AND status = :status AND (status <> 'busy' OR lease_until >= :now)
    ORDER BY number DESC LIMIT :limit
"""

LIST_THREADS_IN_ERROR: Final = """
    SELECT number, thread_id, 'error', updated_at,
        (SELECT count(*) FROM questions WHERE thread = threads.number AND questions.status = 'pending')
    FROM threads INDEXED BY threads_by_status
    WHERE number < :after AND status IN ('busy', 'error') AND (status = 'error' OR lease_until < :now)
    ORDER BY number DESC LIMIT :limit
"""
"""Those whose run failed, and those whose run died."""

# Namespaces ---------------------------------------------------------------------------------------------------------------

MAKE_SPACE: Final = "INSERT INTO namespaces (thread, namespace) VALUES (:number, :namespace)"
"""The space is the id of the row."""

LIST_SPACES: Final = "SELECT space, namespace FROM namespaces WHERE thread = :number ORDER BY space"

LIST_NAMESPACES: Final = """
    SELECT namespace FROM namespaces JOIN threads ON thread = number
    WHERE thread_id = :thread_id
        AND EXISTS (SELECT 1 FROM checkpoints WHERE key BETWEEN space << 32 AND space << 32 | 4294967295)
    ORDER BY space
"""

DELETE_SPACE: Final = "DELETE FROM namespaces WHERE space = :space"

DELETE_EMPTY_SPACE: Final = """
    DELETE FROM namespaces WHERE space = :space AND NOT EXISTS (SELECT 1 FROM questions WHERE questions.space = :space)
"""
"""A question that is still pending keeps the name of its namespace."""

# Checkpoints --------------------------------------------------------------------------------------------------------------

FIND_READING: Final = """
    SELECT epoch, number, space FROM threads LEFT JOIN namespaces ON thread = number AND namespace = :namespace
    WHERE thread_id = :thread_id
"""
"""Where a read begins: the thread, and the namespace if there is one."""

FIND_HEAD: Final = (
    "SELECT key & 4294967295 FROM checkpoints WHERE key BETWEEN :space << 32 AND :space << 32 | 4294967295 ORDER BY key DESC LIMIT 1"
)

READ_CHECKPOINTS: Final = """
    SELECT key & 4294967295, id, frame_n, depth, origin, created_at, record, changes FROM checkpoints
    WHERE key >= :space << 32 AND key < (:space << 32) + :before
    ORDER BY key DESC LIMIT :limit
"""

READ_CHAIN: Final = """
    SELECT changes FROM checkpoints
    WHERE key >= :space << 32 | :frame_n AND key < :space << 32 | :n
    ORDER BY key
"""
"""What the rows from a keyframe up to a checkpoint, itself left out, have changed."""

WRITE_CHECKPOINT: Final = """
    INSERT INTO checkpoints (key, id, frame_n, depth, origin, created_at, record, changes)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO NOTHING
"""
"""In the order of the columns; the key is ``space << 32 | n``. No row is written if the position is taken."""

FIND_DEPTH: Final = "SELECT depth FROM checkpoints WHERE key = :space << 32 | :n"

REPLACE_CHECKPOINT: Final = """
    UPDATE checkpoints SET frame_n = :frame_n, depth = :depth, record = :record, changes = :changes
    WHERE key = :space << 32 | :n
"""

REBASE_CHECKPOINTS: Final = """
    UPDATE checkpoints SET frame_n = :frame_n, depth = depth - :shift
    WHERE key > :space << 32 | :frame_n AND key <= :space << 32 | 4294967295 AND frame_n < :frame_n
"""
"""Rows that build on a keyframe that is about to go build on a newer one."""

DELETE_CHECKPOINTS: Final = "DELETE FROM checkpoints WHERE key >= :space << 32 AND key < (:space << 32) + :before"

COPY_CHECKPOINTS: Final = """
    INSERT INTO checkpoints (key, id, frame_n, depth, origin, created_at, record, changes)
    SELECT :target << 32 | (key & 4294967295), id, frame_n, depth, origin, created_at, record, changes FROM checkpoints
    WHERE key BETWEEN :space << 32 AND :space << 32 | 4294967295
    ORDER BY key
"""

# Outcomes and memos -------------------------------------------------------------------------------------------------------

READ_FILED: Final = """
    SELECT n, task_id, NULL, record FROM outcomes WHERE space = :space AND n BETWEEN :low AND :high
    UNION ALL
    SELECT n, task_id, key, record FROM memos WHERE space = :space AND n BETWEEN :low AND :high
"""
"""Outcomes, which have no key, and memos."""

WRITE_OUTCOME: Final = """
    INSERT INTO outcomes (space, n, task_id, record) VALUES (:space, :n, :task_id, :record)
    ON CONFLICT DO UPDATE SET record = excluded.record
"""

DELETE_OUTCOMES: Final = "DELETE FROM outcomes WHERE space = :space AND n < :before"

COPY_OUTCOMES: Final = (
    "INSERT INTO outcomes (space, n, task_id, record) SELECT :target, n, task_id, record FROM outcomes WHERE space = :space"
)

WRITE_MEMO: Final = """
    INSERT INTO memos (space, n, task_id, key, record) VALUES (:space, :n, :task_id, :key, :record)
    ON CONFLICT DO UPDATE SET record = excluded.record
"""

DELETE_MEMOS: Final = "DELETE FROM memos WHERE space = :space AND n < :before"

COPY_MEMOS: Final = (
    "INSERT INTO memos (space, n, task_id, key, record) SELECT :target, n, task_id, key, record FROM memos WHERE space = :space"
)

# Questions ----------------------------------------------------------------------------------------------------------------

READ_QUESTIONS: Final = """
    SELECT number, id, namespace, n, status, created_at, record, answer FROM questions JOIN namespaces USING (space)
    WHERE questions.thread = :number AND status = 'pending'
    UNION ALL
    SELECT number, id, namespace, n, status, created_at, record, answer FROM questions JOIN namespaces USING (space)
    WHERE questions.space = :space AND n BETWEEN :low AND :high AND status <> 'pending'
    ORDER BY number
"""
"""Every pending question of the thread, and the settled ones of a namespace between two positions."""

FIND_QUESTION: Final = """
    SELECT id, namespace, n, questions.status, created_at, record, answer
    FROM threads JOIN questions ON questions.thread = threads.number JOIN namespaces USING (space)
    WHERE thread_id = :thread_id AND id = :id
"""

LIST_PENDING: Final = """
    SELECT questions.number, thread_id, id, namespace, n, questions.status, created_at, record, answer
    FROM questions INDEXED BY questions_pending JOIN namespaces USING (space) JOIN threads ON threads.number = questions.thread
    WHERE questions.status = 'pending' AND questions.number > :after
    ORDER BY questions.number LIMIT :limit
"""

LIST_PENDING_OF_THREAD: Final = """
    SELECT questions.number, thread_id, id, namespace, n, questions.status, created_at, record, answer
    FROM threads JOIN questions INDEXED BY questions_pending_of_thread ON questions.thread = threads.number JOIN namespaces USING (space)
    WHERE thread_id = :thread_id AND questions.status = 'pending' AND questions.number > :after
    ORDER BY questions.number LIMIT :limit
"""

ASK: Final = """
    INSERT INTO questions (thread, id, space, n, status, created_at, record)
    VALUES (:number, :id, :space, :n, 'pending', :created_at, :record)
    ON CONFLICT (thread, id) DO UPDATE
    SET space = excluded.space, n = excluded.n, status = 'pending', created_at = excluded.created_at, record = excluded.record,
        answer = NULL
    WHERE status <> 'pending'
"""
"""A question that is pending already stays as it is."""

ANSWER: Final = """
    UPDATE questions SET status = 'answered', answer = :answer WHERE thread = :number AND id = :id AND status = 'pending'
"""

CANCEL: Final = "UPDATE questions SET status = 'cancelled' WHERE thread = :number AND id = :id AND status = 'pending'"

KNOWS_QUESTION: Final = "SELECT 1 FROM questions WHERE thread = :number AND id = :id"

DELETE_QUESTIONS: Final = "DELETE FROM questions WHERE space = :space"

DELETE_SETTLED: Final = "DELETE FROM questions WHERE space = :space AND n < :before AND status <> 'pending'"

COPY_QUESTIONS: Final = """
    INSERT INTO questions (thread, id, space, n, status, created_at, record, answer)
    SELECT :number, questions.id, theirs.space, questions.n, questions.status, questions.created_at, questions.record, questions.answer
    FROM questions JOIN namespaces AS ours USING (space)
        JOIN namespaces AS theirs ON theirs.thread = :number AND theirs.namespace = ours.namespace
    WHERE questions.thread = :source
    ORDER BY questions.number
"""
