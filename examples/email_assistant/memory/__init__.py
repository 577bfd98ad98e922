"""What the owner prefers, learned from what they change: kept as entries with a source, which can be seen, edited and undone.

A way through the files: `preference.py` (an entry, and what they say about a mail), `effects.py` (what rules can apply), `learning.py`
with `drafts.py`, `planning.py`, `body.py` and `facts.py` (what an answer teaches), `memory.py` and `record.py` (where it is kept),
`command.py` and `tables.py` (what the owner sees of it).
"""

from __future__ import annotations

from examples.email_assistant.memory.learning import lessons, lessons_of_notice
from examples.email_assistant.memory.memory import Memory
from examples.email_assistant.memory.preference import Kind, Preference, Preferences, Source
from examples.email_assistant.memory.record import Event
from examples.email_assistant.memory.wording import Wording, distil

__all__ = [
    "Event",
    "Kind",
    "Memory",
    "Preference",
    "Preferences",
    "Source",
    "Wording",
    "distil",
    "lessons",
    "lessons_of_notice",
]
