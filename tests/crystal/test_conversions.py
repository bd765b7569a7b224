"""What other libraries' structures ask for is computed, refused or told, never forgotten."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from ase import Atoms
from support import Outcome

from mlxc import Crystal, InputError
from mlxc.ase import MLXC
from mlxc.errors import MlxcWarning

CUBE = {"cell": [3.0, 3.0, 3.0], "pbc": True}


def hydrogen(charges: list[float] | None = None, **info: object) -> Atoms:
    return Atoms("H2", [[0, 0, 0], [0.8, 0, 0]], charges=charges, info=info, **CUBE)


@pytest.mark.parametrize("atoms", [hydrogen([1.0, 0.0]), hydrogen([-0.5, -0.5]), hydrogen(charge=1)])
def test_a_net_charge_of_ase_is_refused(atoms: Atoms) -> None:
    with pytest.raises(
        InputError, match=r"charge: the structure has a net charge of [+-]1, and a cell must be neutral"
    ):
        Crystal.from_ase(atoms)
    atoms.calc = MLXC(ecut_ha=4, kmesh=[1, 1, 1], pseudo="gth")
    with pytest.raises(InputError, match="net charge"):
        atoms.get_potential_energy()


def test_partial_charges_that_cancel_are_no_net_charge() -> None:
    assert Crystal.from_ase(hydrogen([0.301, -0.3])).species == ("H", "H")
    assert Crystal.from_ase(hydrogen(charge=0)).species == ("H", "H")
    assert Crystal.from_ase(hydrogen(charge="unknown")).species == ("H", "H")


def test_the_calculator_has_no_setting_for_a_charge() -> None:
    with pytest.raises(InputError, match="charge: there is no such setting"):
        MLXC(charge=1)


def test_a_net_charge_of_pymatgen_is_refused_and_oxidation_states_are_labels() -> None:
    from pymatgen.core import Lattice, Species, Structure

    site = Lattice.cubic(3.0), [Species("Li", 1)], [[0, 0, 0]]
    assert Crystal.from_pymatgen(Structure(*site)).species == ("Li",)
    with pytest.raises(InputError, match=r"net charge of \+1"):
        Crystal.from_pymatgen(Structure(*site, charge=1))


def test_a_net_charge_in_plain_data_or_in_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="net charge of -2"):
        Crystal.from_dict(Crystal.load("si").to_dict() | {"charge": -2})
    file = tmp_path / "charged.extxyz"
    hydrogen(charge=1).write(file)
    with pytest.raises(InputError, match=r"charged\.extxyz: charge: the structure has a net charge of \+1"):
        Crystal.load(file)


def test_directions_that_are_not_periodic_are_told_and_computed_as_if_they_were() -> None:
    atoms = hydrogen()
    atoms.pbc = [True, False, False]
    with pytest.warns(MlxcWarning, match=r"not periodic along cell vector 2 and 3; mlxc repeats its cell along all"):
        crystal = Crystal.from_ase(atoms)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert crystal.same_as(Crystal.from_ase(hydrogen()))


def test_a_lattice_of_pymatgen_that_is_not_periodic_everywhere_is_told() -> None:
    from pymatgen.core import Lattice, Structure

    sheet = Structure(Lattice.cubic(3.0, pbc=(True, True, False)), ["H"], [[0, 0, 0]])
    with pytest.warns(MlxcWarning, match="not periodic along cell vector 3"):
        Crystal.from_pymatgen(sheet)


def test_the_command_line_tells_in_one_line_that_a_file_is_not_periodic(
    mlxc_command: Callable[..., Outcome], tmp_path: Path
) -> None:
    atoms = hydrogen()
    atoms.pbc = [True, True, False]
    atoms.write(tmp_path / "sheet.extxyz")
    outcome = mlxc_command("scf", "sheet.extxyz", "--ecut", "-1", "--kmesh", "1", "1", "1")
    told, complaint = outcome.stderr.splitlines()
    assert told.startswith("mlxc: pbc: the structure is not periodic along cell vector 3;")
    assert "ecut" in complaint
