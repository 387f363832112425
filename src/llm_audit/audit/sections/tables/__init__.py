"""The document's tables, each a grouping of a rollup."""
