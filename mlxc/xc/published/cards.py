"""What a person should know of the published networks, by the names of their forms. Imports no torch."""

from __future__ import annotations

from mlxc.xc.cards.card import FunctionalCard

_HM = "R. Nagai, R. Akashi, O. Sugino, npj Comput. Mater. 6, 43 (2020), arXiv:1903.00238"
_KANUNGO = "B. Kanungo, J. Hatch, P. M. Zimmerman, V. Gavini, Science Advances (2025), arXiv:2409.06498"
_MOLECULES = "Trained on atoms and molecules; it has seen no solid, no heavy element and no pseudopotential."
_NOT_UNIFORM = "The uniform gas is not exact"
_FLOORS = (
    "Its small constants, 1e-7 in atomic units, are seen where the gradient is small or the density is below 1e-4: "
    "they hold s above sqrt(4e-7) / (6.19 n^(4/3))."
)
_ROUGH = "The slope along ln s does not vanish with s: expect rough potentials in bond centres and between atoms."
_ADDED = "The network's output has no bound, and is added to the base's energy."

CARDS = {
    "pcnn": FunctionalCard(
        "meta-generalised gradient: pcNN, SCAN times factors of a network that keeps limits",
        "learned",
        "R. Nagai, R. Akashi, O. Sugino, Phys. Rev. Research 4, 013106 (2022), arXiv:2111.15593",
        (
            _MOLECULES,
            "SCAN's switch is stiff around alpha = 1, and pcNN keeps it: an SCF needs more steps than with r2scan.",
            "F_x has a narrow wiggle below s = 0.5: 1.008 at s = 0.04, 0.992 at 0.15 (alpha = 1).",
            "Its authors' SCAN has rounded constants; with exact ones energies differ by 6e-7 of themselves at most.",
        ),
    ),
    "xcdiff": FunctionalCard(
        "meta-generalised gradient: XCDIFF, bounded factors on the local density, trained through an SCF",
        "learned",
        "S. Dick, M. Fernandez-Serra, Phys. Rev. B 104, L161109 (2021), arXiv:2106.04481",
        (
            _MOLECULES,
            "It is not symmetric in the spins, by a slip in the published file that it was trained with: up and down "
            "change places at a cost of up to 0.7 % of the energy per volume, more in a dilute gas: a magnet whose "
            "moment is turned round has another energy.",
            "Its small constants, 1e-7 in atomic units, spoil it below a density of 1e-6, where the potential tends to "
            "-0.001 Ha instead of zero.",
        ),
    ),
    "hm-lda": FunctionalCard(
        "local density: NN-LDA, a network with no conventional functional underneath",
        "learned",
        _HM,
        (_MOLECULES, f"{_NOT_UNIFORM}: 2 to 4 % less negative between r_s = 1 and 10.", _FLOORS),
    ),
    "hm-gga": FunctionalCard(
        "generalised gradient: NN-GGA, a network with no conventional functional underneath",
        "learned",
        _HM,
        (_MOLECULES, f"{_NOT_UNIFORM}: off by 1 to 23 % between r_s = 1 and 10.", _FLOORS, _ROUGH),
    ),
    "hm-mgga": FunctionalCard(
        "meta-generalised gradient: NN-meta-GGA, a network with no conventional functional underneath",
        "learned",
        _HM,
        (
            _MOLECULES,
            f"{_NOT_UNIFORM}: off by 3 to 23 % between r_s = 1 and 10.",
            _FLOORS,
            _ROUGH,
            "In aluminium its potential has steps of hartrees, and no SCF settles.",
        ),
    ),
    "kanungo-nnlda": FunctionalCard(
        "local density: NNLDA, a network added to the local density",
        "learned",
        _KANUNGO,
        (_MOLECULES, f"{_NOT_UNIFORM}: off by 1 to 7 % between r_s = 1 and 10.", _ADDED),
    ),
    "kanungo-nngga": FunctionalCard(
        "generalised gradient: NNGGA, a network added to PBE",
        "learned",
        _KANUNGO,
        (_MOLECULES, f"{_NOT_UNIFORM}: off by 8 to 32 % between r_s = 1 and 10.", _ADDED, _ROUGH),
    ),
    "kanungo-nngga-ueg": FunctionalCard(
        "generalised gradient: NNGGA-UEG, a network added to PBE that vanishes in the uniform gas",
        "learned",
        _KANUNGO,
        (_MOLECULES, _ADDED),
    ),
}
