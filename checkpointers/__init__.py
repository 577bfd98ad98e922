"""Checkpointers for databases, one package for each."""

from __future__ import annotations
