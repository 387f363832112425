"""Model names as logs write them: provider, the provider's name of the model, region and undated model line.

All functions map text to text; prices and capabilities are in tables elsewhere.
"""

from __future__ import annotations

from llm_audit.model_names.lines import canonical, names_in_rules, priced_separately
from llm_audit.model_names.providers import provider_id
from llm_audit.model_names.references import Reference, parse

__all__ = ["Reference", "canonical", "names_in_rules", "parse", "priced_separately", "provider_id"]
