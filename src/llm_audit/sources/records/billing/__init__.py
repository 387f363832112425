"""What is billed beside tokens, what a log states as its cost, and rows that stand for many requests."""
