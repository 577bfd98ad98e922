"""The first decision about a mail."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Label = Literal["ignore", "notify", "respond"]
"""Do nothing; show it to the human; work on a reply."""


@dataclass(frozen=True, slots=True)
class Triage:
    """What to do with a mail, and why: rules that fired with the text that matched, or the words of a model."""

    label: Label
    reasons: tuple[str, ...]

    def but(self, label: Label, reason: str) -> Triage:
        """Return the decision changed to ``label`` for a reason that comes first."""
        return replace(self, label=label, reasons=(reason, *self.reasons))
