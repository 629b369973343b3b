#include "bare_loop.h"

#include <chrono>
#include <cstddef>
#include <ctime>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>

#include "guard.h"

namespace taskworlds {
namespace {

std::string failure(std::size_t row, const std::string& message) {
  return "MuJoCo could not step row " + std::to_string(row) + ": " + message;
}

struct Crew {
  std::vector<std::thread> members;
  ~Crew() {
    for (std::thread& member : members) member.join();
  }
};

}  // namespace

BareLoop::BareLoop(const Engine& engine, int threads) : threads_(threads), action_size_(engine.sizes.actions) {
  if (threads < 1) throw std::invalid_argument("num_threads must be at least 1.");
  if (engine.pending()) throw std::logic_error("A step is under way: call step_wait() first.");
  start_ = engine.states;
  overrides_ = engine.overrides;
  for (int i = 0; i < engine.sizes.rows; ++i) {
    const auto& scene = engine.scene_of(i);
    OwnModel* own = nullptr;
    if (!scene->overrides().empty()) {
      own = &own_models_.try_emplace({i % threads, scene.get()}, *scene).first->second;
    }
    rows_.push_back({scene,
                     own,
                     own != nullptr ? own->get() : &scene->model(),
                     start_.row(i),
                     overrides_.row(i),
                     {nullptr, mj_deleteData}});
    std::string message;
    const bool returned = guarded(
        [](void* context) {
          Row& row = *static_cast<Row*>(context);
          row.data.reset(mj_makeData(row.model));
          if (row.own != nullptr) row.own->write(row.overrides);
          mj_setState(row.model, row.data.get(), row.state, mjSTATE_INTEGRATION);
          row.scene->prepare(row.model, row.data.get());
        },
        &rows_.back(), &message);
    if (!returned) throw std::runtime_error(failure(rows_.size() - 1, message));
  }
}

BareLoop::Seconds BareLoop::run(const std::vector<double>& actions, int steps, bool single) {
  struct Share {
    BareLoop* loop;
    const double* actions;
    int steps;
    bool single;
    std::size_t first;
    std::size_t row;  // the one being stepped
  };
  std::vector<std::exception_ptr> errors(static_cast<std::size_t>(threads_));
  const auto step_rows = [&](std::size_t first) {
    Share share{this, actions.data(), steps, single, first, first};
    std::string message;
    const bool returned = guarded(
        [](void* context) {
          Share& s = *static_cast<Share*>(context);
          std::vector<Row>& rows = s.loop->rows_;
          const auto width = static_cast<std::size_t>(s.loop->action_size_);
          const auto threads = static_cast<std::size_t>(s.loop->threads_);
          const double* all = s.actions;  // of this step
          for (int step = 0; step < s.steps; ++step, all += rows.size() * width) {
            for (s.row = s.first; s.row < rows.size(); s.row += threads) {
              const Row& row = rows[s.row];
              if (row.own != nullptr) row.own->write(row.overrides);
              row.scene->step(row.model, row.data.get(), all + s.row * width, s.single);
            }
          }
        },
        &share, &message);
    if (!returned) throw std::runtime_error(failure(share.row, message));
  };
  const auto work = [&](int thread) noexcept {
    const auto first = static_cast<std::size_t>(thread);
    try {
      step_rows(first);
    } catch (...) {
      errors[first] = std::current_exception();
    }
  };
  const std::clock_t processor_begun = std::clock();
  const auto begun = std::chrono::steady_clock::now();
  {
    Crew crew;
    for (int thread = 1; thread < threads_; ++thread) crew.members.emplace_back(work, thread);
    work(0);
  }
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begun;
  const std::clock_t processor_taken = std::clock() - processor_begun;
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
  return {taken.count(), static_cast<double>(processor_taken) / CLOCKS_PER_SEC};
}

std::vector<double> BareLoop::states() const {
  Matrix<double> states = start_;
  int row = 0;
  for (const Row& each : rows_) mj_getState(each.model, each.data.get(), states.row(row++), mjSTATE_INTEGRATION);
  return {states.data.begin(), states.data.end()};
}

}  // namespace taskworlds
