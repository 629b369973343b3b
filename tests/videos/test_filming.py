"""Pictures of episodes that are played again."""

import numpy as np
import pytest

import taskworlds
from taskworlds.rendering.grid import grid
from taskworlds.videos import CannotDraw, filming
from taskworlds.videos.captions import Captions, Words
from taskworlds.videos.filming import Look, films, pictures_of, try_out
from taskworlds.videos.playing import Stage, play


def official(stage, played):
    """All pictures of an episode, as `make` draws them."""
    env = taskworlds.make(
        stage.benchmark, split=stage.split, render_mode="rgb_array", terminate_on_success=True
    )
    env.reset(options={"task": played.task})
    pictures = [env.render()]
    for action in played.actions:
        env.step(action)
        pictures.append(env.render())
    env.close()
    return pictures


@pytest.fixture
def point(seeker):
    """What was played in "point": (stage, a success, a longer failure)."""
    stage = Stage.of("point", num_goals=6, max_episode_steps=10)
    episodes = play(seeker, stage).episodes
    solved = next(each for each in episodes if each.episode.success_end)
    failed = next(each for each in episodes if not each.episode.success_end)
    assert len(solved.actions) < len(failed.actions) == 10
    return stage, solved, failed


def test_without_captions_the_pictures_are_those_of_make(point):
    stage, solved, _ = point
    drawn = list(films(stage, [solved], Look(captions=False)))
    for ours, its in zip(drawn, official(stage, solved), strict=True):
        np.testing.assert_array_equal(ours, its)


def test_every_few_steps_and_the_last(point):
    stage, solved, _ = point
    length = len(solved.actions)
    every = length - 1  # so that the last is not one of them
    drawn = list(films(stage, [solved], Look(captions=False, every=every)))
    assert len(drawn) == pictures_of(length, every) == 3
    all_of_them = official(stage, solved)
    np.testing.assert_array_equal(drawn[1], all_of_them[every])
    np.testing.assert_array_equal(drawn[2], all_of_them[-1])


def test_side_by_side_the_shorter_one_holds_its_last_picture(point):
    stage, solved, failed = point
    drawn_alone = []
    drawn = list(films(stage, [solved, failed], Look(captions=False), lambda: drawn_alone.append(1)))
    assert len(drawn) == 11
    assert len(drawn_alone) == len(solved.actions) + 11 + 1  # nothing is drawn while it is held
    last = official(stage, solved)[-1]
    for picture in drawn[len(solved.actions) :]:
        np.testing.assert_array_equal(picture[:400, :400], last)
    np.testing.assert_array_equal(drawn[-1][:400, 402:802], official(stage, failed)[-1])


def test_captions_tell_of_the_moment(point):
    stage, solved, failed = point
    drawn = list(films(stage, [solved, failed], Look()))
    length, total = len(solved.actions), len(failed.actions)
    goals = ["goal {:.2f}, {:.2f}".format(*each.task["goal"]) for each in (solved, failed)]
    widest = [
        Words("point", goals[0], f"step {length} of {length}", "reward -888.88", "failure"),
        Words("point", goals[1], f"step {total} of {total}", "reward -888.88", "failure"),
    ]
    captions = Captions(400, widest)
    assert drawn[0].shape == (400 + captions.height + 2, 804, 3)
    start = captions.strip(widest[0]._replace(step=f"step 0 of {length}", reward="reward 0.00", status=""))
    np.testing.assert_array_equal(drawn[0][400:-2, :400], start)
    green, red = np.array((22, 128, 61)), np.array((185, 28, 28))
    strips = [(each[400:-2, :400], each[400:-2, 402:802]) for each in drawn]
    solved_in = [(left == green).all(axis=-1).any() for left, _ in strips]
    failed_in = [(right == red).all(axis=-1).any() for _, right in strips]
    assert solved_in == [number >= length for number in range(total + 1)]
    assert failed_in == [number == total for number in range(total + 1)]


def test_small_pictures_of_one_size_are_enlarged():
    stage = Stage.of("grid-4x4")
    (played,) = play("random", stage).episodes
    first = next(films(stage, [played], Look(captions=False)))
    assert first.shape == (256, 256, 3)
    np.testing.assert_array_equal(first[::2, ::2], official(stage, played)[0])
    assert try_out(stage, Look())[:2] == (256, 256)


def test_meta_world_through_a_camera_with_and_without_shadows():
    stage = Stage.of("reach-v3", num_goals=1, max_episode_steps=1)
    (played,) = play("expert", stage).episodes
    look = Look(camera_name="corner2", width=64, height=48, captions=False)
    drawn = list(films(stage, [played], look))
    env = taskworlds.make(
        "reach-v3", render_mode="rgb_array", camera_name="corner2", width=64, height=48, max_episode_steps=1
    )
    env.reset(options={"task": played.task})
    np.testing.assert_array_equal(drawn[0], env.render())
    plain = next(films(stage, [played], Look("corner2", None, 64, 48, shadows=False, captions=False)))
    assert (plain != drawn[0]).any()
    np.testing.assert_array_equal(drawn[0], env.render())  # whose shadows are still there
    env.close()


def test_what_cannot_be_drawn_is_known_before_anything_is_played(monkeypatch):
    stage = Stage.of("reach-v3", num_goals=1)
    with pytest.raises(ValueError, match=r"camera_name must be one of .*corner2.*, not 'corner5'"):
        try_out(stage, Look(camera_name="corner5"))
    with pytest.raises(ValueError, match="width must not be given for point, whose rows do not take it"):
        try_out(Stage.of("point", num_goals=1), Look(width=64))

    def nothing(stage, look):
        raise RuntimeError("Drawing without a display needs EGL or OSMesa")

    monkeypatch.setattr(filming, "_tried", nothing)
    with pytest.raises(CannotDraw, match="needs EGL or OSMesa"):
        try_out(stage, Look())


def test_a_world_without_pictures_is_refused(monkeypatch):
    stage = Stage.of("point", num_goals=1)
    monkeypatch.setattr(
        type(stage),
        "world",
        stage.world.__class__(
            name="blind",
            suite="blind",
            skills=("blind",),
            actions=stage.world.actions,
            observations=stage.world.observations,
            max_episode_steps=5,
            row=stage.world.row,
        ),
    )
    with pytest.raises(
        ValueError, match="benchmark must be of a world that draws pictures, but blind has none"
    ):
        try_out(stage, Look())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"every": 0}, "every must be at least 1, not 0"),
        ({"width": 0}, "width must be at least 1, not 0"),
        ({"height": 2.5}, "height must be a whole number"),
        ({"camera_name": "a", "camera_id": 1}, "not by both"),
        ({"shadows": "no"}, "shadows must be one of True, False"),
    ],
)
def test_looks_are_checked(wrong, message):
    with pytest.raises((TypeError, ValueError), match=message):
        Look(**wrong)


def test_a_grid_has_lines_of_equal_tiles(point):
    stage, solved, failed = point
    drawn = next(films(stage, [solved, failed, solved], Look(captions=False)))
    tile = np.pad(official(stage, solved)[0], ((0, 2), (0, 2), (0, 0)))
    other = np.pad(official(stage, failed)[0], ((0, 2), (0, 2), (0, 0)))
    np.testing.assert_array_equal(drawn, grid([tile, other, tile], None, 2))
