"""How the shipped weights and abilities are made. Nothing here is needed at run time."""
