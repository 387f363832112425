"""Offline token counts: exact for OpenAI's encodings, estimates by ratio for other tokenizers."""
