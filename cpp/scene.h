// A scene: a model with what a row of it needs said as data: how an action becomes control, which fields of the model
// are the row's own, and what is read from the simulation after a step. Immutable, shared between threads.

#pragma once

#include <mujoco/mujoco.h>

#include <memory>
#include <vector>

#include "model.h"

namespace taskworlds {

// Moves one mocap body: position += scale * clip(action[first .. first + 2], -limit, limit), then clipped to [low, high].
struct MocapControl {
  int mocap;  // index among the model's mocap bodies; -1: this scene has no such control
  int first;
  double limit;
  double scale;
  double low[3];
  double high[3];
  double quat[4];  // orientation written at every step, (w, x, y, z), as it is, not normalised
};

// ctrl[actuator] = gain * action[action].
struct ActuatorControl {
  int actuator;
  int action;
  double gain;
};

// Fields of mjModel that rows may have of their own. Only fields from which MuJoCo derives nothing at compile time.
enum class Field : int { body_pos, body_quat, site_pos, site_quat };
constexpr int kFields = 4;

struct Override {
  Field field;
  int id;
};

// How a step goes on in time. `n` is the scene's frame_skip.
enum class Stepping : int {
  forward,  // n times mj_step, then mj_forward: reads are of the time after the step, and so is the warm start
  step,     // n times mj_step: what is derived from positions and velocities lags one mj_step behind
  split,    // mj_step1 and mj_step2 (not for RK4, which takes an mj_step), n - 1 times mj_step, then mj_step1
};
constexpr int kSteppings = 3;

// What can be read after a step. All but `touch` are arrays of mjData, of which `a` is the first number and `b` how many.
// `touch` is the normal force between geoms `a` and `b`, one number.
enum class Source : int {
  body_xpos,
  body_xquat,
  body_xmat,
  body_xipos,
  body_subtree_com,
  body_cinert,
  body_cvel,
  body_cfrc_ext,
  site_xpos,
  site_xmat,
  geom_xpos,
  geom_xmat,
  qpos,
  qvel,
  qfrc_actuator,
  ctrl,
  act,
  ten_length,
  ten_velocity,
  sensordata,
  touch,
};
constexpr int kSources = 21;

struct Read {
  Source source;
  int a;
  int b;
};

class Scene {
 public:
  // Throws std::invalid_argument if an index does not fit the model, or a read the stepping.
  Scene(std::shared_ptr<const Model> model, int frame_skip, Stepping stepping, const MocapControl& mocap,
        std::vector<ActuatorControl> actuators, std::vector<Override> overrides, std::vector<Read> reads);

  const mjModel& model() const { return model_->get(); }
  int state_size() const { return state_size_; }
  int action_size() const { return action_size_; }
  int override_size() const { return override_size_; }
  int read_size() const { return read_size_; }
  const std::vector<Override>& overrides() const { return overrides_; }

  // The model's own values of the overrides, in their order.
  std::vector<double> default_overrides() const;

  // Takes the action and steps. `own` is the scene's model, or a copy of it with a row's overrides. With `single` the action
  // is scaled in float32, as NumPy scales a float32 array.
  void step(const mjModel* own, mjData* data, const double* action, bool single) const;
  // Computes what can be read, for the state as it is.
  void forward(const mjModel* own, mjData* data) const;
  // Copies the reads, in their order, to now[0 .. read_size).
  void read(const mjData* data, double* now) const;

 private:
  void control(mjData* data, const double* action, bool single) const;

  std::shared_ptr<const Model> model_;
  int frame_skip_;
  Stepping stepping_;
  MocapControl mocap_;
  std::vector<ActuatorControl> actuators_;
  std::vector<Override> overrides_;
  std::vector<Read> reads_;
  int state_size_ = 0;
  int action_size_ = 0;
  int override_size_ = 0;
  int read_size_ = 0;
  bool reads_forces_ = false;  // body_cfrc_ext, which MuJoCo computes on demand
};

// The field's array in a model, how many numbers one object has, and how many objects there are.
mjtNum*& field_data(mjModel* model, Field field);
int field_width(Field field);
int field_count(const mjModel& model, Field field);

}  // namespace taskworlds
