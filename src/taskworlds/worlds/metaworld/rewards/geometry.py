"""Lengths, distances and quaternions, on plain numbers."""

from __future__ import annotations

import math

__all__ = ["distance", "distance_2d", "length", "quat_from_matrix", "quat_in_scipy_order"]


def length(x, y, z):
    """Returns the length of a vector."""
    return math.sqrt(x * x + y * y + z * z)


def distance(a, b):
    """Returns the distance between two points, arrays of 3."""
    x, y, z = a[0] - b[0], a[1] - b[1], a[2] - b[2]
    return math.sqrt(x * x + y * y + z * z)


def distance_2d(a, b, i, j):
    """Returns the distance between two points in the plane of their coordinates `i` and `j`."""
    x, y = a[i] - b[i], a[j] - b[j]
    return math.sqrt(x * x + y * y)


def quat_from_matrix(m, quat):
    """Writes the quaternion (x, y, z, w) of a rotation matrix (9 numbers, row by row) into `quat` (4,).

    The largest of the four numbers is computed from the diagonal, so its sign is positive: scipy's
    `Rotation.from_matrix(m).as_quat()`, after Markley (2008), "Unit quaternion from rotation matrix".
    """
    trace = m[0] + m[4] + m[8]
    largest, i = trace, 3
    for axis in range(3):
        if m[4 * axis] > largest or (i == 3 and m[4 * axis] >= largest):
            largest, i = m[4 * axis], axis
    if i == 3:
        quat[0], quat[1], quat[2] = m[7] - m[5], m[2] - m[6], m[3] - m[1]
        quat[3] = 1.0 + trace
    else:
        j, k = (i + 1) % 3, (i + 2) % 3
        quat[i] = 1.0 - trace + 2.0 * m[4 * i]
        quat[j] = m[3 * j + i] + m[3 * i + j]
        quat[k] = m[3 * k + i] + m[3 * i + k]
        quat[3] = m[3 * k + j] - m[3 * j + k]
    norm = math.sqrt(quat[0] ** 2 + quat[1] ** 2 + quat[2] ** 2 + quat[3] ** 2)
    for n in range(4):
        quat[n] /= norm


def quat_in_scipy_order(w, x, y, z, quat):
    """Writes a rotation that MuJoCo holds as (w, x, y, z) into `quat` (4,), as `quat_from_matrix` would.

    For geoms that only are to be seen: the engine's models have none, but a body that moves with them.
    """
    largest = w
    for number in (z, y, x):
        if abs(number) >= abs(largest):  # scipy prefers x, then y, then z
            largest = number
    scale = math.copysign(1.0 / math.sqrt(w * w + x * x + y * y + z * z), largest)
    quat[0], quat[1], quat[2], quat[3] = x * scale, y * scale, z * scale, w * scale
