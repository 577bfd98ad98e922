"""``python -m examples.email_assistant``."""

from __future__ import annotations

import sys

from examples.email_assistant.cli import main

sys.exit(main())
