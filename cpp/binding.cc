// The Python module taskworlds.engine._native, the engine's only C++ that knows Python. It checks what could corrupt memory;
// the messages meant for users come from the Python face.

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "bare_loop.h"
#include "engine.h"
#include "model.h"
#include "scene.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace taskworlds {
namespace {

template <typename T>
using Matrix = nb::ndarray<nb::numpy, T, nb::ndim<2>>;
template <typename T>
using Vector = nb::ndarray<nb::numpy, T, nb::ndim<1>>;
template <typename T>
using Actions = nb::ndarray<const T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
template <typename T>
using ActionSequence = nb::ndarray<const T, nb::ndim<3>, nb::c_contig, nb::device::cpu>;
using Mask = nb::ndarray<const bool, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

// Engines whose threads may be at work: they are stopped before the interpreter, and with it the kernels, goes away.
std::set<Engine*>& live_engines() {
  static std::set<Engine*> engines;
  return engines;
}

struct LiveEngine : Engine {
  LiveEngine(std::vector<std::shared_ptr<const Scene>> scenes, std::vector<Kernel> kernels, const Sizes& sizes, int threads)
      : Engine(std::move(scenes), std::move(kernels), sizes, threads) {
    live_engines().insert(this);
  }
  ~LiveEngine() { live_engines().erase(this); }
};

// Set when the interpreter is about to end. A daemon thread that came back for Python's lock after that would be killed by
// it in the middle of C++, which ends the process in an error; so it stops here for the rest of the process's life.
std::atomic<bool> exiting{false};

void stay_if_exiting() {
  while (exiting.load()) std::this_thread::sleep_for(std::chrono::hours(1));
}

bool interrupted() {
  stay_if_exiting();
  const nb::gil_scoped_acquire gil;
  return PyErr_CheckSignals() != 0;
}

// Waits for the claimed step without Python's lock; raises what a signal handler raised (KeyboardInterrupt).
void finish(Engine& engine, bool (Engine::*how)(Pool::Interrupted)) {
  struct End {
    Engine& engine;
    ~End() { engine.end(); }
  };
  bool complete;
  {
    const End end{engine};
    const nb::gil_scoped_release released;
    complete = (engine.*how)(interrupted);
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
void begin(Engine& engine, const Actions<T>& actions, const std::optional<Mask>& mask) {
  const auto rows = static_cast<std::size_t>(engine.sizes.rows);
  const auto width = static_cast<std::size_t>(engine.sizes.actions);
  if (actions.shape(0) != rows || actions.shape(1) != width) {
    throw std::invalid_argument("actions must have shape (" + std::to_string(rows) + ", " + std::to_string(width) + ").");
  }
  engine.begin(actions.data(), mask_data(engine, mask));
}

template <typename T>
bool step(LiveEngine& engine, const Actions<T>& actions, const std::optional<Mask>& mask) {
  begin(engine, actions, mask);
  finish(engine, &Engine::run);
  return engine.went_well();
}

template <typename T>
void step_async(LiveEngine& engine, const Actions<T>& actions, const std::optional<Mask>& mask) {
  begin(engine, actions, mask);
  engine.launch();
}

void forward(LiveEngine& engine, const std::optional<Mask>& mask, bool warm_start) {
  engine.begin_forward(mask_data(engine, mask), warm_start);
  finish(engine, &Engine::run);
}

// Seconds by the clock, of processor time, and the last states.
template <typename T>
std::tuple<double, double, Matrix<double>> bare_loop(const LiveEngine& engine, const ActionSequence<T>& actions,
                                                     int num_threads) {
  const auto rows = static_cast<std::size_t>(engine.sizes.rows);
  const auto width = static_cast<std::size_t>(engine.sizes.actions);
  if (actions.shape(1) != rows || actions.shape(2) != width) {
    throw std::invalid_argument("actions must have shape (steps, " + std::to_string(rows) + ", " + std::to_string(width) +
                                ").");
  }
  const std::vector<double> values(actions.data(), actions.data() + actions.size());
  BareLoop loop(engine, num_threads);
  BareLoop::Seconds seconds;
  {
    const nb::gil_scoped_release released;
    seconds = loop.run(values, static_cast<int>(actions.shape(0)), std::is_same<T, float>::value);
    stay_if_exiting();
  }
  auto* const states = new std::vector<double>(loop.states());
  const nb::capsule owner(states, [](void* p) noexcept { delete static_cast<std::vector<double>*>(p); });
  const auto state_size = static_cast<std::size_t>(engine.state_size);
  return {seconds.clock, seconds.processor, Matrix<double>(states->data(), {rows, state_size}, owner)};
}

void make_scene(Scene* self, std::shared_ptr<Model> model, int frame_skip, int stepping,
                const std::optional<std::tuple<int, int, double, double>>& mocap, const std::vector<double>& mocap_low,
                const std::vector<double>& mocap_high, const std::vector<double>& mocap_quat,
                const std::vector<std::tuple<int, int, double>>& actuators,
                const std::vector<std::tuple<int, int>>& overrides, const std::vector<std::tuple<int, int, int>>& reads) {
  MocapControl control{-1, 0, 0, 0, {}, {}, {}};
  if (mocap) {
    if (mocap_low.size() != 3 || mocap_high.size() != 3 || mocap_quat.size() != 4) {
      throw std::invalid_argument("mocap_low and mocap_high must have 3 numbers and mocap_quat 4.");
    }
    std::tie(control.mocap, control.first, control.limit, control.scale) = *mocap;
    std::copy(mocap_low.begin(), mocap_low.end(), control.low);
    std::copy(mocap_high.begin(), mocap_high.end(), control.high);
    std::copy(mocap_quat.begin(), mocap_quat.end(), control.quat);
  }
  std::vector<ActuatorControl> actuator_list;
  for (const auto& [actuator, action, gain] : actuators) actuator_list.push_back({actuator, action, gain});
  std::vector<Override> override_list;
  for (const auto& [field, id] : overrides) override_list.push_back({static_cast<Field>(field), id});
  std::vector<Read> read_list;
  for (const auto& [source, a, b] : reads) read_list.push_back({static_cast<Source>(source), a, b});
  new (self) Scene(std::move(model), frame_skip, static_cast<Stepping>(stepping), control, std::move(actuator_list),
                   std::move(override_list), std::move(read_list));
}

// (first number, how many) of each object in an array that gives some objects more numbers than others.
using Spans = std::vector<std::tuple<int, int>>;

Spans spans(const int* first, const int* width, int count) {
  Spans found;
  for (int i = 0; i < count; ++i) found.emplace_back(width[i] > 0 ? first[i] : 0, width[i]);
  return found;
}

Spans joint_spans(const mjModel& model, const int* first, int free, int ball) {
  std::vector<int> width;
  for (int i = 0; i < model.njnt; ++i) {
    const int type = model.jnt_type[i];
    width.push_back(type == mjJNT_FREE ? free : type == mjJNT_BALL ? ball : 1);
  }
  return spans(first, width.data(), model.njnt);
}

Kernel kernel_at(std::uintptr_t address) {
  if (address == 0) throw std::invalid_argument("A kernel's address must not be 0.");
  return reinterpret_cast<Kernel>(address);
}

// Read-write NumPy views of an engine's arrays; the engine owns the memory.
template <typename Class>
void matrix(Class& c, const char* name, std::vector<double> Engine::* data, int (*width)(const Engine&)) {
  c.def_prop_ro(
      name,
      [data, width](LiveEngine& e) {
        return Matrix<double>((e.*data).data(),
                              {static_cast<std::size_t>(e.sizes.rows), static_cast<std::size_t>(width(e))});
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
      .def_prop_ro("num_bytes", &Model::num_bytes)
      .def("to_bytes",
           [](const Model& self) {
             const std::vector<char> bytes = self.to_bytes();
             return nb::bytes(bytes.data(), bytes.size());
           })
      .def_prop_ro("body_names", [](const Model& self) { return self.names(mjOBJ_BODY, self.get().nbody); })
      .def_prop_ro("geom_names", [](const Model& self) { return self.names(mjOBJ_GEOM, self.get().ngeom); })
      .def_prop_ro("site_names", [](const Model& self) { return self.names(mjOBJ_SITE, self.get().nsite); })
      .def_prop_ro("joint_names", [](const Model& self) { return self.names(mjOBJ_JOINT, self.get().njnt); })
      .def_prop_ro("actuator_names", [](const Model& self) { return self.names(mjOBJ_ACTUATOR, self.get().nu); })
      .def_prop_ro("sensor_names", [](const Model& self) { return self.names(mjOBJ_SENSOR, self.get().nsensor); })
      .def_prop_ro("tendon_names", [](const Model& self) { return self.names(mjOBJ_TENDON, self.get().ntendon); })
      .def_prop_ro("joint_qpos", [](const Model& self) { return joint_spans(self.get(), self.get().jnt_qposadr, 7, 4); })
      .def_prop_ro("joint_qvel", [](const Model& self) { return joint_spans(self.get(), self.get().jnt_dofadr, 6, 3); })
      .def_prop_ro("actuator_act",
                   [](const Model& self) {
                     const mjModel& m = self.get();
                     return spans(m.actuator_actadr, m.actuator_actnum, m.nu);
                   })
      .def_prop_ro("sensor_data",
                   [](const Model& self) {
                     const mjModel& m = self.get();
                     return spans(m.sensor_adr, m.sensor_dim, m.nsensor);
                   })
      .def_prop_ro("body_mocap", [](const Model& self) {  // index among the mocap bodies, or -1, of each body
        return std::vector<int>(self.get().body_mocapid, self.get().body_mocapid + self.get().nbody);
      });

  nb::class_<Scene>(m, "Scene", "A model with its control, its rows' own fields and what is read after a step.")
      .def("__init__", &make_scene, "model"_a, "frame_skip"_a, "stepping"_a, "mocap"_a.none(), "mocap_low"_a, "mocap_high"_a,
           "mocap_quat"_a, "actuators"_a, "overrides"_a, "reads"_a)
      .def_prop_ro("state_size", &Scene::state_size)
      .def_prop_ro("action_size", &Scene::action_size)
      .def_prop_ro("override_size", &Scene::override_size)
      .def_prop_ro("read_size", &Scene::read_size)
      .def_prop_ro("default_overrides", &Scene::default_overrides);

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
      .def("step", &step<float>, "actions"_a.noconvert(), "mask"_a.noconvert() = nb::none())
      .def("step", &step<double>, "actions"_a.noconvert(), "mask"_a.noconvert() = nb::none())
      .def("step_async", &step_async<float>, "actions"_a.noconvert(), "mask"_a.noconvert() = nb::none())
      .def("step_async", &step_async<double>, "actions"_a.noconvert(), "mask"_a.noconvert() = nb::none())
      .def("step_wait",
           [](LiveEngine& self) {
             self.join();
             finish(self, &Engine::wait);
             return self.went_well();
           })
      .def("bare_loop", &bare_loop<float>, "actions"_a.noconvert(), "num_threads"_a)
      .def("bare_loop", &bare_loop<double>, "actions"_a.noconvert(), "num_threads"_a)
      .def("forward", &forward, "mask"_a.noconvert().none(), "warm_start"_a)
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
      .def_prop_ro("num_threads", [](const LiveEngine& self) { return self.threads(); });
  matrix(engine, "states", &Engine::states, [](const Engine& e) { return e.state_size; });
  matrix(engine, "overrides", &Engine::overrides, [](const Engine& e) { return e.override_size; });
  matrix(engine, "params", &Engine::params, [](const Engine& e) { return e.sizes.params; });
  matrix(engine, "memory", &Engine::memory, [](const Engine& e) { return e.sizes.memory; });
  matrix(engine, "obs", &Engine::obs, [](const Engine& e) { return e.sizes.obs; });
  matrix(engine, "terms", &Engine::terms, [](const Engine& e) { return e.sizes.terms; });
  matrix(engine, "now", &Engine::now, [](const Engine& e) { return e.read_size; });
  vector(engine, "scene_of_row", &Engine::scene_of_row);
  vector(engine, "kernel_of_row", &Engine::kernel_of_row);
  vector(engine, "faults", &Engine::faults);
  engine.def_prop_ro(
      "warnings",
      [](LiveEngine& e) {
        return Matrix<std::int32_t>(e.warnings.data(), {static_cast<std::size_t>(e.sizes.rows), mjNWARNING});
      },
      nb::rv_policy::reference_internal);

  m.attr("ACTION_NOT_FINITE") = static_cast<int>(kActionNotFinite);
  m.attr("STATE_NOT_FINITE") = static_cast<int>(kStateNotFinite);
  m.attr("ERROR") = static_cast<int>(kError);
  m.attr("NOT_STEPPED") = static_cast<int>(kNotStepped);

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
