"""A functional as a file that another code can evaluate without mlxc: ONNX, with libxc's ingredients and derivatives.

The graph holds the energy and its first derivatives, differentiated before it is written, in double precision. Inputs
and outputs are arranged as libxc does for spin-polarised densities:

==========  ================  =============================================================================
``rho``     (npoint, 2)       densities of both spins, electrons/bohr^3, positive
``sigma``   (npoint, 3)       grad up . grad up, grad up . grad down, grad down . grad down (GGA, meta-GGA)
``tau``     (npoint, 2)       densities of kinetic energy, with the factor 1/2 (meta-GGA)
``zk``      (npoint,)         XC energy per electron, hartree
``vrho``    (npoint, 2)       derivatives of the energy per volume, and so ``vsigma`` (npoint, 3), ``vtau`` (npoint, 2)
==========  ================  =============================================================================
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch._decomp import core_aten_decompositions
from torch.fx import GraphModule, Node
from torch.fx.experimental.proxy_tensor import make_fx

from mlxc.errors import InputError
from mlxc.utils.replacing import replacing
from mlxc.xc.catalogue import functional
from mlxc.xc.functional import declared_ingredients
from mlxc.xc.identity import identity_of

INPUTS = {"rho": "rho", "grad": "sigma", "tau": "tau"}
# Squared gradients, and shares of them, below which a direction in space says nothing.
SMALLEST_SQUARE = 1e-40
SMALLEST_SHARE = 1e-15
# Operations with numbers, and the ones that take them as tensors: ONNX would round numbers to single precision.
WITH_TENSORS = {
    torch.ops.aten.mul.Tensor: torch.ops.aten.mul.Tensor,
    torch.ops.aten.mul.Scalar: torch.ops.aten.mul.Tensor,
    torch.ops.aten.add.Tensor: torch.ops.aten.add.Tensor,
    torch.ops.aten.add.Scalar: torch.ops.aten.add.Tensor,
    torch.ops.aten.sub.Tensor: torch.ops.aten.sub.Tensor,
    torch.ops.aten.sub.Scalar: torch.ops.aten.sub.Tensor,
    torch.ops.aten.div.Tensor: torch.ops.aten.div.Tensor,
    torch.ops.aten.div.Scalar: torch.ops.aten.div.Tensor,
    torch.ops.aten.pow.Tensor_Scalar: torch.ops.aten.pow.Tensor_Tensor,
    torch.ops.aten.clamp.default: torch.ops.aten.clamp.Tensor,
}
Number = int | float


def export_functional(xc: str | nn.Module, path: str | Path) -> None:
    """Write a functional as an ONNX file.

    Args:
        xc: A name, the file of a checkpoint, a weighted sum, or a module that is made of operations of torch.
        path: The file, which is replaced if it is there.

    Raises:
        InputError: the functional is not known, or is not made of operations that ONNX has, as those of libxc are not;
            or the packages onnx and onnxscript are not installed.
        OSError: the file cannot be written.
    """
    module = functional(xc) if isinstance(xc, str) else xc
    names = declared_ingredients(module)
    arguments = tuple(_sample()[name] for name in names)
    with replacing(Path(path)) as temporary:
        temporary.touch()  # where nothing can be written, that is said before the export takes its time
        try:
            program = _program(module, names, arguments)
        except ImportError as error:
            raise InputError(f"The export needs '{error.name}': install it with pip install 'mlxc[onnx]'.") from None
        except Exception as error:  # whatever torch raises where it cannot look into a functional
            raise InputError(
                f"{identity_of(module).name} cannot be written as ONNX ({type(error).__name__}): it is not made of "
                "operations of torch alone, as functionals of libxc are not."
            ) from error
        program.save(temporary)


def libxc_derivatives(module: nn.Module, names: Sequence[str]) -> Callable[..., tuple[Tensor, ...]]:
    """The function of libxc's ingredients, in the order of ``names``, that gives zk, vrho and so on."""

    def evaluate(*inputs: Tensor) -> tuple[Tensor, ...]:
        given = {name: values.T for name, values in zip(names, inputs, strict=True)}
        if "grad" in given:
            given["grad"] = _gradients(given["grad"])
        with torch.enable_grad():
            leaves = {name: values.detach().requires_grad_() for name, values in given.items()}
            energy = module(**leaves)
            slopes = dict(zip(names, torch.autograd.grad(energy.sum(), list(leaves.values())), strict=True))
        if "grad" in slopes:
            slopes["grad"] = _slopes_of_squares(given["grad"], slopes["grad"])
        return energy.detach() / given["rho"].sum(0), *(slopes[name].T for name in names)

    return evaluate


def _gradients(squares: Tensor) -> Tensor:
    """Vectors ``(2, 3, npoint)`` in a plane, u = (a, 0), d = (b, c), with scalar products ``(3, npoint)``."""
    a = squares[0].clamp(min=SMALLEST_SQUARE).sqrt()
    b = squares[1] / a
    # What is left is never quite nothing: the derivative is then that of a direction, whichever it is.
    c = torch.maximum(squares[2] - b * b, SMALLEST_SHARE * squares[2]).clamp(min=SMALLEST_SQUARE).sqrt()
    zero = torch.zeros_like(a)
    return torch.stack([torch.stack([a, zero, zero]), torch.stack([b, c, zero])])


def _slopes_of_squares(gradients: Tensor, slopes: Tensor) -> Tensor:
    """Derivatives with respect to scalar products: with u.u = a^2, u.d = ab, d.d = b^2 + c^2, solved for them."""
    a, b, c = gradients[0, 0], gradients[1, 0], gradients[1, 1]
    down = slopes[1, 1] / (2 * c)
    mixed = (slopes[1, 0] - 2 * b * down) / a
    up = (slopes[0, 0] - b * mixed) / (2 * a)
    return torch.stack([up, mixed, down])


def _sample() -> dict[str, Tensor]:
    """Ingredients at some points, by which the functional's operations are followed; nothing depends on the values."""
    points = torch.linspace(0.1, 0.5, 5, dtype=torch.float64)
    return {
        "rho": torch.stack([points, 2 * points], 1),
        "grad": torch.stack([points, points / 2, 3 * points], 1),
        "tau": torch.stack([1 + points, 2 + points], 1),
    }


def _program(module: nn.Module, names: Sequence[str], arguments: tuple[Tensor, ...]) -> torch.onnx.ONNXProgram:
    outputs = ["zk", *(f"v{INPUTS[name]}" for name in names)]
    trainable = [parameter for parameter in module.parameters() if parameter.requires_grad]
    try:
        module.requires_grad_(False)
        graph = make_fx(
            libxc_derivatives(module, names),
            decomposition_table=dict(core_aten_decompositions()),
            tracing_mode="symbolic",
            _allow_non_fake_inputs=True,
        )(*arguments)
    finally:
        for parameter in trainable:
            parameter.requires_grad_(True)
    _keep_double_precision(graph)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        npoint = torch.export.Dim("npoint")
        exported = torch.export.export(graph, arguments, dynamic_shapes=tuple({0: npoint} for _ in arguments))
        program = torch.onnx.export(
            exported,
            dynamo=True,
            verbose=False,
            input_names=[INPUTS[name] for name in names],
            output_names=outputs,
        )
    assert program is not None
    return program


def _keep_double_precision(graph: GraphModule) -> None:
    """Turn the numbers in a graph into tensors of double precision."""
    for count, node in enumerate(list(graph.graph.nodes)):
        if node.target == torch.ops.aten.scalar_tensor.default and isinstance(node.args[0], float):
            node.replace_all_uses_with(_constant(graph, node, f"number_{count}", node.args[0]))
            graph.graph.erase_node(node)
        elif node.op == "call_function" and node.target in WITH_TENSORS:
            numbers = [index for index, value in enumerate(node.args) if isinstance(value, Number)]
            arguments = list(node.args)
            for index in numbers:
                arguments[index] = _constant(graph, node, f"number_{count}_{index}", float(arguments[index]))
            if numbers:
                node.args, node.target = tuple(arguments), WITH_TENSORS[node.target]
    graph.recompile()


def _constant(graph: GraphModule, node: Node, name: str, value: float) -> Node:
    graph.register_buffer(name, torch.tensor(value, dtype=torch.float64))
    with graph.graph.inserting_before(node):
        constant: Node = graph.graph.get_attr(name)
    return constant
