"""What follows from energies and states: forces, stress, equations of state, bands."""
