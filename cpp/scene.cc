#include "scene.h"

#include <cmath>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>

#include "carry.h"

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

template <int width>
Span each(const mjModel&, int object) {
  return {width * object, width};
}

int joint_size(const mjModel& m, int joint, int free, int ball) {
  const int type = m.jnt_type[joint];
  return type == mjJNT_FREE ? free : type == mjJNT_BALL ? ball : 1;
}

Span joint_positions(const mjModel& m, int joint) { return {m.jnt_qposadr[joint], joint_size(m, joint, 7, 4)}; }

Span joint_velocities(const mjModel& m, int joint) { return {m.jnt_dofadr[joint], joint_size(m, joint, 6, 3)}; }

// An actuator without states has none from 0 on.
Span actuator_states(const mjModel& m, int actuator) {
  const int size = m.actuator_actnum[actuator];
  return {size > 0 ? m.actuator_actadr[actuator] : 0, size};
}

Span sensor_numbers(const mjModel& m, int sensor) { return {m.sensor_adr[sensor], m.sensor_dim[sensor]}; }

// The boxes around a body's geoms, in the tree by which its contacts are looked for. A body without geoms has none.
Span body_boxes(const mjModel& m, int body) {
  const int count = m.body_bvhnum[body];
  return {count > 0 ? 6 * m.body_bvhadr[body] : 0, 6 * count};
}

struct FieldRow {
  mjtObj kind;
  mjtNum* mjModel::* array;
  int mjModel::* units;
  int width;
  Span (*span)(const mjModel&, int object);
};

struct SourceRow {
  mjtObj kind;
  mjtNum* mjData::* array;
  Span (*span)(const mjModel&, int object);
};

#define TASKWORLDS_ROW(name, kind, units, width, span) {kind, &mjModel::name, units, width, span},
constexpr FieldRow kFields[] = {TASKWORLDS_FIELDS(TASKWORLDS_ROW)};
#undef TASKWORLDS_ROW
#define TASKWORLDS_ROW(name, kind, array, span) {kind, array, span},
constexpr SourceRow kSources[] = {TASKWORLDS_SOURCES(TASKWORLDS_ROW)};
#undef TASKWORLDS_ROW

const FieldRow& row(Field field) { return kFields[static_cast<std::size_t>(field)]; }
const SourceRow& row(Source source) { return kSources[static_cast<std::size_t>(source)]; }

// Normal force between two geoms, newtons: the sum over their contacts of the first row of each contact's constraint.
//
// A contact that made no constraint has the address -1. What is done with it is Meta-World's quirk: it indexes a Python
// array with -1, which takes the last force of all. It is repeated here, because the result must be equal.
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

mjtObj object_kind(Field field) { return row(field).kind; }

mjtObj object_kind(Source source) { return row(source).kind; }

Span span_of(const Model& model, Source source, int object) {
  const SourceRow& from = row(source);
  const int count = model.count(from.kind);
  if (object != kAll) {
    check_index("The id of what is read", object, count);
    return from.span(model.get(), object);
  }
  Span all{0, 0};
  for (int i = 0; i < count; ++i) all.size += from.span(model.get(), i).size;
  return all;
}

Scene::Scene(std::shared_ptr<const Model> model, int frame_skip, Stepping stepping, const std::optional<MocapControl>& mocap,
             std::vector<ActuatorControl> actuators, std::vector<Override> overrides, const std::vector<Read>& reads)
    : model_(std::move(model)),
      frame_skip_(frame_skip),
      stepping_(stepping),
      mocap_(mocap),
      actuators_(std::move(actuators)),
      overrides_(std::move(overrides)) {
  const mjModel& m = model_->get();
  state_size_ = mj_stateSize(&m, mjSTATE_INTEGRATION);
  carries_ = stepping_ == Stepping::forward && can_carry(m);
  if (frame_skip_ < 1) {
    throw std::invalid_argument("frame_skip must be at least 1, not " + std::to_string(frame_skip_) + ".");
  }
  if (mocap_) {
    check_index("The mocap body's index", mocap_->mocap, m.nmocap);
    if (mocap_->first < 0) throw std::invalid_argument("The first action of a mocap body must not be negative.");
    action_size_ = mocap_->first + 3;
  }
  for (const ActuatorControl& c : actuators_) {
    check_index("An actuator's id", c.actuator, m.nu);
    if (c.action < 0) throw std::invalid_argument("The action of an actuator must not be negative.");
    action_size_ = c.action + 1 > action_size_ ? c.action + 1 : action_size_;
  }
  for (const Override& o : overrides_) {
    check_index("An override's id", o.id, model_->count(row(o.field).kind));
    override_size_ += row(o.field).span(m, o.id).size;
  }
  for (const Read& r : reads) {
    if (r.source == Source::touch) {
      check_index("The first geom's id", r.object, m.ngeom);
      check_index("The second geom's id", r.other, m.ngeom);
    }
    const bool force = r.source == Source::touch || r.source == Source::body_cfrc_ext;
    if (force && stepping_ == Stepping::split) {
      throw std::invalid_argument(
          "touch and body_cfrc_ext cannot be read with the stepping 'split': it ends with mj_step1, before forces are "
          "known. Read a sensor instead.");
    }
    reads_forces_ = reads_forces_ || r.source == Source::body_cfrc_ext;
    reads_.push_back({r, row(r.source).array, span_of(*model_, r.source, r.object)});
    read_size_ += reads_.back().span.size;
  }
}

std::vector<int> Scene::override_sizes() const {
  std::vector<int> sizes;
  for (const Override& o : overrides_) sizes.push_back(row(o.field).span(model(), o.id).size);
  return sizes;
}

std::vector<int> Scene::read_sizes() const {
  std::vector<int> sizes;
  for (const Place& place : reads_) sizes.push_back(place.span.size);
  return sizes;
}

void Scene::control(mjData* data, const double* action, bool single) const {
  if (mocap_) {
    const MocapControl& c = *mocap_;
    mjtNum* const position = data->mocap_pos + 3 * c.mocap;
    for (std::size_t i = 0; i < 3; ++i) {
      const double given = action[static_cast<std::size_t>(c.first) + i];
      double delta;
      if (single) {
        const float limit = static_cast<float>(c.limit);
        delta = static_cast<double>(clip(static_cast<float>(given), -limit, limit) * static_cast<float>(c.scale));
      } else {
        delta = clip(given, -c.limit, c.limit) * c.scale;
      }
      position[i] = clip(position[i] + delta, c.low[i], c.high[i]);
    }
    mju_copy(data->mocap_quat + 4 * c.mocap, c.quat.data(), 4);
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
  finish(own, data, left);
}

void Scene::go_on(const mjModel* own, mjData* data, const double* action, bool single) const {
  if (!carries_) {
    step(own, data, action, single);
    return;
  }
  control(data, action, single);
  carried_step(own, data);
  finish(own, data, frame_skip_ - 1);
}

// Takes the last mj_steps of a step, and what comes after them.
void Scene::finish(const mjModel* own, mjData* data, int steps) const {
  for (; steps > 0; --steps) mj_step(own, data);
  if (stepping_ == Stepping::forward) mj_forward(own, data);
  if (stepping_ == Stepping::split) mj_step1(own, data);
}

void Scene::read(const mjModel* own, mjData* data, double* now) const {
  if (reads_forces_) mj_rnePostConstraint(own, data);
  for (const Place& place : reads_) {
    if (place.array == nullptr) {
      *now = touch(data, place.read.object, place.read.other);
    } else {
      mju_copy(now, data->*place.array + place.span.first, place.span.size);
    }
    now += place.span.size;
  }
}

std::vector<double> Scene::default_overrides() const {
  std::vector<double> values;
  for (const Override& o : overrides_) {
    const FieldRow& field = row(o.field);
    const Span span = field.span(model(), o.id);
    const mjtNum* const first = model().*field.array + span.first;
    values.insert(values.end(), first, first + span.size);
  }
  return values;
}

OwnModel::OwnModel(const Scene& scene) : model_(scene.model()) {
  for (const Override& o : scene.overrides()) {
    const FieldRow& field = row(o.field);
    mjtNum*& data = model_.*field.array;
    std::vector<mjtNum>& own = fields_[o.field];
    if (own.empty()) {
      own.assign(data, data + field.width * scene.model().*field.units);
      data = own.data();
    }
    const Span span = field.span(scene.model(), o.id);
    places_.push_back({data + span.first, span.size});
  }
}

void OwnModel::write(const double* values) {
  for (const Place& place : places_) {
    mju_copy(place.first, values, place.width);
    values += place.width;
  }
}

}  // namespace taskworlds
