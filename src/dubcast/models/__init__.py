"""Models: the manifest that pins them and the store that fetches, verifies and keeps them."""
