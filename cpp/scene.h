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

// What can be read after a step; `a` is an id (qpos: the first index) and `b` the second id (qpos: how many).
enum class Source : int { body_xpos, body_xquat, site_xpos, site_xmat, geom_xpos, geom_xmat, qpos, touch };
constexpr int kSources = 8;

struct Read {
  Source source;
  int a;
  int b;
};

class Scene {
 public:
  // Throws std::invalid_argument if an index does not fit the model.
  Scene(std::shared_ptr<const Model> model, int frame_skip, const MocapControl& mocap,
        std::vector<ActuatorControl> actuators, std::vector<Override> overrides, std::vector<Read> reads);

  const mjModel& model() const { return model_->get(); }
  int frame_skip() const { return frame_skip_; }
  int state_size() const { return state_size_; }
  int action_size() const { return action_size_; }
  int override_size() const { return override_size_; }
  int read_size() const { return read_size_; }
  const std::vector<Override>& overrides() const { return overrides_; }

  // Sets the mocap body and the actuators. With `single` the action is scaled in float32, as NumPy scales a float32 array.
  void control(mjData* data, const double* action, bool single) const;
  // Copies the reads, in their order, to now[0 .. read_size).
  void read(const mjData* data, double* now) const;

 private:
  std::shared_ptr<const Model> model_;
  int frame_skip_;
  MocapControl mocap_;
  std::vector<ActuatorControl> actuators_;
  std::vector<Override> overrides_;
  std::vector<Read> reads_;
  int state_size_ = 0;
  int action_size_ = 0;
  int override_size_ = 0;
  int read_size_ = 0;
};

// The field's array in a model, how many numbers one object has, and how many objects there are.
mjtNum*& field_data(mjModel* model, Field field);
int field_width(Field field);
int field_count(const mjModel& model, Field field);

}  // namespace taskworlds
