"""Engines that ingest shards: local processes, and what runs in each of them."""
