// The Python module taskworlds.perf._bare_loop. It gets the engine as a capsule, since a class that is bound in another
// module cannot be an argument here.

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/tuple.h>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "bare_loop.h"
#include "engine.h"
#include "exiting.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace taskworlds {
namespace {

template <typename T>
using Actions = nb::ndarray<const T, nb::ndim<3>, nb::c_contig, nb::device::cpu>;
using States = nb::ndarray<nb::numpy, double, nb::ndim<2>>;

const Engine& engine_in(const nb::capsule& capsule) {
  const void* const pointer = PyCapsule_GetPointer(capsule.ptr(), kEngineCapsule);
  if (pointer == nullptr) {
    PyErr_Clear();
    throw nb::type_error("engine must be the capsule of an Engine from the same build: reinstall taskworlds.");
  }
  return *static_cast<const Engine*>(pointer);
}

// Seconds by the clock, of processor time, and the last states.
template <typename T>
std::tuple<double, double, States> run(const nb::capsule& capsule, const Actions<T>& actions, int num_threads) {
  const Engine& engine = engine_in(capsule);
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
  return {seconds.clock, seconds.processor, States(states->data(), {rows, rows > 0 ? states->size() / rows : 0}, owner)};
}

}  // namespace
}  // namespace taskworlds

NB_MODULE(_bare_loop, m) {
  using namespace taskworlds;
  m.doc() = "The yardstick of the engine. Use it through taskworlds.perf.bare_loop.";
  m.def("run", &run<float>, "engine"_a, "actions"_a.noconvert(), "num_threads"_a);
  m.def("run", &run<double>, "engine"_a, "actions"_a.noconvert(), "num_threads"_a);
  nb::module_::import_("atexit").attr("register")(nb::cpp_function([] { exiting = true; }));
}
