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

  // `own` is the scene's model, or an OwnModel with a row's overrides.
  //
  // Makes a simulation ready to be stepped after its state was set: a "split" step begins with what mj_step1 computed.
  void prepare(const mjModel* own, mjData* data) const;
  // Takes the action and steps a simulation as prepare or its last step left it. With `single` the action is scaled in
  // float32, as NumPy scales a float32 array.
  void step(const mjModel* own, mjData* data, const double* action, bool single) const;
  // Copies the reads, in their order, to now[0 .. read_size).
  void read(const mjModel* own, mjData* data, double* now) const;

 private:
  bool begins_with_step2(const mjModel* own) const;
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

// One thread's model of a scene whose rows override fields: the shared model with arrays of its own for those fields.
class OwnModel {
 public:
  explicit OwnModel(const Scene& scene);
  OwnModel(const OwnModel&) = delete;
  OwnModel& operator=(const OwnModel&) = delete;

  const mjModel* get() const { return &model_; }
  // Writes a row's values of the overrides, in the scene's order.
  void write(const double* values);

 private:
  struct Place {
    mjtNum* first;
    int width;
  };

  mjModel model_;  // a copy of the struct, not of what it points to: 3 MB less for each thread and scene
  std::vector<mjtNum> fields_[kFields];
  std::vector<Place> places_;
};

}  // namespace taskworlds
