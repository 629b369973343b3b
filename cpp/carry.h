// The first mj_step of a step, from what the mj_forward at the end of the last one left.
//
// That mj_forward computed all that follows from positions and velocities. The next mj_step computes the same again, as
// only the action has changed since: control, and the pose of mocap bodies. So what does not follow from these can be
// kept. Every bit is equal to mj_step's.

#pragma once

#include <mujoco/mujoco.h>

namespace taskworlds {

// Whether a model is such that `carried_step` equals mj_step: the integrator is Euler's, mocap bodies are seen and pulled
// at but neither collide nor carry anything, and nothing is switched on that mj_step does beside its steps.
bool can_carry(const mjModel& model);

// mj_step, for a simulation that mj_forward has left, in which nothing but ctrl, mocap_pos and mocap_quat has been written
// since. The warnings of bad positions and velocities must have been set to 0 before.
void carried_step(const mjModel* model, mjData* data);

}  // namespace taskworlds
