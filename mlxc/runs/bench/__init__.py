"""One warm process that all pages of a server ask what functionals give at frozen densities."""
