"""The inbox on a terminal: what waits for a human over all threads, and the answers to it.

`port.py` says what the inbox needs of an assistant, `desk.py` gives that over a compiled graph, `session.py` holds answers back for
a moment, `app.py` is the screen, `command.py` the command line with its JSON for scripts.
"""
