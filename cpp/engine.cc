#include "engine.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "guard.h"

namespace taskworlds {
namespace {

constexpr int kSortedRows = 32;  // for each thread, at the most

std::size_t index(int row, int width) { return static_cast<std::size_t>(row) * static_cast<std::size_t>(width); }

bool all_finite(const double* x, int n) {
  double zeros[4] = {0, 0, 0, 0};  // x * 0 is 0 for a finite x and NaN otherwise; four sums so that they overlap
  int i = 0;
  for (; i + 4 <= n; i += 4) {
    for (int k = 0; k < 4; ++k) zeros[k] += x[i + k] * 0.0;
  }
  for (; i < n; ++i) zeros[0] += x[i] * 0.0;
  return zeros[0] + zeros[1] + zeros[2] + zeros[3] == 0;
}

}  // namespace

Engine::Engine(std::vector<std::shared_ptr<const Scene>> scenes, std::vector<Kernel> kernels, const Sizes& sizes_,
               int threads)
    : sizes(sizes_),
      state_size(sizes_.least_state),
      override_size(sizes_.least_overrides),
      read_size(sizes_.least_reads),
      kernels_(std::move(kernels)),
      threads_(threads) {
  if (threads_ < 1) throw std::invalid_argument("num_threads must be at least 1.");
  if (scenes.empty()) throw std::invalid_argument("scenes must hold at least one scene.");
  for (const int size : {sizes.rows, sizes.actions, sizes.params, sizes.memory, sizes.obs, sizes.terms, sizes.least_state,
                         sizes.least_overrides, sizes.least_reads}) {
    if (size < 0) throw std::invalid_argument("Sizes must not be negative.");
  }
  for (const auto& scene : scenes) {
    state_size = std::max(state_size, scene->state_size());
    override_size = std::max(override_size, scene->override_size());
    read_size = std::max(read_size, scene->read_size());
    check_fits(*scene);
    kind_of_scene_.push_back(find_kind(*scene, -1));
    scenes_.push_back(scene);
  }
  const auto rows = static_cast<std::size_t>(sizes.rows);
  states.resize(index(sizes.rows, state_size));
  overrides.resize(index(sizes.rows, override_size));
  params.resize(index(sizes.rows, sizes.params));
  memory.resize(index(sizes.rows, sizes.memory));
  obs.resize(index(sizes.rows, sizes.obs));
  terms.resize(index(sizes.rows, sizes.terms));
  now.resize(index(sizes.rows, read_size));
  actions_.resize(index(sizes.rows, sizes.actions));
  warnings.resize(index(sizes.rows, mjNWARNING));
  faults.resize(rows);
  scene_of_row.resize(rows);
  kernel_of_row.resize(rows, -1);
  errors_.resize(rows);
  order_.reserve(rows);
  cost_.resize(rows);
  slots_.resize(static_cast<std::size_t>(threads_));
  for (Slot& slot : slots_) {
    slot.by_scene.resize(scenes_.size());
    slot.by_kind.resize(scenes_.size());
  }
  pool_ = std::make_unique<Pool>(threads_);
}

Engine::~Engine() { close(); }

void Engine::close() {
  if (!pool_) return;
  if (phase_ == Phase::running && pool_->ours()) {
    pool_->close();  // a thread is inside run or wait and will still look at the pool
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
  check(" numbers of state, but state_size is ", scene.state_size(), state_size);
  check(" numbers of overrides, but override_size is ", scene.override_size(), override_size);
  check(" numbers of reads, but read_size is ", scene.read_size(), read_size);
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

void Engine::check_idle() {
  if (!pool_ || pool_->closed()) throw std::logic_error("The engine is closed: make a new one.");
  if (phase_ != Phase::idle && pool_->ours()) throw std::logic_error("A step is under way: call step_wait() first.");
  phase_ = Phase::idle;
}

// In a forked child a simulation may be in the middle of a step that nobody will finish. It is left as it is, because the
// thread that was writing it is gone.
void Engine::forget_if_forked() {
  if (pool_->ours()) return;
  for (Slot& slot : slots_) {
    for (auto& own : slot.by_scene) static_cast<void>(own.release());
    for (auto& data : slot.by_kind) static_cast<void>(data.release());
  }
}

void Engine::start_task(Task task, const bool* mask) {
  check_idle();
  forget_if_forked();
  const int kernels = static_cast<int>(kernels_.size());
  order_.clear();
  for (int row = 0; row < sizes.rows; ++row) {
    const auto i = static_cast<std::size_t>(row);
    if (mask != nullptr && !mask[row]) continue;
    static_cast<void>(scene_of(row));  // throws if there is none
    if (kernel_of_row[i] < -1 || kernel_of_row[i] >= kernels) {
      throw std::invalid_argument("kernel_of_row[" + std::to_string(row) + "] must be -1 (none) or in [0, " +
                                  std::to_string(kernels) + "), not " + std::to_string(kernel_of_row[i]) + ".");
    }
    order_.push_back(row);
  }
  // The slowest first, so that at the end no thread waits long for another's last row. With many rows that is nothing.
  if (threads_ > 1 && order_.size() <= static_cast<std::size_t>(kSortedRows * threads_)) {
    std::stable_sort(order_.begin(), order_.end(), [this](int a, int b) {
      return cost_[static_cast<std::size_t>(a)] > cost_[static_cast<std::size_t>(b)];
    });
  }
  task_ = task;
  std::fill(faults.begin(), faults.end(), 0);
  std::fill(warnings.begin(), warnings.end(), 0);
  for (const int row : order_) faults[static_cast<std::size_t>(row)] = kNotStepped;
  phase_ = Phase::running;
}

template <typename T>
void Engine::begin(const T* actions, const bool* mask) {
  start_task(Task::step, mask);
  std::copy(actions, actions + actions_.size(), actions_.begin());
  single_ = std::is_same<T, float>::value;
}

template void Engine::begin(const float*, const bool*);
template void Engine::begin(const double*, const bool*);

void Engine::begin_forward(const bool* mask, bool warm_start) {
  start_task(warm_start ? Task::forward_warm : Task::forward, mask);
}

bool Engine::run(Pool::Interrupted interrupted) {
  return pool_->run(static_cast<int>(order_.size()), work_item, this, interrupted);
}

void Engine::launch() {
  phase_ = Phase::idle;  // and stays so if no thread can be started
  pool_->start(static_cast<int>(order_.size()), work_item, this);
  phase_ = Phase::launched;
}

void Engine::join() {
  if (phase_ == Phase::idle) throw std::logic_error("No step is under way: call step_async() first.");
  if (!pool_->ours()) {
    phase_ = Phase::idle;
    throw std::logic_error("The process forked while a step was under way: this copy of it is lost.");
  }
  if (phase_ == Phase::running) throw std::logic_error("Another thread is waiting for this step.");
  phase_ = Phase::running;
}

bool Engine::wait(Pool::Interrupted interrupted) { return pool_->wait(interrupted); }

void Engine::work_item(void* self, int slot, int item) {
  auto* const engine = static_cast<Engine*>(self);
  const int row = engine->order_[static_cast<std::size_t>(item)];
  const auto begun = std::chrono::steady_clock::now();
  engine->work_row(engine->slots_[static_cast<std::size_t>(slot)], row);
  const std::chrono::duration<float> taken = std::chrono::steady_clock::now() - begun;
  engine->cost_[static_cast<std::size_t>(row)] = taken.count();
}

void Engine::work_row(Slot& slot, int row) {
  struct Job {
    Task task;
    const Scene* scene;
    const mjModel* model;
    OwnModel* own;  // null if the scene has no overrides
    mjData* data;
    const double* overrides;
    const double* action;
    double* state;
    double* now;
    bool single;
  };
  const auto i = static_cast<std::size_t>(row);
  const auto scene_index = static_cast<std::size_t>(scene_of_row[i]);
  const Scene& scene = *scenes_[scene_index];
  double* const state = states.data() + index(row, state_size);
  const double* const action = actions_.data() + index(row, sizes.actions);
  double* const reads = now.data() + index(row, read_size);

  std::int32_t fault = 0;
  if (task_ == Task::step && !all_finite(action, scene.action_size())) fault |= kActionNotFinite;
  if (!all_finite(state, scene.state_size())) fault |= kStateNotFinite;

  auto& own = slot.by_scene[scene_index];
  if (!own && !scene.overrides().empty()) own = std::make_unique<OwnModel>(scene);
  auto& data = slot.by_kind[static_cast<std::size_t>(kind_of_scene_[scene_index])];
  Job job{task_,     &scene,     own ? own->get() : &scene.model(),
          own.get(), data.get(), overrides.data() + index(row, override_size),
          action,    state,      reads,
          single_};
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
        mj_setState(j.model, j.data, j.state, mjSTATE_INTEGRATION);
        if (j.task == Task::step) {
          j.scene->prepare(j.model, j.data);  // again what the last step ended with: only the state was kept
          j.scene->step(j.model, j.data, j.action, j.single);
        } else {
          mj_forward(j.model, j.data);
        }
        if (j.task != Task::forward) mj_getState(j.model, j.data, j.state, mjSTATE_INTEGRATION);
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
    warnings[index(row, mjNWARNING) + static_cast<std::size_t>(k)] = number;
  }
  if (task_ == Task::step && !all_finite(state, scene.state_size())) fault |= kStateNotFinite;
  faults[i] = fault;
  if (task_ != Task::step || kernel_of_row[i] < 0) return;
  kernels_[static_cast<std::size_t>(kernel_of_row[i])](
      reads, action, params.data() + index(row, sizes.params), memory.data() + index(row, sizes.memory),
      obs.data() + index(row, sizes.obs), terms.data() + index(row, sizes.terms), single_ ? 1 : 0);
}

}  // namespace taskworlds
