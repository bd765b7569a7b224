"""A calculation as a case for another code: plain data, and what there is to say about it. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from mlxc.basis.gaussian.kind import GAUSSIAN_ORBITALS
from mlxc.calculation.calculation import Calculation
from mlxc.codes.functionals import gpaw_data_sets, gpaw_functional, pyscf_functional
from mlxc.codes.live import CODES
from mlxc.crystal.magnetism import shifted_to, starting_moments
from mlxc.crystal.resizing import Variation
from mlxc.errors import InputError
from mlxc.pseudo.gth_table import GTH_FAMILIES, GTHParameters
from mlxc.pseudo.library import find_pseudopotentials

# Hartree, well beyond what GPAW's data sets need: its plane waves, where ours have no cutoff that it could share.
GPAW_CUTOFF_HA = 25.0
# Taken by codes that do not have the functional.
SUBSTITUTE = "pbe"
# Settings that all codes share.
KEPT = ("kmesh", "smearing", "width_ha", "spin", "total_moment", "max_iterations")


@dataclass(frozen=True)
class Case:
    """What another code is given.

    Attributes:
        code: one of :data:`mlxc.codes.live.CODES`.
        data: plain data, what the code's ``inside_CODE.py`` in :mod:`mlxc.codes` reads.
        xc: name of the functional here.
        basis: what the orbitals are made of, for a person.
        pseudo: what stands for the cores, for a person.
        note: a sentence where the code computes something else than what was asked for, or an empty string.
        energy_comparable: whether functional, basis and pseudopotentials are those of the calculation.
    """

    code: str
    data: dict[str, Any]
    xc: str
    basis: str
    pseudo: str
    note: str
    energy_comparable: bool


@dataclass(frozen=True)
class Sizes:
    """The volumes, or areas, at which a code computes a crystal.

    Attributes:
        ratios: The volumes, or areas, in units of that of the crystal.
        vary: What varies; None for what suits the crystal.
    """

    ratios: tuple[float, ...] = (1.0,)
    vary: Variation | None = None

    @property
    def reference(self) -> int:
        """The index of the size that is nearest to the given crystal."""
        return int(np.abs(np.array(self.ratios) - 1).argmin())


AS_GIVEN = Sizes()


def case_for(code: str, calculation: Calculation, sizes: Sizes = AS_GIVEN) -> Case:
    """What a code is given for a calculation at some sizes of the crystal.

    Raises:
        InputError: the code cannot compute it; one sentence says what it cannot do.
    """
    if calculation.terms:
        raise InputError("terms: other codes are not given further terms of the energy; compare without them.")
    return {"pyscf": pyscf_case, "gpaw": gpaw_case}[code](calculation, sizes)


def pyscf_case(asked: Calculation, sizes: Sizes) -> Case:
    """The case for PySCF: Gaussians, GTH pseudopotentials and grid of the calculation, default ones beside plane waves.

    Raises:
        InputError: PySCF does not have the smearing, or cannot hold the moment.
    """
    if asked.smearing == "marzari-vanderbilt":
        raise InputError("PySCF has no Marzari-Vanderbilt smearing; choose fermi-dirac or gaussian for all codes.")
    calculation = _in_gaussians(asked)
    species = calculation.crystal.species
    pseudopotentials = gth_pseudopotentials(calculation)
    charges = [pseudopotentials[symbol].charge for symbol in species]
    _check_moment_of_whole_electrons(calculation, sum(charges))
    resized = calculation.at_volumes(sizes.ratios, sizes.vary)
    functional = pyscf_functional(calculation.xc)
    data = _common(resized, sizes.reference) | {
        "xc": functional or pyscf_functional(SUBSTITUTE),
        "basis": GAUSSIAN_ORBITALS.sets_of_elements(calculation.model_dump()),
        "pseudo": {symbol: entry.in_pyscf_form() for symbol, entry in pseudopotentials.items()},
        "fft_grid": resized[0].fft_grid,
        "charges": charges,
        "polarisations": _polarisations(calculation, charges),
    }
    basis = GAUSSIAN_ORBITALS.in_full(calculation.model_dump())
    notes = [] if functional else [_substituted("pyscf", calculation)]
    if calculation is not asked:
        notes.append(f"PySCF has no plane waves: its orbitals are made of {basis}, so its energy is not comparable.")
    return Case(
        code="pyscf",
        data=data,
        xc=calculation.xc if functional else SUBSTITUTE,
        basis=basis,
        pseudo=" ".join(entry.name for entry in pseudopotentials.values()),
        note=" ".join(notes),
        energy_comparable=calculation is asked and functional is not None,
    )


def gpaw_case(calculation: Calculation, sizes: Sizes) -> Case:
    """The case for GPAW: its own data sets, in plane waves up to the cutoff or, beside Gaussians, up to a safe one."""
    cutoff = calculation.ecut_ha if calculation.basis_kind.cutoff_limits_functions else GPAW_CUTOFF_HA
    functional = gpaw_functional(calculation.xc)
    name = functional or gpaw_functional(SUBSTITUTE)
    assert name is not None
    data_sets = gpaw_data_sets(name)
    data = _common(calculation.at_volumes(sizes.ratios, sizes.vary), sizes.reference) | {
        "xc": name,
        "data_sets": data_sets,
        "ecut_ha": cutoff,
        "moments_bohr_magneton": _starting_moments(calculation),
    }
    return Case(
        code="gpaw",
        data=data,
        xc=calculation.xc if functional else SUBSTITUTE,
        basis=f"plane waves, {cutoff:g} Ha",
        pseudo=f"PAW data of {data_sets}",
        note="" if functional else _substituted("gpaw", calculation),
        energy_comparable=False,
    )


def gth_pseudopotentials(calculation: Calculation) -> dict[str, GTHParameters]:
    """GTH pseudopotentials by element.

    Raises:
        InputError: the calculation has others.
    """
    species = calculation.crystal.species
    found = find_pseudopotentials(species, calculation.pseudo, calculation.xc, calculation.pseudo_names)
    entries = {symbol: entry for symbol, entry in found.items() if isinstance(entry, GTHParameters)}
    if len(entries) < len(found):
        raise InputError("pseudo: Gaussian basis sets are made for GTH pseudopotentials; choose the family gth.")
    return entries


def _common(calculations: Sequence[Calculation], reference: int) -> dict[str, Any]:
    """What all codes are told of calculations that differ in the lattice alone."""
    first = calculations[0]
    return {
        "species": first.crystal.species,
        "fractional_positions": first.crystal.positions.tolist(),
        "lattices_bohr": [calculation.crystal.lattice.tolist() for calculation in calculations],
        "reference": reference,
    } | first.model_dump(include=set(KEPT))


def _in_gaussians(calculation: Calculation) -> Calculation:
    """The calculation itself, if it is in Gaussians; else the same in default Gaussians, and GTH pseudopotentials."""
    if calculation.basis_kind is GAUSSIAN_ORBITALS:
        return calculation
    settings = calculation.model_dump(include={"structure", "xc", *KEPT}) | {"basis": GAUSSIAN_ORBITALS.name}
    if calculation.pseudo in GTH_FAMILIES:
        settings |= {"pseudo": calculation.pseudo, "pseudo_names": calculation.pseudo_names}
    return Calculation.from_dict(settings)


def _substituted(code: str, calculation: Calculation) -> str:
    return f"{CODES[code].label} has no functional {calculation.xc}; it computes {SUBSTITUTE.upper()} instead."


def _check_moment_of_whole_electrons(calculation: Calculation, charge: int) -> None:
    """PySCF counts whole electrons of each spin, of all k points together."""
    if calculation.total_moment is None:
        return
    count = prod(calculation.kmesh)
    up = (charge + calculation.total_moment) * count / 2
    if abs(up - round(up)) > 1e-6:
        raise InputError(
            f"PySCF cannot hold a moment of {calculation.total_moment:g} Bohr magneton with {count} k points: "
            "the electrons of each spin must be a whole number in all of them together."
        )


def _starting_moments(calculation: Calculation) -> list[float]:
    """Those that mlxc starts from, shifted where the sum is to be held."""
    moments = starting_moments(calculation.crystal)
    if calculation.total_moment is not None:
        moments = shifted_to(calculation.total_moment, moments)
    return [float(moment) for moment in moments]


def _polarisations(calculation: Calculation, charges: list[int]) -> list[float]:
    """The spin polarisation of each atom's electrons at the start, between -1 and 1."""
    if not calculation.spin:
        return [0.0] * len(charges)
    pairs = zip(_starting_moments(calculation), charges, strict=True)
    return [float(np.clip(moment / charge, -1, 1)) for moment, charge in pairs]
