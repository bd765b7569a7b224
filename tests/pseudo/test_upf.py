"""Pseudopotentials in UPF: what the files hold, what is refused, and what they give beside Quantum ESPRESSO."""

from __future__ import annotations

import gzip
from math import pi
from pathlib import Path

import numpy as np
import pytest
import torch

import mlxc
from mlxc import Calculation, Crystal, FermiDirac, GroundState, InputError, PlaneWaves
from mlxc.properties.forces import forces_and_stress
from mlxc.pseudo.cutoffs import recommended_cutoff
from mlxc.pseudo.files.reading import parse_pseudopotential, read_pseudopotential
from mlxc.pseudo.library import FOLDER_VARIABLE, default_family, find_pseudopotential
from mlxc.pseudo.pseudodojo import pseudodojo_content, pseudodojo_elements, read_pseudodojo
from mlxc.pseudo.radial_transform import RadialTransform, simpson_weights
from mlxc.pseudo.tabulated import TabulatedPseudopotential, tabulated

PBE_TABLE = "pseudodojo-pbe"


def text_of(symbol: str) -> str:
    return pseudodojo_content(PBE_TABLE, symbol).decode()


def pseudopotential(symbol: str) -> TabulatedPseudopotential:
    return tabulated(read_pseudodojo(PBE_TABLE, symbol))


@pytest.mark.parametrize("symbol", sorted(pseudodojo_elements(PBE_TABLE)))
def test_a_shipped_file_describes_a_whole_neutral_atom(symbol: str) -> None:
    atom = pseudopotential(symbol)
    electrons = float(atom.atom.density_form_factor(torch.zeros((), dtype=torch.float64)))
    # The outermost electron of a heavy alkali atom reaches beyond the mesh of its file.
    assert electrons == pytest.approx(atom.charge, rel=5e-3 if symbol in ("K", "Rb", "Cs") else 2e-3)
    assert 10 < recommended_cutoff(symbol, PBE_TABLE) < 60


@pytest.mark.parametrize("symbol", ["Al", "Ni", "O"])
def test_the_local_potential_looks_like_the_ions_charge_from_far_away(symbol: str) -> None:
    local = pseudopotential(symbol).local_form_factor
    core = float(local(torch.zeros((), dtype=torch.float64)))
    q = torch.tensor([1e-3, 2e-3], dtype=torch.float64)
    coulomb = -4 * pi * pseudopotential(symbol).charge / q**2
    np.testing.assert_allclose((local(q) - coulomb).numpy(), core, rtol=1e-4)


@pytest.mark.parametrize("ell", [0, 1, 2, 3])
def test_a_gaussian_is_transformed_to_a_gaussian(ell: int) -> None:
    radius = np.arange(0, 12, 0.01)
    weights = simpson_weights(np.full_like(radius, 0.01))
    transform = RadialTransform(ell, radius, weights * radius ** (2 + ell) * np.exp(-(radius**2)))
    q = torch.linspace(0, 9, 400, dtype=torch.float64, requires_grad=True)
    exact = pi**1.5 * (q / 2) ** ell * torch.exp(-(q**2) / 4)
    value = transform(q)
    torch.testing.assert_close(value, exact, atol=1e-9, rtol=0)
    (slope,) = torch.autograd.grad(value.sum(), q)
    (exact_slope,) = torch.autograd.grad(exact.sum(), q)
    torch.testing.assert_close(slope, exact_slope, atol=1e-7, rtol=0)


def test_a_transform_reaches_any_wave_vector_and_stays_the_same_there() -> None:
    radius = np.arange(0, 12, 0.01)
    weights = simpson_weights(np.full_like(radius, 0.01))
    transform = RadialTransform(0, radius, weights * radius**2 * np.exp(-(radius**2)))
    small = torch.linspace(0, 3, 20, dtype=torch.float64)
    before = transform(small)
    transform(torch.tensor(15.0, dtype=torch.float64))
    torch.testing.assert_close(transform(small), before, atol=1e-12, rtol=0)


REFUSED = {
    "ultrasoft": ('pseudo_type="NC"', 'pseudo_type="US"', "is ultrasoft"),
    "ultrasoft by flag": ('is_ultrasoft="F"', 'is_ultrasoft="T"', "is ultrasoft"),
    "PAW": ('is_paw="F"', 'is_paw=".true."', "PAW"),
    "fully relativistic": ('relativistic="scalar"', 'relativistic="full"', "fully relativistic"),
    "spin-orbit": ('has_so="F"', 'has_so="T"', "fully relativistic"),
    "bare Coulomb": ('is_coulomb="F"', 'is_coulomb="T"', "norm-conserving"),
    "another element": ('element="Al"', 'element="Si"', "is for Si, not for Al"),
    "version 1": ("<UPF ", "<ABC ", "version 1"),
    "no format at all": (None, "hello", "not in UPF format"),
    "truncated": (None, 0.4, "truncated or damaged"),
    "words for numbers": ("0.0100 ", "hello ", "something other than numbers"),
    "missing section": ("PP_RHOATOM", "PP_SOMETHING", "PP_RHOATOM"),
    "not finite": ("0.0100 ", "NaN ", "not finite"),
    "no charge": ('z_valence="', 'z_valence="x', "z_valence"),
    "entities": ("<UPF", '<!DOCTYPE a [<!ENTITY b "c">]><UPF', "entities"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_an_unusable_file_is_refused_with_one_sentence(kind: str) -> None:
    old, new, complaint = REFUSED[kind]
    text = text_of("Al")
    if old is not None:
        assert old in text
        changed = text.replace(old, str(new), 1) if kind != "missing section" else text.replace(old, str(new))
    else:
        changed = text[: int(len(text) * new)] if isinstance(new, float) else str(new)
    with pytest.raises(InputError, match=complaint) as error:
        parse_pseudopotential(changed.encode(), "Al.upf", "Al")
    assert str(error.value).endswith(".")
    assert "\n" not in str(error.value)


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "Al.upf.gz"
    path.write_bytes(gzip.compress(text_of("Al").encode())[:5000])
    with pytest.raises(InputError, match=r"Al\.upf\.gz cannot be read"):
        read_pseudopotential(path, "Al")
    path.write_bytes(b"\x00\x01")
    with pytest.raises(InputError, match="cannot be read"):
        read_pseudopotential(path, "Al")


def test_a_users_folder_is_searched_by_element(tmp_path: Path) -> None:
    (tmp_path / "al_pbe_v1.UPF").write_text(text_of("Al"))
    (tmp_path / "As.upf").write_text(text_of("As"))
    assert find_pseudopotential("Al", str(tmp_path), "pbe").name == "al_pbe_v1.UPF"
    with pytest.raises(InputError, match="no UPF file for C"):
        find_pseudopotential("C", str(tmp_path), "pbe")
    (tmp_path / "Al.upf").write_text(text_of("Al"))
    with pytest.raises(InputError, match="several files for Al"):
        find_pseudopotential("Al", str(tmp_path), "pbe")
    assert find_pseudopotential("Al", str(tmp_path), "pbe", "Al.upf").name == "Al.upf"
    with pytest.raises(InputError, match=r"no file 'Al\.psp8'"):
        find_pseudopotential("Al", str(tmp_path), "pbe", "Al.psp8")
    with pytest.raises(InputError, match="neither a family"):
        find_pseudopotential("Al", str(tmp_path / "nowhere"), "pbe")


def test_the_folder_of_the_environment_variable_adds_elements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    assert default_family(("Al", "As")) == "pseudodojo"
    assert default_family(("Eu",)) == "gth"
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    (tmp_path / "Al.upf.gz").write_bytes(gzip.compress(text_of("Al").encode()))
    assert default_family(("Al",)) == str(tmp_path)
    assert default_family(("Al", "As")) == "pseudodojo"
    (tmp_path / "Eu.upf").write_text(text_of("Al").replace('element="Al"', 'element="Eu"'))
    assert default_family(("Eu", "As")) == "pseudodojo"
    assert find_pseudopotential("Eu", "pseudodojo", "pbe").name == "Eu.upf"


def test_pseudodojo_is_the_default_with_its_recommended_cutoff() -> None:
    calculation = Calculation.from_dict({"structure": "ca"})
    assert (calculation.pseudo, calculation.ecut_ha) == ("pseudodojo", 34)
    gth = Calculation.from_dict({"structure": "ca", "pseudo": "gth"})
    assert (gth.pseudo, gth.ecut_ha) == ("gth", 40)


@pytest.mark.thorough
@pytest.mark.parametrize("moment", [pytest.param(None, marks=pytest.mark.slow), 1.0])
def test_forces_and_stress_with_a_core_correction_are_slopes_of_the_energy(moment: float | None) -> None:
    lattice = Crystal.load("si").lattice
    positions = np.array([[0, 0, 0], [0.27, 0.24, 0.25]])

    def ground_state(strain: np.ndarray, displacement: np.ndarray) -> GroundState:
        crystal = Crystal(lattice @ (np.eye(3) + strain).T, ["Si", "Si"], positions + displacement)
        basis = PlaneWaves(12.0, (27, 27, 27), cutoff_smoothing=2.0)
        settings = {"kmesh": (2, 2, 2), "smearing": FermiDirac(0.01), "pseudo": "pseudodojo", "tolerance": 1e-8}
        return mlxc.scf(crystal, basis=basis, spin=moment is not None, total_moment=moment, **settings)

    rest, step = np.zeros((3, 3)), 2e-3
    strain = np.array([[0.6, 0.2, 0.0], [0.2, -0.3, 0.4], [0.0, 0.4, 0.5]])
    shift = np.array([[0.3, -0.5, 0.8], [0.0, 0.0, 0.0]])
    forces, stress = forces_and_stress(ground_state(rest, rest[:2]))

    def slope(strain: np.ndarray, displacement: np.ndarray) -> float:
        upper, lower = (ground_state(sign * step * strain, sign * step * displacement) for sign in (1, -1))
        return float(upper.energy - lower.energy) / (2 * step)

    volume = abs(np.linalg.det(lattice))
    assert float((stress.numpy() * strain).sum()) == pytest.approx(slope(strain, rest[:2]) / volume, abs=1e-7)
    assert -float((forces.numpy() * shift).sum()) == pytest.approx(
        slope(rest, shift @ np.linalg.inv(lattice)), abs=1e-5
    )
