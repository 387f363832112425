"""What is known of models: names, tiers, capabilities, abilities."""
