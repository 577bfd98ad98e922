"""What every checkpointer has to keep: named checks, by topic. ``graphkit.testing.checkpointer_suite`` is the door."""
