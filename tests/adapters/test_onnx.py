"""A functional written as ONNX gives, without mlxc, what libxc or mlxc gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from support import Outcome
from torch import Tensor, nn

import mlxc
from mlxc import InputError

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

from mlxc.adapters.onnx import export_functional  # noqa: E402

Arrays = dict[str, NDArray[np.float64]]


def densities(npoint: int) -> Arrays:
    """Random densities; of the last points one has no gradient, in one both spins' gradients are parallel."""
    random = np.random.default_rng(5)
    rho = random.uniform(0.01, 1.0, (npoint, 2))
    up, down = random.uniform(-1, 1, (2, npoint, 3))
    up[-1] = down[-1] = 0
    down[-2] = 2 * up[-2]
    down[-3] = 0
    squares = [(up * up).sum(1), (up * down).sum(1), (down * down).sum(1)]
    sigma = np.stack(squares, 1)
    tau = sigma[:, [0, 2]] / (8 * rho) + random.uniform(0.1, 1.0, (npoint, 2))
    return {"rho": rho, "sigma": sigma, "tau": tau}


def run(file: Path, inputs: Arrays) -> Arrays:
    session = onnxruntime.InferenceSession(str(file))
    wanted = {one.name: inputs[one.name] for one in session.get_inputs()}
    return dict(zip([one.name for one in session.get_outputs()], session.run(None, wanted), strict=True))


def by_libxc(code: str, inputs: Arrays) -> Arrays:
    """What PySCF's interface to libxc gives for the same scalar products."""
    from pyscf.dft import libxc

    up = np.sqrt(inputs["sigma"][:, 0])
    along = np.divide(inputs["sigma"][:, 1], up, out=np.zeros_like(up), where=up > 0)
    across = np.sqrt(np.maximum(inputs["sigma"][:, 2] - along**2, 0))
    zero = np.zeros_like(up)
    gradients = np.stack([np.stack([up, zero, zero]), np.stack([along, across, zero])])
    rho, tau = inputs["rho"].T, inputs["tau"].T
    used = {"LDA": 1, "GGA": 4, "MGGA": 6}[libxc.xc_type(code)]
    fields = [np.stack([rho[s], *gradients[s], zero, tau[s]])[:used] for s in range(2)]
    exc, vxc, _, _ = libxc.eval_xc(code, fields, spin=1, deriv=1)
    slopes = zip(("vrho", "vsigma", "vlapl", "vtau"), vxc, strict=False)
    return {"zk": exc} | dict(slopes)


def assert_that_of_libxc(file: Path, code: str) -> None:
    inputs = densities(50)
    expected = by_libxc(code, inputs)
    for name, values in run(file, inputs).items():
        assert values.dtype == np.float64
        scale = np.abs(expected[name]).max()
        assert np.abs(values - expected[name]).max() < 2e-6 * scale, name


R2SCAN = pytest.param("r2scan", "r2scan,r2scan", marks=pytest.mark.slow)


@pytest.mark.parametrize(("ours", "theirs"), [("pbe-kappa-mu", "pbe,pbe"), R2SCAN])
def test_an_exported_functional_is_that_of_libxc_and_stays_trainable(ours: str, theirs: str, tmp_path: Path) -> None:
    xc = mlxc.functional(ours)
    export_functional(xc, tmp_path / "functional.onnx")
    assert_that_of_libxc(tmp_path / "functional.onnx", theirs)
    assert all(parameter.requires_grad for parameter in xc.parameters())


@pytest.mark.slow
@pytest.mark.parametrize(("name", "rounding"), [("solids-mgga", 1e-12), ("pcnn", 1e-10)])
def test_an_exported_network_is_itself_at_any_number_of_points(name: str, rounding: float, tmp_path: Path) -> None:
    file, xc = tmp_path / "network.onnx", mlxc.functional(name)
    export_functional(name, file)
    for npoint in (4, 133):
        inputs = densities(npoint)
        found = run(file, inputs)
        energies = _energies(xc, inputs)
        assert np.abs(found["zk"] * inputs["rho"].sum(1) - energies).max() < rounding
        for varied, slope in (("rho", "vrho"), ("tau", "vtau"), ("sigma", "vsigma")):
            step = 1e-4 * inputs[varied][:-3]
            for column in range(step.shape[1]):
                moved = np.zeros_like(inputs[varied])
                moved[:-3, column] = step[:, column]
                far_below, below, above, far_above = (
                    _energies(xc, inputs | {varied: inputs[varied] + times * moved})[:-3] for times in (-2, -1, 1, 2)
                )
                difference = (8 * (above - below) - (far_above - far_below)) / (12 * step[:, column])
                assert found[slope][:-3, column] == pytest.approx(difference, rel=1e-5, abs=1e-8), slope


def _energies(xc: nn.Module, inputs: Arrays) -> NDArray[np.float64]:
    from mlxc.adapters.onnx import libxc_derivatives

    rho, sigma, tau = (torch.from_numpy(inputs[name]) for name in ("rho", "sigma", "tau"))
    values: Any = libxc_derivatives(xc, ("rho", "grad", "tau"))(rho, sigma, tau)[0] * rho.sum(1)
    return np.asarray(values)


def test_the_command_line_writes_what_the_library_does(mlxc_command: Callable[..., Outcome], tmp_path: Path) -> None:
    told = mlxc_command("checkpoint", "export", "lda", str(tmp_path / "functional.onnx"))
    assert (told.code, "zk, vrho of rho" in told.stdout) == (0, True)
    assert_that_of_libxc(tmp_path / "functional.onnx", "lda,pw_mod")


def test_the_command_line_says_what_cannot_be_written(mlxc_command: Callable[..., Outcome], tmp_path: Path) -> None:
    for target, words in ((tmp_path / "absent" / "a.onnx", "cannot be written"), (tmp_path / "a.onnx", "as ONNX")):
        told = mlxc_command("checkpoint", "export", "pbe" if "absent" in str(target) else "mcml", str(target))
        assert (told.code, words in told.stderr) == (2, True)


class Branching(nn.Module):
    """A functional that asks for the values of its input."""

    ingredients = ("rho",)

    def forward(self, rho: Tensor) -> Tensor:
        return -rho.sum(0) if float(rho.max()) > 1 else rho.sum(0)


@pytest.mark.parametrize("xc", ["gga_x_b88,gga_c_lyp", Branching()])
def test_what_cannot_be_written_is_said_in_one_sentence(xc: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written as ONNX"):
        export_functional(xc, tmp_path / "functional.onnx")
    assert list(tmp_path.iterdir()) == []
