"""graphkit and LangGraph side by side: the same graphs, the same calls, one table of ratios."""
