"""How the kernels behind the pages come into being."""
