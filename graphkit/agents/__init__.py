"""Agents: a model that calls tools, and people who review the calls before they run."""

from __future__ import annotations

from graphkit.agents.guard import ReviewedTool
from graphkit.agents.inquiry import ReviewNode, review
from graphkit.agents.policy import Allowed, AnswerType, Review, ReviewLike, Reviews
from graphkit.agents.question import ActionRequest, HumanInterrupt, HumanInterruptConfig, HumanResponse
from graphkit.agents.react import create_react_agent
from graphkit.agents.settle import SettleNode, is_over
from graphkit.agents.state import AgentState
from graphkit.agents.verdict import Reviewed, Verdict, digest_of

__all__ = [
    "ActionRequest",
    "AgentState",
    "Allowed",
    "AnswerType",
    "HumanInterrupt",
    "HumanInterruptConfig",
    "HumanResponse",
    "Review",
    "ReviewLike",
    "ReviewNode",
    "Reviewed",
    "ReviewedTool",
    "Reviews",
    "SettleNode",
    "Verdict",
    "create_react_agent",
    "digest_of",
    "is_over",
    "review",
]
