// The Python module taskworlds.engine._native, the engine's only C++ that knows Python. It checks what could corrupt memory;
// the messages meant for users come from the Python face.

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine.h"
#include "exiting.h"
#include "lean_copy.h"
#include "matrix.h"
#include "model.h"
#include "scene.h"
#include "settle.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace taskworlds {
namespace {

template <typename T>
using Lines = nb::ndarray<nb::numpy, T, nb::ndim<2>>;
template <typename T>
using Vector = nb::ndarray<nb::numpy, T, nb::ndim<1>>;
template <typename T>
using Actions = nb::ndarray<const T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Mask = nb::ndarray<const bool, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

// Engines whose threads may be at work: they are stopped before the interpreter, and with it the kernels, goes away.
std::set<Engine*>& live_engines() {
  static std::set<Engine*> engines;
  return engines;
}

struct LiveEngine : Engine {
  LiveEngine(std::vector<std::shared_ptr<const Scene>> scenes, std::vector<Kernel> kernels, const Sizes& shape, int threads)
      : Engine(std::move(scenes), std::move(kernels), shape, threads) {
    live_engines().insert(this);
  }
  ~LiveEngine() { live_engines().erase(this); }
};

bool interrupted() {
  stay_if_exiting();
  const nb::gil_scoped_acquire gil;
  return PyErr_CheckSignals() != 0;
}

// Finishes a step without Python's lock; raises what a signal handler raised (KeyboardInterrupt).
void finish(Engine::Step step) {
  bool complete;
  {
    const nb::gil_scoped_release released;
    complete = step.finish(interrupted);
    stay_if_exiting();
  }
  if (!complete) throw nb::python_error();
}

const bool* mask_data(const Engine& engine, const std::optional<Mask>& mask) {
  if (!mask) return nullptr;
  if (mask->shape(0) != static_cast<std::size_t>(engine.sizes.rows)) {
    throw std::invalid_argument("mask must have one entry per row.");
  }
  return mask->data();
}

template <typename T>
Engine::Step begin(Engine& engine, const Actions<T>& actions, const std::optional<Mask>& mask, int spare) {
  const auto rows = static_cast<std::size_t>(engine.sizes.rows);
  const auto width = static_cast<std::size_t>(engine.sizes.actions);
  if (actions.shape(0) != rows || actions.shape(1) != width) {
    throw std::invalid_argument("actions must have shape (" + std::to_string(rows) + ", " + std::to_string(width) + ").");
  }
  return engine.begin(actions.data(), mask_data(engine, mask), spare);
}

template <typename T>
bool step(LiveEngine& engine, const Actions<T>& actions, const std::optional<Mask>& mask, int spare) {
  finish(begin(engine, actions, mask, spare));
  return engine.went_well();
}

template <typename T>
using Table = nb::ndarray<T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
template <typename T>
using Block = nb::ndarray<T, nb::ndim<3>, nb::c_contig, nb::device::cpu>;
template <typename T>
using Line = nb::ndarray<T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

// Takes a chunk of steps. The caller's arrays are held until it returns, and so until no thread writes to them.
template <typename T>
bool step_chunk(LiveEngine& engine, const Block<const T>& actions, const std::optional<Mask>& mask,
                const Line<const std::int32_t>& left, const Mask& ends, int success_term, int end_term,
                const Block<double>& terms, const std::optional<Block<double>>& obs, const Table<std::int32_t>& faults,
                const Line<std::int32_t>& taken, int spare) {
  const Sizes& sizes = engine.sizes;
  const auto rows = static_cast<std::size_t>(sizes.rows), steps = actions.shape(1);
  const auto check = [&](const char* name, const auto& array, int width) {
    if (array.shape(0) == rows && array.shape(1) == steps && array.shape(2) == static_cast<std::size_t>(width)) return;
    throw std::invalid_argument(std::string(name) + " must have shape (" + std::to_string(rows) + ", " +
                                std::to_string(steps) + ", " + std::to_string(width) + ").");
  };
  check("actions", actions, sizes.actions);
  check("terms", terms, sizes.terms);
  if (obs) check("obs", *obs, sizes.obs);
  if (steps == 0 || steps > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    throw std::invalid_argument("A chunk must have at least one step, and a number of them that an int32 can hold.");
  }
  if (faults.shape(0) != rows || faults.shape(1) != steps) {
    throw std::invalid_argument("faults must have one entry per row and step.");
  }
  if (left.size() != rows || ends.size() != rows || taken.size() != rows) {
    throw std::invalid_argument("left, ends and taken must have one entry per row.");
  }
  for (const int term : {success_term, end_term}) {
    if (term < -1 || term >= sizes.terms) throw std::invalid_argument("A term must be -1 (none) or one of the terms.");
  }
  const Chunk chunk{actions.data(),
                    std::is_same<T, float>::value,
                    static_cast<int>(steps),
                    left.data(),
                    ends.data(),
                    success_term,
                    end_term,
                    terms.data(),
                    obs ? obs->data() : nullptr,
                    faults.data(),
                    taken.data()};
  finish(engine.begin_chunk(chunk, mask_data(engine, mask), spare));
  return engine.went_well();
}

template <typename T>
void step_async(LiveEngine& engine, const Actions<T>& actions, const std::optional<Mask>& mask, int spare, bool shared) {
  begin(engine, actions, mask, spare).launch(shared);
}

bool step_wait(LiveEngine& engine) {
  finish(engine.join());
  return engine.went_well();
}

template <typename T>
void send(LiveEngine& engine, const Actions<T>& actions, const std::vector<int>& rows, int spare) {
  if (actions.shape(0) != rows.size() || actions.shape(1) != static_cast<std::size_t>(engine.sizes.actions)) {
    throw std::invalid_argument("actions must have one line for each of rows.");
  }
  engine.send(actions.data(), rows, spare);
}

// Waits without Python's lock; raises what a signal handler raised (KeyboardInterrupt), and then no row was received.
// Returns the place of each row's engine, and the row.
std::vector<std::pair<int, int>> receive(const std::vector<LiveEngine*>& engines, int count) {
  std::vector<RowStream::Taken> taken;
  {
    const nb::gil_scoped_release released;
    taken = Engine::receive(std::vector<Engine*>(engines.begin(), engines.end()), count, interrupted);
    stay_if_exiting();
  }
  if (taken.empty()) throw nb::python_error();
  std::vector<std::pair<int, int>> rows;
  for (const RowStream::Taken& each : taken) rows.emplace_back(each.stream, each.row);
  return rows;
}

void forward(LiveEngine& engine, const std::optional<Mask>& mask, bool warm_start) {
  finish(engine.begin_forward(mask_data(engine, mask), warm_start));
}

// A settling with its model, which Python may own: so both are let go of with Python's lock.
struct OwnedSettling {
  std::shared_ptr<const Model> model;
  std::shared_ptr<Settling> settling;
};

using Numbers = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

std::vector<double> copy_of(const Numbers& numbers) { return {numbers.data(), numbers.data() + numbers.size()}; }

void settle(LiveEngine& engine, const std::vector<OwnedSettling*>& given) {
  std::vector<std::shared_ptr<Settling>> settlings;
  for (const OwnedSettling* const each : given) {
    engine.keep_for_settling(each->model);
    settlings.push_back(each->settling);
  }
  finish(engine.begin_settling(std::move(settlings)));
}

Kernel kernel_at(std::uintptr_t address) {
  if (address == 0) throw std::invalid_argument("A kernel's address must not be 0.");
  return reinterpret_cast<Kernel>(address);
}

// Read-write NumPy views of an engine's arrays; the engine owns the memory.
template <typename Class, typename T>
void matrix(Class& c, const char* name, Matrix<T> Engine::* member) {
  c.def_prop_ro(
      name,
      [member](LiveEngine& e) {
        Matrix<T>& m = e.*member;
        return Lines<T>(m.data.data(), {static_cast<std::size_t>(e.sizes.rows), static_cast<std::size_t>(m.width)});
      },
      nb::rv_policy::reference_internal);
}

template <typename Class>
void vector(Class& c, const char* name, std::vector<std::int32_t> Engine::* data) {
  c.def_prop_ro(
      name,
      [data](LiveEngine& e) { return Vector<std::int32_t>((e.*data).data(), {static_cast<std::size_t>(e.sizes.rows)}); },
      nb::rv_policy::reference_internal);
}

}  // namespace
}  // namespace taskworlds

NB_MODULE(_native, m) {
  using namespace taskworlds;
  nb::set_leak_warnings(false);  // a daemon thread that steps at exit keeps its engine for good, as it must
  m.doc() = "Steps rows of MuJoCo scenes on threads. Use it through taskworlds.engine.";
  if (mj_version() != mjVERSION_HEADER) {
    throw nb::import_error("taskworlds.engine was built for another MuJoCo than the one installed: reinstall taskworlds.");
  }

  nb::class_<Model>(m, "Model", "A compiled MuJoCo model, immutable and shared.")
      .def(
          "__init__", [](Model* self, const nb::bytes& data) { new (self) Model(data.c_str(), data.size()); }, "data"_a)
      .def_static(
          "load", [](const nb::bytes& path) { return std::make_shared<Model>(std::string(path.c_str(), path.size())); },
          "path"_a)
      .def_static(
          "copy_of",
          [](std::uintptr_t address) { return std::make_shared<Model>(*reinterpret_cast<const mjModel*>(address)); },
          "address"_a)
      .def_static(
          "compile",
          [](std::uintptr_t spec, const std::optional<std::array<double, mjNEQDATA>>& weld) {
            const nb::gil_scoped_release release;
            return std::make_shared<Model>(Model::compile(reinterpret_cast<mjSpec*>(spec), weld ? weld->data() : nullptr));
          },
          "spec"_a, "weld"_a.none())
      .def_prop_ro("num_bytes", &Model::num_bytes)
      .def("to_bytes",
           [](const Model& self) {
             const std::vector<char> bytes = self.to_bytes();
             return nb::bytes(bytes.data(), bytes.size());
           })
      .def("lend", &Model::lend)
      .def_static("take_back", &Model::take_back)
      .def(
          "names",
          [](const Model& self, const std::string& kind) {
            return self.names(static_cast<mjtObj>(mju_str2Type(kind.c_str())));
          },
          "kind"_a)
      .def_prop_ro("body_mocap", [](const Model& self) {  // index among the mocap bodies, or -1, of each body
        return std::vector<int>(self.get().body_mocapid, self.get().body_mocapid + self.get().nbody);
      });

#define TASKWORLDS_VALUE(name, ...) .value(#name, Enum::name)
  {
    using Enum = Field;
    nb::enum_<Field>(m, "Field") TASKWORLDS_FIELDS(TASKWORLDS_VALUE);
  }
  {
    using Enum = Stepping;
    nb::enum_<Stepping>(m, "Stepping") TASKWORLDS_STEPPINGS(TASKWORLDS_VALUE);
  }
  {
    using Enum = Source;
    nb::enum_<Source>(m, "Source") TASKWORLDS_SOURCES(TASKWORLDS_VALUE);
  }
#undef TASKWORLDS_VALUE
  m.def("object_kind", [](Field field) { return mju_type2Str(object_kind(field)); }, "field"_a);
  m.def("object_kind", [](Source source) { return mju_type2Str(object_kind(source)); }, "source"_a);
  m.def(
      "span_of",
      [](const Model& model, Source source, int object) {
        const Span span = span_of(model, source, object);
        return std::make_tuple(span.first, span.size);
      },
      "model"_a, "source"_a, "object"_a);

  nb::class_<MocapControl>(m, "MocapControl", "Three actions that move a mocap body.")
      .def(nb::init<int, int, double, double, std::array<double, 3>, std::array<double, 3>, std::array<double, 4>>(),
           "mocap"_a, "first"_a, "limit"_a, "scale"_a, "low"_a, "high"_a, "quat"_a);
  nb::class_<ActuatorControl>(m, "ActuatorControl", "An action that sets an actuator's ctrl.")
      .def(nb::init<int, int, double>(), "actuator"_a, "action"_a, "gain"_a);
  nb::class_<Override>(m, "Override", "A field of the model that each row has its own values of.")
      .def(nb::init<Field, int>(), "field"_a, "id"_a);
  nb::class_<Read>(m, "Read", "What is read after a step, of one object or of all; of a touch, two geoms.")
      .def(nb::init<Source, int, int>(), "source"_a, "object"_a = kAll, "other"_a = kAll);

  nb::class_<Scene>(m, "Scene", "A model with its control, its rows' own fields and what is read after a step.")
      .def(
          "__init__",
          [](Scene* self, std::shared_ptr<Model> model, int frame_skip, Stepping stepping,
             const std::optional<MocapControl>& mocap, std::vector<ActuatorControl> actuators,
             std::vector<Override> overrides, const std::vector<Read>& reads) {
            new (self)
                Scene(std::move(model), frame_skip, stepping, mocap, std::move(actuators), std::move(overrides), reads);
          },
          "model"_a, "frame_skip"_a, "stepping"_a, "mocap"_a.none(), "actuators"_a, "overrides"_a, "reads"_a)
      .def_prop_ro("state_size", &Scene::state_size)
      .def_prop_ro("action_size", &Scene::action_size)
      .def_prop_ro("override_size", &Scene::override_size)
      .def_prop_ro("read_size", &Scene::read_size)
      .def_prop_ro("override_sizes", &Scene::override_sizes)
      .def_prop_ro("read_sizes", &Scene::read_sizes)
      .def_prop_ro("default_overrides", &Scene::default_overrides);

  nb::class_<LeanCopy>(m, "LeanCopy", "A MjModel that was made from a model, made to share the model's large arrays.")
      .def(
          "__init__",
          [](LeanCopy* self, std::uintptr_t address, std::shared_ptr<Model> model, const nb::object&) {
            new (self) LeanCopy(*reinterpret_cast<mjModel*>(address), std::move(model));
          },
          "address"_a, "model"_a, "owner"_a, nb::keep_alive<1, 4>())
      .def("make_whole", &LeanCopy::make_whole)
      .def("is_only_moved", &LeanCopy::is_only_moved)
      .def("put_back", &LeanCopy::put_back);

  nb::class_<OwnedSettling>(m, "Settling", "Physics steps from a state, in a model whose bodies and sites stand elsewhere.")
      .def(
          "__init__",
          [](OwnedSettling* self, std::shared_ptr<Model> model, const Numbers& body_pos, const Numbers& site_pos,
             const Numbers& state, int steps) {
            auto made = std::make_shared<Settling>(*model, copy_of(body_pos), copy_of(site_pos), copy_of(state), steps);
            new (self) OwnedSettling{std::move(model), std::move(made)};
          },
          "model"_a, "body_pos"_a, "site_pos"_a, "state"_a, "steps"_a)
      .def_prop_ro("done", [](const OwnedSettling& self) { return self.settling->done(); })
      .def_prop_ro("error", [](const OwnedSettling& self) { return self.settling->done() ? self.settling->error() : ""; })
      .def("state", [](const OwnedSettling& self) {
        if (!self.settling->done()) throw std::logic_error("It is not done.");
        const std::vector<double>& state = self.settling->state();
        auto* const copy = new std::vector<double>(state);
        const nb::capsule owner(copy, [](void* p) noexcept { delete static_cast<std::vector<double>*>(p); });
        return nb::ndarray<nb::numpy, double, nb::ndim<1>>(copy->data(), {copy->size()}, owner);
      });

  nb::class_<LiveEngine> engine(m, "Engine", "Steps rows. Its arrays are views of its own memory.");
  engine
      .def(
          "__init__",
          [](LiveEngine* self, const std::vector<std::shared_ptr<Scene>>& scenes, const std::vector<std::uintptr_t>& kernels,
             int num_rows, int action_size, int param_size, int memory_size, int obs_size, int term_size, int state_size,
             int override_size, int read_size, int num_threads) {
            std::vector<Kernel> addresses;
            for (const std::uintptr_t address : kernels) addresses.push_back(kernel_at(address));
            new (self)
                LiveEngine(std::vector<std::shared_ptr<const Scene>>(scenes.begin(), scenes.end()), std::move(addresses),
                           Sizes{num_rows, action_size, param_size, memory_size, obs_size, term_size, state_size,
                                 override_size, read_size},
                           num_threads);
          },
          "scenes"_a, "kernels"_a, "num_rows"_a, "action_size"_a, "param_size"_a, "memory_size"_a, "obs_size"_a,
          "term_size"_a, "state_size"_a, "override_size"_a, "read_size"_a, "num_threads"_a)
      .def("step", &step<float>, "actions"_a.noconvert(), "mask"_a.noconvert() = nb::none(), "spare"_a = 0)
      .def("step", &step<double>, "actions"_a.noconvert(), "mask"_a.noconvert() = nb::none(), "spare"_a = 0)
      .def("step_chunk", &step_chunk<float>, "actions"_a.noconvert(), "mask"_a.noconvert().none(), "left"_a.noconvert(),
           "ends"_a.noconvert(), "success_term"_a, "end_term"_a, "terms"_a.noconvert(), "obs"_a.noconvert().none(),
           "faults"_a.noconvert(), "taken"_a.noconvert(), "spare"_a = 0)
      .def("step_chunk", &step_chunk<double>, "actions"_a.noconvert(), "mask"_a.noconvert().none(), "left"_a.noconvert(),
           "ends"_a.noconvert(), "success_term"_a, "end_term"_a, "terms"_a.noconvert(), "obs"_a.noconvert().none(),
           "faults"_a.noconvert(), "taken"_a.noconvert(), "spare"_a = 0)
      .def("step_async", &step_async<float>, "actions"_a.noconvert(), "mask"_a.noconvert() = nb::none(), "spare"_a = 0,
           "shared"_a = false)
      .def("step_async", &step_async<double>, "actions"_a.noconvert(), "mask"_a.noconvert() = nb::none(), "spare"_a = 0,
           "shared"_a = false)
      .def("step_wait", &step_wait)
      .def("send", &send<float>, "actions"_a.noconvert(), "rows"_a, "spare"_a = 0)
      .def("send", &send<double>, "actions"_a.noconvert(), "rows"_a, "spare"_a = 0)
      .def_prop_ro("under_way", [](const LiveEngine& self) { return self.under_way(); })
      .def("forward", &forward, "mask"_a.noconvert().none(), "warm_start"_a)
      .def("settle", &settle, "settlings"_a)
      .def(
          "settle_ahead",
          [](LiveEngine& self, const OwnedSettling& settling) { self.settle_ahead(settling.settling, settling.model); },
          "settling"_a)
      .def(
          "drop_settling",
          [](LiveEngine& self, const OwnedSettling& settling) { self.drop_settling(settling.settling.get()); }, "settling"_a)
      .def(
          "set_scene",
          [](LiveEngine& self, int index, std::shared_ptr<Scene> scene) { self.set_scene(index, std::move(scene)); },
          "index"_a, "scene"_a)
      .def(
          "set_kernel",
          [](LiveEngine& self, int index, std::uintptr_t address) { self.set_kernel(index, kernel_at(address)); }, "index"_a,
          "kernel"_a)
      .def("close", [](LiveEngine& self) { self.close(); })
      .def(
          "error",
          [](const LiveEngine& self, int row) {
            if (row < 0 || row >= self.sizes.rows) throw nb::index_error("row is out of range");
            return (self.faults[static_cast<std::size_t>(row)] & kError) != 0 ? self.error(row) : std::string();
          },
          "row"_a)
      .def_prop_ro("pending", [](const LiveEngine& self) { return self.pending(); })
      .def_prop_ro("num_threads", [](const LiveEngine& self) { return self.threads(); })
      // The engine itself, for our other modules. It points there as long as this object lives.
      .def_prop_ro("capsule",
                   [](const LiveEngine& self) { return nb::capsule(static_cast<const Engine*>(&self), kEngineCapsule); });
  matrix(engine, "states", &Engine::states);
  matrix(engine, "overrides", &Engine::overrides);
  matrix(engine, "params", &Engine::params);
  matrix(engine, "memory", &Engine::memory);
  matrix(engine, "obs", &Engine::obs);
  matrix(engine, "terms", &Engine::terms);
  matrix(engine, "now", &Engine::now);
  vector(engine, "scene_of_row", &Engine::scene_of_row);
  vector(engine, "kernel_of_row", &Engine::kernel_of_row);
  vector(engine, "faults", &Engine::faults);
  matrix(engine, "warnings", &Engine::warnings);

  m.attr("ACTION_NOT_FINITE") = static_cast<int>(kActionNotFinite);
  m.attr("STATE_NOT_FINITE") = static_cast<int>(kStateNotFinite);
  m.attr("ERROR") = static_cast<int>(kError);
  m.attr("NOT_STEPPED") = static_cast<int>(kNotStepped);

  m.def("receive", &receive, "engines"_a, "count"_a);
  m.def("_close_all", [] {
    exiting = true;
    for (Engine* e : std::vector<Engine*>(live_engines().begin(), live_engines().end())) {
      if (!e->running()) {
        e->close();
        continue;
      }
      const nb::gil_scoped_release released;  // the thread inside may be waiting for the lock; it keeps the engine alive
      e->close();
    }
  });
  nb::module_::import_("atexit").attr("register")(m.attr("_close_all"));
}
