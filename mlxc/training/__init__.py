"""Learning a functional from crystals."""
