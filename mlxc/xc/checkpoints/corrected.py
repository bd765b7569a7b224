"""What the network in a checkpoint corrects: the functional that is left when the correction is nothing.

Imports no torch.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlxc.xc.checkpoints.files import checkpoint_of
from mlxc.xc.checkpoints.record import SUM, refusal

# By form; a network with no conventional functional underneath is not here.
_CORRECTED = {
    "neural-enhancement": "lda",
    "pbe-kappa-mu": "pbe",
    "pcnn": "scan",
    "xcdiff": "lda",
    "kanungo-nnlda": "lda",
    "kanungo-nngga": "pbe",
    "kanungo-nngga-ueg": "pbe",
}


def corrected_by(name: str) -> str | None:
    """The name of the functional that a checkpoint corrects, or a sum of some; None where there is none.

    Args:
        name: The name or the file of the checkpoint.

    Raises:
        InputError: the file is not in order.
    """
    record = checkpoint_of(name)
    if record is None:
        return None
    if record.architecture != SUM:
        return _corrected_form(record.architecture, record.config)
    try:
        terms = [(float(term["weight"]), _corrected_term(term)) for term in record.config["terms"]]
    except (TypeError, ValueError, KeyError, AttributeError):
        raise refusal(Path(name), "its settings are not those of a sum.") from None
    if not all(corrected for _, corrected in terms):
        return None
    return " + ".join(f"{weight:.6g}*{corrected}" for weight, corrected in terms)


def _corrected_term(term: dict[str, Any]) -> str | None:
    """A conventional functional corrects nothing: it stays what it is."""
    return term.get("conventional") or _corrected_form(term["architecture"], term["config"])


def _corrected_form(architecture: str, config: dict[str, Any]) -> str | None:
    # A hybrid says what it is added to.
    return _CORRECTED.get(architecture) or config.get("baseline")
