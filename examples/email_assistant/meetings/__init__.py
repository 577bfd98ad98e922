"""The calendar: when the owner has time, and invitations to meetings."""

from __future__ import annotations
