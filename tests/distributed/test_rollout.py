"""Rollouts as a learner uses them. Needs no Ray."""

import numpy as np
import pytest

from taskworlds.distributed import Rollout, RowGenerators

STEPS, ROWS = 5, 4


def rollout(seed, first):
    """A rollout of four rows with two arrays in each observation, some of whose episodes end."""
    rng = np.random.default_rng(seed)

    def observation(*shape):
        return {"a": rng.standard_normal((*shape, 3)), "b": (rng.integers(9, size=shape),)}

    terminations = rng.random((STEPS, ROWS)) < 0.3
    truncations = ~terminations & (rng.random((STEPS, ROWS)) < 0.2)
    return Rollout(
        observations=observation(STEPS, ROWS),
        actions=rng.standard_normal((STEPS, ROWS, 2)),
        rewards=rng.standard_normal((STEPS, ROWS)),
        terminations=terminations,
        truncations=truncations,
        last_observations=observation(ROWS),
        final_observations=observation(int((terminations | truncations).sum())),
        infos={"task_index": np.arange(first, first + STEPS * ROWS).reshape(STEPS, ROWS)},
        outputs={"log_probs": rng.standard_normal((STEPS, ROWS))},
        rows=np.arange(first, first + ROWS),
        weights_version=7,
    )


def test_next_observations(same):
    it = rollout(0, 0)
    following, number = it.next_observations(), 0
    assert it.ended.sum() > 2
    for step in range(STEPS):
        for row in range(ROWS):
            if it.ended[step, row]:
                expected, at = it.final_observations, number
                number += 1
            elif step == STEPS - 1:
                expected, at = it.last_observations, row
            else:
                expected, at = it.observations, (step + 1, row)
            same(following["a"][step, row], expected["a"][at])
            same(following["b"][0][step, row], expected["b"][0][at])
    assert number == it.ended.sum()


def test_joined_rows_are_side_by_side(same):
    parts = [rollout(0, 0), rollout(1, ROWS)]
    whole = Rollout.joined(parts)
    assert (whole.steps, whole.num_envs, whole.weights_version) == (STEPS, 2 * ROWS, 7)
    same(whole.rows, np.arange(2 * ROWS))
    for part, rows in zip(parts, (slice(0, ROWS), slice(ROWS, None)), strict=True):
        same(whole.rewards[:, rows], part.rewards)
        same(whole.task_indices[:, rows], part.task_indices)
        for mine, its in ((whole, part), (whole.next_observations(), part.next_observations())):
            mine, its = (getattr(each, "observations", each) for each in (mine, its))
            same(mine["a"][:, rows], its["a"])
            same(mine["b"][0][:, rows], its["b"][0])


@pytest.mark.parametrize("size", [1, 3, 20, 99])
def test_each_epoch_has_each_step_once(size):
    it = rollout(0, 0)
    extra = np.arange(STEPS * ROWS).reshape(STEPS, ROWS)
    parts = list(it.minibatches(size, generator=np.random.default_rng(0), epochs=2, place=extra))
    per_epoch = -(-STEPS * ROWS // size)
    assert len(parts) == 2 * per_epoch
    for epoch in (parts[:per_epoch], parts[per_epoch:]):
        places = np.concatenate([part["place"] for part in epoch])
        assert sorted(places) == list(range(STEPS * ROWS))
    for part in parts:
        at = np.divmod(part["place"], ROWS)
        np.testing.assert_array_equal(part["observations"]["a"], it.observations["a"][at])
        np.testing.assert_array_equal(part["log_probs"], it.outputs["log_probs"][at])
        assert set(part) == {
            *("observations", "actions", "rewards", "terminations", "truncations"),
            *("log_probs", "place"),
        }
    if size > 1:
        assert [part["place"].tolist() for part in parts[:per_epoch]] != [
            part["place"].tolist() for part in parts[per_epoch:]
        ]


def test_whole_rows():
    it = rollout(0, 0)
    extra = np.broadcast_to(np.arange(ROWS), (STEPS, ROWS))
    parts = list(it.minibatches(3, generator=np.random.default_rng(0), whole_rows=True, row=extra))
    assert [part["rewards"].shape for part in parts] == [(STEPS, 3), (STEPS, 1)]
    assert sorted(np.concatenate([part["row"][0] for part in parts])) == list(range(ROWS))
    for part in parts:
        np.testing.assert_array_equal(part["actions"], it.actions[:, part["row"][0]])


def test_wrong_minibatches():
    it = rollout(0, 0)
    generator = np.random.default_rng(0)
    with pytest.raises(ValueError, match="size must be at least 1"):
        list(it.minibatches(0, generator=generator))
    with pytest.raises(TypeError, match=r"numpy.random.default_rng\(seed\) makes one"):
        list(it.minibatches(3, generator=0))
    with pytest.raises(ValueError, match=r"advantages must have the shape \(5, 4, ...\).*, not \(4, 5\)"):
        list(it.minibatches(3, generator=generator, advantages=np.zeros((4, 5))))


def test_to_torch():
    torch = pytest.importorskip("torch")
    it = rollout(0, 0).to_torch()
    assert it.rewards.dtype == torch.float64
    assert it.ended.dtype == torch.bool
    assert it.observations["b"][0].dtype == torch.int64
    part = next(it.minibatches(6, generator=np.random.default_rng(0)))
    assert isinstance(part["observations"]["a"], torch.Tensor)
    assert part["observations"]["a"].shape == (6, 3)


def test_generators_are_independent_of_the_rows_beside_them(same):
    def each(*seeds):
        return RowGenerators([np.random.default_rng(seed) for seed in seeds])

    together, alone = each(0, 1, 2), each(1)
    for draw in (
        lambda it: it.standard_normal(3),
        lambda it: it.random((2, 2)),
        lambda it: it.standard_normal(),
        lambda it: it.categorical(np.tile([[0.2, 0.5, 0.3]], (len(it), 1))),
    ):
        same(draw(together)[1:2], draw(alone))
    many = RowGenerators([np.random.default_rng(0)] * 4000).categorical(np.tile([[1.0, 6.0, 3.0]], (4000, 1)))
    np.testing.assert_allclose(np.bincount(many) / 4000, [0.1, 0.6, 0.3], atol=0.03)
