"""`make picture`, second half: draws the dashboard from what the first half left, into shared/docs/dashboard.png."""

import io
from pathlib import Path

from PIL import Image

from dashboard.drawing import drawn
from dashboard.record import Record

PICTURE = Path(__file__).resolve().parents[1] / "shared" / "docs" / "dashboard.png"


def main() -> None:
    whole = io.BytesIO()
    drawn(Record.read()).figure.savefig(whole, format="png")
    # A palette is a third of the size, and nobody sees the difference in lines and texts.
    Image.open(whole).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(PICTURE, optimize=True)
    print(f"{PICTURE}: {PICTURE.stat().st_size // 1000} KB")


if __name__ == "__main__":
    main()
