"""Model providers. Engines are imported here alone, when a provider loads."""
