// A scene: a model with what a row of it needs said as data: how an action becomes control, which fields of the model
// are the row's own, and what is read from the simulation after a step. Immutable, shared between threads.

#pragma once

#include <mujoco/mujoco.h>

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "model.h"

namespace taskworlds {

// Moves one mocap body: position += scale * clip(action[first .. first + 2], -limit, limit), then clipped to [low, high].
struct MocapControl {
  int mocap;  // index among the model's mocap bodies
  int first;
  double limit;
  double scale;
  std::array<double, 3> low;
  std::array<double, 3> high;
  std::array<double, 4> quat;  // orientation written at every step, (w, x, y, z), as it is, not normalised
};

// ctrl[actuator] = gain * action[action].
struct ActuatorControl {
  int actuator;
  int action;
  double gain;
};

// Fields of mjModel that rows may have of their own: name, kind of object, how many units its array has, numbers of each
// unit, and the function that says where an object's numbers stand in it. MuJoCo derives nothing from the first four. From
// the others it derives some of each other when it compiles, so whoever overrides one gives those that belong to it, too.
#define TASKWORLDS_FIELDS(X)                                        \
  X(body_pos, mjOBJ_BODY, &mjModel::nbody, 3, each<3>)              \
  X(body_quat, mjOBJ_BODY, &mjModel::nbody, 4, each<4>)             \
  X(site_pos, mjOBJ_SITE, &mjModel::nsite, 3, each<3>)              \
  X(site_quat, mjOBJ_SITE, &mjModel::nsite, 4, each<4>)             \
  X(body_ipos, mjOBJ_BODY, &mjModel::nbody, 3, each<3>)             \
  X(body_mass, mjOBJ_BODY, &mjModel::nbody, 1, each<1>)             \
  X(body_subtreemass, mjOBJ_BODY, &mjModel::nbody, 1, each<1>)      \
  X(body_inertia, mjOBJ_BODY, &mjModel::nbody, 3, each<3>)          \
  X(body_invweight0, mjOBJ_BODY, &mjModel::nbody, 2, each<2>)       \
  X(bvh_aabb, mjOBJ_BODY, &mjModel::nbvhstatic, 6, body_boxes)      \
  X(dof_damping, mjOBJ_JOINT, &mjModel::nv, 1, joint_velocities)    \
  X(dof_invweight0, mjOBJ_JOINT, &mjModel::nv, 1, joint_velocities) \
  X(geom_pos, mjOBJ_GEOM, &mjModel::ngeom, 3, each<3>)              \
  X(geom_size, mjOBJ_GEOM, &mjModel::ngeom, 3, each<3>)             \
  X(geom_aabb, mjOBJ_GEOM, &mjModel::ngeom, 6, each<6>)             \
  X(geom_rbound, mjOBJ_GEOM, &mjModel::ngeom, 1, each<1>)           \
  X(geom_friction, mjOBJ_GEOM, &mjModel::ngeom, 3, each<3>)

// How a step goes on in time. `n` is the scene's frame_skip.
//   forward  n times mj_step, then mj_forward: reads are of the time after the step, and so is the warm start
//   step     n times mj_step: what is derived from positions and velocities lags one mj_step behind
//   split    mj_step1 and mj_step2 (not for RK4, which takes an mj_step), n - 1 times mj_step, then mj_step1
#define TASKWORLDS_STEPPINGS(X) X(forward) X(step) X(split)

// What can be read after a step: name, kind of object, array of mjData, and the function that says where an object's
// numbers stand in it. `touch`, the normal force between two geoms, has no array.
#define TASKWORLDS_SOURCES(X)                                             \
  X(body_xpos, mjOBJ_BODY, &mjData::xpos, each<3>)                        \
  X(body_xquat, mjOBJ_BODY, &mjData::xquat, each<4>)                      \
  X(body_xmat, mjOBJ_BODY, &mjData::xmat, each<9>)                        \
  X(body_xipos, mjOBJ_BODY, &mjData::xipos, each<3>)                      \
  X(body_subtree_com, mjOBJ_BODY, &mjData::subtree_com, each<3>)          \
  X(body_cinert, mjOBJ_BODY, &mjData::cinert, each<10>)                   \
  X(body_cvel, mjOBJ_BODY, &mjData::cvel, each<6>)                        \
  X(body_cfrc_ext, mjOBJ_BODY, &mjData::cfrc_ext, each<6>)                \
  X(site_xpos, mjOBJ_SITE, &mjData::site_xpos, each<3>)                   \
  X(site_xmat, mjOBJ_SITE, &mjData::site_xmat, each<9>)                   \
  X(geom_xpos, mjOBJ_GEOM, &mjData::geom_xpos, each<3>)                   \
  X(geom_xmat, mjOBJ_GEOM, &mjData::geom_xmat, each<9>)                   \
  X(qpos, mjOBJ_JOINT, &mjData::qpos, joint_positions)                    \
  X(qvel, mjOBJ_JOINT, &mjData::qvel, joint_velocities)                   \
  X(qfrc_actuator, mjOBJ_JOINT, &mjData::qfrc_actuator, joint_velocities) \
  X(ctrl, mjOBJ_ACTUATOR, &mjData::ctrl, each<1>)                         \
  X(act, mjOBJ_ACTUATOR, &mjData::act, actuator_states)                   \
  X(ten_length, mjOBJ_TENDON, &mjData::ten_length, each<1>)               \
  X(ten_velocity, mjOBJ_TENDON, &mjData::ten_velocity, each<1>)           \
  X(sensordata, mjOBJ_SENSOR, &mjData::sensordata, sensor_numbers)        \
  X(touch, mjOBJ_GEOM, nullptr, each<1>)

#define TASKWORLDS_NAME(name, ...) name,
enum class Field : int { TASKWORLDS_FIELDS(TASKWORLDS_NAME) };
enum class Stepping : int { TASKWORLDS_STEPPINGS(TASKWORLDS_NAME) };
enum class Source : int { TASKWORLDS_SOURCES(TASKWORLDS_NAME) };
#undef TASKWORLDS_NAME

// The kind of object that has the field, or that can be read.
mjtObj object_kind(Field field);
mjtObj object_kind(Source source);

constexpr int kAll = -1;  // instead of an object's id

// Where numbers stand in an array: the first, and how many.
struct Span {
  int first;
  int size;
};

// Where the numbers of one object, or of all, stand in the source's array. Throws std::invalid_argument if there is no such
// object.
Span span_of(const Model& model, Source source, int object);

struct Override {
  Field field;
  int id;
};

struct Read {
  Source source;
  int object = kAll;
  int other = kAll;  // the second geom of a touch
};

class Scene {
 public:
  // Throws std::invalid_argument if an index does not fit the model, or a read the stepping.
  Scene(std::shared_ptr<const Model> model, int frame_skip, Stepping stepping, const std::optional<MocapControl>& mocap,
        std::vector<ActuatorControl> actuators, std::vector<Override> overrides, const std::vector<Read>& reads);

  const mjModel& model() const { return model_->get(); }
  int state_size() const { return state_size_; }
  int action_size() const { return action_size_; }
  int override_size() const { return override_size_; }
  int read_size() const { return read_size_; }
  // How many numbers each override and each read has, in their order.
  std::vector<int> override_sizes() const;
  std::vector<int> read_sizes() const;
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
  // Whether a step can make use of what the last one left in the simulation beside the state.
  bool can_go_on() const { return carries_ || stepping_ == Stepping::split; }
  // Whether a step ends with mj_forward.
  bool is_forward() const { return stepping_ == Stepping::forward; }
  // prepare and step in one, for a simulation in which nothing has changed since the last step, or since mj_forward if
  // the stepping is "forward". Only if `can_go_on`.
  void go_on(const mjModel* own, mjData* data, const double* action, bool single) const;
  // Copies the reads, in their order, to now[0 .. read_size).
  void read(const mjModel* own, mjData* data, double* now) const;

 private:
  // A read and where it finds its numbers.
  struct Place {
    Read read;
    mjtNum* mjData::* array;  // null for touch
    Span span;
  };

  bool begins_with_step2(const mjModel* own) const;
  void finish(const mjModel* own, mjData* data, int steps) const;
  void control(mjData* data, const double* action, bool single) const;

  std::shared_ptr<const Model> model_;
  int frame_skip_;
  Stepping stepping_;
  std::optional<MocapControl> mocap_;
  std::vector<ActuatorControl> actuators_;
  std::vector<Override> overrides_;
  std::vector<Place> reads_;
  int state_size_ = 0;
  int action_size_ = 0;
  int override_size_ = 0;
  int read_size_ = 0;
  bool reads_forces_ = false;  // body_cfrc_ext, which MuJoCo computes on demand
  bool carries_ = false;       // its mj_forward at the end serves the next step, too
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
  std::map<Field, std::vector<mjtNum>> fields_;  // each with the numbers of all its objects
  std::vector<Place> places_;
};

}  // namespace taskworlds
