"""What each of dm_control's skills is to do, in other words than its summary.

The plain instruction of a skill is its `summary`, from the table in `skills`. Here are other ways to say the same, at
least five for each. The tasks of a family differ in a number of the model that the observation does not show, so the
words do not tell it either: all tasks of a skill have the same instruction.
"""

from __future__ import annotations

from taskworlds.core.instructions import sentence
from taskworlds.core.task import Task
from taskworlds.worlds.control.custom_instructions import CUSTOM_PARAPHRASES
from taskworlds.worlds.control.skills import skill

__all__ = ["PARAPHRASES", "instructions"]

_STAND = (
    "Stand up and stay standing.",
    "Get up and keep your balance.",
    "Rise to your full height and hold it.",
    "Keep standing without falling.",
    "Hold the torso up and upright.",
)
_WALK = (
    "Walk ahead at a calm pace.",
    "Move forward on foot, upright.",
    "Keep upright and walk.",
    "Go forward at walking speed.",
    "Walk without falling over.",
)
_RUN = (
    "Run ahead as fast as required, upright.",
    "Keep upright and run.",
    "Go forward at running speed.",
    "Move forward fast without falling over.",
    "Sprint ahead.",
)

PARAPHRASES: dict[str, tuple[str, ...]] = {
    "acrobot-swingup": (
        "Raise both links of the acrobot until the tip is at the target.",
        "Swing up and balance with the tip at the target.",
        "Bring the tip of the second link up to the target and hold it there.",
        "Get the two links upright by the motor between them.",
        "Pump the double pendulum up and keep its tip in the target.",
    ),
    "acrobot-swingup_sparse": (
        "Get the acrobot's tip into the target; nothing else is rewarded.",
        "Swing both links up until the tip is inside the target.",
        "Hold the tip within the target above.",
        "Bring the tip all the way into the target and keep it there.",
        "Swing up; only time inside the target counts.",
    ),
    "ball_in_cup-catch": (
        "Swing the ball on its string into the cup.",
        "Get the ball into the cup.",
        "Move the cup so that the ball lands in it.",
        "Catch the hanging ball.",
        "Flip the ball up and catch it in the cup.",
    ),
    "cartpole-balance": (
        "Balance the pole on the cart.",
        "Move the cart so that the pole does not fall.",
        "Hold the pole up, with the cart near the middle.",
        "Do not let the pole tip over.",
        "Keep the pole standing on the cart.",
    ),
    "cartpole-balance_sparse": (
        "Balance the pole; only standing near the middle counts.",
        "Keep the pole within a few degrees of upright.",
        "Hold the pole almost straight up, with the cart near the middle.",
        "Do not let the pole leave the upright position.",
        "Keep the pole standing; leaning is not rewarded.",
    ),
    "cartpole-swingup": (
        "Swing the hanging pole up and balance it.",
        "Raise the pole by moving the cart, then hold it up.",
        "Get the pole from hanging to standing.",
        "Move the cart to swing the pole upright.",
        "Bring the pole up and keep it balanced on the cart.",
    ),
    "cartpole-swingup_sparse": (
        "Swing the pole up; only standing near the middle counts.",
        "Get the hanging pole almost straight up and keep it there.",
        "Raise the pole all the way; a partial swing is not rewarded.",
        "Bring the pole upright with the cart near the middle.",
        "Swing up and hold the pole within a few degrees of upright.",
    ),
    "cartpole-two_poles": (
        "Raise two linked poles on the cart and balance them.",
        "Bring both poles upright, one on top of the other.",
        "Move the cart until both poles stand.",
        "Swing up the double pole.",
        "Get two poles in a row to stand on the cart.",
    ),
    "cartpole-three_poles": (
        "Raise three linked poles on the cart and balance them.",
        "Bring all three poles upright, one on top of the other.",
        "Move the cart until all three poles stand.",
        "Swing up the triple pole.",
        "Get three poles in a row to stand on the cart.",
    ),
    "cheetah-run": (
        "Run ahead as fast as you can.",
        "Go forward at full speed.",
        "Sprint forward.",
        "Make the cheetah run.",
        "Gallop ahead.",
    ),
    "dog-stand": (*_STAND[:4], "Stand on all four legs with head and torso up."),
    "dog-walk": (
        "Walk ahead on four legs.",
        "Keep upright and walk.",
        "Go forward at a dog's walking pace.",
        "Move slowly forward without falling.",
        "Take the dog for a walk, straight ahead.",
    ),
    "dog-trot": (
        "Trot ahead on four legs.",
        "Go forward at a trot.",
        "Move forward faster than a walk and slower than a run.",
        "Keep upright and trot.",
        "Jog ahead without falling.",
    ),
    "dog-run": (
        "Run ahead on four legs.",
        "Go forward at a dog's running speed.",
        "Move forward fast without falling.",
        "Keep upright and run.",
        "Make the dog run straight ahead.",
    ),
    "dog-fetch": (
        "Get the ball with the mouth and bring it to the target.",
        "Go to the ball, take it and carry it to the target.",
        "Fetch the ball.",
        "Bring the ball back to the target.",
        "Run to the ball, then take it where it belongs.",
    ),
    "finger-spin": (
        "Spin the body around with the finger.",
        "Push the spinner again and again so that it does not stop.",
        "Make the spinner turn fast.",
        "Flick the free body around its axis.",
        "Keep the body rotating.",
    ),
    "finger-turn_easy": (
        "Rotate the spinner until its tip is in the large target.",
        "Push the body around so that its tip lies in the target.",
        "Bring the spinner's tip to the big target and leave it there.",
        "Use the finger to turn the tip into the target.",
        "Align the spinner with the target, roughly.",
    ),
    "finger-turn_hard": (
        "Rotate the spinner until its tip is in the small target.",
        "Push the body around so that its tip lies exactly in the target.",
        "Bring the spinner's tip to the tiny target and leave it there.",
        "Use the finger to turn the tip precisely into the target.",
        "Align the spinner with the target, exactly.",
    ),
    "fish-upright": (
        "Turn upright in the water and stay so.",
        "Hold the fish upright.",
        "Right yourself and do not roll over.",
        "Keep your back up while floating.",
        "Stay level and upright in the water.",
    ),
    "fish-swim": (
        "Swim over to the target.",
        "Get your mouth to the target.",
        "Make the fish swim to the target and stay there.",
        "Move through the water to the target.",
        "Reach the target by swimming.",
    ),
    "hopper-stand": (
        "Stand up on the one leg and stay standing.",
        "Get the torso up and keep it there.",
        "Keep your balance on one foot.",
        "Rise and stand without falling.",
        "Hold the torso at standing height.",
    ),
    "hopper-hop": (
        "Hop ahead on the one leg.",
        "Move forward in hops.",
        "Jump forward again and again without falling.",
        "Keep the torso up and hop forward.",
        "Go ahead by hopping.",
    ),
    "humanoid-stand": _STAND,
    "humanoid-walk": _WALK,
    "humanoid-run": _RUN,
    "humanoid-run_pure_state": (
        "Run, knowing only positions and velocities.",
        *_RUN[:4],
    ),
    "humanoid_CMU-stand": _STAND,
    "humanoid_CMU-walk": _WALK,
    "humanoid_CMU-run": _RUN,
    "lqr-lqr_2_1": (
        "Bring both masses to their rest position by pushing one of them.",
        "Settle two masses on springs, with little force.",
        "Calm the two linked masses with one motor.",
        "Stop two masses at the origin; force costs too.",
        "Use one motor to bring the two masses to rest.",
    ),
    "lqr-lqr_6_2": (
        "Bring all six masses to their rest position by pushing two of them.",
        "Settle six masses on springs, with little force.",
        "Calm the six linked masses with two motors.",
        "Stop six masses at the origin; force costs too.",
        "Use two motors to bring the six masses to rest.",
    ),
    "manipulator-bring_ball": (
        "Carry the ball to the target.",
        "Grasp the ball and take it to the target.",
        "Pick up the ball and hold it at the target.",
        "Move the ball with the arm to where the target is.",
        "Take the ball to its target.",
    ),
    "manipulator-bring_peg": (
        "Carry the peg to the target.",
        "Grasp the peg and take it to the target, turned as the target is.",
        "Pick up the peg and hold it at the target.",
        "Move the peg with the arm to where the target is.",
        "Take the peg to its target.",
    ),
    "manipulator-insert_ball": (
        "Drop the ball into the cup.",
        "Carry the ball to the cup and put it in.",
        "Pick up the ball and place it inside the cup.",
        "Get the ball into the cup with the arm.",
        "Insert the ball into the cup.",
    ),
    "manipulator-insert_peg": (
        "Push the peg into the slot.",
        "Carry the peg to the slot and put it in.",
        "Pick up the peg, line it up with the slot and insert it.",
        "Get the peg into the slot with the arm.",
        "Insert the peg into the slot.",
    ),
    "pendulum-swingup": (
        "Swing the pendulum up and balance it.",
        "Raise the hanging pendulum and hold it up.",
        "Bring the pendulum upright with a weak motor.",
        "Get the pendulum to stand.",
        "Pump the pendulum up and keep it there.",
    ),
    "point_mass-easy": (
        "Move the mass to the middle.",
        "Take the point to the centre and stop there.",
        "Bring the point mass to the target in the middle.",
        "Go to the centre of the arena.",
        "Steer the mass to the middle and hold it.",
    ),
    "point_mass-hard": (
        "Move the mass to the middle; what each motor does must be found out.",
        "Take the point to the centre with motors whose directions are unknown.",
        "Bring the point mass to the target in the middle, with mixed motors.",
        "Go to the centre of the arena, although each motor pushes in a random direction.",
        "Find out how the motors push, and hold the mass in the middle.",
    ),
    "quadruped-walk": (
        "Walk ahead on four legs.",
        "Go forward at walking speed.",
        "Keep the torso upright and walk.",
        "Move slowly forward without tipping over.",
        "Take steps straight ahead.",
    ),
    "quadruped-run": (
        "Run ahead on four legs.",
        "Go forward at running speed.",
        "Keep the torso upright and run.",
        "Move forward fast without tipping over.",
        "Gallop straight ahead.",
    ),
    "quadruped-escape": (
        "Get out of the bowl.",
        "Climb over the rough ground until you are outside the bowl.",
        "Leave the rugged terrain, away from its middle.",
        "Walk up and out of the bowl without tipping over.",
        "Escape from the bumpy bowl.",
    ),
    "quadruped-fetch": (
        "Bring the ball to the target.",
        "Go to the ball and push it to the middle, where the target is.",
        "Move the ball to the target with your body.",
        "Fetch the ball.",
        "Shove the ball until it is at the target.",
    ),
    "reacher-easy": (
        "Move the tip of the arm to the large target.",
        "Bring the fingertip into the big target.",
        "Reach the target with the two-link arm.",
        "Hold the tip inside the large target.",
        "Turn the two joints so that the tip is in the target.",
    ),
    "reacher-hard": (
        "Move the tip of the arm to the small target.",
        "Bring the fingertip into the tiny target.",
        "Reach the target exactly with the two-link arm.",
        "Hold the tip inside the small target.",
        "Turn the two joints so that the tip is precisely in the target.",
    ),
    "stacker-stack_2": (
        "Put one box on the other at the target.",
        "Build a stack of two boxes at the target.",
        "Pile up two boxes, then move the hand away.",
        "Make a tower of two boxes where the target is.",
        "Place a box on top of the other one, at the target.",
    ),
    "stacker-stack_4": (
        "Put the boxes on each other at the target.",
        "Build a stack of four boxes at the target.",
        "Pile up four boxes, then move the hand away.",
        "Make a tower of four boxes where the target is.",
        "Place the boxes one on top of the other, at the target.",
    ),
    "swimmer-swimmer6": (
        "Swim over to the target, with a body of six links.",
        "Get your nose to the target.",
        "Move your six links so that you swim to the target.",
        "Reach the target by swimming.",
        "Wriggle through the water to the target.",
    ),
    "swimmer-swimmer15": (
        "Swim over to the target, with a body of fifteen links.",
        "Get your nose to the target.",
        "Move your fifteen links so that you swim to the target.",
        "Reach the target by swimming.",
        "Wriggle through the water to the target.",
    ),
    "walker-stand": _STAND,
    "walker-walk": (*_WALK[:4], "Walk on two legs without falling over."),
    "walker-run": (*_RUN[:4], "Run ahead on two legs."),
}
"""By skill: the paraphrases of its instruction."""


def instructions(task: Task) -> tuple[str, ...]:
    """Returns what is to be done in a task: the skill's summary as a sentence, then its paraphrases.

    Example:
        >>> instructions(Task("cheetah-run"))[:2]
        ('Run forward.', 'Run ahead as fast as you can.')
    """
    name = task.env_name
    return sentence(skill(name).summary), *(PARAPHRASES.get(name) or CUSTOM_PARAPHRASES.get(name, ()))
