"""What each of Meta-World's skills is to do, in other words than its summary.

The plain instruction of a skill is its `summary`, which stands with its other facts in its family's file. Here are
other ways to say the same, at least five for each. They tell what counts as success, and never where the goal is: the
goal's place is not part of the words, whether the observation shows it or not. Left and right are the robot's.
"""

from __future__ import annotations

from taskworlds.core.instructions import sentence
from taskworlds.core.task import Task
from taskworlds.worlds.metaworld.skills import skill

__all__ = ["PARAPHRASES", "instructions"]

PARAPHRASES: dict[str, tuple[str, ...]] = {
    "assembly-v3": (
        "Pick up the nut and put it onto the peg.",
        "Slide the ring of the nut down over the standing peg.",
        "Fit the nut over the peg that stands on the table.",
        "Take the nut by its handle and lower it over the peg.",
        "Bring the nut above the peg and let the ring go down around it.",
    ),
    "basketball-v3": (
        "Put the ball through the hoop.",
        "Pick up the basketball and dunk it.",
        "Carry the ball above the hoop and let it fall in.",
        "Score a basket with the ball.",
        "Lift the ball up to the ring and drop it in.",
    ),
    "bin-picking-v3": (
        "Pick the block out of the left bin and put it into the right bin.",
        "Carry the block over to the other bin.",
        "Take the block from the bin on the left and place it in the one on the right.",
        "Transfer the block from the left bin into the right one.",
        "Grasp the block and set it down in the middle of the right bin.",
    ),
    "box-close-v3": (
        "Close the box with its lid.",
        "Pick up the lid by its handle and place it on the box.",
        "Cover the open box with the lid.",
        "Lift the lid from the table and set it on top of the box.",
        "Take the lid and shut the box with it.",
    ),
    "button-press-topdown-v3": (
        "Push the button down from above.",
        "Press the button on top of the box.",
        "Come from above and push the button in all the way.",
        "Lower the gripper onto the button until it is pressed.",
        "Press down on the button.",
    ),
    "button-press-topdown-wall-v3": (
        "Reach over the wall and press the button from above.",
        "Go over the wall and push the button down.",
        "Press down the button that is behind the wall.",
        "Get past the wall, then press the button from the top.",
        "Lower the gripper onto the button on the other side of the wall.",
    ),
    "button-press-v3": (
        "Push the button in.",
        "Press the button on the front of the box.",
        "Move forward against the button until it is pressed.",
        "Push the button straight into its box.",
        "Come from the front and press the button.",
    ),
    "button-press-wall-v3": (
        "Go past the wall and press the button on the front of the box.",
        "Reach over the wall and push the button in.",
        "Press the button that is behind the wall.",
        "Get around the wall and push the button into its box.",
        "Move past the wall, then press the button from the front.",
    ),
    "coffee-button-v3": (
        "Push the coffee machine's button.",
        "Switch on the coffee machine by its button.",
        "Press the button on the coffee maker.",
        "Start the coffee machine: press its button.",
        "Move to the coffee machine and push its button in.",
    ),
    "coffee-pull-v3": (
        "Pull the mug out of the coffee machine.",
        "Take the mug away from under the coffee machine, to the goal.",
        "Drag the mug out from the coffee maker.",
        "Move the mug from the coffee machine to the goal.",
        "Draw the mug back from the coffee machine towards you.",
    ),
    "coffee-push-v3": (
        "Push the mug into the coffee machine.",
        "Move the mug to its place under the coffee machine.",
        "Slide the mug to where the coffee comes out.",
        "Place the mug in the coffee maker.",
        "Bring the mug to the coffee machine and leave it there.",
    ),
    "dial-turn-v3": (
        "Rotate the dial by half a turn.",
        "Turn the dial on the table around.",
        "Spin the dial until its mark points the other way.",
        "Push the dial's rim so that it turns.",
        "Twist the dial halfway round.",
    ),
    "disassemble-v3": (
        "Take the nut off the peg.",
        "Pull the nut up and off the peg.",
        "Remove the nut from the peg.",
        "Grasp the nut's handle and lift its ring clear of the peg.",
        "Raise the nut until it comes off the peg.",
    ),
    "door-close-v3": (
        "Close the door.",
        "Push the door until it is shut.",
        "Shut the open door.",
        "Swing the door closed.",
        "Move the door's handle back to where the door is closed.",
    ),
    "door-lock-v3": (
        "Lock the door.",
        "Turn the lock down.",
        "Push the lever on the door down to lock it.",
        "Rotate the door's lock until it is locked.",
        "Turn the lever so that the door is locked.",
    ),
    "door-open-v3": (
        "Open the door.",
        "Take the handle and pull the door open.",
        "Swing the door open towards the robot.",
        "Pull the door's handle until the door stands open.",
        "Open the door with its handle.",
    ),
    "door-unlock-v3": (
        "Unlock the door.",
        "Turn the lock to the side.",
        "Push the lever on the door aside to unlock it.",
        "Rotate the door's lock until it is open.",
        "Turn the lever so that the door is unlocked.",
    ),
    "hand-insert-v3": (
        "Pick up the block and insert it into the hole.",
        "Hold the block and lower it into the hole in the table.",
        "Take the block down into the hole with the gripper.",
        "Insert the block, held by the fingers, into the table's hole.",
        "Grasp the block, move it over the hole and put it in.",
    ),
    "drawer-close-v3": (
        "Close the drawer.",
        "Push the drawer in until it is closed.",
        "Shut the open drawer.",
        "Slide the drawer back into the cabinet.",
        "Move the drawer's handle all the way in.",
    ),
    "drawer-open-v3": (
        "Open the drawer.",
        "Pull the drawer out by its handle.",
        "Slide the drawer out of the cabinet.",
        "Take the drawer's handle and pull it towards the robot.",
        "Draw the drawer out as far as it goes.",
    ),
    "faucet-open-v3": (
        "Open the faucet.",
        "Turn the faucet's handle to the right.",
        "Turn on the tap.",
        "Push the handle of the faucet around until it is open.",
        "Rotate the faucet's handle a quarter to the right.",
    ),
    "faucet-close-v3": (
        "Close the faucet.",
        "Turn the faucet's handle to the left.",
        "Turn off the tap.",
        "Push the handle of the faucet around until it is closed.",
        "Rotate the faucet's handle a quarter to the left.",
    ),
    "hammer-v3": (
        "Hammer the nail into the block.",
        "Pick up the hammer and hit the nail with it.",
        "Take the hammer and drive the nail all the way in.",
        "Use the hammer to push the nail into the block.",
        "Grasp the hammer and knock the nail in.",
    ),
    "handle-press-side-v3": (
        "Push the handle at the side down.",
        "Press the handle on the side of the box down.",
        "Move the side handle to the bottom.",
        "Press down on the handle that faces sideways.",
        "Lower the handle at the side as far as it goes.",
    ),
    "handle-press-v3": (
        "Push the handle down.",
        "Press the handle on the front of the box down.",
        "Move the handle to the bottom.",
        "Press down on the handle that faces you.",
        "Lower the handle as far as it goes.",
    ),
    "handle-pull-side-v3": (
        "Lift the handle at the side.",
        "Pull the handle on the side of the box up.",
        "Move the side handle to the top.",
        "Reach under the handle that faces sideways and raise it.",
        "Raise the handle at the side as far as it goes.",
    ),
    "handle-pull-v3": (
        "Lift the handle.",
        "Pull the handle on the front of the box up.",
        "Move the handle to the top.",
        "Reach under the handle that faces you and raise it.",
        "Raise the handle as far as it goes.",
    ),
    "lever-pull-v3": (
        "Lift the lever until it points straight up.",
        "Raise the lever.",
        "Turn the lever upwards.",
        "Pull the lever up by a quarter of a turn.",
        "Push the lever up from below until it stands upright.",
    ),
    "pick-place-wall-v3": (
        "Pick up the puck and carry it over the wall to the goal.",
        "Lift the puck over the wall and bring it to the goal.",
        "Grasp the puck and take it across the wall to where it belongs.",
        "Carry the puck to the goal on the other side of the wall.",
        "Pick the puck up, pass over the wall and hold it at the goal.",
    ),
    "pick-out-of-hole-v3": (
        "Pick the puck out of the hole and bring it to the goal.",
        "Take the puck out of the hole.",
        "Grasp the puck in the hole and lift it up to the goal.",
        "Raise the puck from the hole to the goal above the table.",
        "Get the puck out of the hole and hold it at the goal.",
    ),
    "pick-place-v3": (
        "Pick up the puck and bring it to the goal.",
        "Grasp the puck and carry it to the goal.",
        "Pick the puck up from the table and hold it at the goal.",
        "Take the puck to the goal.",
        "Lift the puck and place it where the goal is.",
    ),
    "plate-slide-v3": (
        "Push the plate into the cabinet in front.",
        "Slide the plate straight ahead until it is in the cabinet.",
        "Move the plate forward, into the cabinet.",
        "Shove the plate away from the robot into the cabinet.",
        "Get the plate into the cabinet by sliding it forward.",
    ),
    "plate-slide-side-v3": (
        "Push the plate to the left into the cabinet.",
        "Slide the plate to the side until it is in the cabinet.",
        "Move the plate left, into the cabinet.",
        "Shove the plate sideways into the cabinet.",
        "Get the plate into the cabinet by sliding it to the left.",
    ),
    "plate-slide-back-v3": (
        "Pull the plate out of the cabinet.",
        "Slide the plate back towards the robot, out of the cabinet.",
        "Move the plate backward until it is out of the cabinet.",
        "Drag the plate back from the cabinet.",
        "Get the plate out of the cabinet by sliding it back.",
    ),
    "plate-slide-back-side-v3": (
        "Pull the plate to the right out of the cabinet.",
        "Slide the plate to the side until it is out of the cabinet.",
        "Move the plate right, out of the cabinet.",
        "Drag the plate sideways from the cabinet.",
        "Get the plate out of the cabinet by sliding it to the right.",
    ),
    "peg-insert-side-v3": (
        "Insert the peg into the box from the side.",
        "Pick up the peg and push it into the hole in the box.",
        "Take the peg and put its head into the side of the box.",
        "Put the peg sideways into the hole.",
        "Grasp the peg, line it up with the hole and slide it in.",
    ),
    "peg-unplug-side-v3": (
        "Unplug the peg from the box.",
        "Pull the peg out sideways.",
        "Grasp the peg and draw it out of the hole.",
        "Remove the peg from the hole in the side of the box.",
        "Take the peg out of the box.",
    ),
    "soccer-v3": (
        "Roll the ball into the soccer goal.",
        "Score a goal with the ball.",
        "Move the soccer ball into the net.",
        "Kick the ball into the goal on the table.",
        "Push the soccer ball into the middle of the goal.",
    ),
    "stick-push-v3": (
        "Pick up the stick and push the thermos with it.",
        "Use the stick to push the thermos to the goal.",
        "Hold the stick and shove the thermos with it.",
        "Grasp the stick, then move the thermos to the goal by pushing it.",
        "Push the thermos away with the stick in the gripper.",
    ),
    "stick-pull-v3": (
        "Pick up the stick and pull the thermos with it.",
        "Use the stick to pull the thermos to the goal.",
        "Put the stick into the thermos's handle and pull.",
        "Hook the thermos by its handle with the stick and drag it to the goal.",
        "Grasp the stick, then move the thermos to the goal by pulling it.",
    ),
    "push-v3": (
        "Slide the puck to the goal.",
        "Move the puck across the table to the goal.",
        "Push the puck away from the robot until it is at the goal.",
        "Shove the puck to where the goal is.",
        "Bring the puck to the goal without lifting it.",
    ),
    "push-wall-v3": (
        "Get the puck past the wall and to the goal.",
        "Slide the puck around the wall until it is at the goal.",
        "Move the puck to the goal behind the wall.",
        "Push the puck past the end of the wall and on to the goal.",
        "Go around the wall with the puck and bring it to the goal.",
    ),
    "push-back-v3": (
        "Drag the block towards the robot to the goal.",
        "Bring the block back to the goal.",
        "Move the block towards you until it is at the goal.",
        "Slide the block backward to the goal.",
        "Push the block back to where the goal is.",
    ),
    "reach-v3": (
        "Reach the goal with the gripper.",
        "Bring the hand to the goal.",
        "Move the arm until the gripper is at the goal.",
        "Take the gripper to the point in the air.",
        "Go to the goal.",
    ),
    "reach-wall-v3": (
        "Reach the goal behind the wall with the gripper.",
        "Go past the wall and bring the hand to the goal.",
        "Move the arm around the wall until the gripper is at the goal.",
        "Take the gripper to the goal without running into the wall.",
        "Get past the wall to the goal.",
    ),
    "shelf-place-v3": (
        "Put the block on the shelf.",
        "Pick up the block and place it on the shelf.",
        "Grasp the block and set it on the upper board.",
        "Carry the block up to the shelf.",
        "Lift the block from the table and leave it on the shelf.",
    ),
    "sweep-into-v3": (
        "Push the block into the hole.",
        "Sweep the block over the table until it falls into the hole.",
        "Move the block into the table's hole.",
        "Brush the block into the hole.",
        "Get the block into the hole by sweeping it.",
    ),
    "sweep-v3": (
        "Push the block off the table.",
        "Sweep the block to the right, over the table's edge.",
        "Brush the block off the edge of the table.",
        "Move the block to the right until it leaves the table.",
        "Clear the block off the table.",
    ),
    "window-open-v3": (
        "Open the window.",
        "Push the window's handle to the right.",
        "Slide the window to the right until it is open.",
        "Move the pane aside to open the window.",
        "Push the window open by its handle.",
    ),
    "window-close-v3": (
        "Close the window.",
        "Push the window's handle to the left.",
        "Slide the window to the left until it is shut.",
        "Move the pane back to close the window.",
        "Push the window shut by its handle.",
    ),
}
"""By skill: the paraphrases of its instruction."""


def instructions(task: Task) -> tuple[str, ...]:
    """Returns what is to be done in a task: the skill's summary as a sentence, then its paraphrases.

    Example:
        >>> instructions(Task("drawer-open-v3"))[:2]
        ('Pull the drawer open.', 'Open the drawer.')
    """
    plain = sentence(skill(task.env_name).summary or task.env_name)
    return plain, *PARAPHRASES.get(task.env_name, ())
