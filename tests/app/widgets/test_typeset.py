"""Numbers and symbols as they are printed."""

from __future__ import annotations

import pytest
from mlxc_app.widgets.message import card
from mlxc_app.widgets.typeset import typeset, typeset_html


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("residual 3.7e-05, target 1e-06", "residual 3.7·10⁻⁵, target 10⁻⁶"),
        ("about 2e+12 times", "about 2·10¹² times"),
        ("F = -2.5 Ha, change -1.2e-03", "F = −2.5 Ha, change −1.2·10⁻³"),
        ("between -0.1 and 0.2 (-3)", "between −0.1 and 0.2 (−3)"),
        ("it is 1.2e+00, where 1e+00 is asked for", "it is 1.2, where 1 is asked for"),
        # What is no number stays.
        ("pbe-proxy, al-2, 2014-03-12, 7e, x1e-5", "pbe-proxy, al-2, 2014-03-12, 7e, x1e-5"),
        ("sha256:3e-9a", "sha256:3e-9a"),
    ],
)
def test_powers_of_ten_and_minus_signs_are_printed(text: str, printed: str) -> None:
    assert typeset(text) == printed


def test_indices_are_lowered_in_html_and_names_are_left_alone() -> None:
    assert typeset_html("v_xc beyond r_s = 3, E_F") == "v<sub>xc</sub> beyond r<sub>s</sub> = 3, E<sub>F</sub>"
    assert typeset_html("ecut_ha, max_x, gga_x_pbe") == "ecut_ha, max_x, gga_x_pbe"


def test_cards_are_printed_and_escaped() -> None:
    html = card("warning", "after 9 steps the residual is 1.2e-03 <b>", note="-3 meV")
    assert "1.2·10⁻³ &lt;b&gt;" in html
    assert "−3 meV" in html
