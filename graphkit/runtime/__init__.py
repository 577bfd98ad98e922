"""Where programs meet the world: user code is entered here, and two drivers carry out effects.

``threads.drive`` is the sync driver, ``aio.drive`` the async one; the latter is imported only when it is needed.
"""

from __future__ import annotations

from graphkit.runtime.action import Action, Cached, Call, Handed, Read, Router, Service
from graphkit.runtime.threads import drive

__all__ = ["Action", "Cached", "Call", "Handed", "Read", "Router", "Service", "drive"]
