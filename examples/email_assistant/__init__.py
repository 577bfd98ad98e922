"""An e-mail assistant that reads a mailbox, asks before it acts, and survives being killed at any moment.

Run it with ``python -m examples.email_assistant``. A newcomer's way through the files: `graph.py` (the four steps), `review.py`
(what a human is asked), `tools.py` (what is done to the world), `rules.py` (the built-in model, which is no AI).
"""

from __future__ import annotations
