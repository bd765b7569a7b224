"""What the network in a checkpoint corrects: the functional that is left when the correction is nothing.

Imports no torch.
"""

from __future__ import annotations

from mlxc.xc.checkpoints.files import checkpoint_of

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
    """The name of the functional that a checkpoint corrects, None where there is none.

    Args:
        name: The name or the file of the checkpoint.

    Raises:
        InputError: the file is not in order.
    """
    record = checkpoint_of(name)
    if record is None:
        return None
    # A hybrid says what it is added to.
    return _CORRECTED.get(record.architecture) or record.config.get("baseline")
