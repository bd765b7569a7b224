"""Norm-conserving, separable pseudopotentials: PseudoDojo's files, and the tables of Goedecker, Teter and Hutter."""
