"""How good is an assistant? A labelled corpus, what is measured on it, and how it is shown.

A way through the files: `case.py` and `corpus.py` (labelled mails), `sorting.py` with `scores.py` (labels), `working.py` with
`trajectory.py`, `checks.py` and `drafts.py` (runs), `report.py`, `tables.py` and `picture.py` (what comes out), `command.py`.
"""

from __future__ import annotations

from examples.email_assistant.evaluation.case import Case, Expected
from examples.email_assistant.evaluation.checks import Check, check
from examples.email_assistant.evaluation.corpus import load, shipped
from examples.email_assistant.evaluation.judge import Judge, ModelJudge, Verdict
from examples.email_assistant.evaluation.picture import picture
from examples.email_assistant.evaluation.report import Report, evaluate, to_json
from examples.email_assistant.evaluation.scores import Confusion, confusion, wilson
from examples.email_assistant.evaluation.sorting import Decision, Sorter, Sorting, sort
from examples.email_assistant.evaluation.trajectory import Answered, Asked, Booked, Proposed, Returned, Sent, Trajectory
from examples.email_assistant.evaluation.working import Answer, Desk, Progress, Question, Worker, Working, question_of, work, work_through

__all__ = [
    "Answer",
    "Answered",
    "Asked",
    "Booked",
    "Case",
    "Check",
    "Confusion",
    "Decision",
    "Desk",
    "Expected",
    "Judge",
    "ModelJudge",
    "Progress",
    "Proposed",
    "Question",
    "Report",
    "Returned",
    "Sent",
    "Sorter",
    "Sorting",
    "Trajectory",
    "Verdict",
    "Worker",
    "Working",
    "check",
    "confusion",
    "evaluate",
    "load",
    "picture",
    "question_of",
    "shipped",
    "sort",
    "to_json",
    "wilson",
    "work",
    "work_through",
]
