#include "scene.h"

#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>

namespace taskworlds {
namespace {

void check_index(const char* what, int index, int count) {
  if (index < 0 || index >= count) {
    throw std::invalid_argument(std::string(what) + " must be in [0, " + std::to_string(count) + "), not " +
                                std::to_string(index) + ".");
  }
}

// Clips as NumPy does: NaN stays NaN, and of two equal numbers (0.0 and -0.0) the bound is taken.
template <typename T>
T clip(T x, T low, T high) {
  if (std::isnan(x)) return x;
  x = x > low ? x : low;
  return x < high ? x : high;
}

int read_width(const Read& read) {
  switch (read.source) {
    case Source::body_xpos:
    case Source::site_xpos:
    case Source::geom_xpos:
      return 3;
    case Source::body_xquat:
      return 4;
    case Source::site_xmat:
    case Source::geom_xmat:
      return 9;
    case Source::qpos:
      return read.b;
    case Source::touch:
      return 1;
  }
  return 0;
}

void check_read(const mjModel& model, const Read& read) {
  switch (read.source) {
    case Source::body_xpos:
    case Source::body_xquat:
      return check_index("A body's id", read.a, model.nbody);
    case Source::site_xpos:
    case Source::site_xmat:
      return check_index("A site's id", read.a, model.nsite);
    case Source::geom_xpos:
    case Source::geom_xmat:
      return check_index("A geom's id", read.a, model.ngeom);
    case Source::qpos:
      check_index("The first qpos", read.a, model.nq);
      return check_index("The last qpos", read.a + read.b - 1, model.nq);
    case Source::touch:
      check_index("The first geom's id", read.a, model.ngeom);
      return check_index("The second geom's id", read.b, model.ngeom);
  }
}

// Normal force between two geoms, newtons: the sum over their contacts of the first row of each contact's constraint.
// A contact that made no constraint has address -1. The official environments index a Python array with it, which takes
// the last force of all; so do we, because the result must be equal.
double touch(const mjData* data, int geom1, int geom2) {
  double force = 0;
  for (int i = 0; i < data->ncon; ++i) {
    const mjContact& contact = data->contact[i];
    const bool between =
        (contact.geom[0] == geom1 && contact.geom[1] == geom2) || (contact.geom[0] == geom2 && contact.geom[1] == geom1);
    if (!between) continue;
    const int address = contact.efc_address >= 0 ? contact.efc_address : data->nefc - 1;
    if (address >= 0) force += data->efc_force[address];
  }
  return force;
}

}  // namespace

mjtNum*& field_data(mjModel* model, Field field) {
  switch (field) {
    case Field::body_quat:
      return model->body_quat;
    case Field::site_pos:
      return model->site_pos;
    case Field::site_quat:
      return model->site_quat;
    case Field::body_pos:
      break;
  }
  return model->body_pos;
}

int field_width(Field field) { return field == Field::body_quat || field == Field::site_quat ? 4 : 3; }

int field_count(const mjModel& model, Field field) {
  return field == Field::body_pos || field == Field::body_quat ? model.nbody : model.nsite;
}

Scene::Scene(std::shared_ptr<const Model> model, int frame_skip, const MocapControl& mocap,
             std::vector<ActuatorControl> actuators, std::vector<Override> overrides, std::vector<Read> reads)
    : model_(std::move(model)),
      frame_skip_(frame_skip),
      mocap_(mocap),
      actuators_(std::move(actuators)),
      overrides_(std::move(overrides)),
      reads_(std::move(reads)) {
  const mjModel& m = model_->get();
  state_size_ = mj_stateSize(&m, mjSTATE_INTEGRATION);
  if (frame_skip_ < 1)
    throw std::invalid_argument("frame_skip must be at least 1, not " + std::to_string(frame_skip_) + ".");
  if (mocap_.mocap >= 0) {
    check_index("The mocap body's index", mocap_.mocap, m.nmocap);
    if (mocap_.first < 0) throw std::invalid_argument("The first action of a mocap body must not be negative.");
    action_size_ = mocap_.first + 3;
  }
  for (const ActuatorControl& c : actuators_) {
    check_index("An actuator's id", c.actuator, m.nu);
    if (c.action < 0) throw std::invalid_argument("The action of an actuator must not be negative.");
    action_size_ = c.action + 1 > action_size_ ? c.action + 1 : action_size_;
  }
  for (const Override& o : overrides_) {
    check_index("An override's field", static_cast<int>(o.field), kFields);
    check_index("An override's id", o.id, field_count(m, o.field));
    override_size_ += field_width(o.field);
  }
  for (const Read& r : reads_) {
    check_index("A read's source", static_cast<int>(r.source), kSources);
    check_read(m, r);
    read_size_ += read_width(r);
  }
}

void Scene::control(mjData* data, const double* action, bool single) const {
  if (mocap_.mocap >= 0) {
    mjtNum* const position = data->mocap_pos + 3 * mocap_.mocap;
    for (int i = 0; i < 3; ++i) {
      const double given = action[mocap_.first + i];
      double delta;
      if (single) {
        const float limit = static_cast<float>(mocap_.limit);
        delta = static_cast<double>(clip(static_cast<float>(given), -limit, limit) * static_cast<float>(mocap_.scale));
      } else {
        delta = clip(given, -mocap_.limit, mocap_.limit) * mocap_.scale;
      }
      position[i] = clip(position[i] + delta, mocap_.low[i], mocap_.high[i]);
    }
    mju_copy(data->mocap_quat + 4 * mocap_.mocap, mocap_.quat, 4);
  }
  for (const ActuatorControl& c : actuators_) data->ctrl[c.actuator] = c.gain * action[c.action];
}

void Scene::read(const mjData* data, double* now) const {
  for (const Read& r : reads_) {
    switch (r.source) {
      case Source::body_xpos:
        mju_copy3(now, data->xpos + 3 * r.a);
        break;
      case Source::body_xquat:
        mju_copy4(now, data->xquat + 4 * r.a);
        break;
      case Source::site_xpos:
        mju_copy3(now, data->site_xpos + 3 * r.a);
        break;
      case Source::site_xmat:
        mju_copy(now, data->site_xmat + 9 * r.a, 9);
        break;
      case Source::geom_xpos:
        mju_copy3(now, data->geom_xpos + 3 * r.a);
        break;
      case Source::geom_xmat:
        mju_copy(now, data->geom_xmat + 9 * r.a, 9);
        break;
      case Source::qpos:
        mju_copy(now, data->qpos + r.a, r.b);
        break;
      case Source::touch:
        *now = touch(data, r.a, r.b);
        break;
    }
    now += read_width(r);
  }
}

}  // namespace taskworlds
