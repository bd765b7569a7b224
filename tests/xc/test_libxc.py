"""Functionals of libxc: derivatives for autograd, and names that are understood or refused with one sentence."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from densities import AGREEMENT, POWER_OF_DENSITY, energy_and_derivatives, random_ingredients, those_of
from torch import Tensor

from mlxc.errors import InputError
from mlxc.grid.fields import Fields
from mlxc.grid.grid import Grid
from mlxc.terms.xc import xc_energy
from mlxc.xc.catalogue import check_name, functional
from mlxc.xc.libxc import functional as libxc
from mlxc.xc.libxc.functional import LibXC

SAME = {
    "lda": "lda_x,lda_c_pw_mod",
    "pbe": "gga_x_pbe,gga_c_pbe",
    "r2scan": "mgga_x_r2scan,mgga_c_r2scan",
}
SEMILOCAL = ["lda_x,lda_c_vwn", "gga_x_b88,gga_c_lyp", "tpss"]


def second_derivatives(xc: torch.nn.Module, ingredients: dict[str, Tensor]) -> dict[str, Tensor]:
    """The kernel applied to a change of the density that keeps its shape."""
    wanted = those_of(xc, ingredients)
    first = energy_and_derivatives(xc, ingredients)
    changes = [values.detach() for values in wanted.values()]
    responses = torch.autograd.grad([first[key] for key in wanted], list(wanted.values()), changes)
    return dict(zip(wanted, responses, strict=True))


@pytest.mark.parametrize("nspin", [1, 2])
@pytest.mark.parametrize("name", SAME)
def test_a_functional_written_here_equals_that_of_libxc_up_to_its_kernel(name: str, nspin: int) -> None:
    ours, theirs = functional(name), functional(SAME[name])
    assert isinstance(theirs, LibXC)
    assert ours.ingredients == theirs.ingredients
    ingredients = random_ingredients(nspin)
    expected = second_derivatives(theirs, ingredients)
    for key, response in second_derivatives(ours, ingredients).items():
        scale = ingredients["rho"].sum(0) ** POWER_OF_DENSITY[key]
        assert torch.allclose(response * scale, expected[key] * scale, rtol=AGREEMENT, atol=AGREEMENT)


@pytest.mark.parametrize("nspin", [1, 2])
@pytest.mark.parametrize("name", SEMILOCAL)
def test_first_and_second_derivatives_agree_with_finite_differences(name: str, nspin: int) -> None:
    rho = torch.tensor([[0.2, 0.3], [0.15, 0.1]], dtype=torch.float64)[:nspin]
    grad = torch.tensor([[[0.1, 0.2], [0, 0.1], [0.1, 0]], [[0.1, 0.05], [0.05, 0], [0, 0.1]]], dtype=torch.float64)
    tau = torch.tensor([[0.1, 0.4], [0.15, 0.2]], dtype=torch.float64)[:nspin]
    xc = functional(name)
    wanted = those_of(xc, {"rho": rho, "grad": grad[:nspin], "tau": tau})
    arguments = [values.clone().requires_grad_() for values in wanted.values()]
    assert torch.autograd.gradcheck(lambda *values: xc(*values), arguments)
    assert torch.autograd.gradgradcheck(lambda *values: xc(*values), arguments)


def test_a_third_derivative_is_refused_rather_than_wrong() -> None:
    rho = torch.tensor([[0.3]], dtype=torch.float64, requires_grad=True)
    energy = functional("lda_x")(rho)
    (potential,) = torch.autograd.grad(energy, rho, create_graph=True)
    (kernel,) = torch.autograd.grad(potential, rho, create_graph=True)
    with pytest.raises(RuntimeError):
        torch.autograd.grad(kernel, rho)


def test_many_points_are_computed_in_pieces_with_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    xc, ingredients = functional("tpss"), random_ingredients(2, npoint=100)
    whole = second_derivatives(xc, ingredients)
    monkeypatch.setattr(libxc, "POINTS_AT_ONCE", 7)
    for key, response in second_derivatives(xc, ingredients).items():
        assert torch.equal(response, whole[key])


@pytest.mark.parametrize("name", ["lda_x,lda_c_vwn", "gga_x_b88,gga_c_lyp"])
@pytest.mark.parametrize("level", [0.0, 1e-30, 1e-14, 1e-12, 1e-8, 1e3])
def test_energy_potential_and_kernel_are_finite_at_any_density(name: str, level: float) -> None:
    grid = Grid(torch.eye(3, dtype=torch.float64) * 6, (6, 6, 6), radius=2.0)
    ripple = torch.linspace(-1, 1, 216, dtype=torch.float64).reshape(1, 6, 6, 6)
    density = (level * (1 + 0.1 * ripple)).requires_grad_()
    energy = xc_energy(functional(name), grid, Fields(density))
    (potential,) = torch.autograd.grad(energy, density, create_graph=True)
    (kernel,) = torch.autograd.grad((potential * ripple).sum(), density)
    for values in (energy, potential, kernel):
        assert bool(torch.isfinite(values).all())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_ingredients_on_a_gpu_give_the_same_there() -> None:
    xc, here = functional("tpss"), random_ingredients(2, npoint=20)
    there = {key: values.detach().cuda().requires_grad_() for key, values in here.items()}
    expected = second_derivatives(xc, here)
    for key, response in second_derivatives(xc, there).items():
        assert response.is_cuda
        assert torch.allclose(response.cpu(), expected[key], rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "ingredients"),
    [
        ("lda_x", ("rho",)), ("GGA_X_PBE", ("rho", "grad")), ("Gga_X_B88,gga_c_lyp", ("rho", "grad")),
        ("blyp", ("rho", "grad")), ("lda_x,gga_c_pbe", ("rho", "grad")), ("m06-l", ("rho", "grad", "tau")),
        ("mgga_x_tpss,gga_c_pbe", ("rho", "grad", "tau")), ("gga_xc_b97_d", ("rho", "grad")),
    ],
)  # fmt: skip
def test_any_semilocal_name_or_pair_of_names_is_a_functional(name: str, ingredients: tuple[str, ...]) -> None:
    check_name(name)
    assert functional(name).ingredients == ingredients


def test_a_name_of_ours_in_capitals_means_ours() -> None:
    assert type(functional("PBE")) is type(functional("pbe"))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("pbe0", "exact exchange"), ("b3lyp", "exact exchange"), ("hf", "exact exchange"), ("hse06", "exact exchange"),
        ("hyb_gga_xc_cam_b3lyp", "exact exchange"), ("hyb_gga_xc_hse06,hyb_gga_xc_cam_b3lyp", "exact exchange"),
        ("b97m-v", "nonlocal correlation"), ("scan-rvv10", "nonlocal correlation"), ("scanl", "Laplacian"),
        ("mgga_x_tb09", "Laplacian"), ("gga_x_lb", "no energy"), ("lda_x_2d", "two dimensions"),
        ("gga_k_tfvw", "kinetic energy"), ("zlp", "several"),
    ],
)  # fmt: skip
def test_what_cannot_be_computed_is_refused_with_the_reason(name: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as error:
        functional(name)
    assert str(error.value).startswith(f"xc: '{name}' ")
    assert str(error.value).endswith(".")


@pytest.mark.parametrize(
    "name",
    [
        "", " ", "nope", "pbee", "gga_x_pbee", "gga_x_nope,gga_c_pbe", "pbe,pbe,pbe", "gga_x_b88,", ",", "106", "1*",
        "pbe+lyp", "pbe-lyp", "rsh(1;2;3)", "rsh", "pbe-d3", "a\nb", "pbe\x00", "\u2028", "../../nowhere", "__vv10",
        "{}", "%s", "é" * 10, "x" * 100_000, "gga_x_pbe," * 1000,
    ],
)  # fmt: skip
def test_an_unknown_name_is_answered_with_one_short_sentence(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError) as error:
        functional(name)
    sentence = str(error.value)
    assert sentence.startswith("xc: ")
    assert sentence.isprintable()
    assert len(sentence) < 300
    assert capfd.readouterr() == ("", "")


@pytest.mark.process
def test_checking_a_name_of_libxc_needs_no_torch_and_one_of_ours_no_pyscf() -> None:
    code = (
        "import sys; from mlxc.xc.catalogue import check_name, functional_names; functional_names();"
        "check_name('r2scan'); assert 'pyscf' not in sys.modules; check_name('gga_x_b88,gga_c_lyp');"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
