"""Whether the form says what the panels show, and the words for it where it does not."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from traitlets import HasTraits, Unicode

from mlxc.calculation.calculation import Calculation
from mlxc.errors import InputError
from mlxc.export.settings import shipped_structure
from mlxc.runs.folder import RunFolder
from mlxc.structures.shipped import shipped_record
from mlxc.tasks.kinds import calculation_of, settings_of_its_kind
from mlxc_app.choose.labels import SETTINGS
from mlxc_app.choose.model import ChooseModel
from mlxc_app.choose.setup_difference import CRYSTAL, Difference, differences
from mlxc_app.run.model import RunModel

# What every kind of run takes from the form; some decide further settings by themselves.
TAKEN = ("xc", "basis", "gaussian_basis", "ecut_ha", "kmesh", "pseudo")


class ShownAndChosen(HasTraits):
    """Compares the choices with those of the shown run, and fills the form with these.

    A run that was started here is known by the choices that there were then, since its kind may have decided some of
    its settings.

    Attributes:
        sentence: What is shown and what is chosen, where these differ; else empty.
    """

    sentence = Unicode()

    def __init__(self, run: RunModel, choose: ChooseModel) -> None:
        super().__init__()
        self._run, self._choose = run, choose
        self._choices: dict[RunFolder | None, Calculation] = {}
        self._compared: tuple[Any, ...] = ()
        run.observe(self._remember, "started")
        run.observe(self._fill, "opened")
        run.observe(self._compare, ["state", "title"])
        choose.observe(self._compare, [*SETTINGS, "title", "blocker"])

    def use_shown(self) -> None:
        """Fill the form as it was for the shown run.

        Raises:
            InputError: the page does not offer all of it, or it cannot be computed here; the form has what it can.
        """
        folder, task = self._run.folder, self._run.task
        if folder is not None and task is not None and calculation_of(task) is not None:
            self._choose.take_calculation(task)
            self._choices[folder] = self._choose.calculation()
            self._compare()

    def _fill(self, change: Any) -> None:
        """A run that is taken up fills the form as far as it can; the line tells what is left."""
        if change["new"] is not None:
            with suppress(InputError):
                self.use_shown()

    def _remember(self, change: Any) -> None:
        folder = change["new"]
        chosen, computed = self._chosen(), calculation_of(folder.task)
        if chosen is not None and computed is not None and not differences(computed, chosen, among=TAKEN):
            self._choices[folder] = chosen

    def _chosen(self) -> Calculation | None:
        """The choices; None where they make no calculation."""
        try:
            return self._choose.calculation()
        except InputError:
            return None

    def _compare(self, change: Any = None) -> None:
        """Changes that belong together are told one by one, and compared once."""
        choices = [getattr(self._choose, name) for name in (*SETTINGS, "title", "blocker")]
        compared = (self._run.folder, self._choices.get(self._run.folder), choices)
        if compared != self._compared:
            self._compared = compared
            self.sentence = self._in_words()

    def _in_words(self) -> str:
        folder, task = self._run.folder, self._run.task
        computed = None if task is None else calculation_of(task)
        if task is None or computed is None:
            return ""
        chosen, name = self._chosen(), title_of(computed)
        if chosen is None:
            return f"shown: {name}; chosen: something that cannot be computed"
        if folder in self._choices:
            found = differences(self._choices[folder], chosen, among=SETTINGS)
        else:
            found = differences(computed, chosen, but=settings_of_its_kind(task))
        return sentence_of(found, name, self._choose.title)


def title_of(calculation: Calculation) -> str:
    """How the page calls the crystal of a calculation."""
    name = shipped_structure(calculation)
    return shipped_record(name)["title"] if name else calculation.crystal.name


def sentence_of(found: list[Difference], shown: str, chosen: str) -> str:
    """What is shown and what is chosen; empty if there is no difference.

    Args:
        found: The differences.
        shown: What the crystal is called that is shown.
        chosen: What the one is called that is chosen.
    """
    if not found:
        return ""
    of_settings = [difference for difference in found if difference.first and difference.what != CRYSTAL]
    # Without words for both sides, such as another volume, the crystal says what is meant.
    if len(of_settings) < len(found):
        bare = [difference.what for difference in found if not difference.first]
        first, second = [shown], [", ".join([chosen, *(f"other {what}" for what in bare)])]
    else:
        first, second = [], []
    first += [difference.of(difference.first) for difference in of_settings]
    second += [difference.of(difference.second) for difference in of_settings]
    return f"shown: {', '.join(first)}; chosen: {', '.join(second)}"
