#include "settle.h"

#include <algorithm>
#include <cstddef>
#include <exception>
#include <stdexcept>
#include <utility>

#include "guard.h"

namespace taskworlds {
namespace {

constexpr std::size_t kKept = 16;  // simulations without work that are kept, of 200 kB each

void check_size(const char* what, std::size_t size, int expected) {
  if (size == static_cast<std::size_t>(expected)) return;
  throw std::invalid_argument(std::string(what) + " must have " + std::to_string(expected) + " numbers, not " +
                              std::to_string(size) + ".");
}

}  // namespace

// A simulation whose bodies and sites can be moved. It shares all else of the model.
class Settling::Simulation {
 public:
  explicit Simulation(const Model& model) : model_(model), own_(model.get()) {
    body_pos_.resize(3 * static_cast<std::size_t>(own_.nbody));
    site_pos_.resize(3 * static_cast<std::size_t>(own_.nsite));
    own_.body_pos = body_pos_.data();
    own_.site_pos = site_pos_.data();
  }
  ~Simulation() { mj_deleteData(data_); }
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  const Model& model() const { return model_; }

  // Begins with bodies, sites and a state. Calls MuJoCo, so it must be guarded.
  void begin(const std::vector<double>& body_pos, const std::vector<double>& site_pos, const std::vector<double>& state) {
    std::copy(body_pos.begin(), body_pos.end(), body_pos_.begin());
    std::copy(site_pos.begin(), site_pos.end(), site_pos_.begin());
    if (data_ == nullptr) {
      data_ = mj_makeData(&own_);
    } else {
      mj_resetData(&own_, data_);
    }
    mj_setState(&own_, data_, state.data(), mjSTATE_INTEGRATION);
  }
  void step() { mj_step(&own_, data_); }
  void get(std::vector<double>& state) const { mj_getState(&own_, data_, state.data(), mjSTATE_INTEGRATION); }

 private:
  const Model& model_;
  mjModel own_;  // a copy of the struct, not of what it points to
  std::vector<mjtNum> body_pos_, site_pos_;
  mjData* data_ = nullptr;
};

Settling::Settling(const Model& model, std::vector<double> body_pos, std::vector<double> site_pos, std::vector<double> state,
                   int steps)
    : model_(model), body_pos_(std::move(body_pos)), site_pos_(std::move(site_pos)), state_(std::move(state)), left_(steps) {
  const mjModel& m = model_.get();
  check_size("body_pos", body_pos_.size(), 3 * m.nbody);
  check_size("site_pos", site_pos_.size(), 3 * m.nsite);
  check_size("state", state_.size(), mj_stateSize(&m, mjSTATE_INTEGRATION));
  if (steps < 1) throw std::invalid_argument("steps must be at least 1, not " + std::to_string(steps) + ".");
}

Settling::~Settling() = default;

void Settling::fail(const char* why) noexcept {
  try {
    error_ = std::string("C++ exception: ") + why;
  } catch (...) {
    error_ = "out of memory";  // so short that it needs none
  }
  simulation_.reset();
  done_.store(true, std::memory_order_release);
}

// An error leaves the simulation in the middle of a step, so it is thrown away.
void Settling::advance(int steps, const std::atomic<bool>& stop) {
  struct Job {
    Settling* self;
    int end;
    const std::atomic<bool>* stop;
  } job{this, std::max(0, left_ - steps), &stop};
  const bool returned = guarded(
      [](void* context) {
        const Job& j = *static_cast<Job*>(context);
        Settling& s = *j.self;
        if (!s.begun_) s.simulation_->begin(s.body_pos_, s.site_pos_, s.state_);
        s.begun_ = true;
        while (s.left_ > j.end && !j.stop->load(std::memory_order_relaxed)) {
          s.simulation_->step();
          --s.left_;
        }
        if (s.left_ == 0) s.simulation_->get(s.state_);
      },
      &job, &error_);
  if (!returned) simulation_.reset();
  if (!returned || left_ == 0) done_.store(true, std::memory_order_release);
}

Settler::Settler() = default;
Settler::~Settler() = default;

void Settler::keep(std::shared_ptr<const Model> model) {
  const std::lock_guard<std::mutex> lock(mutex_);
  models_.insert(std::move(model));
}

void Settler::add(std::shared_ptr<Settling> settling) {
  const std::lock_guard<std::mutex> lock(mutex_);
  line_.push_back(std::move(settling));
  ++waiting_;
}

void Settler::drop(const Settling* settling) {
  const std::lock_guard<std::mutex> lock(mutex_);
  remove(settling);
}

// Takes one out of the line, if it is in it.
void Settler::remove(const Settling* settling) {
  const auto found = std::find_if(line_.begin(), line_.end(), [&](const auto& each) { return each.get() == settling; });
  if (found == line_.end()) return;
  if (!(*found)->held_) --waiting_;
  line_.erase(found);
}

void Settler::work(const std::atomic<bool>& stop) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (const auto settling = first_free()) take(settling, kAll, stop, lock);
}

// Where threads are at all that wait, one of them takes these steps, too: so all that a step of an engine gives is used.
void Settler::work(int steps) {
  std::unique_lock<std::mutex> lock(mutex_);
  owed_ = line_.empty() ? 0 : std::min(owed_ + steps, kMostOwed);
  for (auto settling = first_free(); settling && owed_ > 0; settling = first_free()) {
    const int given = std::exchange(owed_, 0), before = settling->left_;
    take(settling, given, never_, lock);
    owed_ += given - (before - settling->left_);
  }
}

std::shared_ptr<Settling> Settler::first_free() const {
  const auto found = std::find_if(line_.begin(), line_.end(), [](const auto& each) { return !each->held_; });
  return found == line_.end() ? nullptr : *found;
}

// Does one that is in the line, and no thread is at.
void Settler::take(const std::shared_ptr<Settling>& settling, int steps, const std::atomic<bool>& stop,
                   std::unique_lock<std::mutex>& lock) {
  --waiting_;
  do_one(*settling, steps, stop, lock);
  if (std::find(line_.begin(), line_.end(), settling) == line_.end()) return;  // dropped meanwhile
  ++waiting_;
  if (settling->done()) remove(settling.get());
}

void Settler::finish(const std::shared_ptr<Settling>& settling) {
  std::unique_lock<std::mutex> lock(mutex_);
  let_go_.wait(lock, [&] { return !settling->held_; });
  remove(settling.get());
  if (!settling->done()) do_one(*settling, kAll, never_, lock);
}

// Works on a settling that no other thread is at, without the mutex meanwhile.
void Settler::do_one(Settling& settling, int steps, const std::atomic<bool>& stop, std::unique_lock<std::mutex>& lock) {
  settling.held_ = true;
  std::unique_ptr<Settling::Simulation> old;
  try {
    if (!settling.simulation_) settling.simulation_ = simulation_of(settling.model_);
    lock.unlock();
    settling.advance(steps, stop);
    lock.lock();
    if (settling.done() && settling.simulation_) {
      if (simulations_.size() == kKept) {
        old = std::move(simulations_.front());
        simulations_.erase(simulations_.begin());
      }
      simulations_.push_back(std::move(settling.simulation_));
    }
  } catch (const std::exception& exception) {
    if (!lock.owns_lock()) lock.lock();
    settling.fail(exception.what());
  }
  settling.held_ = false;
  let_go_.notify_all();
}

// Returns a simulation of a model: one that lies idle, or a new one.
std::unique_ptr<Settling::Simulation> Settler::simulation_of(const Model& model) {
  const auto found =
      std::find_if(simulations_.begin(), simulations_.end(), [&](const auto& each) { return &each->model() == &model; });
  if (found == simulations_.end()) return std::make_unique<Settling::Simulation>(model);
  auto simulation = std::move(*found);
  simulations_.erase(found);
  return simulation;
}

}  // namespace taskworlds
