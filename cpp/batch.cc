// The Python module taskworlds.vector._batch: what a step does to the arrays of a batch above the engine. With NumPy it
// takes some fifty calls, and on arrays of a few rows each of them costs more than what it computes; here it takes four.

#define NPY_NO_DEPRECATED_API NPY_1_25_API_VERSION
#define NPY_TARGET_VERSION NPY_1_25_API_VERSION  // the last before 1.26, the oldest NumPy that this runs with
#include <nanobind/nanobind.h>
#include <numpy/arrayobject.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>

namespace nb = nanobind;
using namespace nb::literals;

namespace taskworlds {
namespace {

template <typename T>
constexpr int kType = -1;
template <>
constexpr int kType<bool> = NPY_BOOL;
template <>
constexpr int kType<double> = NPY_FLOAT64;
template <>
constexpr int kType<std::int64_t> = NPY_INT64;

// Every argument is checked for what could corrupt memory; messages for users come from the Python face.
PyArrayObject* array(nb::handle object, const char* name) {
  if (!PyArray_Check(object.ptr())) throw nb::type_error((std::string(name) + " must be a NumPy array.").c_str());
  return reinterpret_cast<PyArrayObject*>(object.ptr());
}

// One number of each row, at any distance from each other.
template <typename T>
class Column {
 public:
  Column(nb::handle object, const char* name, npy_intp rows) {
    PyArrayObject* const values = array(object, name);
    if (PyArray_TYPE(values) != kType<T> || !PyArray_ISBEHAVED_RO(values)) {
      throw nb::type_error((std::string(name) + " must be aligned and of the dtype that this takes.").c_str());
    }
    if (PyArray_NDIM(values) != 1 || (rows >= 0 && PyArray_DIM(values, 0) != rows)) {
      throw nb::value_error((std::string(name) + " must have one entry per row.").c_str());
    }
    data_ = PyArray_BYTES(values);
    stride_ = PyArray_STRIDE(values, 0);
    size_ = PyArray_DIM(values, 0);
  }
  T& operator[](npy_intp row) const { return *reinterpret_cast<T*>(data_ + row * stride_); }
  npy_intp size() const { return size_; }

 private:
  char* data_;
  npy_intp stride_, size_;
};

// Numbers of each row and step, (N, T), at any distance from each other.
template <typename T>
class Plane {
 public:
  Plane(nb::handle object, const char* name, npy_intp rows, npy_intp steps) : values_(array(object, name)) {
    if (PyArray_TYPE(values_) != kType<T> || !PyArray_ISBEHAVED_RO(values_)) {
      throw nb::type_error((std::string(name) + " must be aligned and of the dtype that this takes.").c_str());
    }
    if (PyArray_NDIM(values_) != 2 || PyArray_DIM(values_, 0) != rows || (steps >= 0 && PyArray_DIM(values_, 1) != steps)) {
      throw nb::value_error((std::string(name) + " must have one entry per row and step.").c_str());
    }
  }
  const T& at(npy_intp row, npy_intp step) const { return *static_cast<T*>(PyArray_GETPTR2(values_, row, step)); }
  npy_intp steps() const { return PyArray_DIM(values_, 1); }

 private:
  PyArrayObject* values_;
};

void check_writeable(nb::handle object, const char* name) {
  if (!PyArray_ISWRITEABLE(array(object, name))) throw nb::value_error((std::string(name) + " is read-only.").c_str());
}

nb::object owned(PyObject* object) {
  if (object == nullptr) throw nb::python_error();
  return nb::steal(object);
}

// Gymnasium's name of the mask beside an entry of info.
nb::object mask_name(nb::handle name) {
  static PyObject* const underscore = PyUnicode_InternFromString("_");
  return owned(PyUnicode_Concat(underscore, name.ptr()));
}

// A new array, one entry for each row, not yet written.
template <typename T>
nb::object column(npy_intp rows) {
  return owned(PyArray_SimpleNew(1, &rows, kType<T>));
}

template <typename T>
T* data(const nb::object& array) {
  return static_cast<T*>(PyArray_DATA(reinterpret_cast<PyArrayObject*>(array.ptr())));
}

template <typename T>
bool all_finite(PyArrayObject* actions, npy_intp row) {
  for (npy_intp i = 0; i < PyArray_DIM(actions, 1); ++i) {
    T value;  // the caller's array may lie anywhere
    std::memcpy(&value, PyArray_GETPTR2(actions, row, i), sizeof value);
    if (!std::isfinite(value)) return false;
  }
  return true;
}

bool ready(nb::handle actions, nb::handle rows, nb::handle running) {
  PyArrayObject* const given = array(actions, "actions");
  const Column<bool> chosen(rows, "rows", -1);
  const Column<bool> in_episode(running, "running", chosen.size());
  if (PyArray_NDIM(given) != 2 || PyArray_DIM(given, 0) != chosen.size()) throw nb::value_error("actions must be (N, A).");
  const int type = PyArray_TYPE(given);
  if ((type != NPY_FLOAT32 && type != NPY_FLOAT64) || !PyArray_ISNOTSWAPPED(given)) {
    throw nb::type_error("actions must be float32 or float64.");
  }
  for (npy_intp row = 0; row < chosen.size(); ++row) {
    if (!chosen[row]) continue;
    if (!in_episode[row]) return false;
    if (!(type == NPY_FLOAT32 ? all_finite<float>(given, row) : all_finite<double>(given, row))) return false;
  }
  return true;
}

// A number of steps, or the largest there is for one that is larger still.
std::int64_t steps_of(nb::handle limit) {
  int overflow = 0;
  const long long steps = PyLong_AsLongLongAndOverflow(limit.ptr(), &overflow);
  if (steps == -1 && PyErr_Occurred() != nullptr) throw nb::python_error();
  return overflow > 0 ? std::numeric_limits<std::int64_t>::max() : steps;
}

// What is counted of the rows' episodes.
class Counters {
 public:
  Counters(npy_intp rows, nb::handle terminate_on_success, nb::handle limit, nb::handle steps, nb::handle returns,
           nb::handle succeeded)
      : ends_on_success_(terminate_on_success, "terminate_on_success", rows),
        steps_(steps, "steps", rows),
        returns_(returns, "returns", rows),
        succeeded_(succeeded, "succeeded", rows),
        limit_(steps_of(limit)) {
    check_writeable(steps, "steps");
    check_writeable(returns, "returns");
    check_writeable(succeeded, "succeeded");
  }

  // Whether a step ended a row's episode by itself, and whether the limit did.
  struct Ends {
    bool over, late;
  };

  // Counts a step of a row.
  Ends count(npy_intp row, double reward, bool success, bool ends) const {
    steps_[row] += 1;
    returns_[row] += reward;
    succeeded_[row] = succeeded_[row] || success;
    const bool over = ends || (success && ends_on_success_[row]);
    return {over, !over && steps_[row] >= limit_};
  }

 private:
  Column<bool> ends_on_success_;
  Column<std::int64_t> steps_;
  Column<double> returns_;
  Column<bool> succeeded_;
  std::int64_t limit_;
};

nb::tuple count_step(nb::handle rows, nb::handle rewards, nb::handle success, nb::handle terminated,
                     nb::handle terminate_on_success, nb::handle limit, nb::handle steps, nb::handle returns,
                     nb::handle succeeded) {
  const Column<bool> stepped(rows, "rows", -1);
  const npy_intp n = stepped.size();
  const Column<double> reward(rewards, "rewards", n);
  const Counters counters(n, terminate_on_success, limit, steps, returns, succeeded);
  const bool has_success = !success.is_none();
  const Column<double> successes = has_success ? Column<double>(success, "success", n) : reward;
  const bool has_ends = !terminated.is_none();
  const Column<bool> ends = has_ends ? Column<bool>(terminated, "terminated", n) : stepped;

  const nb::object given = column<double>(n), over = column<bool>(n), cut = column<bool>(n), either = column<bool>(n);
  bool any = false;
  for (npy_intp row = 0; row < n; ++row) {
    const bool stepping = stepped[row];
    Counters::Ends ended{false, false};
    if (stepping) {
      ended = counters.count(row, reward[row], has_success && successes[row] == 1.0, has_ends && ends[row]);
    }
    data<double>(given)[row] = stepping ? reward[row] : 0.0;
    data<bool>(over)[row] = ended.over;
    data<bool>(cut)[row] = ended.late;
    data<bool>(either)[row] = ended.over || ended.late;
    any = any || ended.over || ended.late;
  }
  return nb::make_tuple(given, over, cut, any ? either : nb::none());
}

nb::tuple count_chunk(nb::handle taken, nb::handle rewards, nb::handle success, nb::handle terminated,
                      nb::handle terminate_on_success, nb::handle limit, nb::handle steps, nb::handle returns,
                      nb::handle succeeded) {
  const Column<std::int64_t> taken_steps(taken, "taken", -1);
  const npy_intp n = taken_steps.size();
  const Plane<double> reward(rewards, "rewards", n, -1);
  const npy_intp count = reward.steps();
  const Counters counters(n, terminate_on_success, limit, steps, returns, succeeded);
  const bool has_success = !success.is_none();
  const Plane<double> successes = has_success ? Plane<double>(success, "success", n, count) : reward;
  std::optional<Plane<bool>> ends;
  if (!terminated.is_none()) ends.emplace(terminated, "terminated", n, count);
  npy_intp shape[2] = {n, count};
  const nb::object given = owned(PyArray_ZEROS(2, shape, NPY_FLOAT64, 0));
  const nb::object won = owned(PyArray_ZEROS(2, shape, NPY_FLOAT64, 0));
  const nb::object over = column<bool>(n), cut = column<bool>(n), either = column<bool>(n), last = column<double>(n);
  bool any = false;
  for (npy_intp row = 0; row < n; ++row) {
    const npy_intp its = taken_steps[row];
    if (its < 0 || its > count) throw nb::value_error("taken must be from 0 to the number of steps.");
    Counters::Ends first{false, false};
    for (npy_intp step = 0; step < its; ++step) {
      const double got = reward.at(row, step), success_now = has_success ? successes.at(row, step) : 0.0;
      const Counters::Ends ended = counters.count(row, got, success_now == 1.0, ends && ends->at(row, step));
      if (!first.over && !first.late) first = ended;
      data<double>(given)[row * count + step] = got;
      data<double>(won)[row * count + step] = success_now;
    }
    data<double>(last)[row] = its > 0 ? reward.at(row, its - 1) : 0.0;
    data<bool>(over)[row] = first.over;
    data<bool>(cut)[row] = first.late;
    data<bool>(either)[row] = first.over || first.late;
    any = any || first.over || first.late;
  }
  return nb::make_tuple(given, won, over, cut, any ? either : nb::none(), last);
}

void write_rows(nb::handle target, nb::handle values, nb::handle rows) {
  const Column<bool> chosen(rows, "rows", -1);
  PyArrayObject* const to = array(target, "target");
  PyArrayObject* const from = array(values, "values");
  for (PyArrayObject* const each : {to, from}) {
    if (PyArray_TYPE(each) != NPY_FLOAT64 || !PyArray_ISBEHAVED_RO(each))
      throw nb::type_error("target and values must be aligned float64.");
    if (PyArray_NDIM(each) != 2 || PyArray_DIM(each, 0) != chosen.size()) throw nb::value_error("Arrays must be (N, size).");
  }
  check_writeable(target, "target");
  const npy_intp width = PyArray_DIM(to, 1);
  constexpr npy_intp kSize = sizeof(double);
  if (PyArray_DIM(from, 1) < width || PyArray_STRIDE(to, 1) != kSize || PyArray_STRIDE(from, 1) != kSize) {
    throw nb::value_error("The values of a row must be as many as it takes, side by side.");
  }
  for (npy_intp row = 0; row < chosen.size(); ++row) {
    if (!chosen[row]) continue;
    std::memcpy(PyArray_GETPTR1(to, row), PyArray_GETPTR1(from, row), static_cast<std::size_t>(width * kSize));
  }
}

// The values of a batch, (N,) or (N, size), seen as N rows of `width` entries that lie `apart` bytes from each other.
struct Table {
  Table(nb::handle object, npy_intp n) : values(array(object, "A value")) {
    const int dims = PyArray_NDIM(values);
    if (dims < 1 || dims > 2 || PyArray_DIM(values, 0) != n) throw nb::value_error("Values must be (N,) or (N, size).");
    objects = PyArray_TYPE(values) == NPY_OBJECT;
    if (!objects && PyDataType_REFCHK(PyArray_DESCR(values))) {
      throw nb::type_error("Values must be numbers, texts or objects.");
    }
    size = PyArray_ITEMSIZE(values);
    width = dims == 2 ? PyArray_DIM(values, 1) : 1;
    apart = dims == 2 ? PyArray_STRIDE(values, 1) : size;
  }
  char* row(npy_intp at) const { return static_cast<char*>(PyArray_GETPTR1(values, at)); }

  PyArrayObject* values;
  bool objects;
  npy_intp size, width, apart;
};

// Writes an entry to a place that holds none yet.
void put(const Table& from, char* place, const char* value) {
  if (from.objects) {
    PyObject* held;
    std::memcpy(&held, value, sizeof held);
    if (held == nullptr) held = Py_None;
    Py_INCREF(held);
    std::memcpy(place, &held, sizeof held);
  } else if (from.size == sizeof(double)) {
    std::memcpy(place, value, sizeof(double));
  } else {
    std::memcpy(place, value, static_cast<std::size_t>(from.size));
  }
}

// Writes zero or None to a place that holds nothing yet.
void put_nothing(const Table& like, char* place) {
  if (like.objects) {
    PyObject* const held = Py_None;
    Py_INCREF(held);
    std::memcpy(place, &held, sizeof held);
  } else {
    std::memset(place, 0, static_cast<std::size_t>(like.size));
  }
}

// A copy of values: of all rows, or zero or None in rows that are not chosen.
nb::object copied(const Table& from, npy_intp n, const Column<bool>* chosen) {
  PyArray_Descr* const type = PyArray_DESCR(from.values);
  Py_INCREF(type);
  const nb::object copy = owned(PyArray_NewFromDescr(&PyArray_Type, type, PyArray_NDIM(from.values),
                                                     PyArray_DIMS(from.values), nullptr, nullptr, 0, nullptr));
  char* place = data<char>(copy);
  if (chosen == nullptr && !from.objects && PyArray_ISCARRAY_RO(from.values)) {
    std::memcpy(place, PyArray_DATA(from.values), static_cast<std::size_t>(PyArray_NBYTES(from.values)));
    return copy;
  }
  for (npy_intp row = 0; row < n; ++row) {
    const bool shown = chosen == nullptr || (*chosen)[row];
    const char* value = from.row(row);
    for (npy_intp i = 0; i < from.width; ++i, value += from.apart, place += from.size) {
      shown ? put(from, place, value) : put_nothing(from, place);
    }
  }
  return copy;
}

// Adds the entries of a dictionary to infos, each with its mask beside it.
void add(const nb::dict& infos, nb::handle named, const Column<bool>& mask, const Column<bool>* chosen) {
  if (!PyDict_Check(named.ptr())) throw nb::type_error("values must be dictionaries.");
  const npy_intp n = mask.size();
  PyObject *key, *item;
  Py_ssize_t at = 0;
  while (PyDict_Next(named.ptr(), &at, &key, &item)) {
    const nb::object name = nb::borrow(key), value = nb::borrow(item);
    const nb::object copy = copied(Table(value, n), n, chosen);
    const nb::object beside = column<bool>(n);
    for (npy_intp row = 0; row < n; ++row) data<bool>(beside)[row] = mask[row];
    infos[name] = copy;
    infos[mask_name(name)] = beside;
  }
}

nb::dict describe(nb::handle told, nb::handle about, nb::handle stepped, nb::handle reports) {
  const Column<bool> told_rows(told, "told", -1), stepped_rows(stepped, "stepped", told_rows.size());
  nb::dict infos;
  add(infos, about, told_rows, nullptr);
  add(infos, reports, stepped_rows, nullptr);
  return infos;
}

nb::dict only(nb::handle rows, nb::handle values) {
  const Column<bool> chosen(rows, "rows", -1);
  nb::dict infos;
  add(infos, values, chosen, &chosen);
  return infos;
}

// An entry of infos, or of its masks.
nb::object entry(const nb::dict& infos, const nb::object& name) {
  PyObject* const found = PyDict_GetItemWithError(infos.ptr(), name.ptr());
  if (found == nullptr) {
    if (PyErr_Occurred() != nullptr) throw nb::python_error();
    throw nb::key_error(nb::str(name).c_str());
  }
  return nb::borrow(found);
}

void retell(const nb::dict& infos, nb::handle rows, const nb::dict& about, const nb::dict& reports) {
  const Column<bool> chosen(rows, "rows", -1);
  const npy_intp n = chosen.size();
  for (const bool begins : {false, true}) {
    PyObject *key, *item;
    Py_ssize_t at = 0;
    while (PyDict_Next((begins ? reports : about).ptr(), &at, &key, &item)) {
      const nb::object name = nb::borrow(key), value = nb::borrow(item);
      const nb::object target = entry(infos, name), mask = entry(infos, mask_name(name));
      const Table from(value, n), to(target, n);
      const Column<bool> holds(mask, "A mask", n);
      check_writeable(target, "A value of infos");
      check_writeable(mask, "A mask of infos");
      if (!PyArray_EquivTypes(PyArray_DESCR(from.values), PyArray_DESCR(to.values)) || from.width != to.width) {
        throw nb::type_error("A value must be like the one in infos.");
      }
      for (npy_intp row = 0; row < n; ++row) {
        if (!chosen[row]) continue;
        holds[row] = !begins;
        char* place = to.row(row);
        const char* entries = from.row(row);
        for (npy_intp i = 0; i < to.width; ++i, place += to.apart, entries += from.apart) {
          PyObject* before = nullptr;
          if (to.objects) std::memcpy(&before, place, sizeof before);
          begins ? put_nothing(to, place) : put(from, place, entries);
          Py_XDECREF(before);
        }
      }
    }
  }
}

bool keep(const nb::dict& kept, nb::handle rows, const nb::dict& terms) {
  const Column<bool> stepped(rows, "rows", -1);
  const npy_intp n = stepped.size();
  PyObject *key, *item;
  Py_ssize_t at = 0, found = 0;
  while (PyDict_Next(kept.ptr(), &at, &key, &item)) {
    PyObject* const given = PyDict_GetItemWithError(terms.ptr(), key);
    if (given == nullptr && PyErr_Occurred() != nullptr) throw nb::python_error();
    check_writeable(item, "A kept value");
    const Column<double> values(item, "A kept value", n);
    const Column<double> source = given == nullptr ? values : Column<double>(given, "A term", n);
    for (npy_intp row = 0; row < n; ++row) {
      if (stepped[row]) values[row] = given == nullptr ? 0.0 : source[row];
    }
    found += given != nullptr;
  }
  return found == PyDict_Size(terms.ptr());
}

// Infos may hold infos, and a caller's may hold themselves.
struct Depth {
  Depth() {
    if (Py_EnterRecursiveCall(" in infos") != 0) throw nb::python_error();
  }
  ~Depth() { Py_LeaveRecursiveCall(); }
};

// The place of a row, which may be counted from the end.
npy_intp row_of(Py_ssize_t row, npy_intp rows) {
  const npy_intp at = row < 0 ? row + rows : row;
  if (at < 0 || at >= rows) throw nb::index_error("row is out of range");
  return at;
}

nb::dict row_info(const nb::dict& infos, Py_ssize_t row) {
  const Depth depth;
  nb::dict info;
  PyObject *key, *item;
  Py_ssize_t at = 0;
  while (PyDict_Next(infos.ptr(), &at, &key, &item)) {
    if (!PyUnicode_Check(key) || (PyUnicode_GET_LENGTH(key) > 0 && PyUnicode_READ_CHAR(key, 0) == '_')) continue;
    const nb::object name = nb::borrow(key), values = nb::borrow(item);
    if (PyArray_Check(item) && PyArray_NDIM(reinterpret_cast<PyArrayObject*>(item)) == 1) {  // most often: no mask is needed
      PyArrayObject* const one_each = reinterpret_cast<PyArrayObject*>(item);
      const npy_intp at_row = row_of(row, PyArray_DIM(one_each, 0));
      const nb::object value = owned(PyArray_ToScalar(PyArray_GETPTR1(one_each, at_row), one_each));
      if (PyDict_SetItem(info.ptr(), key, value.ptr()) != 0) throw nb::python_error();
      continue;
    }
    const nb::object beside = mask_name(name);
    PyObject* const mask = PyDict_GetItemWithError(infos.ptr(), beside.ptr());
    if (mask == nullptr) throw nb::key_error(nb::str(beside).c_str());
    const Column<bool> holds(mask, "A mask", -1);
    const npy_intp at_row = row_of(row, holds.size());
    if (!PyDict_Check(values.ptr())) {
      info[name] = owned(PySequence_GetItem(values.ptr(), at_row));
    } else if (holds[at_row]) {
      info[name] = row_info(nb::borrow<nb::dict>(values), row);
    }
  }
  return info;
}

nb::dict first_row(const nb::dict& about, const nb::dict& reports) {
  nb::dict info;
  for (const nb::dict& named : {about, reports}) {
    PyObject *key, *item;
    Py_ssize_t at = 0;
    while (PyDict_Next(named.ptr(), &at, &key, &item)) {
      const nb::object values = nb::borrow(item);
      PyArrayObject* const one_each = array(values, "values");
      const int dims = PyArray_NDIM(one_each);
      if (dims < 1 || dims > 2 || PyArray_DIM(one_each, 0) < 1) throw nb::value_error("Values must be (N,) or (N, size).");
      nb::object value;
      if (dims == 1) {
        value = owned(PyArray_ToScalar(PyArray_DATA(one_each), one_each));
      } else {
        const nb::object row = owned(PySequence_GetItem(values.ptr(), 0));
        value = owned(PyArray_NewCopy(array(row, "values"), NPY_CORDER));
      }
      if (PyDict_SetItem(info.ptr(), key, value.ptr()) != 0) throw nb::python_error();
    }
  }
  return info;
}

int load_numpy() {
  import_array1(-1);
  return 0;
}

}  // namespace
}  // namespace taskworlds

NB_MODULE(_batch, m) {
  using namespace taskworlds;
  if (load_numpy() < 0) throw nb::python_error();
  m.doc() = "What a step does to the arrays of a batch above the engine.";
  m.def("ready", &ready, "actions"_a, "rows"_a, "running"_a,
        nb::sig("def ready(actions: numpy.ndarray, rows: numpy.ndarray, running: numpy.ndarray) -> bool"),
        "Returns whether all `rows` are running and have finite actions. actions: (N, A), the others: (N,) bool.");
  m.def("count_step", &count_step, "rows"_a, "rewards"_a, "success"_a.none(), "terminated"_a.none(),
        "terminate_on_success"_a, "limit"_a, "steps"_a, "returns"_a, "succeeded"_a,
        nb::sig("def count_step(rows: numpy.ndarray, rewards: numpy.ndarray, success: numpy.ndarray | None, "
                "terminated: numpy.ndarray | None, terminate_on_success: numpy.ndarray, limit: int, steps: numpy.ndarray, "
                "returns: numpy.ndarray, succeeded: numpy.ndarray) -> "
                "tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray, numpy.ndarray | None]"),
        "Counts a step of `rows` in steps, returns and succeeded. Arrays: (N,).\n\n"
        "Returns rewards (0 where no step was), what ended by itself, what was cut at the limit, and both together, or\n"
        "None if nothing ended.");
  m.def(
      "count_chunk", &count_chunk, "taken"_a, "rewards"_a, "success"_a.none(), "terminated"_a.none(),
      "terminate_on_success"_a, "limit"_a, "steps"_a, "returns"_a, "succeeded"_a,
      nb::sig("def count_chunk(taken: numpy.ndarray, rewards: numpy.ndarray, success: numpy.ndarray | None, "
              "terminated: numpy.ndarray | None, terminate_on_success: numpy.ndarray, limit: int, steps: numpy.ndarray, "
              "returns: numpy.ndarray, succeeded: numpy.ndarray) -> "
              "tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray, numpy.ndarray, numpy.ndarray | None, numpy.ndarray]"),
      "Counts the first `taken`, (N,) int64, of T steps of each row, as `count_step` does one after the other.\n\n"
      "rewards, success and terminated: (N, T). Returns rewards and success (N, T), 0 where no step was; of each row what\n"
      "ended first by itself, and what at the limit, and both together, or None if nothing ended; and the last reward.");
  m.def("write_rows", &write_rows, "target"_a, "values"_a, "rows"_a,
        nb::sig("def write_rows(target: numpy.ndarray, values: numpy.ndarray, rows: numpy.ndarray) -> None"),
        "Copies the first numbers of values (N, at least W) into target (N, W), in `rows` (N,).");
  m.def("describe", &describe, "told"_a, "about"_a, "stepped"_a, "reports"_a,
        nb::sig("def describe(told: numpy.ndarray, about: dict[str, numpy.ndarray], stepped: numpy.ndarray, "
                "reports: dict[str, numpy.ndarray]) -> dict[str, numpy.ndarray]"),
        "Returns infos: copies of all rows' values, by name (N,) or (N, size), each with its mask beside it.\n\n"
        "The mask of what is in `about` is `told`, that of `reports` is `stepped`, both (N,) bool.");
  m.def("only", &only, "rows"_a, "values"_a,
        nb::sig("def only(rows: numpy.ndarray, values: dict[str, numpy.ndarray]) -> dict[str, numpy.ndarray]"),
        "Returns infos that say `values`, by name (N,) or (N, size), of `rows` alone: zero or None elsewhere.");
  m.def("retell", &retell, "infos"_a, "rows"_a, "about"_a, "reports"_a,
        nb::sig("def retell(infos: dict[str, typing.Any], rows: numpy.ndarray, about: dict[str, numpy.ndarray], "
                "reports: dict[str, numpy.ndarray]) -> None"),
        "Makes infos that `describe` returned tell of an episode that begins in `rows`, (N,) bool.\n\n"
        "What is in `about` is written and told, what is in `reports` is zero there and not told.");
  m.def("keep", &keep, "kept"_a, "rows"_a, "terms"_a,
        nb::sig("def keep(kept: dict[str, numpy.ndarray], rows: numpy.ndarray, terms: dict[str, numpy.ndarray]) -> bool"),
        "Copies terms into kept, by name (N,) float64, in `rows`; zero for what is kept and is not a term.\n\n"
        "Returns whether all terms are kept.");
  m.def("row_info", &row_info, "infos"_a, "row"_a,
        nb::sig("def row_info(infos: dict[str, typing.Any], row: int) -> dict[str, typing.Any]"),
        "Takes one row's info out of a batch's: numbers always, infos in infos where they are told of the row.");
  m.def("first_row", &first_row, "about"_a, "reports"_a,
        nb::sig("def first_row(about: dict[str, numpy.ndarray], reports: dict[str, numpy.ndarray]) -> "
                "dict[str, typing.Any]"),
        "Returns the first row's info: what `row_info` takes out of what `describe` returns, copies of its values alone.");
}
