"""The dashboard of template.yaml as a picture: its numbers, its expressions, its queries, and how it is drawn.

Knows no stack: `measure_picture.py` takes the numbers, `draw_picture.py` draws them.
"""


class UnsupportedError(Exception):
    """The dashboard uses what is not known here; drawn all the same, it would not be what CloudWatch shows."""
