"""The functions that orbitals are made of: plane waves and Gaussian orbitals behind one protocol."""
