"""Pictures of episodes into files."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

from taskworlds.videos.filming import Look, films
from taskworlds.videos.index import Video
from taskworlds.videos.playing import Played, Stage
from taskworlds.videos.writing import file_writer

__all__ = ["make_videos"]


def make_videos(
    stage: Stage,
    policy: str,
    episodes: tuple[Played, ...],
    look: Look,
    files: Sequence[Path],
    on_picture: Callable[[], None] | None = None,
) -> list[Video]:
    """Draws episodes side by side once, and writes that to each of the files.

    Args:
        stage: where the episodes were played.
        policy: who played, in a line.
        episodes: at least one.
        look: what the pictures look like.
        files: mp4 or gif, by their endings.
        on_picture: called after each picture of an episode that was drawn.

    Raises:
        ValueError: an episode does not come out as it did; there is no such camera.
        NotWritten: a file cannot be written. None of the files is there then.
    """
    fps = Fraction(stage.world.render_fps, look.every)  # as fast as the simulation
    count, height, width = 0, 0, 0
    with contextlib.ExitStack() as stack:
        drawn = stack.enter_context(contextlib.closing(films(stage, episodes, look, on_picture)))
        writers = [stack.enter_context(file_writer(file, fps)) for file in files]
        for picture in drawn:
            count, (height, width, _) = count + 1, picture.shape
            for add in writers:
                add(picture)
    size = width + width % 2, height + height % 2  # as the files have it
    return [Video(file, episodes, policy, count, float(fps), *size) for file in files]
