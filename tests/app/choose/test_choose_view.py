"""The controls of choosing and their model say the same, without a browser."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from math import isnan, nan
from pathlib import Path
from typing import Any

import pytest
from ipywidgets import HTML, Button, FloatText, Widget
from mlxc_app.choose.model import ChooseModel
from mlxc_app.choose.view import ChooseView
from mlxc_app.widgets.choosing.cards import CRYSTAL, HOW_FINE, MODEL, Cards
from mlxc_app.widgets.message import MessageArea
from mlxc_app.widgets.theme import Theme
from support import extxyz, poscar

from mlxc.crystal.magnetism import ALONE
from mlxc.utils.assets import asset_path
from mlxc.xc.catalogue import origin_of


class Column:
    """The column of controls, and a hand on them."""

    def __init__(self, crystal: str = "al") -> None:
        self.model, self.messages = ChooseModel(crystal), MessageArea()
        self.cards = Cards()
        self.view = ChooseView(self.model, self.cards, self.messages, Theme())
        # What is made stays when another card opens.
        for title in (CRYSTAL, MODEL, HOW_FINE):
            self.cards.opened = title

    def __getitem__(self, label: str) -> Any:
        """The control with this label."""
        (found,) = [w for w in self.all() if getattr(w, "description", "") == label]
        return found

    def all(self) -> list[Widget]:
        return list(_below(self.view.widget))

    def around(self, label: str) -> Any:
        """The box in which the control with this label stands."""
        control = self[label]
        (found,) = [w for w in self.all() if control in getattr(w, "children", ())]
        return found

    def three(self, style: str) -> list[Any]:
        (row,) = [w for w in self.all() if style in getattr(w, "_dom_classes", ())]
        return list(row.children[1:])

    def unfold(self, words: str) -> None:
        next(w for w in self.all() if words in getattr(w, "description", "")).value = True

    def text(self) -> str:
        return " ".join(w.value for w in self.all() if isinstance(w, HTML))


def _below(widget: Widget) -> Iterator[Widget]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from _below(child)


@pytest.fixture
def column() -> Column:
    return Column()


def test_the_list_shows_what_is_searched_for_and_enter_takes_the_first(column: Column) -> None:
    column["Search"].value = "graph"
    assert [label for label, _ in column["Crystal"].entries] == ["Aluminium (fcc)", "Graphene"]
    assert column["Crystal"].value == "al"
    assert column.model.shipped_name == "al"
    column["Search"]._handle_msg(
        {"content": {"data": {"method": "custom", "content": {"event": "submit"}}}, "buffers": []}
    )
    assert column.model.shipped_name == "graphene"
    column["Search"].value = "unobtainium"
    assert "No crystal here" in column.text()
    assert column.model.shipped_name == "graphene"
    column["Search"].value = ""
    assert column["Crystal"].value == "graphene"


def test_what_is_rarely_needed_is_made_when_it_is_unfolded(column: Column) -> None:
    before = len(column.all())
    for words in ("Edit the cell", "Paste a text"):
        column.unfold(words)
    assert len(column.all()) > before + 15
    assert column.messages.widget.value == ""


def test_a_fold_shows_what_was_chosen_before_it_was_unfolded(column: Column) -> None:
    column.model.change(repeats=(2, 1, 1), lattice_constant_ang=4.1)
    column.model.smearing, column.model.tolerance, column.model.spin = "gaussian", 1e-3, True
    column.model.moments = {"Al": 0.5}
    column.unfold("Edit the cell")
    assert [field.value for field in column.three("mlxc-supercell")] == [2, 1, 1]
    assert column["Constant a (Å)"].value == 4.1
    assert column["Smearing"].value == "gaussian"
    assert column["Density tolerance (per e⁻)"].value == 1e-3
    assert column["Moment of Al (μB)"].value == 0.5


def test_the_cell_is_edited_field_by_field_and_taken_back(column: Column) -> None:
    column.unfold("Edit the cell")
    column.three("mlxc-supercell")[1].value = 2
    column.three("mlxc-strain")[0].value = 1.5
    column["Constant a (Å)"].value = 4.0
    edit = column.model.edit
    assert (edit.repeats, edit.strain_percent, edit.lattice_constant_ang) == ((1, 2, 1), (1.5, 0.0, 0.0), 4.0)
    assert "2 atoms" in column.text()
    column["Back to the original cell"].click()
    assert column["Constant a (Å)"].value == pytest.approx(4.04958)
    assert [field.value for field in column.three("mlxc-supercell")] == [1, 1, 1]
    assert column.model.title == "Aluminium (fcc)"


def test_fields_that_mean_nothing_for_a_crystal_are_not_shown() -> None:
    def shown(column: Column) -> list[str]:
        labels = ("Constant a (Å)", "Scale (%)", "Height of cell (Å)")
        return [label for label in labels if column[label].layout.display != "none"]

    column = Column("al")
    column.unfold("Edit the cell")
    assert shown(column) == ["Constant a (Å)"]
    column.model.take_shipped("graphene")
    assert shown(column) == ["Constant a (Å)", "Height of cell (Å)"]
    assert [field.disabled for field in column.three("mlxc-strain")] == [False, False, True]
    column.model.take_text('1\nLattice="3 0 0 0.3 4 0 0.2 0.4 5" Properties=species:S:1:pos:R:3\nAl 0 0 0\n')
    assert shown(column) == ["Scale (%)"]


def test_a_paste_is_used_when_told_to_and_a_bad_one_is_a_card(column: Column) -> None:
    column.unfold("Paste a text")
    column["Paste a structure"].value = poscar("Si")
    assert column.model.shipped_name == "al"
    column["Use this text"].click()
    assert column.model.title == "Si, pasted"
    column["Paste a structure"].value = "<script>alert(1)</script>"
    column["Use this text"].click()
    assert "mlxc-error" in column.messages.widget.value
    assert column.model.title == "Si, pasted"


def test_what_is_to_be_known_of_spin_and_cutoff_is_told_without_unfolding(column: Column) -> None:
    column.model.take_shipped("ni")
    assert "Spin is on" in column.text()
    assert "mlxc-caution" not in column.text()
    column.model.spin = False
    assert "Spin is off" in column.text()
    assert column.text().count("mlxc-caution") == 1
    column.model.ecut_ha = 6
    assert column.text().count("mlxc-caution") == 2


def test_the_name_of_a_file_is_no_html(column: Column) -> None:
    column.model.take_file("<img src=x>.vasp", poscar("Si").encode())
    assert "&lt;img src=x&gt;.vasp" in column.text()
    assert "<img" not in column.text()


def test_presets_are_pressed_and_own_settings_press_none(column: Column) -> None:
    presets = next(w for w in column.all() if "mlxc-presets" in getattr(w, "_dom_classes", ()))
    presets.value = "quick look"
    assert column["Cutoff (Ha)"].value == 15.0
    assert [field.value for field in column.three("mlxc-mesh")] == [5, 5, 5]
    assert "not converged" in column.text()
    assert "Run about 1 s" in column.text()
    column["Cutoff (Ha)"].value = 17.0
    assert presets.value is None
    assert "Your own settings" in column.text()


def test_mesh_and_spacing_follow_each_other(column: Column) -> None:
    column["k spacing (1/Å)"].value = 0.5
    assert column.model.kmesh == (6, 6, 6)
    assert [field.value for field in column.three("mlxc-mesh")] == [6, 6, 6]
    column.three("mlxc-mesh")[0].value = 8
    assert column.model.kmesh == (8, 6, 6)
    column["k spacing (1/Å)"].value = -1
    assert "k spacing" in column.messages.widget.value


def test_a_set_of_gaussians_is_chosen_from_those_that_have_all_elements(column: Column) -> None:
    sets, place = column["Basis set"], column.around("Basis set")
    assert place.layout.display == "none"
    column["Basis"].value = "gaussian"
    assert place.layout.display == ""
    assert sets.value == column.model.gaussian_basis == "gth-dzvp-molopt-sr"
    sets.value = "gth-szv"
    assert column.model.gaussian_basis == "gth-szv"
    assert "pseudodojo" not in [name for _, name in column["Pseudopotentials"].options]
    column.model.take_shipped("si")
    assert column["Basis"].value == "pw"
    assert column["Pseudopotentials"].value == "pseudodojo"
    assert place.layout.display == "none"


def test_a_total_moment_is_held_when_the_box_is_ticked(column: Column) -> None:
    column["Spin-polarised"].value = True
    column["Moment of Al (μB)"].value = 0.4
    assert column.model.structure["moments_bohr_magneton"] == [0.4]
    assert column.model.total_moment is None
    column["Hold total moment"].value = True
    assert column.model.total_moment == 0.0
    column["Total moment (μB)"].value = 1.0
    assert column.model.total_moment == 1.0
    column.model.take_shipped("mgo")
    assert not column["Hold total moment"].value
    assert column["Moment of Mg (μB)"].value == column["Moment of O (μB)"].value == ALONE


def test_what_is_no_number_in_any_field_never_breaks_the_page(column: Column) -> None:
    column.unfold("Edit the cell")
    column.model.spin, column.model.total_moment = True, 1.0
    fields = [w for w in column.all() if isinstance(w, FloatText) and w.layout.display != "none"]
    assert len(fields) == 17
    for field in fields:
        before = field.value
        field.value = nan
        # These refuse what is no number at once.
        refusing = ("k spacing", "Most SCF steps", "k mesh", "Supercell")
        told = any(name in column.messages.widget.value for name in refusing)
        assert column.model.blocker or told, field.description
        field.value = before
        assert not isnan(field.value)
    assert "unexpected" not in column.messages.widget.value
    assert column.model.blocker == ""


@pytest.mark.process
def test_pyscf_is_loaded_only_when_gaussians_are_wanted() -> None:
    code = (
        "import sys; from test_choose_view import Column; column = Column(); "
        "before = 'pyscf' in sys.modules; column['Basis'].value = 'gaussian'; print(before, 'pyscf' in sys.modules)"
    )
    here = Path(__file__).parent
    folders = [str(here), str(here.parents[0]), str(here.parents[1])]
    environment_path = f"import sys; sys.path[:0] = {folders!r}; "
    done = subprocess.run([sys.executable, "-c", environment_path + code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_every_control_has_a_label(column: Column) -> None:
    for words in ("Edit the cell", "Paste a text"):
        column.unfold(words)
    fields = [w for w in column.all() if hasattr(w, "value") and hasattr(w, "description") and not isinstance(w, HTML)]
    presets = [w for w in fields if "mlxc-presets" in w._dom_classes]
    assert len(presets) == 1
    assert all(w.description for w in fields if w not in presets)
    assert all(w.description for w in column.all() if isinstance(w, Button))


def test_what_was_chosen_when_a_text_was_read_is_said(column: Column) -> None:
    column.unfold("Paste a text")
    column["Paste a structure"].value = extxyz("Al") + extxyz("Cu")
    column["Use this text"].click()
    assert "The file has 2 images, and the last one was taken." in column.text()


def test_a_browser_cannot_choose_what_is_in_no_list(column: Column, tmp_path: Path) -> None:
    other = tmp_path / "other.safetensors"
    other.touch()
    for label in ("XC functional", "Crystal"):
        for name in (str(other), "Your own/../../x", "../al", "Chosen"):
            column[label].value = name
    assert (column.model.xc, column.model.shipped_name, column.messages.widget.value) == ("pbe", "al", "")


def test_one_card_is_open_at_a_time_and_its_content_is_made_when_it_opens() -> None:
    model, cards = ChooseModel(), Cards()
    view = ChooseView(model, cards, MessageArea(), Theme())
    before = len(list(_below(view.widget)))
    buttons = [w for w in _below(view.widget) if getattr(w, "description", "") == "Change"]
    for button in buttons:
        button.value = True
        assert [other.value for other in buttons].count(True) == 1
        assert button.description == "Close"
    assert len(list(_below(view.widget))) > before + 30
    buttons[-1].value = False
    assert cards.opened == ""


@pytest.mark.process
def test_functionals_stand_in_groups_and_a_persons_own_can_be_deleted(column: Column) -> None:
    content = (asset_path("checkpoints") / "pbe-proxy.safetensors").read_bytes()
    asyncio.run(column.view.functional.examine("mine.safetensors", content))
    headings = [heading for heading, _ in column["XC functional"].groups]
    assert [heading for heading in headings if heading != "Published"] == ["Textbook", "Trainable", "Networks", "Mine"]
    assert Path(column.model.xc).stem == column["XC functional"].entries[-1][0] == "mine"
    deletes = [w for w in column.all() if getattr(w, "description", "") == "Delete" and w.layout.display != "none"]
    deletes[0].click()
    assert column.model.xc == "pbe"
    assert "mine is deleted" in column.messages.widget.value
    assert column["XC functional"].groups[-1][0] != "Mine"


@pytest.mark.process
def test_a_refused_checkpoint_is_a_card_and_the_choice_stays(column: Column) -> None:
    asyncio.run(column.view.functional.examine("bad.safetensors", b"no weights"))
    assert "mlxc-error" in column.messages.widget.value
    assert column.model.xc == "pbe"


def test_functionals_can_be_narrowed_to_a_kind_of_origin(column: Column) -> None:
    names = column["XC functional"]
    (kinds,) = [w for w in column.all() if "mlxc-origins" in getattr(w, "_dom_classes", ())]
    seen = {}
    for kind in ("non-empirical", "fitted", "learned"):
        kinds.value = kind
        seen[kind] = {name for heading, entries in names.groups if heading != "Chosen" for _, name in entries}
        assert {origin_of(name) for name in seen[kind]} == {kind}
        # What is chosen stays so, and stays in the list.
        assert column.model.xc == names.value == names.listed == "pbe"
    assert {"pbe", "r2scan"} <= seen["non-empirical"]
    assert "pbe-kappa-mu" in seen["fitted"]
    assert {"mbeef", "pcnn", "solids-mgga"} <= seen["learned"]
    kinds.value = ""
    everything = {name for _, name in names.entries}
    assert everything == set.union(*seen.values())
