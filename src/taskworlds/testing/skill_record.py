"""What `check_skill` checks of a skill's record: its fields, and the parts of its model that it names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from taskworlds.testing.runner import Failed
from taskworlds.worlds.metaworld import sawyer
from taskworlds.worlds.metaworld.skill import Skill
from taskworlds.worlds.metaworld.validation import mistakes

__all__ = ["fields_fit", "model_has_all"]


def fields_fit(skill: Skill) -> str:
    """Fails where fields are wrong, or contradict each other."""
    found = mistakes(skill)
    if found:
        raise Failed(" ".join(found))
    return "complete, and they fit together"


def model_has_all(skill: Skill) -> str:
    """Fails where the model does not have the arm, or something that the skill moves or reads."""
    from taskworlds.worlds.metaworld.models import metaworld_model

    try:
        model = metaworld_model(skill.model)
    except ValueError as error:
        raise Failed(str(error)) from None
    found: list[str] = []

    def look(what: str, find: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return find(*arguments)
        except ValueError as error:
            found.append(f"{what}: {error}")

    look("the arm", model.mocap_index, "mocap")
    for read in sawyer.ARM_READS.values():
        look("the arm", model.find, read[0].split("_")[0], read[1])
    for field, name in skill.moves:
        look("moves", model.find, field.split("_")[0], name)
    for key, (source, *names) in skill.reads.items():
        kind = {"qpos": "joint", "touch": "geom"}.get(source, source.split("_")[0])
        for name in names:
            look(f"reads[{key!r}]", model.find, kind, name)
            if source == "qpos" and name in model.names("joint") and model.joint_qpos(name)[1] != 1:
                found.append(
                    f"reads[{key!r}]: the joint {name!r} is not a hinge or a slide. Read its body's "
                    "body_xpos and body_xquat."
                )
    actuators = model.to_mujoco().nu
    if actuators != 2:
        found.append(f"the arm: the model must have 2 actuators, the fingers', not {actuators}.")
    if found:
        raise Failed(" ".join(dict.fromkeys(found)))
    return "has the arm, and all that is moved and read"
