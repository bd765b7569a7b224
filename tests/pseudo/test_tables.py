"""The shipped tables: which one is taken for which functional, what a result says of it, and what cutoff it needs."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from ase.data import chemical_symbols

import mlxc
from mlxc import Calculation, Crystal
from mlxc.calculation.notes import notes
from mlxc.pseudo.cutoffs import recommended_cutoff
from mlxc.pseudo.library import FAMILIES, default_family, families_with, named_family
from mlxc.pseudo.made_for import made_for, made_for_in_file
from mlxc.pseudo.pseudodojo import (
    PSEUDODOJO_FAMILIES,
    TABLES,
    pseudodojo_content,
    pseudodojo_cutoffs,
    pseudodojo_elements,
    read_pseudodojo,
)

# What the authors say of their tables: 72 elements, and La and Lu for PBE and PBEsol only.
LANTHANIDES = set(chemical_symbols[57:72])


def cube(*species: str, edge: float = 4.0) -> Crystal:
    positions = [[0.5 * i, 0.5 * i, 0.0] for i in range(len(species))]
    return Crystal.from_dict(
        {
            "lattice_ang": [[edge, 0, 0], [0, edge, 0], [0, 0, edge]],
            "species": list(species),
            "fractional_positions": positions,
        }
    )


@pytest.mark.parametrize("table", TABLES)
def test_a_table_has_every_element_up_to_radon_but_lanthanides_and_astatine(table: str) -> None:
    expected = set(chemical_symbols[1:87]) - LANTHANIDES - {"At"}
    if "lda" not in table:
        expected |= {"La", "Lu"}
    assert pseudodojo_elements(table) == expected
    assert pseudodojo_cutoffs(table).keys() == expected
    assert all(hint["low"] <= hint["normal"] <= hint["high"] for hint in pseudodojo_cutoffs(table).values())


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("symbol", ["H", "O", "Fe", "W", "Bi"])
def test_a_file_is_made_for_the_functional_of_its_table(table: str, symbol: str) -> None:
    assert made_for_in_file(read_pseudodojo(table, symbol).functional) == TABLES[table][0]


# The functional of each name, as everybody calls it.
MADE_FOR = {
    "lda": "lda", "LDA": "lda", "lda_xc_teter93": "lda", "lda_x,lda_c_pw": "lda", "lda_x,lda_c_vwn": "lda",
    "lda_c_pz,lda_x": "lda", "0.5*lda + 0.5*lda_xc_teter93": "lda", "svwn": "lda",
    "pbesol": "pbesol", "PBEsol": "pbesol", "gga_x_pbe_sol,gga_c_pbe_sol": "pbesol",
    "gga_c_pbe_sol,gga_x_pbe_sol": "pbesol",
    "pbe": "pbe", "rpbe": "pbe", "gga_x_pbe,gga_c_pbe": "pbe", "scan": "pbe", "r2scan": "pbe", "pbe-proxy": "pbe",
    "ms2-proxy": "pbe", "pbe-kappa-mu": "pbe", "gga_x_b88,gga_c_lyp": "pbe", "0.5*pbe + 0.5*lda": "pbe",
    "gga_x_pbe_sol,gga_c_pbe": "pbe", "lda_x,gga_c_pbe": "pbe", "mgga_x_scan,mgga_c_scan": "pbe",
    "no functional": "pbe",
}  # fmt: skip


@pytest.mark.parametrize("xc", MADE_FOR)
def test_a_functional_is_given_the_table_that_is_made_for_it(xc: str) -> None:
    assert made_for(xc) == MADE_FOR[xc]
    assert named_family("pseudodojo", ("Si", "O"), xc) == f"pseudodojo-{MADE_FOR[xc]}"
    assert named_family("pseudodojo-stringent", ("Si",), xc) == f"pseudodojo-{MADE_FOR[xc]}-stringent"
    assert named_family("pseudodojo-pbe", ("Si",), xc) == "pseudodojo-pbe"
    assert named_family("gth", ("Si",), xc) == ("gth-pade" if MADE_FOR[xc] == "lda" else "gth-pbe")


@pytest.mark.parametrize("xc", ["lda", "pbesol", "pbe", "r2scan"])
def test_a_result_says_which_file_of_which_table_it_has_taken(xc: str) -> None:
    state = mlxc.scf(Crystal.load("al"), xc=xc, basis=mlxc.PlaneWaves(15.0), kmesh=(1, 1, 1), tolerance=1e-2,
                     smearing=mlxc.FermiDirac(0.05), differentiate=None)  # fmt: skip
    table = f"pseudodojo-{MADE_FOR[xc]}"
    sha256 = hashlib.sha256(pseudodojo_content(table, "Al")).hexdigest()
    assert state.summary()["pseudopotentials"] == {"Al": {"table": table, "file": "Al.upf", "sha256": sha256}}


def test_a_saved_result_says_it_as_well(tmp_path: Path) -> None:
    state = mlxc.scf(Crystal.load("al"), basis=mlxc.PlaneWaves(15.0), kmesh=(1, 1, 1), tolerance=1e-2,
                     smearing=mlxc.FermiDirac(0.05), differentiate=None)  # fmt: skip
    state.save(tmp_path / "al.h5")
    assert mlxc.SavedState.load(tmp_path / "al.h5").pseudopotentials == state.pseudopotentials != {}


DEFAULTS = {
    ("Ti", "O"): "pseudodojo", ("Ba", "Ti", "O"): "pseudodojo", ("Fe",): "pseudodojo", ("Zn", "O"): "pseudodojo",
    ("Mo", "S"): "pseudodojo", ("Cs", "Pb", "I"): "pseudodojo", ("La", "Lu"): "pseudodojo", ("Rn",): "pseudodojo",
    ("Gd", "N"): "gth", ("At",): "gth", ("Ce", "O"): "gth",
}  # fmt: skip


@pytest.mark.parametrize("species", DEFAULTS)
def test_pseudodojo_is_the_default_for_all_elements_that_it_has(species: tuple[str, ...]) -> None:
    assert default_family(species) == DEFAULTS[species]
    assert default_family(species) in families_with(species)


def test_a_fallback_is_told() -> None:
    crystal = cube("Gd", "N")
    calculation = Calculation.from_dict({"structure": crystal, "spin": False})
    assert calculation.pseudo == "gth"
    assert any("PseudoDojo has no pseudopotential of Gd" in note and "gth-pbe" in note for note in notes(calculation))
    assert not notes(Calculation.from_dict({"structure": cube("Ga", "N")}))


def test_noise_in_a_file_is_told() -> None:
    told = notes(Calculation.from_dict({"structure": cube("Cu", "N")}))
    assert any("noise in the local potential that the file of Cu holds" in note for note in told)
    assert not notes(Calculation.from_dict({"structure": cube("Cu", "N"), "pseudo": "gth"}))


def test_a_table_that_lacks_an_element_makes_room_for_pbes_and_says_so() -> None:
    calculation = Calculation.from_dict({"structure": cube("La", "N"), "xc": "lda"})
    assert named_family(calculation.pseudo, ("La", "N"), "lda") == "pseudodojo-pbe"
    assert any("LDA has no La" in note for note in notes(calculation))


# What is said of pseudopotentials that are made for another functional than the calculation's.
MISMATCHES = {
    ("pseudodojo-lda", "pbe"): "made for LDA", ("pseudodojo-pbe", "lda"): "made for PBE",
    ("pseudodojo-pbesol", "r2scan"): "made for PBEsol", ("pseudodojo-pbe-stringent", "pbesol"): "made for PBE",
    ("gth-pade", "pbe"): "made for LDA", ("gth-pbe", "lda"): "made for PBE",
    ("pseudodojo", "lda"): "", ("pseudodojo-pbe", "r2scan"): "", ("pseudodojo-pbe", "pbe-proxy"): "",
    ("gth", "lda"): "",
}  # fmt: skip


@pytest.mark.parametrize(("family", "xc"), MISMATCHES)
def test_a_pseudopotential_for_another_functional_runs_and_says_so(family: str, xc: str) -> None:
    calculation = Calculation.from_dict({"structure": "al", "pseudo": family, "xc": xc, "ecut_ha": 20})
    calculation.check()
    told, sentence = notes(calculation), MISMATCHES[family, xc]
    assert any(sentence in note for note in told) if sentence else not told


def test_a_file_of_a_folder_for_another_functional_says_so(tmp_path: Path) -> None:
    (tmp_path / "Al.upf").write_bytes(pseudodojo_content("pseudodojo-lda", "Al"))
    state = mlxc.scf(Crystal.load("al"), pseudo=str(tmp_path), basis=mlxc.PlaneWaves(15.0), kmesh=(1, 1, 1),
                     tolerance=1e-2, smearing=mlxc.FermiDirac(0.05), differentiate=None)  # fmt: skip
    assert "Al is made for LDA" in state.message
    assert state.pseudopotentials["Al"]["table"] == str(tmp_path)


def test_every_family_is_known_by_one_name_everywhere() -> None:
    assert set(PSEUDODOJO_FAMILIES) < set(FAMILIES)
    assert len(set(FAMILIES.values())) == len(FAMILIES)


def test_recommended_cutoffs_are_those_of_the_table() -> None:
    # The authors' hints for silicon and iron: pseudo-dojo.org, tables 0.4.
    assert recommended_cutoff("Si", "pseudodojo") == 18
    assert recommended_cutoff("Si", "pseudodojo", xc="lda") == 16
    assert recommended_cutoff("Fe", "pseudodojo") == 45
    assert recommended_cutoff("Fe", "pseudodojo-stringent") == 59
    assert Calculation.from_dict({"structure": "al", "xc": "lda"}).ecut_ha == 22


def test_iron_with_gth_is_computed_where_its_energy_has_converged() -> None:
    # Its energy at 100 Ha is 13 mHa above that at 150 Ha, where it has converged.
    assert 100 < Calculation.from_dict({"structure": cube("Fe"), "pseudo": "gth"}).ecut_ha <= 150
