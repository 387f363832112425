"""Where shards are ingested."""
