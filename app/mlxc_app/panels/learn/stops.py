"""The six stops of the guided tour: what each is about, what to try, and what to look for."""

from __future__ import annotations

from dataclasses import dataclass

from mlxc_app.choose.model import BALANCED
from mlxc_app.panels.learn import formulas
from mlxc_app.widgets.choosing.cards import HOW_FINE

QUICK_LOOK = "quick look"


@dataclass(frozen=True)
class SetUp:
    """What the form is filled with: quick on any machine, and fine enough for what the page says to be trusted.

    Attributes:
        crystal: A shipped crystal.
        xc: The functional.
        preset: How fine, one of :data:`mlxc.calculation.presets.PRESETS`.
    """

    crystal: str
    xc: str = "pbe"
    preset: str = BALANCED


@dataclass(frozen=True)
class Stop:
    """One stop.

    Attributes:
        title: The title, in a few words.
        text: The text as HTML, two or three sentences.
        formulas: The formulas as MathML, each after a few words of HTML.
        set_up: What “Try it” fills in.
        panel: The name of the panel that it unfolds; empty for none.
        then: What to press afterwards, in plain text.
        look_for: What to look for, as HTML.
        press: The words of the button, or the label of the field, that is pressed first.
        card: The card of the choices in which that is; empty where it is elsewhere.
    """

    title: str
    text: str
    formulas: tuple[tuple[str, str], ...]
    set_up: SetUp
    panel: str
    then: str
    look_for: str
    press: str
    card: str = ""


STOPS = (
    Stop(
        "Choose",
        "Density-functional theory finds the energy of a crystal from the density n of its electrons alone. All terms "
        "are known but one, the exchange-correlation energy E<sub>xc</sub>: there a model must be chosen, with or "
        "without parameters θ. The cutoff and the k mesh only say how finely everything is computed.",
        (
            (
                "The free energy, term by term: motion, ions, repulsion, model, ions with each other, entropy.",
                formulas.TOTAL_ENERGY,
            ),
        ),
        SetUp("si"),
        "",
        "Silicon is chosen on the left. Change the cutoff to see how the size below it follows; “Change” beside "
        "Crystal shows the picture, which can be turned.",
        "The number of plane waves grows with the cutoff to the power 3/2, that of k points with the mesh.",
        "Cutoff (Ha)",
        HOW_FINE,
    ),
    Stop(
        "Run",
        "Each electron moves in a potential that all electrons make together. So one guesses a density, computes the "
        "orbitals ψ<sub>i</sub> in its potential, fills them with electrons, and gets a new density. New and old are "
        "mixed until they agree: the field is self-consistent.",
        (
            ("The Kohn-Sham equation, and the density of its orbitals.", formulas.KOHN_SHAM),
            (
                "Together they map a density to a new one; the solution is a fixed point of this map.",
                formulas.FIXED_POINT,
            ),
            ("Mixing takes a part α of the way; P damps what would swing.", formulas.MIXING),
        ),
        SetUp("al"),
        "Convergence",
        "Aluminium is chosen. Press Run and watch the two curves fall.",
        "Straight lines on these axes mean that each step removes the same share of the error. The energy is right to "
        "twice as many digits as the density, because it is at its minimum.",
        "Run",
    ),
    Stop(
        "Density",
        "The density is what the whole theory is about. In a metal it is nearly even; in silicon it gathers between "
        "the atoms and makes the bonds.",
        (),
        SetUp("si"),
        "Density",
        "Silicon is chosen. Press Run, and when this panel comes back, take the plane “xy diagonal-z”.",
        "Bright ridges between neighbouring atoms are bonds. The dark places are empty channels of the diamond "
        "structure.",
        "Run",
    ),
    Stop(
        "Equation of state",
        "Squeeze the crystal and its energy rises; stretch it and it rises too. The minimum is the size that the "
        "model predicts, and the curvature says how stiff the crystal is.",
        (("Birch and Murnaghan's curve through the points.", formulas.BIRCH_MURNAGHAN),),
        SetUp("al"),
        "Equation of state",
        "Aluminium is chosen. Press “Run equation of state”.",
        "How far is the minimum from the lines of other codes and of experiment? A higher cutoff and a denser mesh "
        "move it; what is left then is the model's own error.",
        "Run equation of state",
    ),
    Stop(
        "Gradients",
        "If the model has parameters θ, one can ask how each of them changes a result, and so learn from data. For the "
        "energy that is easy: at the minimum, the change of the density does not count. For other losses L, one linear "
        "problem more gives the answer for all parameters at once.",
        (
            ("The energy: only the explicit dependence counts.", formulas.ENERGY_GRADIENT),
            (
                "Everything else: the adjoint (Dyson) equation for a change δn of the density. χ<sub>0</sub> is the "
                "response of independent electrons, K how their change acts back on them.",
                formulas.ADJOINT,
            ),
        ),
        SetUp("si", "pbe-kappa-mu"),
        "Gradients",
        "Silicon with pbe-kappa-mu is chosen. Press “Run gradient”, then “Take one step and run again”. The loss is "
        "the squared error of the lattice constant; the functional has two parameters.",
        "Which of κ and μ has the larger gradient? Does the loss fall after the step, and by about as much as the "
        "gradient promises?",
        "Run gradient",
    ),
    Stop(
        "Diagnose",
        "A network that has learned from bulk crystals has never seen a vacuum. In graphene, most of the cell is one. "
        "The diagnosis changes one thing at a time and finds out whether the model, the mesh, the basis or the cell is "
        "to blame.",
        (),
        SetUp("graphene", "bulk-unconstrained", QUICK_LOOK),
        "Diagnose",
        "Graphene with a network that fails there is chosen. Press “Diagnose”; it takes a minute or two, and ends "
        "with what mends it.",
        "The verdict names the largest cause. Look where in the cell the functional is asked something that it was "
        "never taught.",
        "Diagnose",
    ),
)
