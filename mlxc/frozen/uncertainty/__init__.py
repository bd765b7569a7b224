"""How uncertain functionals are at frozen densities: fits with a covariance, and bars beside what was measured."""
