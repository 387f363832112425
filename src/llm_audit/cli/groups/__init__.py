"""One module a group of commands; ``cli.GROUPS`` lists them."""
