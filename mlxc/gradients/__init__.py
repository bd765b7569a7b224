"""How gradients flow from a loss through the self-consistent field into a functional."""
