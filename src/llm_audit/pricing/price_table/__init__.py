"""The price table: the published prices of genai-prices, as schedules in pico-dollars."""

from llm_audit.pricing.price_table.listing import ListedPrice, Listing, find_listing, find_provider, listings

__all__ = ["ListedPrice", "Listing", "find_listing", "find_provider", "listings"]
