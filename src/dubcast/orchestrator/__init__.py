"""The control plane: which streams are on air, and the processes that serve them."""
