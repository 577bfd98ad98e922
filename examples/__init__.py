"""Programs built on the public front doors of graphkit."""
