"""Functionals of mlxc in PySCF: the energies, forces and responses that PySCF finds with its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from pyscf import dft, gto, scf
from torch import Tensor, nn

import mlxc
from mlxc import InputError
from mlxc.adapters.pyscf import FunctionalNumInt, with_functional


def molecule(atoms: str, spin: int = 0) -> Any:
    return gto.M(atom=atoms, basis="def2-svp", spin=spin, verbose=0)


WATER = "O 0 0 0.1173; H 0 0.7572 -0.4692; H 0 -0.7572 -0.4692"
OXYGEN = "O 0 0 0; O 0 0 1.21"
ALIKE = [("pbe", "pbe,pbe"), ("r2scan", "r2scan,r2scan"), ("lda", "lda,pw_mod"), ("gga_x_b88,gga_c_lyp", "b88,lyp")]


# Each functional in one of the molecules is quick enough for every change.
MOLECULES = [
    pytest.param(atoms, spin, *names, marks=() if (spin == 2) == (names[0] == "r2scan") else pytest.mark.slow)
    for atoms, spin in ((WATER, 0), (OXYGEN, 2))
    for names in ALIKE
]


@pytest.mark.parametrize(("atoms", "spin", "ours", "theirs"), MOLECULES)
def test_a_molecule_has_the_energy_that_it_has_with_libxc(atoms: str, spin: int, ours: str, theirs: str) -> None:
    expected = dft.KS(molecule(atoms, spin), xc=theirs).run()
    found = with_functional(dft.KS(molecule(atoms, spin), xc="b3lyp"), ours).run()
    assert found.converged
    # Constants of the uniform gas differ in their last published digits.
    assert found.e_tot == pytest.approx(expected.e_tot, abs=2e-6)


def test_forces_are_derivatives_of_the_energy() -> None:
    def solved(shift: float = 0.0) -> Any:
        moved = WATER.replace("0.1173", f"{0.1173 + shift * 0.529177}")
        mf = with_functional(dft.RKS(molecule(moved)), "solids-mgga")
        # The gradient is that of the grid, too, so that a coarse one will do.
        mf.grids.level, mf.conv_tol = 2, 1e-11
        return mf.run()

    mf = solved()
    gradient = mf.nuc_grad_method()
    gradient.grid_response = True
    step = 1e-3
    assert gradient.kernel()[0, 2] == pytest.approx((solved(step).e_tot - solved(-step).e_tot) / (2 * step), abs=2e-5)


@pytest.mark.parametrize("nspin", [1, 2])
@pytest.mark.parametrize(("ours", "theirs"), ALIKE)
def test_the_kernel_is_that_of_libxc(ours: str, theirs: str, nspin: int) -> None:
    generator = np.random.default_rng(1)
    rho = generator.uniform(0.05, 0.5, (nspin, 5, 50))
    rho[:, 1:4] -= 0.25
    # More than von Weizsaecker's, less of which no electrons have.
    rho[:, 4] += (rho[:, 1:4] ** 2).sum(1) / (8 * rho[:, 0])
    ni = FunctionalNumInt(mlxc.functional(ours))
    fields = {"LDA": 1, "GGA": 4, "MGGA": 5}[ni._xc_type("")]
    given = rho[:, :fields] if nspin == 2 else rho[0, :fields]
    found = ni.eval_xc_eff("", given, deriv=2)
    expected = dft.libxc.eval_xc_eff(theirs, given, deriv=2, spin=nspin - 1)
    kernel = found[2]
    assert kernel is not None
    assert np.abs(kernel - expected).max() < 1e-4 * np.abs(expected).max()


def test_excitations_need_no_more_than_two_derivatives() -> None:
    expected = dft.RKS(molecule(WATER), xc="pbe,pbe").run().TDA().run(nstates=2)
    found = with_functional(dft.RKS(molecule(WATER)), "pbe").run().TDA().run(nstates=2)
    assert found.e == pytest.approx(expected.e, abs=1e-5)
    with pytest.raises(InputError, match="derivative 3"):
        FunctionalNumInt(mlxc.functional("pbe")).eval_xc_eff("", np.ones((4, 3)), deriv=3)


class Nothing(nn.Module):
    """Gives no number where there is no density."""

    ingredients = ("rho",)

    def forward(self, rho: Tensor) -> Tensor:
        return rho.sum(0).where(rho.sum(0) > 1e-6, torch.nan)


def test_mistakes_are_one_sentence() -> None:
    with pytest.raises(InputError, match="no Kohn-Sham calculation"):
        with_functional(scf.RHF(molecule(WATER)), "pbe")
    with pytest.raises(InputError, match="'nonsense'"):
        with_functional(dft.RKS(molecule(WATER)), "nonsense")
    with pytest.raises(InputError, match="Nothing gives no finite number"):
        with_functional(dft.RKS(molecule(WATER)), Nothing()).kernel()
