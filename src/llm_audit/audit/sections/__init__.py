"""The sections of the document, each made from sums and the plan."""
