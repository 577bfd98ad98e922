"""Evaluate the built-in rules as sorters: `python -m examples.email_assistant.evaluation`."""

from __future__ import annotations

import argparse
import sys
from zoneinfo import ZoneInfo

from rich.console import Console

from examples.email_assistant.evaluation.command import add_arguments, run
from examples.email_assistant.evaluation.rules import RuleSorter
from examples.email_assistant.mail.message import Address

if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m examples.email_assistant.evaluation", description="Measures how the built-in rules sort mail."
    )
    add_arguments(parser)
    subject = RuleSorter(Address("Mara Lindqvist", "mara.lindqvist@example.org"), ZoneInfo("Europe/Berlin"))
    sys.exit(run(parser.parse_args(), subject, Console(highlight=False, soft_wrap=True)))
