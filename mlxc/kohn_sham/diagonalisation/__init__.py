"""What an eigensolver is made of: search spaces, orthonormal vectors, spins that mirror each other."""
