#include "engine.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <exception>
#include <numeric>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "guard.h"

namespace taskworlds {
namespace {

constexpr int kSortedRows = 32;  // for each thread, at the most; with more, each thread has its share
// Rows up to which each has a simulation of its own, which saves most of an mj_step where it is in a cache. A simulation's
// touched part is 200 kB.
constexpr int kResidentRows = 100;

bool all_finite(const double* x, int n) {
  double zeros[4] = {0, 0, 0, 0};  // x * 0 is 0 for a finite x and NaN otherwise; four sums so that they overlap
  int i = 0;
  for (; i + 4 <= n; i += 4) {
    for (int k = 0; k < 4; ++k) zeros[k] += x[i + k] * 0.0;
  }
  for (; i < n; ++i) zeros[0] += x[i] * 0.0;
  return zeros[0] + zeros[1] + zeros[2] + zeros[3] == 0;
}

// A row of no numbers has no address.
bool same_bits(const double* a, const double* b, int n) {
  return n == 0 || std::memcmp(a, b, static_cast<std::size_t>(n) * sizeof(double)) == 0;
}

}  // namespace

Engine::Engine(std::vector<std::shared_ptr<const Scene>> scenes, std::vector<Kernel> kernels, const Sizes& sizes_,
               int threads)
    : sizes(sizes_), kernels_(std::move(kernels)), threads_(threads) {
  if (threads_ < 1) throw std::invalid_argument("num_threads must be at least 1.");
  if (scenes.empty()) throw std::invalid_argument("scenes must hold at least one scene.");
  for (const int size : {sizes.rows, sizes.actions, sizes.params, sizes.memory, sizes.obs, sizes.terms, sizes.least_state,
                         sizes.least_overrides, sizes.least_reads}) {
    if (size < 0) throw std::invalid_argument("Sizes must not be negative.");
  }
  int state_size = sizes.least_state, override_size = sizes.least_overrides, read_size = sizes.least_reads;
  for (const auto& scene : scenes) {
    state_size = std::max(state_size, scene->state_size());
    override_size = std::max(override_size, scene->override_size());
    read_size = std::max(read_size, scene->read_size());
  }
  const auto columns = [this](int width) { return Matrix<double>(sizes.rows, width); };
  states = columns(state_size);
  overrides = columns(override_size);
  params = columns(sizes.params);
  memory = columns(sizes.memory);
  obs = columns(sizes.obs);
  terms = columns(sizes.terms);
  now = columns(read_size);
  actions_ = columns(sizes.actions);
  warnings = Matrix<std::int32_t>(sizes.rows, mjNWARNING);
  for (const auto& scene : scenes) {
    check_fits(*scene);
    kind_of_scene_.push_back(find_kind(*scene, -1));
    scenes_.push_back(scene);
  }
  const auto rows = static_cast<std::size_t>(sizes.rows);
  faults.resize(rows);
  scene_of_row.resize(rows);
  kernel_of_row.resize(rows, -1);
  single_of_row_.resize(rows);
  errors_.resize(rows);
  if (sizes.rows <= kResidentRows) {
    residents_.resize(rows);
    left_states_ = columns(state_size);
    left_overrides_ = columns(override_size);
  }
  order_.reserve(rows);
  cost_.resize(rows);
  slots_.resize(static_cast<std::size_t>(threads_));
  for (Slot& slot : slots_) {
    slot.by_scene.resize(scenes_.size());
    slot.by_kind.resize(scenes_.size());
    slot.memory.resize(static_cast<std::size_t>(sizes.memory));
  }
  settler_ = std::make_unique<Settler>();
  pool_ = std::make_unique<Pool>(threads_, settler_.get());
  if (has_shares(rows)) pool_->run(sizes.rows, touch_row, this, Sharing::shares, [] { return false; });
}

// Whether a task of so many rows gives each thread the same rows every time.
bool Engine::has_shares(std::size_t rows) const {
  return threads_ > 1 && rows > static_cast<std::size_t>(kSortedRows * threads_);
}

// Has the system provide a row's memory near the thread that mostly steps it.
void Engine::touch_row(void* self, int, int row) {
  auto& engine = *static_cast<Engine*>(self);
  for (Matrix<double> Engine::* const each : {&Engine::states, &Engine::overrides, &Engine::params, &Engine::memory,
                                              &Engine::obs, &Engine::terms, &Engine::now, &Engine::actions_}) {
    Matrix<double>& matrix = engine.*each;
    std::fill(matrix.row(row), matrix.row(row) + matrix.width, 0.0);
  }
}

Engine::~Engine() { close(); }

void Engine::close() {
  if (!pool_) return;
  if (pool_->ours() && stream_) stream_->drop();
  if (running() && pool_->ours()) {
    pool_->close();  // a thread is finishing its step, or waits for rows, and will still look at the pool
    return;
  }
  pool_.reset();
  phase_ = Phase::idle;
}

void Engine::check_fits(const Scene& scene) const {
  const auto check = [](const char* what, int needs, int has) {
    if (needs <= has) return;
    throw std::invalid_argument(std::string("A scene uses ") + std::to_string(needs) + what + std::to_string(has) + ".");
  };
  check(" actions, but action_size is ", scene.action_size(), sizes.actions);
  check(" numbers of state, but state_size is ", scene.state_size(), states.width);
  check(" numbers of overrides, but override_size is ", scene.override_size(), overrides.width);
  check(" numbers of reads, but read_size is ", scene.read_size(), now.width);
}

// The kind of a scene that has, or will have, the index `but`: that of another scene with the same structure, or a new one.
int Engine::find_kind(const Scene& scene, int but) const {
  const int count = static_cast<int>(kind_of_scene_.size());
  std::vector<bool> used(static_cast<std::size_t>(count) + 1);
  for (int i = 0; i < count; ++i) {
    const auto k = static_cast<std::size_t>(i);
    if (i == but) continue;
    const auto kind = static_cast<std::size_t>(kind_of_scene_[k]);
    if (used[kind]) continue;
    if (same_structure(scene.model(), scenes_[k]->model())) return kind_of_scene_[k];
    used[kind] = true;
  }
  return static_cast<int>(std::find(used.begin(), used.end(), false) - used.begin());
}

const std::shared_ptr<const Scene>& Engine::scene_of(int row) const {
  const int scene = scene_of_row[static_cast<std::size_t>(row)];
  const int count = static_cast<int>(scenes_.size());
  if (scene < 0 || scene >= count) {
    throw std::invalid_argument("scene_of_row[" + std::to_string(row) + "] must be in [0, " + std::to_string(count) +
                                "), not " + std::to_string(scene) + ".");
  }
  return scenes_[static_cast<std::size_t>(scene)];
}

bool Engine::went_well() const {
  return std::all_of(faults.begin(), faults.end(), [](std::int32_t fault) { return fault == 0; });
}

void Engine::set_scene(int index, std::shared_ptr<const Scene> scene) {
  check_idle();
  const int count = static_cast<int>(scenes_.size());
  if (index < 0 || index > count) {
    throw std::invalid_argument("The index of a scene must be in [0, " + std::to_string(count) +
                                "], the last to add one, not " + std::to_string(index) + ".");
  }
  check_fits(*scene);
  forget_if_forked();
  const auto i = static_cast<std::size_t>(index);
  if (index == count) {
    kind_of_scene_.push_back(find_kind(*scene, index));
    scenes_.push_back(std::move(scene));
    for (Slot& slot : slots_) {
      slot.by_scene.resize(scenes_.size());
      slot.by_kind.resize(scenes_.size());
    }
    return;
  }
  for (Slot& slot : slots_) slot.by_scene[i].reset();
  // Most often a model is exchanged for one of the same structure, and the threads' simulations serve on.
  if (!same_structure(scene->model(), scenes_[i]->model())) {
    const int old = kind_of_scene_[i];
    kind_of_scene_[i] = -1;
    if (std::find(kind_of_scene_.begin(), kind_of_scene_.end(), old) == kind_of_scene_.end()) {
      for (Slot& slot : slots_) slot.by_kind[static_cast<std::size_t>(old)].reset();
    }
    kind_of_scene_[i] = find_kind(*scene, index);
  }
  scenes_[i] = std::move(scene);
}

void Engine::set_kernel(int index, Kernel kernel) {
  check_idle();
  const int count = static_cast<int>(kernels_.size());
  if (index < 0 || index > count) {
    throw std::invalid_argument("The index of a kernel must be in [0, " + std::to_string(count) +
                                "], the last to add one, not " + std::to_string(index) + ".");
  }
  if (index == count) {
    kernels_.push_back(kernel);
  } else {
    kernels_[static_cast<std::size_t>(index)] = kernel;
  }
}

void Engine::check_open() const {
  if (!pool_ || pool_->closed()) throw std::logic_error("The engine is closed: make a new one.");
}

void Engine::check_idle() {
  check_open();
  if (phase_ == Phase::streaming && pool_->ours()) finish_stream();
  if (phase_ != Phase::idle && pool_->ours()) throw std::logic_error("A step is under way: call step_wait() first.");
  phase_ = Phase::idle;
}

// In a forked child a simulation may be in the middle of a step that nobody will finish. It is left as it is, because the
// thread that was writing it is gone.
void Engine::forget_if_forked() {
  if (pool_->ours()) return;
  static_cast<void>(stream_.release());  // a thread that is gone may hold its mutex
  for (Slot& slot : slots_) {
    for (auto& own : slot.by_scene) static_cast<void>(own.release());
    for (auto& data : slot.by_kind) static_cast<void>(data.release());
  }
  for (Resident& resident : residents_) {
    static_cast<void>(resident.data.release());
    resident = Resident{};
  }
  static_cast<void>(settler_.release());
  settler_ = std::make_unique<Settler>();
  pool_ = std::make_unique<Pool>(threads_, settler_.get());
}

// Throws std::invalid_argument unless a row's scene and kernel exist.
void Engine::check_places(int row) const {
  static_cast<void>(scene_of(row));
  const int kernels = static_cast<int>(kernels_.size()), kernel = kernel_of_row[static_cast<std::size_t>(row)];
  if (kernel < -1 || kernel >= kernels) {
    throw std::invalid_argument("kernel_of_row[" + std::to_string(row) + "] must be -1 (none) or in [0, " +
                                std::to_string(kernels) + "), not " + std::to_string(kernel) + ".");
  }
}

Engine::Step Engine::start_task(Task task, const bool* mask) {
  check_idle();
  forget_if_forked();
  order_.clear();
  for (int row = 0; row < sizes.rows; ++row) {
    if (mask != nullptr && !mask[row]) continue;
    check_places(row);
    order_.push_back(row);
  }
  // The slowest first, so that at the end no thread waits long for another's last row. With many rows that is nothing.
  sharing_ = has_shares(order_.size()) ? Sharing::shares : Sharing::one_queue;
  if (threads_ > 1 && sharing_ == Sharing::one_queue) {
    std::stable_sort(order_.begin(), order_.end(), [this](int a, int b) {
      return cost_[static_cast<std::size_t>(a)] > cost_[static_cast<std::size_t>(b)];
    });
  }
  task_ = task;
  chunk_.reset();
  if (under_way() == 0) {
    std::fill(faults.begin(), faults.end(), 0);
    std::fill(warnings.data.begin(), warnings.data.end(), 0);
  } else {
    for (int row = 0; row < sizes.rows; ++row) {
      if (stream_->is_under_way(row)) continue;  // whoever receives it is to see them
      faults[static_cast<std::size_t>(row)] = 0;
      std::fill(warnings.row(row), warnings.row(row) + mjNWARNING, 0);
    }
  }
  for (const int row : order_) faults[static_cast<std::size_t>(row)] = kNotStepped;
  phase_ = Phase::running;
  return {this, false};
}

template <typename T>
Engine::Step Engine::begin(const T* actions, const bool* mask, int spare) {
  Step step = start_task(Task::step, mask);
  order_.insert(order_.end(), static_cast<std::size_t>(std::max(spare, 0)), static_cast<int>(kSpare));
  std::copy(actions, actions + actions_.data.size(), actions_.data.begin());
  std::fill(single_of_row_.begin(), single_of_row_.end(), std::is_same<T, float>::value);
  return step;
}

template Engine::Step Engine::begin(const float*, const bool*, int);
template Engine::Step Engine::begin(const double*, const bool*, int);

Engine::Step Engine::begin_chunk(const Chunk& chunk, const bool* mask, int spare) {
  Step step = start_task(Task::step, mask);
  order_.insert(order_.end(), static_cast<std::size_t>(std::max(spare, 0)), static_cast<int>(kSpare));
  std::fill(single_of_row_.begin(), single_of_row_.end(), chunk.single);
  std::fill(chunk.taken, chunk.taken + sizes.rows, 0);
  chunk_ = chunk;
  return step;
}

Engine::Step Engine::begin_forward(const bool* mask, bool warm_start) {
  return start_task(warm_start ? Task::forward_warm : Task::forward, mask);
}

Engine::Step Engine::begin_settling(std::vector<std::shared_ptr<Settling>> settlings) {
  check_idle();
  forget_if_forked();
  settlings_ = std::move(settlings);
  order_.resize(settlings_.size());
  std::iota(order_.begin(), order_.end(), 0);
  sharing_ = Sharing::one_queue;
  task_ = Task::settle;
  phase_ = Phase::running;
  return {this, false};
}

void Engine::settle_ahead(std::shared_ptr<Settling> settling, std::shared_ptr<const Model> model) {
  keep_for_settling(std::move(model));
  settler_->add(std::move(settling));
  pool_->wake();
}

void Engine::keep_for_settling(std::shared_ptr<const Model> model) {
  check_open();
  forget_if_forked();
  settler_->keep(std::move(model));
}

void Engine::drop_settling(const Settling* settling) {
  if (pool_ && pool_->ours()) settler_->drop(settling);
}

Engine::Step Engine::join() {
  if (phase_ == Phase::idle || phase_ == Phase::streaming)
    throw std::logic_error("No step is under way: call step_async() first.");
  if (!pool_->ours()) {
    phase_ = Phase::idle;
    throw std::logic_error("The process forked while a step was under way: this copy of it is lost.");
  }
  if (phase_ == Phase::running) throw std::logic_error("Another thread is waiting for this step.");
  phase_ = Phase::running;
  return {this, true};
}

Engine::Step::Step(Step&& other) noexcept : engine_(std::exchange(other.engine_, nullptr)), launched_(other.launched_) {}

Engine::Step::~Step() {
  if (engine_ == nullptr) return;
  if (launched_) engine_->pool_->wait([] { return true; });
  engine_->phase_ = Phase::idle;
}

bool Engine::Step::finish(Pool::Interrupted interrupted) {
  Pool& pool = *engine_->pool_;
  if (std::exchange(launched_, false)) return engine_->shared_ ? pool.help(interrupted) : pool.wait(interrupted);
  return pool.run(static_cast<int>(engine_->order_.size()), work_item, engine_, engine_->sharing_, interrupted);
}

void Engine::Step::launch(bool shared) && {
  Engine& engine = *std::exchange(engine_, nullptr);
  engine.phase_ = Phase::idle;  // and stays so if no thread can be started
  engine.shared_ = shared;
  const int items = static_cast<int>(engine.order_.size());
  if (shared) {
    engine.pool_->start_shared(items, work_item, &engine, engine.sharing_);
  } else {
    engine.pool_->start(items, work_item, &engine, engine.sharing_);
  }
  engine.phase_ = Phase::launched;
}

void Engine::work_item(void* self, int slot, int item) {
  auto* const engine = static_cast<Engine*>(self);
  if (engine->task_ == Task::settle) {
    engine->settler_->finish(engine->settlings_[static_cast<std::size_t>(item)]);
    return;
  }
  const int row = engine->order_[static_cast<std::size_t>(item)];
  if (row == kSpare) {
    engine->settler_->work(kSpareSteps);
    return;
  }
  if (engine->chunk_) {
    engine->take_chunk(slot, row);
  } else {
    engine->try_row(slot, row);
  }
}

// Takes a row's steps of a chunk.
void Engine::take_chunk(int slot, int row) {
  const Chunk& chunk = *chunk_;
  const auto i = static_cast<std::size_t>(row), count = static_cast<std::size_t>(chunk.steps);
  const auto width = static_cast<std::size_t>(sizes.actions);
  const double* const reported = terms.row(row);
  for (std::size_t step = 0; step < count; ++step) {
    const std::size_t at = i * count + step;
    if (chunk.single) {
      const auto* const action = static_cast<const float*>(chunk.actions) + at * width;
      std::copy(action, action + width, actions_.row(row));
    } else {
      const auto* const action = static_cast<const double*>(chunk.actions) + at * width;
      std::copy(action, action + width, actions_.row(row));
    }
    try_row(slot, row);
    std::copy(reported, reported + terms.width, chunk.terms + at * static_cast<std::size_t>(terms.width));
    if (chunk.obs != nullptr) {
      const double* const seen = obs.row(row);
      std::copy(seen, seen + obs.width, chunk.obs + at * static_cast<std::size_t>(obs.width));
    }
    chunk.faults[at] = faults[i];
    chunk.taken[i] = static_cast<std::int32_t>(step) + 1;
    if (faults[i] != 0 || chunk.taken[i] >= chunk.left[i]) return;
    if (chunk.ends[i] && chunk.success_term >= 0 && reported[chunk.success_term] == 1.0) return;
    if (chunk.end_term >= 0 && reported[chunk.end_term] != 0.0) return;
  }
}

// Has a thread do the task with a row; whatever goes wrong is the row's fault.
void Engine::try_row(int slot, int row) {
  Slot& own = slots_[static_cast<std::size_t>(slot)];
  const auto begun = std::chrono::steady_clock::now();
  try {
    work_row(own, row);
  } catch (const std::exception& exception) {
    give_up(own, row, exception.what());
  } catch (...) {
    give_up(own, row, "not a std::exception");
  }
  const std::chrono::duration<float> taken = std::chrono::steady_clock::now() - begun;
  cost_[static_cast<std::size_t>(row)] = taken.count();
}

void Engine::work_row(Slot& slot, int row) {
  struct Job {
    Task task;
    bool goes_on;  // from what the last step left in the simulation
    const Scene* scene;
    const mjModel* model;
    OwnModel* own;  // null if the scene has no overrides
    mjData* data;
    const double* overrides;
    const double* action;
    const double* state;
    double* now;
    bool single;
  };
  const auto i = static_cast<std::size_t>(row);
  const auto scene_index = static_cast<std::size_t>(scene_of_row[i]);
  const std::shared_ptr<const Scene>& shared = scenes_[scene_index];
  const Scene& scene = *shared;
  double* const state = states.row(row);
  const double* const action = actions_.row(row);

  std::int32_t fault = 0;
  if (task_ == Task::step && !all_finite(action, scene.action_size())) fault |= kActionNotFinite;
  if (!all_finite(state, scene.state_size())) fault |= kStateNotFinite;

  auto& own = slot.by_scene[scene_index];
  if (!own && !scene.overrides().empty()) own = std::make_unique<OwnModel>(scene);
  auto& data = simulation_of(slot, row, shared);
  Resident* const resident = !residents_.empty() && scene.can_go_on() ? &residents_[i] : nullptr;
  const bool goes_on = resident != nullptr && task_ == Task::step && is_as_it_was_left(row);
  if (resident != nullptr) resident->is_current = false;
  Job job{task_,
          goes_on,
          &scene,
          own ? own->get() : &scene.model(),
          own.get(),
          data.get(),
          overrides.row(row),
          action,
          state,
          now.row(row),
          single_of_row_[i] != 0};
  if (!data) {
    guarded(
        [](void* context) {
          Job& j = *static_cast<Job*>(context);
          j.data = mj_makeData(j.model);
        },
        &job, &errors_[i]);
    data.reset(job.data);
    if (!data) {
      faults[i] = fault | kError;
      return;
    }
  }
  for (mjWarningStat& warning : data->warning) warning.number = 0;
  const bool returned = guarded(
      [](void* context) {
        const Job& j = *static_cast<Job*>(context);
        if (j.own != nullptr) j.own->write(j.overrides);
        if (!j.goes_on) mj_setState(j.model, j.data, j.state, mjSTATE_INTEGRATION);
        if (j.goes_on) {
          j.scene->go_on(j.model, j.data, j.action, j.single);
        } else if (j.task == Task::step) {
          j.scene->prepare(j.model, j.data);  // again what the last step ended with: only the state was kept
          j.scene->step(j.model, j.data, j.action, j.single);
        } else {
          mj_forward(j.model, j.data);
        }
        j.scene->read(j.model, j.data, j.now);
      },
      &job, &errors_[i]);
  if (!returned) {
    data.reset();
    faults[i] = fault | kError;
    return;
  }
  for (int k = 0; k < mjNWARNING; ++k) {
    const int number = data->warning[k].number;
    if (number == 0) continue;
    fault |= 1 << k;
    warnings.row(row)[k] = number;
  }
  if (task_ == Task::step && kernel_of_row[i] >= 0) call_kernel(slot, row);
  // Last, so that whatever went wrong leaves the row as it was.
  if (task_ != Task::forward) mj_getState(job.model, job.data, state, mjSTATE_INTEGRATION);
  if (task_ == Task::step && !all_finite(state, scene.state_size())) fault |= kStateNotFinite;
  faults[i] = fault;
  if (resident == nullptr || fault != 0 || task_ == Task::forward) return;
  std::copy(state, state + states.width, left_states_.row(row));
  std::copy(overrides.row(row), overrides.row(row) + overrides.width, left_overrides_.row(row));
  resident->is_current = task_ == Task::step || scene.is_forward();
}

// Returns the simulation that steps a row: its own, or else the thread's; null where it has still to be made.
std::unique_ptr<mjData, Engine::FreeData>& Engine::simulation_of(Slot& slot, int row,
                                                                 const std::shared_ptr<const Scene>& scene) {
  const auto i = static_cast<std::size_t>(row);
  const auto scene_index = static_cast<std::size_t>(scene_of_row[i]);
  if (residents_.empty()) return slot.by_kind[static_cast<std::size_t>(kind_of_scene_[scene_index])];
  Resident& resident = residents_[i];
  if (resident.scene != scene) {
    // A model of the same structure takes the simulation over.
    const bool fits = resident.scene && same_structure(resident.scene->model(), scene->model());
    if (!fits) resident.data.reset();
    resident.is_current = false;
    resident.scene = scene;
  }
  if (scene->can_go_on()) return resident.data;
  resident.data.reset();
  return slot.by_kind[static_cast<std::size_t>(kind_of_scene_[scene_index])];
}

// Whether nobody has written to a row's state or overrides since its own simulation was left with them, bit for bit.
bool Engine::is_as_it_was_left(int row) const {
  const auto i = static_cast<std::size_t>(row);
  return residents_[i].is_current && residents_[i].data && same_bits(states.row(row), left_states_.row(row), states.width) &&
         same_bits(overrides.row(row), left_overrides_.row(row), overrides.width);
}

void Engine::call_kernel(Slot& slot, int row) {
  double* const kept = memory.row(row);
  std::copy(kept, kept + memory.width, slot.memory.begin());
  const Kernel kernel = kernels_[static_cast<std::size_t>(kernel_of_row[static_cast<std::size_t>(row)])];
  try {
    kernel(now.row(row), actions_.row(row), params.row(row), kept, obs.row(row), terms.row(row),
           single_of_row_[static_cast<std::size_t>(row)]);
  } catch (...) {
    std::copy(slot.memory.begin(), slot.memory.end(), kept);
    throw;
  }
}

// What an exception leaves: the simulation may be in the middle of a step.
void Engine::give_up(Slot& slot, int row, const char* why) noexcept {
  const auto i = static_cast<std::size_t>(row);
  slot.by_kind[static_cast<std::size_t>(kind_of_scene_[static_cast<std::size_t>(scene_of_row[i])])].reset();
  if (!residents_.empty()) residents_[i].data.reset();
  faults[i] = kError;
  try {
    errors_[i] = std::string("C++ exception: ") + why;
  } catch (...) {
    errors_[i] = "out of memory";  // so short that it needs none
  }
}

}  // namespace taskworlds
