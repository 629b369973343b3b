#include "engine.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "guard.h"

namespace taskworlds {
namespace {

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

// One thread's simulator of one scene: the shared model with arrays of its own for the fields that rows override.
struct Engine::Simulator {
  explicit Simulator(const Scene& scene) : model(scene.model()) {
    for (const Override& o : scene.overrides()) {
      auto& own = fields[static_cast<std::size_t>(o.field)];
      if (!own.empty()) continue;
      mjtNum*& shared = field_data(&model, o.field);
      own.assign(shared, shared + field_count(model, o.field) * field_width(o.field));
      shared = own.data();
    }
  }
  ~Simulator() { mj_deleteData(data); }
  Simulator(const Simulator&) = delete;
  Simulator& operator=(const Simulator&) = delete;

  mjModel model;  // a copy of the struct, not of what it points to: 3 MB less for each thread and scene
  mjData* data = nullptr;
  std::vector<mjtNum> fields[kFields];
};

Engine::Engine(std::vector<std::shared_ptr<const Scene>> scenes, std::vector<Kernel> kernels, const Sizes& sizes_,
               int threads)
    : sizes(sizes_), scenes_(std::move(scenes)), kernels_(std::move(kernels)), threads_(threads) {
  if (threads_ < 1) throw std::invalid_argument("num_threads must be at least 1.");
  if (scenes_.empty()) throw std::invalid_argument("scenes must hold at least one scene.");
  for (const int size : {sizes.rows, sizes.actions, sizes.params, sizes.memory, sizes.obs, sizes.terms}) {
    if (size < 0) throw std::invalid_argument("Sizes must not be negative.");
  }
  for (const auto& scene : scenes_) {
    if (scene->action_size() > sizes.actions) {
      throw std::invalid_argument("A scene uses " + std::to_string(scene->action_size()) + " actions, but action_size is " +
                                  std::to_string(sizes.actions) + ".");
    }
    state_size = std::max(state_size, scene->state_size());
    override_size = std::max(override_size, scene->override_size());
    read_size = std::max(read_size, scene->read_size());
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
  slots_.resize(static_cast<std::size_t>(threads_));
  for (Slot& slot : slots_) slot.by_scene.resize(scenes_.size());
  pool_ = std::make_unique<Pool>(threads_);
}

Engine::~Engine() { close(); }

void Engine::close() {
  if (!pool_) return;
  if (phase_ == Phase::running && pool_->ours()) {
    pool_->cancel();  // a thread is inside run or wait and will still look at the pool
    return;
  }
  pool_.reset();
  phase_ = Phase::idle;
}

template <typename T>
void Engine::begin(const T* actions, const bool* mask) {
  if (!pool_) throw std::logic_error("The engine is closed: make a new one.");
  if (phase_ != Phase::idle && pool_->ours()) throw std::logic_error("A step is under way: call step_wait() first.");
  phase_ = Phase::idle;
  if (!pool_->ours()) {
    // In a forked child a simulator may be in the middle of a step that nobody will finish. It is left as it is, because
    // the thread that was writing it is gone.
    for (Slot& slot : slots_) {
      for (auto& simulator : slot.by_scene) static_cast<void>(simulator.release());
    }
  }
  const int kernels = static_cast<int>(kernels_.size());
  const int scenes = static_cast<int>(scenes_.size());
  order_.clear();
  for (int row = 0; row < sizes.rows; ++row) {
    const auto i = static_cast<std::size_t>(row);
    if (mask != nullptr && !mask[row]) continue;
    if (scene_of_row[i] < 0 || scene_of_row[i] >= scenes) {
      throw std::invalid_argument("scene_of_row[" + std::to_string(row) + "] must be in [0, " + std::to_string(scenes) +
                                  "), not " + std::to_string(scene_of_row[i]) + ".");
    }
    if (kernel_of_row[i] < -1 || kernel_of_row[i] >= kernels) {
      throw std::invalid_argument("kernel_of_row[" + std::to_string(row) + "] must be -1 (none) or in [0, " +
                                  std::to_string(kernels) + "), not " + std::to_string(kernel_of_row[i]) + ".");
    }
    order_.push_back(row);
  }
  std::copy(actions, actions + actions_.size(), actions_.begin());
  single_ = std::is_same<T, float>::value;
  std::fill(faults.begin(), faults.end(), 0);
  std::fill(warnings.begin(), warnings.end(), 0);
  for (const int row : order_) faults[static_cast<std::size_t>(row)] = kNotStepped;
  phase_ = Phase::running;
}

template void Engine::begin(const float*, const bool*);
template void Engine::begin(const double*, const bool*);

bool Engine::run(Pool::Interrupted interrupted) {
  return pool_->run(static_cast<int>(order_.size()), step_item, this, interrupted);
}

void Engine::launch() {
  phase_ = Phase::idle;  // and stays so if no thread can be started
  pool_->start(static_cast<int>(order_.size()), step_item, this);
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

void Engine::step_item(void* self, int slot, int item) {
  auto* const engine = static_cast<Engine*>(self);
  engine->step_row(engine->slots_[static_cast<std::size_t>(slot)], engine->order_[static_cast<std::size_t>(item)]);
}

Engine::Simulator* Engine::simulator(Slot& slot, int scene, std::string* error) {
  auto& simulator = slot.by_scene[static_cast<std::size_t>(scene)];
  if (!simulator) simulator = std::make_unique<Simulator>(*scenes_[static_cast<std::size_t>(scene)]);
  if (simulator->data == nullptr) {
    guarded(
        [](void* context) {
          auto* const made = static_cast<Simulator*>(context);
          made->data = mj_makeData(&made->model);
        },
        simulator.get(), error);
  }
  return simulator->data == nullptr ? nullptr : simulator.get();
}

void Engine::step_row(Slot& slot, int row) {
  struct Step {
    const Scene* scene;
    mjModel* model;
    mjData* data;
    const double* overrides;
    const double* action;
    double* state;
    double* now;
    bool single;
  };
  const auto i = static_cast<std::size_t>(row);
  const int scene_index = scene_of_row[i];
  const Scene& scene = *scenes_[static_cast<std::size_t>(scene_index)];
  double* const state = states.data() + index(row, state_size);
  const double* const action = actions_.data() + index(row, sizes.actions);
  double* const reads = now.data() + index(row, read_size);

  std::int32_t fault = 0;
  if (!all_finite(action, scene.action_size())) fault |= kActionNotFinite;
  if (!all_finite(state, scene.state_size())) fault |= kStateNotFinite;

  Simulator* const sim = simulator(slot, scene_index, &errors_[i]);
  if (sim == nullptr) {
    faults[i] = fault | kError;
    return;
  }
  for (mjWarningStat& warning : sim->data->warning) warning.number = 0;
  Step step{&scene, &sim->model, sim->data, overrides.data() + index(row, override_size), action, state, reads, single_};
  const bool returned = guarded(
      [](void* context) {
        const Step& s = *static_cast<Step*>(context);
        const double* value = s.overrides;
        for (const Override& o : s.scene->overrides()) {
          const int width = field_width(o.field);
          mju_copy(field_data(s.model, o.field) + width * o.id, value, width);
          value += width;
        }
        mj_setState(s.model, s.data, s.state, mjSTATE_INTEGRATION);
        s.scene->control(s.data, s.action, s.single);
        for (int k = 0; k < s.scene->frame_skip(); ++k) mj_step(s.model, s.data);
        // Official environments end a step with mj_forward. It refreshes the warm start, which is part of the state.
        mj_forward(s.model, s.data);
        mj_getState(s.model, s.data, s.state, mjSTATE_INTEGRATION);
        s.scene->read(s.data, s.now);
      },
      &step, &errors_[i]);
  if (!returned) {
    slot.by_scene[static_cast<std::size_t>(scene_index)].reset();
    faults[i] = fault | kError;
    return;
  }
  for (int k = 0; k < mjNWARNING; ++k) {
    const int number = sim->data->warning[k].number;
    if (number == 0) continue;
    fault |= 1 << k;
    warnings[index(row, mjNWARNING) + static_cast<std::size_t>(k)] = number;
  }
  if (!all_finite(state, scene.state_size())) fault |= kStateNotFinite;
  faults[i] = fault;
  if (kernel_of_row[i] < 0) return;
  kernels_[static_cast<std::size_t>(kernel_of_row[i])](
      reads, action, params.data() + index(row, sizes.params), memory.data() + index(row, sizes.memory),
      obs.data() + index(row, sizes.obs), terms.data() + index(row, sizes.terms), single_ ? 1 : 0);
}

}  // namespace taskworlds
