"""The pure part of graphkit: data, decisions and the order of a run. No I/O, no clock, no randomness, no threads."""
