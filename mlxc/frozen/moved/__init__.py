"""Functionals that a hand moves, as fast as it does."""
