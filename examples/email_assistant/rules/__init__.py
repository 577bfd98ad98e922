"""The built-in model: rules and templates, no AI."""

from __future__ import annotations
