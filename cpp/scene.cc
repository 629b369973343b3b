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

// The array of mjData that a source other than touch reads.
const mjtNum* source_data(const mjData& d, Source source) {
  switch (source) {
    case Source::body_xpos:
      return d.xpos;
    case Source::body_xquat:
      return d.xquat;
    case Source::body_xmat:
      return d.xmat;
    case Source::body_xipos:
      return d.xipos;
    case Source::body_subtree_com:
      return d.subtree_com;
    case Source::body_cinert:
      return d.cinert;
    case Source::body_cvel:
      return d.cvel;
    case Source::body_cfrc_ext:
      return d.cfrc_ext;
    case Source::site_xpos:
      return d.site_xpos;
    case Source::site_xmat:
      return d.site_xmat;
    case Source::geom_xpos:
      return d.geom_xpos;
    case Source::geom_xmat:
      return d.geom_xmat;
    case Source::qpos:
      return d.qpos;
    case Source::qvel:
      return d.qvel;
    case Source::qfrc_actuator:
      return d.qfrc_actuator;
    case Source::ctrl:
      return d.ctrl;
    case Source::act:
      return d.act;
    case Source::ten_length:
      return d.ten_length;
    case Source::ten_velocity:
      return d.ten_velocity;
    case Source::sensordata:
      return d.sensordata;
    case Source::touch:
      break;
  }
  return nullptr;
}

// How many numbers that array has.
int source_size(const mjModel& m, Source source) {
  switch (source) {
    case Source::body_xpos:
    case Source::body_xipos:
    case Source::body_subtree_com:
      return 3 * m.nbody;
    case Source::body_xquat:
      return 4 * m.nbody;
    case Source::body_cvel:
    case Source::body_cfrc_ext:
      return 6 * m.nbody;
    case Source::body_xmat:
      return 9 * m.nbody;
    case Source::body_cinert:
      return 10 * m.nbody;
    case Source::site_xpos:
      return 3 * m.nsite;
    case Source::site_xmat:
      return 9 * m.nsite;
    case Source::geom_xpos:
      return 3 * m.ngeom;
    case Source::geom_xmat:
      return 9 * m.ngeom;
    case Source::qpos:
      return m.nq;
    case Source::qvel:
    case Source::qfrc_actuator:
      return m.nv;
    case Source::ctrl:
      return m.nu;
    case Source::act:
      return m.na;
    case Source::ten_length:
    case Source::ten_velocity:
      return m.ntendon;
    case Source::sensordata:
      return m.nsensordata;
    case Source::touch:
      break;
  }
  return 0;
}

int read_width(const Read& read) { return read.source == Source::touch ? 1 : read.b; }

void check_read(const mjModel& model, const Read& read) {
  if (read.source == Source::touch) {
    check_index("The first geom's id", read.a, model.ngeom);
    check_index("The second geom's id", read.b, model.ngeom);
    return;
  }
  const int size = source_size(model, read.source);
  check_index("A read's first number", read.a, size + 1);
  check_index("How many numbers a read has", read.b, size - read.a + 1);
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

// The field's array in a model, how many numbers one object has, and how many objects there are.
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

}  // namespace

Scene::Scene(std::shared_ptr<const Model> model, int frame_skip, Stepping stepping, const MocapControl& mocap,
             std::vector<ActuatorControl> actuators, std::vector<Override> overrides, std::vector<Read> reads)
    : model_(std::move(model)),
      frame_skip_(frame_skip),
      stepping_(stepping),
      mocap_(mocap),
      actuators_(std::move(actuators)),
      overrides_(std::move(overrides)),
      reads_(std::move(reads)) {
  const mjModel& m = model_->get();
  state_size_ = mj_stateSize(&m, mjSTATE_INTEGRATION);
  if (frame_skip_ < 1) {
    throw std::invalid_argument("frame_skip must be at least 1, not " + std::to_string(frame_skip_) + ".");
  }
  check_index("The stepping", static_cast<int>(stepping_), kSteppings);
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
    const bool force = r.source == Source::touch || r.source == Source::body_cfrc_ext;
    if (force && stepping_ == Stepping::split) {
      throw std::invalid_argument(
          "touch and body_cfrc_ext cannot be read with the stepping 'split': it ends with mj_step1, before forces are "
          "known. "
          "Read a sensor instead.");
    }
    reads_forces_ = reads_forces_ || r.source == Source::body_cfrc_ext;
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

bool Scene::begins_with_step2(const mjModel* own) const {
  return stepping_ == Stepping::split && own->opt.integrator != mjINT_RK4;
}

void Scene::prepare(const mjModel* own, mjData* data) const {
  if (begins_with_step2(own)) mj_step1(own, data);
}

void Scene::step(const mjModel* own, mjData* data, const double* action, bool single) const {
  control(data, action, single);
  int left = frame_skip_;
  if (begins_with_step2(own)) {
    mj_step2(own, data);
    --left;
  }
  for (; left > 0; --left) mj_step(own, data);
  if (stepping_ == Stepping::forward) mj_forward(own, data);
  if (stepping_ == Stepping::split) mj_step1(own, data);
}

void Scene::read(const mjModel* own, mjData* data, double* now) const {
  if (reads_forces_) mj_rnePostConstraint(own, data);
  for (const Read& r : reads_) {
    if (r.source == Source::touch) {
      *now = touch(data, r.a, r.b);
    } else {
      mju_copy(now, source_data(*data, r.source) + r.a, r.b);
    }
    now += read_width(r);
  }
}

std::vector<double> Scene::default_overrides() const {
  std::vector<double> values;
  mjModel model = this->model();
  for (const Override& o : overrides_) {
    const int width = field_width(o.field);
    const mjtNum* const first = field_data(&model, o.field) + width * o.id;
    values.insert(values.end(), first, first + width);
  }
  return values;
}

OwnModel::OwnModel(const Scene& scene) : model_(scene.model()) {
  for (const Override& o : scene.overrides()) {
    auto& own = fields_[static_cast<std::size_t>(o.field)];
    const int width = field_width(o.field);
    mjtNum*& data = field_data(&model_, o.field);
    if (own.empty()) {
      own.assign(data, data + field_count(model_, o.field) * width);
      data = own.data();
    }
    places_.push_back({data + width * o.id, width});
  }
}

void OwnModel::write(const double* values) {
  for (const Place& place : places_) {
    mju_copy(place.first, values, place.width);
    values += place.width;
  }
}

}  // namespace taskworlds
