"""Gaussian orbitals as a kind of basis to choose. Imports no torch before a basis is made.

PySCF, which carries the basis sets, is loaded when their functions are looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import TYPE_CHECKING, Any

from mlxc.basis.gaussian.sets import (
    DEFAULT_GAUSSIAN_BASIS,
    basis_of_elements,
    function_count,
    gaussian_basis_names,
    grid_cutoff,
    has_functions,
)
from mlxc.basis.kind import GRID_COPIES, BasisKind, Size, shape_from
from mlxc.crystal.brillouin import irreducible_mesh
from mlxc.crystal.crystal import Crystal
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.errors import InputError
from mlxc.grid.shape import choose_shape, grid_radius
from mlxc.pseudo.gth_table import GTH_FAMILIES, GTHParameters
from mlxc.pseudo.library import PseudopotentialData

if TYPE_CHECKING:
    from mlxc.basis.gaussian.basis import GaussianOrbitals

# The work of an SCF is in the functions on the grid: once, to find them, and for each k point and spin. The factors are
# fitted to five runs of aluminium, silicon and graphene.
SECONDS_PER_FUNCTION_POINT = 3.0e-6
SECONDS_PER_BLOCH_FUNCTION_POINT = 1.0e-6
# What even the smallest run needs, most of it to load PySCF, which computes the integrals.
START_SECONDS = 1.0


class GaussianOrbitalKind(BasisKind):
    """Contracted Gaussian functions on the atoms."""

    name = "gaussian"
    title = "Gaussian orbitals"
    functions = "Gaussian functions"
    cutoff_of = "the grid on which the orbitals are"
    cutoff_limits_functions = False
    own_settings = dict.fromkeys(("gaussian_basis", "gaussian_basis_names"), "Gaussian basis set")
    usual_set = DEFAULT_GAUSSIAN_BASIS

    def default_settings(self, structure: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        """``pseudo``, ``gaussian_basis`` and ``ecut_ha``; the cutoff is that of a grid on which the functions fit."""
        species = Crystal.from_dict(structure).species
        name, names = str(given.get("gaussian_basis", self.usual_set)), given.get("gaussian_basis_names", {})
        settings: dict[str, Any] = {"pseudo": "gth", "gaussian_basis": name}
        if "ecut_ha" not in given:
            settings["ecut_ha"] = round(grid_cutoff(species, name, names if isinstance(names, dict) else {}), 2)
        return settings

    def check_settings(self, settings: Mapping[str, Any]) -> None:
        """See :meth:`BasisKind.check_settings`."""
        if settings["gaussian_basis"] is None:
            raise ValueError("a basis of Gaussian orbitals needs the name of a basis set")

    def suits_pseudopotentials(self, family: str) -> bool:
        """Whether it is a family of GTH pseudopotentials, for which the functions are made."""
        return family in GTH_FAMILIES

    def basis_sets(self, elements: tuple[str, ...]) -> tuple[str, ...]:
        """See :meth:`BasisKind.basis_sets`."""
        return tuple(n for n in gaussian_basis_names() if all(has_functions(symbol, n) for symbol in elements))

    def size(
        self,
        crystal: Crystal,
        settings: Mapping[str, Any],
        electrons: int,
        pseudopotentials: Mapping[str, PseudopotentialData],
        remaining: Callable[[SpaceGroup], SpaceGroup],
    ) -> Size:
        """See :meth:`BasisKind.size`."""
        for symbol, entry in pseudopotentials.items():
            if not isinstance(entry, GTHParameters):
                raise InputError(
                    f"pseudo: Gaussian basis sets need GTH pseudopotentials, not that of {symbol} in a UPF file; "
                    "choose the family gth."
                )
        group = SpaceGroup.of(crystal)
        grid = settings["fft_grid"] or choose_shape(crystal.lattice, grid_radius(settings["ecut_ha"]), group)
        on_grid = group.on_grid(grid)
        count = function_count(crystal.species, settings["gaussian_basis"], settings["gaussian_basis_names"])
        # Of either spin, a function holds one electron.
        moment = abs(settings["total_moment"] or 0.0)
        if 2 * count < electrons + moment:
            held = f"{electrons} electrons" + (f" with a moment of {moment:g} Bohr magneton" if moment else "")
            raise InputError(f"gaussian_basis: {count} functions per cell cannot hold {held}; take a larger basis set.")
        nkpoints = len(irreducible_mesh(settings["kmesh"], remaining(on_grid)))
        nspin = 2 if settings["spin"] else 1
        # The functions and their three derivatives on the grid.
        numbers = 4 * nkpoints * count + nspin * (GRID_COPIES + len(on_grid))
        return Size(electrons, nkpoints, count, grid, 16 * numbers * prod(grid) / 1e9)

    def seconds(self, size: Size, spins: int, steps: float, meta_gga: bool) -> float:
        """See :meth:`BasisKind.seconds`."""
        states = size.irreducible_kpoints * spins
        work = SECONDS_PER_FUNCTION_POINT + SECONDS_PER_BLOCH_FUNCTION_POINT * states * steps
        return START_SECONDS + work * size.functions * prod(size.fft_grid)

    def in_words(self, settings: Mapping[str, Any]) -> str:
        """The names of the sets."""
        return _listed(settings["gaussian_basis"], *settings.get("gaussian_basis_names", {}).values())

    def in_short(self, settings: Mapping[str, Any]) -> str:
        """The names of the sets."""
        return self.in_words(settings)

    def in_full(self, settings: Mapping[str, Any]) -> str:
        """The names of the sets that elements of the structure have."""
        return _listed(*self.sets_of_elements(settings).values())

    def in_report(self, settings: Mapping[str, Any]) -> str:
        """The names of the sets, and the cutoff of the grid."""
        return f"{self.in_words(settings)} on a grid for {settings['ecut_ha']:g} Ha"

    def sets_of_elements(self, settings: Mapping[str, Any]) -> dict[str, str]:
        """The set of each element of a calculation's structure."""
        species = settings["structure"]["species"]
        return basis_of_elements(species, settings["gaussian_basis"], settings["gaussian_basis_names"])

    def described(self, saved: Mapping[str, Any], crystal: Crystal) -> dict[str, Any]:
        """See :meth:`BasisKind.described`; where there are ghost functions, they have a key of their own."""
        name, names, ghosts = saved["name"], saved["names"], saved["ghosts"]
        species = (*crystal.species, *(symbol for symbol, _ in ghosts))
        described = {
            "gaussian_basis": name,
            "gaussian_basis_names": names,
            "ecut_ha": saved["ecut"] or grid_cutoff(species, name, names),
        }
        # Lists, as JSON holds them.
        return described | ({"ghosts": [[symbol, list(where)] for symbol, where in ghosts]} if ghosts else {})

    def basis_settings(self, settings: Mapping[str, Any]) -> GaussianOrbitals:
        """See :meth:`BasisKind.basis_settings`."""
        from mlxc.basis.gaussian.basis import GaussianOrbitals

        names, shape = settings["gaussian_basis_names"], shape_from(settings["fft_grid"])
        return GaussianOrbitals(settings["gaussian_basis"], names, settings["ecut_ha"], shape)

    def from_saved(self, saved: Mapping[str, Any]) -> GaussianOrbitals:
        """See :meth:`BasisKind.from_saved`."""
        from mlxc.basis.gaussian.basis import GaussianOrbitals

        ghosts = tuple((symbol, (x, y, z)) for symbol, (x, y, z) in saved["ghosts"])
        return GaussianOrbitals(saved["name"], saved["names"], saved["ecut"], shape_from(saved["fft_grid"]), ghosts)


def _listed(*sets: str) -> str:
    return " and ".join(dict.fromkeys(sets))


GAUSSIAN_ORBITALS = GaussianOrbitalKind()
