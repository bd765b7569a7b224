"""Other codes, run live beside mlxc: PySCF and GPAW."""
