"""DeepChem: its functionals here, ours there, its networks reproduced, and crystals in its data sets."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from densities import energy_and_derivatives, random_ingredients, those_of
from torch import Tensor, nn

import mlxc
from mlxc import Calculation, Crystal, InputError
from mlxc.xc.catalogue import functional
from mlxc.xc.hybrid import HybridXC
from mlxc.xc.unconstrained import NNLDA, NNPBE, softplus_network

deepchem = pytest.importorskip("deepchem", reason="DeepChem does not install with this Python")

from deepchem.data import NumpyDataset  # noqa: E402
from deepchem.utils import safeops_utils  # noqa: E402
from deepchem.utils.dft_utils import BaseXC, SpinParam, ValGrad  # noqa: E402

from mlxc.deepchem import MaterialStructureFeaturizer  # noqa: E402
from mlxc.training.deepchem_model import SolidsModel  # noqa: E402
from mlxc.xc.deepchem import FromDeepChem, to_deepchem  # noqa: E402

NAMES = ["lda", "pbe", "r2scan", "gga_x_b88,gga_c_lyp"]


class SquaredDensity(BaseXC):
    """A functional as DeepChem's documentation shows one, with a parameter."""

    family = 1

    def __init__(self) -> None:
        self.strength = nn.Parameter(torch.tensor(2.0, dtype=torch.float64))

    def get_edensityxc(self, densinfo: ValGrad | SpinParam) -> Tensor:
        if isinstance(densinfo, ValGrad):
            return self.strength * densinfo.value**2
        return self.strength * (densinfo.u.value**2 + densinfo.d.value**2)


def density_information(ingredients: dict[str, Tensor]) -> Any:
    """The ingredients in DeepChem's containers; the Laplacian, which it always gives, is arbitrary."""
    rho, grad, tau = (values.detach() for values in ingredients.values())
    channels = [ValGrad(rho[s], grad[s], torch.ones_like(rho[s]), tau[s]) for s in range(len(rho))]
    return channels[0] if len(channels) == 1 else SpinParam(*channels)


@pytest.fixture
def nnxc(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """DeepChem's own networks, which import containers and conventional functionals from a package that is missing."""
    offered: dict[str, dict[str, Any]] = {
        "dqc": {}, "dqc.utils": {}, "dqc.api": {}, "dqc.xc": {},
        "dqc.utils.datastruct": {"ValGrad": ValGrad}, "deepchem.utils.dftutils": {"SpinParam": SpinParam},
        "dqc.api.getxc": {"get_xc": to_deepchem}, "dqc.xc.base_xc": {"BaseXC": BaseXC},
        "dqc.utils.safeops": {"safenorm": safeops_utils.safenorm, "safepow": safeops_utils.safepow},
    }  # fmt: skip
    for name, content in offered.items():
        module = ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)
    root = importlib.util.find_spec("deepchem").submodule_search_locations[0]  # type: ignore[union-attr, index]
    spec = importlib.util.spec_from_file_location("nnxc", f"{root}/models/dft/nnxc.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("nspin", [1, 2])
@pytest.mark.parametrize("name", NAMES)
def test_a_functional_that_went_to_deepchem_and_back_is_the_same(name: str, nspin: int) -> None:
    ours, back = functional(name), FromDeepChem(to_deepchem(name))
    assert back.ingredients == ours.ingredients
    ingredients = random_ingredients(nspin)
    expected = energy_and_derivatives(ours, ingredients)
    for quantity, values in energy_and_derivatives(back, ingredients).items():
        assert torch.allclose(values, expected[quantity], rtol=1e-14, atol=0), quantity


@pytest.mark.parametrize("name", ["pbe", pytest.param("r2scan", marks=pytest.mark.thorough)])
def test_an_scf_through_deepchem_gives_the_same_energy(name: str) -> None:
    def energy(xc: nn.Module) -> float:
        ground = mlxc.scf(
            Crystal.load("si"), xc=xc, basis=mlxc.PlaneWaves(6.0), kmesh=(2, 2, 2), smearing=mlxc.FermiDirac(0.01)
        )
        assert ground.converged
        return ground.energy.item()

    assert energy(FromDeepChem(to_deepchem(name))) == pytest.approx(energy(functional(name)), abs=1e-9)


@pytest.mark.parametrize("nspin", [1, 2])
@pytest.mark.parametrize("name", NAMES)
def test_deepchem_gets_our_energy_and_its_derivatives(name: str, nspin: int) -> None:
    ingredients = random_ingredients(nspin)
    expected = energy_and_derivatives(functional(name), ingredients)
    information = density_information(ingredients)
    assert torch.equal(to_deepchem(name).get_edensityxc(information), expected["energy"])
    potential = to_deepchem(name).get_vxc(information)
    channels = [potential] if nspin == 1 else [potential.u, potential.d]
    for quantity, attribute in {"rho": "value", "grad": "grad", "tau": "kin"}.items():
        if quantity in expected:
            values = torch.stack([getattr(channel, attribute) for channel in channels])
            assert torch.allclose(values, expected[quantity], rtol=1e-14, atol=0)


def test_deepchem_may_give_several_densities_at_once_and_points_without_electrons() -> None:
    value = torch.tensor([[0.1, 0.2, 0.3], [0.3, 0.4, 0.0]], dtype=torch.float64)
    grad = torch.stack([0.1 * value, 0.2 * value, 0.3 * value], 1)
    xc = to_deepchem("pbe")
    both = xc.get_edensityxc(ValGrad(value, grad))
    for density, gradient, energy in zip(value, grad, both, strict=True):
        assert torch.equal(xc.get_edensityxc(ValGrad(density, gradient)), energy)
    potential = xc.get_vxc(SpinParam(ValGrad(value[1], grad[1]), ValGrad(value[0], grad[0])))
    for field in (both, potential.u.value, potential.u.grad, potential.d.value):
        assert bool(torch.isfinite(field).all())


def test_a_functional_of_deepchem_is_one_of_ours() -> None:
    xc = FromDeepChem(SquaredDensity())
    assert functional(xc) is xc
    rho = random_ingredients(2)["rho"]
    assert torch.equal(xc(rho), 2 * rho.square().sum(0))
    assert torch.equal(xc(rho[:1]), 2 * rho[0].square())


def test_trainable_parameters_are_found_wherever_deepchem_keeps_them() -> None:
    squared, network = SquaredDensity(), NNLDA()
    combined = FromDeepChem(0.5 * squared + to_deepchem(network))
    assert {id(p) for p in combined.parameters()} == {id(squared.strength), *(id(p) for p in network.parameters())}
    rho = random_ingredients(1)["rho"].detach()
    combined(rho).sum().backward()
    assert squared.strength.grad is not None
    assert squared.strength.grad.item() == pytest.approx(0.5 * rho.square().sum().item())


def test_deepchem_finds_our_parameters_by_name() -> None:
    xc = functional("pbe-kappa-mu")
    exported = to_deepchem(xc)
    for method in ("get_edensityxc", "get_vxc"):
        assert [id(p) for p in exported.getparams(method)] == [id(p) for p in xc.parameters()]
    with pytest.raises(KeyError):
        exported.getparamnames("anything")


@pytest.mark.parametrize("wrong", [object(), nn.Identity(), functional("pbe")])
def test_what_is_no_functional_of_deepchem_is_refused(wrong: object) -> None:
    with pytest.raises(InputError, match=r"^xc: a functional of DeepChem has the method get_edensityxc"):
        FromDeepChem(wrong)


@pytest.mark.parametrize("nspin", [1, 2])
def test_networks_give_the_energies_of_those_of_deepchem(nnxc: ModuleType, nspin: int) -> None:
    ingredients = random_ingredients(nspin)
    information = density_information(ingredients)
    for ours, theirs in [(NNLDA, nnxc.NNLDA), (NNPBE, nnxc.NNPBE)]:
        network = softplus_network(ours.nfeature, (16, 16), seed=4)
        xc = ours(network)
        energy = xc(**those_of(xc, ingredients))
        assert torch.allclose(theirs(network).get_edensityxc(information), energy, rtol=1e-12, atol=0)
        wrapped = FromDeepChem(theirs(network), family=2 if "grad" in xc.ingredients else 1)
        assert torch.allclose(wrapped(**those_of(wrapped, ingredients)), energy, rtol=1e-12, atol=0)


@pytest.mark.parametrize("nspin", [1, 2])
@pytest.mark.parametrize("baseline", ["lda_x", "gga_x_pbe,gga_c_pbe"])
def test_a_hybrid_gives_the_energy_of_that_of_deepchem(nnxc: ModuleType, baseline: str, nspin: int) -> None:
    # DeepChem keeps the weights in single precision, where these numbers are exact.
    ours = HybridXC(baseline, hidden=(16,), aweight0=0.375, bweight0=0.5)
    theirs = nnxc.HybridXC(baseline, ours.nnxc.nnmodel, aweight0=0.375, bweight0=0.5)
    ingredients = random_ingredients(nspin)
    expected = theirs.get_edensityxc(density_information(ingredients))
    assert torch.allclose(ours(**those_of(ours, ingredients)), expected, rtol=1e-12, atol=0)


def test_structures_become_calculations_in_a_data_set() -> None:
    structures = [Crystal.load(name).to_pymatgen() for name in ("si", "al")]
    features = MaterialStructureFeaturizer(xc="lda", ecut_ha=7.0).featurize([structures[0], structures[1].as_dict()])
    dataset = deepchem.data.NumpyDataset(features, np.array([[-7.9], [-2.1]]))
    assert [(x.xc, x.ecut_ha, x.crystal.formula) for x in dataset.X] == [("lda", 7.0, "Si"), ("lda", 7.0, "Al")]
    for batch, targets, _, _ in dataset.iterbatches(batch_size=1, deterministic=True):
        assert isinstance(batch[0], Calculation)
        assert targets.shape == (1, 1)


def test_a_single_structure_is_not_taken_for_its_atoms() -> None:
    (calculation,) = MaterialStructureFeaturizer()(Crystal.load("si").to_pymatgen())
    assert len(calculation.crystal.species) == 2


def test_a_structure_that_cannot_be_computed_is_named_with_the_reason() -> None:
    silicon, collapsed = Crystal.load("si").to_pymatgen(), Crystal.load("si").to_pymatgen()
    collapsed.scale_lattice(0.2)
    featurizer = MaterialStructureFeaturizer(ecut_ha=7.0)
    with pytest.raises(InputError, match=r"^Structure 1: Atoms 1 .* on top of each other"):
        featurizer.featurize([silicon, collapsed])
    for wrong in ({"a": 1}, "si", None):
        with pytest.raises(InputError, match=r"^Structure 0: a .* is not a pymatgen structure"):
            featurizer.featurize([wrong])
    with pytest.raises(InputError, match=r"^Structure 0: xc: "):
        MaterialStructureFeaturizer(xc="pbee").featurize([silicon])


@pytest.mark.process
def test_nothing_else_loads_deepchem() -> None:
    code = "import sys, mlxc, mlxc.xc.hybrid; mlxc.scf; mlxc.functional('pbe'); sys.exit('deepchem' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


@pytest.mark.thorough
def test_deepchems_fit_learns_a_functional_from_a_data_set_of_crystals(tmp_path: Path) -> None:
    featurizer = MaterialStructureFeaturizer(ecut_ha=8.0, kmesh=[2, 2, 2], pseudo="gth", cutoff_smoothing_ha=0.5)
    crystals = featurizer.featurize([Crystal.load("si").to_pymatgen()])
    dataset = NumpyDataset(crystals, np.array([[5.57]]))
    model = SolidsModel(mlxc.functional("pbe-kappa-mu"), learning_rate=0.01, model_dir=str(tmp_path))
    before = abs(float(model.predict(dataset)[0, 0]) - 5.57)
    model.fit(dataset, nb_epoch=20)
    assert abs(float(model.predict(dataset)[0, 0]) - 5.57) < before / 3
