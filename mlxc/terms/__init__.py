"""The terms of the free energy, a module for each."""
