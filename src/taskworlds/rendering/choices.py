"""Checks of what a user chooses about pictures, before anything is drawn or a simulator imported."""

from __future__ import annotations

from taskworlds.core.errors import WrongType, WrongValue, check_count

__all__ = ["check_camera", "check_size"]

_MOST_PIXELS = (
    16_384  # in a line or column: what OpenGL's libraries draw at once off the screen, Mesa's among them
)
_MOST_AREA = (
    2**26
)  # pixels, for which MuJoCo takes 3 GB: each has eight colours and depths, smoothed afterwards


def check_size(width: int, height: int) -> tuple[int, int]:
    """Returns a picture's width and height, pixels, as ints.

    Raises:
        TypeError: one is not a whole number.
        ValueError: one is below 1, or MuJoCo cannot draw so large a picture.

    Example:
        >>> check_size(640, 480)
        (640, 480)
    """
    size = check_count("width", width), check_count("height", height)
    for name, value in zip(("width", "height"), size, strict=True):
        if value > _MOST_PIXELS:
            raise WrongValue(
                f"{name} must be at most {_MOST_PIXELS} pixels, not {value}: MuJoCo draws a picture as a whole, and "
                "OpenGL has no larger ones. Draw it smaller.",
                argument=name,
            )
    if size[0] * size[1] > _MOST_AREA:
        raise WrongValue(
            f"width times height must be at most {_MOST_AREA} pixels (8192 x 8192), not {size[0]} x {size[1]}: MuJoCo "
            "draws a picture as a whole, and would need gigabytes for it. Draw it smaller.",
            argument="width",
        )
    return size


def check_camera(name: str | None, number: int | None) -> None:
    """Checks what can be known of a camera without its model.

    Raises:
        TypeError: the name is not a text, or the number not a whole one.
        ValueError: the number is below -1, or there are both.
    """
    if name is not None and not isinstance(name, str):
        raise WrongType(f"camera_name must be a string, not {name!r}.", argument="camera_name")
    if number is not None:
        check_count("camera_id", number, minimum=-1)
    if name is not None and number is not None:
        raise WrongValue("A camera is chosen by camera_name or by camera_id, not by both.")
