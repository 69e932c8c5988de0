"""A page to draw on, measured in pixels from its top left: texts, boxes and charts in boxes. Knows no dashboard."""

from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

DPI = 100
INK, FAINT, RULE, GRID, PAPER = "#16191f", "#687078", "#d5dbdb", "#eaeded", "#f2f3f3"
mpl.rcParams.update({"font.family": "DejaVu Sans", "axes.linewidth": 0.8})


@dataclass(frozen=True)
class Box:
    """A part of the page in pixels, from its top left."""

    x: float
    y: float
    width: float
    height: float

    def inside(self, left: float, top: float, right: float, bottom: float) -> "Box":
        return Box(self.x + left, self.y + top, self.width - left - right, self.height - top - bottom)


class Page:
    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor=PAPER)
        self.canvas = FigureCanvasAgg(self.figure)

    def text(self, x: float, y: float, text: str, size: float = 9, color: str = INK, **more) -> None:
        """A line of text whose middle is at this height; size in points."""
        settings = {"va": "center_baseline"} | more
        # "$" would begin a formula
        text = text.replace("$", r"\$")
        self.figure.text(x / self.width, 1 - y / self.height, text, fontsize=size, color=color, **settings)

    def width_of(self, text: str, size: float = 9, weight: str = "normal") -> float:
        font = mpl.font_manager.FontProperties(family="DejaVu Sans", size=size, weight=weight)
        return self.canvas.get_renderer().get_text_width_height_descent(text, font, ismath=False)[0]

    def fitted(self, text: str, width: float, size: float = 9) -> str:
        """The text, or its beginning where it is wider."""
        if self.width_of(text, size) <= width:
            return text
        while text and self.width_of(text + "…", size) > width:
            text = text[:-1]
        return text + "…"

    def wrapped(self, text: str, width: float, size: float = 9) -> list[str]:
        lines = [""]
        for word in text.split():
            longer = f"{lines[-1]} {word}".strip()
            if self.width_of(longer, size) <= width:
                lines[-1] = longer
            else:
                lines.append(word)
        return lines

    def box(self, box: Box, fill: str = "white", edge: str | None = RULE) -> None:
        place = (box.x / self.width, 1 - (box.y + box.height) / self.height)
        size = (box.width / self.width, box.height / self.height)
        look = {"facecolor": fill, "edgecolor": edge or fill, "linewidth": 0.8}
        self.figure.add_artist(Rectangle(place, *size, **look, zorder=-1))  # below the charts

    def axes(self, box: Box) -> Axes:
        place = (box.x / self.width, 1 - (box.y + box.height) / self.height)
        axes = self.figure.add_axes((*place, box.width / self.width, box.height / self.height), facecolor="none")
        dress(axes)
        axes.grid(axis="y", color=GRID, linewidth=0.8)
        axes.set_axisbelow(True)
        return axes


def dress(axes: Axes) -> None:
    """A line below, small labels, and nothing else around a chart."""
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(RULE)
    axes.tick_params(colors=FAINT, labelsize=7.5, length=0, pad=4)
