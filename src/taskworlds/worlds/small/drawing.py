"""Pictures of the small environments, drawn with NumPy alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["AGENT", "BACKGROUND", "GOAL", "LINE", "draw_disc"]

AGENT = (214, 69, 65)  # colours: red, green, blue, 0..255
BACKGROUND = (247, 247, 245)
GOAL = (72, 161, 87)
LINE = (208, 208, 204)


def draw_disc(
    image: npt.NDArray[np.uint8], row: float, col: float, radius: float, colour: tuple[int, int, int]
) -> None:
    """Draws a filled disc with a smooth edge into `image`, in place; the part outside the image is cut off.

    Args:
        image: (height, width, 3) uint8.
        row: centre, in pixels from the top; 0.5 is the middle of the first row.
        col: centre, in pixels from the left.
        radius: in pixels.
        colour: red, green and blue, 0 to 255.

    Example:
        >>> image = np.zeros((5, 5, 3), np.uint8)
        >>> draw_disc(image, 2.5, 2.5, 1.5, (9, 9, 9))
        >>> image[2, :, 0].tolist()
        [0, 9, 9, 9, 0]
    """
    rows = np.arange(image.shape[0])[:, None] + 0.5
    cols = np.arange(image.shape[1])[None, :] + 0.5
    cover = np.clip(radius + 0.5 - np.hypot(rows - row, cols - col), 0.0, 1.0)  # (height, width)
    image[:] = np.rint(image + cover[..., None] * (np.array(colour) - image.astype(float)))
