"""What a CIF says: its syntax, its cell, its symmetry, its atoms and their moments, a module each."""
