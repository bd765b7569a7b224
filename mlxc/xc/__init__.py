"""Functionals of exchange and correlation: conventional ones, networks, checkpoints, and what can be asked of them."""
