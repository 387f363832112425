"""One module a report format, each with a function ``render``; ``report.registry`` lists them."""
