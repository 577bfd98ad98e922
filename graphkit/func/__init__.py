"""Workflows as plain functions: ``@entrypoint`` runs one with a thread of its own, ``@task`` makes its steps durable and parallel."""

from __future__ import annotations

from graphkit.func.entrypoint import entrypoint
from graphkit.func.future import TaskFuture
from graphkit.func.task import Task, task
from graphkit.func.workflow import Workflow

__all__ = ["Task", "TaskFuture", "Workflow", "entrypoint", "task"]
