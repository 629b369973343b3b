"""Policies for the small worlds, and pictures read back from files."""

from __future__ import annotations

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image, ImageSequence


class Seeker:
    """Walks to goals whose x is above zero, and stays where it is otherwise."""

    def __init__(self):
        self.goals = None

    def begin_episodes(self, mask, infos):
        if self.goals is None:
            self.goals = np.zeros_like(infos["goal"])
        self.goals[mask] = infos["goal"][mask]

    def __call__(self, obs):
        way = np.where(self.goals[:, :1] > 0, self.goals - obs[:, :2], 0.0)
        return np.clip(way, -0.1, 0.1).astype(np.float32)


@pytest.fixture
def seeker():
    """A policy for the world "point" that succeeds at some goals and fails at the others."""
    return Seeker()


def read_frames(path):
    """All pictures of a file, (F, height, width, 3) uint8."""
    if path.suffix == ".gif":  # whose pictures ffmpeg would repeat
        with Image.open(path) as image:
            return np.stack([np.asarray(each.convert("RGB")) for each in ImageSequence.Iterator(image)])
    reader = imageio_ffmpeg.read_frames(str(path))
    width, height = next(reader)["size"]
    return np.stack([np.frombuffer(each, np.uint8).reshape(height, width, 3) for each in reader])


@pytest.fixture(scope="session")
def frames():
    """Reads the pictures of a file: frames(path)."""
    return read_frames


@pytest.fixture
def full_disk(tmp_path, monkeypatch):
    """A stand-in for ffmpeg on a full disk: it leaves a part of the file, complains and ends."""
    program = tmp_path / "ffmpeg-full"
    program.write_text(
        '#!/bin/sh\nfor last; do :; done\nhead -c 5000 > "$last"\n'
        'echo "av_interleaved_write_frame(): No space left on device" >&2\nexit 1\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(program))
