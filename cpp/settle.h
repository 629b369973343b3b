// Settles simulations before the episodes that begin with them: many physics steps from a state, in a model of which some
// bodies and sites stand elsewhere. It needs neither rows nor Python.

#pragma once

#include <mujoco/mujoco.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <limits>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "model.h"
#include "pool.h"

namespace taskworlds {

// What is to be settled, and the outcome. Made by one thread; worked on by a Settler's threads, one at a time. It does not
// own its model: the last owner may be Python, which a thread must not call.
class Settling {
 public:
  // `body_pos` and `site_pos` are the model's arrays as they are to be; `state` is MuJoCo's integration state; `steps` is
  // how many mj_steps follow it. Throws std::invalid_argument if a size does not fit.
  Settling(const Model& model, std::vector<double> body_pos, std::vector<double> site_pos, std::vector<double> state,
           int steps);
  ~Settling();
  Settling(const Settling&) = delete;
  Settling& operator=(const Settling&) = delete;

  // Whether it has come to its end. Then `state` is the outcome, unless `error` says what MuJoCo raised.
  bool done() const { return done_.load(std::memory_order_acquire); }
  const std::vector<double>& state() const { return state_; }
  const std::string& error() const { return error_; }

 private:
  friend class Settler;
  class Simulation;
  // Takes at most so many steps, until it is done or `stop` is set. Throws std::bad_alloc.
  void advance(int steps, const std::atomic<bool>& stop);
  void fail(const char* why) noexcept;

  const Model& model_;
  const std::vector<double> body_pos_, site_pos_;
  std::vector<double> state_;
  int left_;
  std::string error_;
  std::atomic<bool> done_{false};
  bool begun_ = false;
  bool held_ = false;                       // a thread is at it; with the Settler's mutex
  std::unique_ptr<Simulation> simulation_;  // while it is begun and not done
};

// Settlings that wait, and simulations to do them in. What was begun is gone on with first, so that there are not many more
// simulations than threads. All functions may be called by several threads at once.
class Settler : public Pool::Spare {
 public:
  Settler();
  ~Settler() override;

  // Keeps a model for as long as the settler is there, for settlings that are given to it.
  void keep(std::shared_ptr<const Model> model);
  // Puts one in the line, for `work`.
  void add(std::shared_ptr<Settling> settling);
  // Takes one out of the line again. What has been done of it stays with it.
  void drop(const Settling* settling);
  // Does one to its end, wherever it stands; waits for the thread that is at it, if there is one.
  void finish(const std::shared_ptr<Settling>& settling);

  bool waiting() const override { return waiting_.load(std::memory_order_acquire) > 0; }
  // Does the first in the line that no other thread is at, until `stop` is set.
  void work(const std::atomic<bool>& stop) override;
  // Takes so many steps of it, or leaves them to the threads that are at all that there are.
  void work(int steps);

 private:
  static constexpr int kAll = std::numeric_limits<int>::max();
  static constexpr int kMostOwed = 256;  // so that no thread is away for long

  void remove(const Settling* settling);
  std::shared_ptr<Settling> first_free() const;
  void take(const std::shared_ptr<Settling>& settling, int steps, const std::atomic<bool>& stop,
            std::unique_lock<std::mutex>& lock);
  void do_one(Settling& settling, int steps, const std::atomic<bool>& stop, std::unique_lock<std::mutex>& lock);
  std::unique_ptr<Settling::Simulation> simulation_of(const Model& model);

  const std::atomic<bool> never_{false};
  std::mutex mutex_;
  std::set<std::shared_ptr<const Model>> models_;
  std::condition_variable let_go_;                                  // a thread has let go of a settling
  std::deque<std::shared_ptr<Settling>> line_;                      // those that a thread is at included
  std::atomic<int> waiting_{0};                                     // in the line, and no thread is at it
  int owed_ = 0;                                                    // steps that were to be taken, and all were held
  std::vector<std::unique_ptr<Settling::Simulation>> simulations_;  // idle ones, the last used last
};

}  // namespace taskworlds
