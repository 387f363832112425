"""Training of the shipped weights and abilities. Nothing here is needed at run time."""
