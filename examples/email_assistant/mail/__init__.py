"""Mail as data, where it comes from and where it goes."""

from __future__ import annotations
