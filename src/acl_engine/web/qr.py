"""A QR code as one SVG path: text that a template escapes like any other, no image, no script."""

from dataclasses import dataclass, field

import segno

# ISO/IEC 18004: four modules of quiet around the code.
_QUIET = 4


@dataclass(frozen=True, slots=True)
class Qr:
    """`size`: modules a side, the quiet zone included; `path`: the dark ones, as `d` of a path."""

    size: int
    path: str = field(repr=False)

    @classmethod
    def of(cls, text: str) -> "Qr":
        """Of a text, with the error correction of level M."""
        matrix = segno.make(text, error="m", micro=False).matrix
        dark = [
            f"M{x + _QUIET},{y + _QUIET}h1v1h-1z"
            for y, row in enumerate(matrix)
            for x, module in enumerate(row)
            if module
        ]
        return cls(len(matrix) + 2 * _QUIET, "".join(dark))
