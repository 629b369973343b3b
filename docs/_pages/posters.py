"""Makes the still pictures of the skills' videos: `python docs/_pages/posters.py`, after `taskworlds record`.

    taskworlds record MT50 --every 3 --num-goals 3 --choose success --width 240 --height 240 \
      --camera-name corner2 --no-captions --out docs/media --force

makes the videos.
"""

from __future__ import annotations

from pathlib import Path

import imageio_ffmpeg
from PIL import Image

MEDIA = Path(__file__).parents[1] / "media"
MOSAIC = ("drawer-open-v3", "hammer-v3", "pick-place-v3", "door-open-v3", "window-open-v3", "assembly-v3")
TILE, COLOURS, PICTURES = 160, 64, 30


def pictures(video: Path) -> list[Image.Image]:
    """Returns the pictures of a video."""
    stream = imageio_ffmpeg.read_frames(str(video))
    size = next(stream)["size"]
    return [Image.frombytes("RGB", size, frame) for frame in stream]


def main() -> None:
    """Writes NAME.webp beside each NAME.mp4, its last picture, and the README's mosaic."""
    for video in sorted(MEDIA.glob("*.mp4")):
        pictures(video)[-1].save(video.with_suffix(".webp"), quality=70, method=6)
    films = [pictures(MEDIA / f"{name}.mp4") for name in MOSAIC]
    frames = []
    for i in range(PICTURES):
        frame = Image.new("RGB", (3 * TILE, 2 * TILE))
        for place, film in enumerate(films):
            shown = film[min(i * len(film) // PICTURES, len(film) - 1)].resize((TILE, TILE))
            frame.paste(shown, (place % 3 * TILE, place // 3 * TILE))
        frames.append(frame)
    palette = frames[0].quantize(COLOURS)
    small = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    small[0].save(
        MEDIA / "skills.gif", save_all=True, append_images=small[1:], duration=80, loop=0, optimize=True
    )


if __name__ == "__main__":
    main()
