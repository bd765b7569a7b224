"""Converged states reduced to what other functionals need: densities that stay while functionals change."""
