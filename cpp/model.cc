#include "model.h"

#include <mujoco/mjxmacro.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <type_traits>

#include "guard.h"

namespace taskworlds {
namespace {

// What the calling thread has lent. MuJoCo asks for it under a name, as for a file's content. Its own way to bytes in
// memory, mjVFS, copies them and computes a checksum of them, which takes ten times as long.
struct Bytes {
  const void* data;
  std::size_t size;
};
thread_local Bytes lent{nullptr, 0};
thread_local std::vector<char> kept;  // the bytes that `Model::lend` lends

void know_what_is_lent() {
  static const int slot = [] {
    mjpResourceProvider provider;
    mjp_defaultResourceProvider(&provider);
    provider.prefix = "taskworlds";
    provider.open = [](mjResource*) { return lent.data == nullptr ? 0 : 1; };
    provider.read = [](mjResource*, const void** buffer) {
      *buffer = lent.data;
      return static_cast<int>(lent.size);
    };
    provider.close = [](mjResource*) {};
    return mjp_registerResourceProvider(&provider);
  }();
  static_cast<void>(slot);
}

const char* lend(const void* bytes, std::size_t size) {
  know_what_is_lent();
  lent = {bytes, size};
  return "taskworlds:model.mjb";
}

// `name` is that of a file on disk, or of what is lent. `what` is the subject of an error's message.
mjModel* load(const char* name, const std::string& what) {
  struct Loading {
    const char* name;
    mjModel* model;
  } loading{name, nullptr};
  std::string error = "this MuJoCo cannot read it";
  guarded(
      [](void* context) {
        auto* const job = static_cast<Loading*>(context);
        job->model = mj_loadModel(job->name, nullptr);
      },
      &loading, &error);
  if (loading.model == nullptr) {
    throw std::invalid_argument(what + " not a compiled model (" + error + "). Expected what mj_saveModel of MuJoCo " +
                                mj_versionString() + " writes.");
  }
  return loading.model;
}

mjModel* load(const void* bytes, std::size_t size) {
  if (size > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    throw std::invalid_argument("The model is larger than 2 GiB.");
  }
  const struct Lending {
    Lending(const void* data, std::size_t count) : name(lend(data, count)) {}
    ~Lending() { lent = {nullptr, 0}; }
    const char* const name;
  } lending(bytes, size);
  return load(lending.name, "The bytes are");
}

mjModel* load(const std::string& path) {
  if (path.find('\0') != std::string::npos) throw std::invalid_argument("The name of a file must not hold a NUL.");
  return load(path.c_str(), path + " is");
}

mjModel* compiled(mjSpec* spec) {
  struct Compiling {
    mjSpec* spec;
    mjModel* model;
  } compiling{spec, nullptr};
  std::string error;
  guarded(
      [](void* context) {
        auto* const job = static_cast<Compiling*>(context);
        job->model = mj_compile(job->spec, nullptr);
      },
      &compiling, &error);
  if (compiling.model == nullptr) {
    if (error.empty()) error = mjs_getError(spec);
    throw std::invalid_argument("The model cannot be compiled (" + error + ").");
  }
  return compiling.model;
}

mjModel* copy(const mjModel& other) {
  struct Copying {
    const mjModel* from;
    mjModel* to;
  } copying{&other, nullptr};
  std::string error = "no memory";
  guarded(
      [](void* context) {
        auto* const job = static_cast<Copying*>(context);
        job->to = mj_copyModel(nullptr, job->from);
      },
      &copying, &error);
  if (copying.to == nullptr) throw std::invalid_argument("The model cannot be copied (" + error + ").");
  return copying.to;
}

// Real numbers are no part of the structure; everything else is.
template <typename T>
bool same_unless_real(const T* a, const T* b, int rows, int columns) {
  if (std::is_floating_point<T>::value || rows == 0 || columns == 0) return true;
  return std::memcmp(a, b, sizeof(T) * static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns)) == 0;
}

}  // namespace

Model::Model(mjModel* made) : model_(made, mj_deleteModel) {
  made->vis.global.bvactive = 0;  // else collision notes for a viewer, and clears in each mj_step, what it has looked at
}

Model::Model(const void* bytes, std::size_t size) : Model(load(bytes, size)) {}

Model::Model(const std::string& path) : Model(load(path)) {}

Model::Model(const mjModel& other) : Model(copy(other)) {}

Model Model::compile(mjSpec* spec, const mjtNum* weld) {
  Model made(compiled(spec));
  mjModel& model = *made.model_;
  for (int i = 0; weld != nullptr && i < model.neq; ++i) {
    const int a = model.eq_obj1id[i], b = model.eq_obj2id[i];
    if (model.eq_type[i] != mjEQ_WELD || model.eq_objtype[i] != mjOBJ_BODY) continue;
    if (model.body_mocapid[a] >= 0 || model.body_mocapid[b] >= 0)
      std::copy(weld, weld + mjNEQDATA, model.eq_data + mjNEQDATA * i);
  }
  return made;
}

std::vector<char> Model::to_bytes() const {
  std::vector<char> bytes(num_bytes());
  mj_saveModel(model_.get(), nullptr, bytes.data(), static_cast<int>(bytes.size()));
  return bytes;
}

const char* Model::lend() const {
  kept = to_bytes();
  return taskworlds::lend(kept.data(), kept.size());
}

void Model::take_back() {
  lent = {nullptr, 0};
  kept = {};
}

int Model::count(mjtObj kind) const {
  switch (kind) {
    case mjOBJ_BODY:
      return model_->nbody;
    case mjOBJ_GEOM:
      return model_->ngeom;
    case mjOBJ_SITE:
      return model_->nsite;
    case mjOBJ_JOINT:
      return model_->njnt;
    case mjOBJ_ACTUATOR:
      return model_->nu;
    case mjOBJ_SENSOR:
      return model_->nsensor;
    case mjOBJ_TENDON:
      return model_->ntendon;
    default:
      throw std::invalid_argument("Objects of this kind cannot be counted.");
  }
}

std::vector<std::string> Model::names(mjtObj kind) const {
  const int number = count(kind);
  std::vector<std::string> found;
  found.reserve(static_cast<std::size_t>(number));
  for (int id = 0; id < number; ++id) {
    const char* const name = mj_id2name(model_.get(), kind, id);
    found.emplace_back(name == nullptr ? "" : name);
  }
  return found;
}

bool same_structure(const mjModel& a, const mjModel& b) {
  if (&a == &b) return true;
#define X(name) \
  if (a.name != b.name) return false;
  MJMODEL_INTS
#undef X
#define X(type, name) \
  if (a.opt.name != b.opt.name) return false;
  MJOPTION_INTS
#undef X
  if (a.nplugin > 0) return false;  // plugins keep data of their own in mjData
  MJMODEL_POINTERS_PREAMBLE((&a))
#define X(type, name, rows, columns)                                             \
  if (static_cast<const void*>(a.name) != a.tex_data && /* the largest by far */ \
      !same_unless_real(a.name, b.name, a.rows, columns))                        \
    return false;
  MJMODEL_POINTERS
#undef X
  return true;
}

}  // namespace taskworlds
