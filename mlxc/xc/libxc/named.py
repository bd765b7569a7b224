"""Functionals of libxc that have a name of their own here, since libxc has them in two parts. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from mlxc.xc.cards.card import FunctionalCard


@dataclass(frozen=True)
class NamedInLibXC:
    """A functional under a short name.

    Attributes:
        card: What it is.
        code: The name of its parts in libxc, with a comma in between.
    """

    card: FunctionalCard
    code: str


_KTBM_PAPER = "P. Kovacs, F. Tran, P. Blaha, G. K. H. Madsen, J. Chem. Phys. 157, 094110 (2022)"
_EXPANSION = "It is a long expansion, and no bound holds where its data had no densities."

NAMED = {
    "rscan": NamedInLibXC(
        FunctionalCard(
            "meta-generalised gradient: SCAN with a smooth switch, 2019",
            "non-empirical",
            "A. P. Bartok, J. R. Yates, J. Chem. Phys. 150, 161101 (2019)",
            ("It gives up SCAN's uniform gas and its gradient expansion, which r2scan restores.",),
        ),
        "mgga_x_rscan,mgga_c_rscan",
    ),
    "rppscan": NamedInLibXC(
        FunctionalCard(
            "meta-generalised gradient: rSCAN with the uniform gas restored (r++SCAN), 2022",
            "non-empirical",
            "J. W. Furness et al., J. Chem. Phys. 156, 034109 (2022)",
        ),
        "mgga_x_rppscan,mgga_c_rppscan",
    ),
    "revscan": NamedInLibXC(
        FunctionalCard(
            "meta-generalised gradient: SCAN revised for molecules (revSCAN), 2018",
            "fitted",
            "P. D. Mezei, G. I. Csonka, M. Kallay, J. Chem. Theory Comput. 14, 2469 (2018)",
        ),
        "mgga_x_revscan,mgga_c_revscan",
    ),
    "r4scan": NamedInLibXC(
        FunctionalCard(
            "meta-generalised gradient: r2SCAN with the gradient expansion of fourth order (r4SCAN), 2022",
            "non-empirical",
            "J. W. Furness et al., J. Chem. Phys. 156, 034109 (2022)",
            ("It shares the correlation of r2scan.", "Its energy is less smooth than that of r2scan."),
        ),
        "mgga_x_r4scan,mgga_c_r2scan",
    ),
    "task": NamedInLibXC(
        FunctionalCard(
            "meta-generalised gradient for band gaps: TASK exchange with local correlation, 2019",
            "non-empirical",
            "T. Aschebrock, S. Kummel, Phys. Rev. Research 1, 033082 (2019)",
            ("Made for gaps: binding and lattice constants are not what it is for.",),
        ),
        "mgga_x_task,lda_c_pw",
    ),
    "beef": NamedInLibXC(
        FunctionalCard(
            "generalised gradient: the semilocal part of BEEF-vdW, 2012",
            "learned",
            "J. Wellendorff et al., Phys. Rev. B 85, 235149 (2012)",
            ("BEEF-vdW adds a nonlocal correlation, which is not here: layers and gases bind too weakly.", _EXPANSION),
        ),
        "gga_xc_beefvdw",
    ),
    "mbeef": NamedInLibXC(
        FunctionalCard(
            "meta-generalised gradient: mBEEF exchange with PBEsol's correlation, 2014",
            "learned",
            "J. Wellendorff, K. T. Lundgaard, K. W. Jacobsen, T. Bligaard, J. Chem. Phys. 140, 144107 (2014)",
            (_EXPANSION,),
        ),
        "mgga_x_mbeef,gga_c_pbe_sol",
    ),
    "mcml": NamedInLibXC(
        FunctionalCard(
            "meta-generalised gradient for materials and surfaces: MCML exchange with the correlation of MS2, 2021",
            "learned",
            "K. Brown, Y. Maimaiti, K. Trepte, T. Bligaard, J. Voss, J. Comput. Chem. 42, 2004 (2021)",
            ("Its expansion was held to exact conditions of exchange.",),
        ),
        "mgga_x_mcml,gga_c_regtpss",
    ),
    "ktbm": NamedInLibXC(
        FunctionalCard(
            "meta-generalised gradient for solids: exchange number 0 of KTBM with PBEsol's correlation, 2022",
            "learned",
            _KTBM_PAPER,
            ("KTBM is a series of exchange functionals: the correlation beside it is a choice that was made here.",),
        ),
        "mgga_x_ktbm_0,gga_c_pbe_sol",
    ),
}

# Of exchange alone, by what the names in libxc begin with.
_KTBM = FunctionalCard(
    "meta-generalised gradient, exchange alone: one of the series KTBM, 2022",
    "learned",
    _KTBM_PAPER,
    ("Libxc has the exchange: name a correlation after a comma.", "mgga_x_ktbm_gap is for gaps."),
)
BY_BEGINNING = {"mgga_x_ktbm_": _KTBM}


def listed_names() -> dict[str, str]:
    """The short names, with what they are."""
    return {name: named.card.summary for name, named in NAMED.items()}


def card_in_libxc(name: str) -> FunctionalCard | None:
    """The card of a short name, or of libxc's own name for the same."""
    name = name.lower()
    for short, named in NAMED.items():
        if name in (short, named.code):
            return named.card
    found = (card for beginning, card in BY_BEGINNING.items() if name.startswith(beginning))
    return next(found, None)
