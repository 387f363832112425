"""What the ledger keeps of a request's text: hashes, sizes, tools, and the ask that is judged."""
