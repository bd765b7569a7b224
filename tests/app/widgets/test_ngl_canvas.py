"""What the 3-D pictures tell the browser, without a browser."""

import time
from typing import Any

import nglview
import pytest
from mlxc_app.panels.density.isosurface_viewer import NglIsosurfaces
from mlxc_app.widgets.crystal_viewer import BACKGROUNDS, StructureViewer
from mlxc_app.widgets.ngl_canvas import NglCanvas
from mlxc_app.widgets.theme import Theme

from mlxc.structures.shipped import shipped_record

ATOM = "HETATM    1 SI   UNK     1       0.000   0.000   0.000  1.00  0.00          SI\nEND\n"


def load(canvas: NglCanvas) -> None:
    canvas.add_component(nglview.TextStructure(ATOM, ext="pdb"), default_representation=False).center()


def test_a_second_crystal_waits_until_the_first_has_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    canvas = NglCanvas("200px")
    sent: list[str] = []

    def remember(message: dict[str, Any]) -> None:
        sent.append(message["methodName"])

    monkeypatch.setattr(canvas, "send", remember)
    load(canvas)
    canvas.loaded = True  # as the browser says when the canvas is there
    load(canvas)
    time.sleep(0.5)
    assert sent.count("loadFile") == 1
    assert sent[-1] == "loadFile"
    for _ in range(2):
        canvas._event.set()  # the browser has loaded it
        time.sleep(0.3)
    assert sent.count("loadFile") == 2
    assert sent[-1] == "autoView"


@pytest.mark.parametrize("dark", [False, True])
def test_pictures_begin_with_the_ground_of_the_page_and_follow_it(dark: bool) -> None:
    theme = Theme(dark=dark)
    viewers = (StructureViewer(shipped_record("al")["structure"], theme), NglIsosurfaces(theme))
    assert [viewer._view.background for viewer in viewers] == [BACKGROUNDS[dark]] * 2
    theme.dark = not dark
    assert [viewer._view.background for viewer in viewers] == [BACKGROUNDS[not dark]] * 2
