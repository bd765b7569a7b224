"""How a converged state answers to a change: what gradients of densities, eigenvalues and forces are made of."""
