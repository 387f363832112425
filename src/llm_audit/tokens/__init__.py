"""Count tokens offline: exactly for OpenAI's encodings, by a ratio for other tokenizers."""
