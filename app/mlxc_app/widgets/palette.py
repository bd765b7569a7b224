"""Colours and type that every figure shares: the palette of Okabe and Ito, which colour-blind people can tell apart.

The colours are those of data, and legible on white and on black ground. Letters, axes and grids are coloured by
``theme.js``.
"""

BLUE = "#0072B2"
VERMILLION = "#D55E00"
GREEN = "#009E73"
ORANGE = "#E69F00"
PURPLE = "#CC79A7"
SKY = "#56B4E9"
GREY = "#7f8b95"
# Where the eight of the palette are not enough: of lines that also differ by their dashes, and of hollow points.
OCHRE, LILAC, OLIVE, BROWN = "#a6761d", "#8c7fc0", "#7f8f2a", "#8c564b"
FONT = "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif"
# Of a quantity that is never negative, and of one with both signs: orange is less than zero, blue is more.
SEQUENTIAL = "Cividis"
DIVERGING = ((0.0, VERMILLION), (0.5, "#f2f2f2"), (1.0, BLUE))
# Of a colour that lies over others, as a band of uncertainty does.
BAND_OPACITY = 0.22


def see_through(colour: str, opacity: float = BAND_OPACITY) -> str:
    """A colour of the palette that lets through what is behind it, for Plotly.

    Args:
        colour: The colour, ``#rrggbb``.
        opacity: How much of it is seen, from 0 to 1.
    """
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return f"rgba({red},{green},{blue},{opacity:g})"
