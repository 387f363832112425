"""One module a command; ``cli.COMMANDS`` lists them."""
