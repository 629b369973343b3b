"""Videos of what policies do: recorded, or of a result's episodes, or watched in a window."""

from taskworlds.videos.filming import CannotDraw
from taskworlds.videos.index import Video
from taskworlds.videos.recording import Plan, record
from taskworlds.videos.replaying import Replayed, replay
from taskworlds.videos.watching import watch
from taskworlds.videos.writing import NotWritten

__all__ = ["CannotDraw", "NotWritten", "Plan", "Replayed", "Video", "record", "replay", "watch"]
