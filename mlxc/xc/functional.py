"""What an exchange-correlation functional is: a module that declares its ingredients.

Called with them by name, it returns the XC energy per volume at the given points, hartree/bohr^3, shape ``(npoint,)``:

========  ==================  ==============================================================================
``rho``   (nspin, npoint)     density, electrons/bohr^3, always positive: the total for nspin = 1, up and down
                              for nspin = 2
``grad``  (nspin, 3, npoint)  its Cartesian gradient, electrons/bohr^4
``tau``   (nspin, npoint)     density of kinetic energy, tau = 1/2 sum_i f_i |grad psi_i|^2, hartree/bohr^3: the total
                              for nspin = 1, up and down for nspin = 2
========  ==================  ==============================================================================

Potential and kernel come from autograd; nothing else is required.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

from torch import nn

from mlxc.errors import InputError

INGREDIENTS = ("rho", "grad", "tau")


class Functional(nn.Module):
    """A convenient base class; any ``torch.nn.Module`` with the attribute ``ingredients`` serves as well."""

    ingredients: tuple[str, ...] = ("rho",)


class CheckpointFunctional(Functional):
    """The base class of functionals that checkpoints hold.

    Attributes:
        architecture: the name of the form in a checkpoint's record.
    """

    architecture: ClassVar[str]

    def config(self) -> dict[str, Any]:
        """Return the settings, as plain data, from which :meth:`from_config` makes a functional of the same form.

        Raises:
            InputError: a checkpoint cannot hold this one.
        """
        return {}

    @classmethod
    def from_config(cls, **config: Any) -> Self:
        """Make a functional with initial weights from what :meth:`config` returns."""
        return cls(**config)


def declared_ingredients(module: nn.Module) -> tuple[str, ...]:
    """The names of the arguments that a functional wants.

    Raises:
        InputError: the module declares none, or one that is not offered.
    """
    declared = getattr(module, "ingredients", None)
    if not isinstance(declared, (tuple, list)) or not declared:
        raise InputError("xc: a functional must have an attribute `ingredients`, such as ('rho', 'grad').")
    unknown = set(declared) - set(INGREDIENTS)
    if unknown:
        raise InputError(f"xc: the ingredient '{min(unknown)}' is not offered; there are {', '.join(INGREDIENTS)}.")
    return tuple(declared)
