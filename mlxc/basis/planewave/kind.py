"""Plane waves as a kind of basis to choose. Imports no torch before a basis is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import log, prod
from typing import TYPE_CHECKING, Any

from mlxc.basis.kind import GRID_COPIES, BasisKind, Size, shape_from
from mlxc.basis.planewave.memory import orbital_bytes, projector_bytes
from mlxc.crystal.brillouin import irreducible_mesh
from mlxc.crystal.crystal import Crystal
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.grid.shape import check_shape, choose_shape, grid_radius, plane_wave_count
from mlxc.pseudo.cutoffs import cutoff_note, recommended_cutoff
from mlxc.pseudo.gth_table import GTH_FAMILIES
from mlxc.pseudo.library import PseudopotentialData, default_family, named_family
from mlxc.pseudo.notes import pseudopotential_note
from mlxc.structures.shipped import gth_settings

if TYPE_CHECKING:
    from mlxc.basis.planewave.basis import PlaneWaves

# What the first run of a process takes beside orbitals and fields, its threads and tables, in bytes.
RUN_BYTES = 4e7
# The work of an SCF is in the Fourier transforms of all bands: k points x spins x bands x N ln N with N points of the
# grid. The factor is fitted to the times in the README (two cores, PBE, default tolerance).
SECONDS_PER_TRANSFORM_POINT = 5.0e-8
# The functional where nobody has chosen one, see :class:`mlxc.Calculation`.
DEFAULT_XC = "pbe"
# What even the smallest run needs in a process that is warm.
START_SECONDS = 0.2
# A potential that acts on kinetic energies doubles the transforms.
META_GGA_FACTOR = 2.0


class PlaneWaveKind(BasisKind):
    """Plane waves up to a cutoff."""

    name = "pw"
    title = "plane waves"
    functions = "plane waves"
    cutoff_of = "the plane waves"
    cutoff_limits_functions = True

    def default_settings(self, structure: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        """``pseudo``, ``pseudo_names`` and ``ecut_ha``; the cutoff is the one that the pseudopotentials need."""
        species = Crystal.from_dict(structure).species
        family = given.get("pseudo") or default_family(species)
        settings = gth_settings(structure) if family in GTH_FAMILIES else {}
        names = given.get("pseudo_names", settings.get("pseudo_names", {}))
        if "ecut_ha" not in {*given, *settings}:
            name_of = names if isinstance(names, dict) else {}
            xc = str(given.get("xc", DEFAULT_XC))
            table = named_family(str(family), species, xc)
            settings["ecut_ha"] = max(recommended_cutoff(s, table, name_of.get(s), xc) for s in species)
        return {"pseudo": family, "pseudo_names": names} | settings

    def size(
        self,
        crystal: Crystal,
        settings: Mapping[str, Any],
        electrons: int,
        pseudopotentials: Mapping[str, PseudopotentialData],
        remaining: Callable[[SpaceGroup], SpaceGroup],
    ) -> Size:
        """See :meth:`BasisKind.size`."""
        group, ecut, given = SpaceGroup.of(crystal), settings["ecut_ha"], settings["fft_grid"]
        radius = grid_radius(ecut)
        if given is None:
            grid = choose_shape(crystal.lattice, radius, group.with_exchanges(crystal))
        else:
            grid = check_shape(given, crystal.lattice, radius, group)
        nkpoints = len(irreducible_mesh(settings["kmesh"], remaining(group)))
        plane_waves = plane_wave_count(crystal.volume, ecut)
        nspin, as_real = 2 if settings["spin"] else 1, prod(settings["kmesh"]) == 1
        orbitals = orbital_bytes(nspin, nkpoints, plane_waves, _band_count(electrons), as_real)
        counts = {symbol: entry.projector_count for symbol, entry in pseudopotentials.items()}
        projectors = projector_bytes(nkpoints, plane_waves, crystal.species, counts, as_real)
        fields = 16 * nspin * GRID_COPIES * prod(grid)
        # What finds the symmetry of fields is gone before there are orbitals.
        symmetry = 16 * prod(grid) * len(group.without_translations()) / len(group.pure_translations())
        memory = RUN_BYTES + fields + max(orbitals + projectors, symmetry)
        return Size(electrons, nkpoints, round(plane_waves), grid, memory / 1e9)

    def note(self, crystal: Crystal, settings: Mapping[str, Any]) -> str:
        """See :meth:`BasisKind.note`."""
        family, names, xc = settings["pseudo"], settings["pseudo_names"], settings["xc"]
        notes = (
            pseudopotential_note(crystal.species, family, names, xc),
            cutoff_note(crystal.species, settings["ecut_ha"], family, names, xc),
        )
        return " ".join(filter(None, notes))

    def seconds(self, size: Size, spins: int, steps: float, meta_gga: bool) -> float:
        """See :meth:`BasisKind.seconds`."""
        points = prod(size.fft_grid)
        transforms = size.irreducible_kpoints * spins * _band_count(size.electrons)
        work = SECONDS_PER_TRANSFORM_POINT * transforms * points * log(points)
        return START_SECONDS + work * steps * (META_GGA_FACTOR if meta_gga else 1.0)

    def in_words(self, settings: Mapping[str, Any]) -> str:
        """See :meth:`BasisKind.in_words`."""
        return self.title

    def in_short(self, settings: Mapping[str, Any]) -> str:
        """The cutoff."""
        return f"{settings['ecut_ha']:g} Ha"

    def in_full(self, settings: Mapping[str, Any]) -> str:
        """See :meth:`BasisKind.in_full`."""
        return f"{self.title}, {self.in_short(settings)}"

    def described(self, saved: Mapping[str, Any], crystal: Crystal) -> dict[str, Any]:
        """See :meth:`BasisKind.described`."""
        return {"ecut_ha": saved["ecut"], "cutoff_smoothing_ha": saved["cutoff_smoothing"]}

    def basis_settings(self, settings: Mapping[str, Any]) -> PlaneWaves:
        """See :meth:`BasisKind.basis_settings`."""
        from mlxc.basis.planewave.basis import PlaneWaves

        return PlaneWaves(settings["ecut_ha"], shape_from(settings["fft_grid"]), settings["cutoff_smoothing_ha"])

    def from_saved(self, saved: Mapping[str, Any]) -> PlaneWaves:
        """See :meth:`BasisKind.from_saved`."""
        from mlxc.basis.planewave.basis import PlaneWaves

        return PlaneWaves(saved["ecut"], shape_from(saved["fft_grid"]), saved["cutoff_smoothing"])


def _band_count(electrons: int) -> float:
    """How many bands a metal's calculation holds."""
    return electrons / 2 * 1.2 + 4


PLANE_WAVES = PlaneWaveKind()
