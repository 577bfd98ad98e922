"""What is measured. Each function builds a graph with the engine it is given and times it; ``catalogue`` lists them."""
