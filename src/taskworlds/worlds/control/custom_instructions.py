"""What TD-MPC2's tasks in dm_control's domains are to do, in other words than their summaries."""

from __future__ import annotations

__all__ = ["CUSTOM_PARAPHRASES"]

CUSTOM_PARAPHRASES: dict[str, tuple[str, ...]] = {
    "walker-walk-backwards": (
        "Walk back at a calm pace, upright.",
        "Move backward on foot without falling over.",
        "Keep upright and walk the other way.",
        "Go backward at walking speed.",
        "Step back again and again, standing up.",
    ),
    "walker-run-backwards": (
        "Run back as fast as required, upright.",
        "Keep upright and run the other way.",
        "Go backward at running speed.",
        "Move backward fast without falling over.",
        "Sprint backward on two legs.",
    ),
    "cheetah-run-backwards": (
        "Run back as fast as you can.",
        "Go backward at full speed.",
        "Sprint backward.",
        "Make the cheetah run in reverse.",
        "Gallop the other way.",
    ),
    "cheetah-run-front": (
        "Run ahead on the front leg alone.",
        "Lift the hind foot and run forward on the other leg.",
        "Go forward with the hind leg in the air.",
        "Keep the torso and the hind foot high while running ahead.",
        "Hop ahead on the front leg.",
    ),
    "cheetah-run-back": (
        "Run ahead on the hind leg alone.",
        "Lift the front foot and run forward on the other leg.",
        "Go forward with the front leg in the air.",
        "Keep the torso and the front foot high while running ahead.",
        "Rear up and hop ahead on the hind leg.",
    ),
    "cheetah-jump": (
        "Jump up without moving ahead.",
        "Leap as high as you can where you are.",
        "Get both feet and the torso off the ground, staying in place.",
        "Bounce up and down on the spot.",
        "Rise high into the air, neither forward nor backward.",
    ),
    "hopper-hop-backwards": (
        "Hop back on one leg.",
        "Go backward by hopping, with the torso up.",
        "Keep upright and hop the other way.",
        "Move backward in hops without falling over.",
        "Bounce backward on your foot.",
    ),
    "reacher-three-easy": (
        "Move the tip of the three-link arm to the large target.",
        "Bring the fingertip into the big target.",
        "Hold the tip of three links inside the large target.",
        "Turn the three joints so that the tip is in the target.",
        "Reach the big target with the long arm.",
    ),
    "reacher-three-hard": (
        "Move the tip of the three-link arm to the small target.",
        "Bring the fingertip into the tiny target.",
        "Hold the tip of three links inside the small target.",
        "Turn the three joints so that the tip is precisely in the target.",
        "Reach the tiny target with the long arm.",
    ),
    "cup-spin": (
        "Whirl the ball around the cup.",
        "Swing the ball on its string in fast circles.",
        "Keep the ball out of the cup and moving fast.",
        "Make the ball circle the cup at full speed.",
        "Spin the ball around; do not catch it.",
    ),
    "pendulum-spin": (
        "Spin the pendulum around and around.",
        "Make the pole whirl, either way.",
        "Turn the pendulum over and over, fast.",
        "Get the pendulum up to speed and keep it rotating.",
        "Swing the pole through full circles without stopping.",
    ),
}
"""By skill: the paraphrases of its instruction."""
