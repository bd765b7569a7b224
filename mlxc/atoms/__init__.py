"""Free atoms: what cohesive energies are measured from."""
