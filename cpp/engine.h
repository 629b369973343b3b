// Steps rows: every row's state lives in arrays here, every thread has simulators of its own that rows are loaded into.

#pragma once

#include <mujoco/mujoco.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pool.h"
#include "scene.h"

namespace taskworlds {

// A skill's compiled observation and reward. `now` is what its scene reads, `action` the row's action as doubles, `single`
// whether it came as float32. It must not block, throw, or use Python.
using Kernel = void (*)(const double* now, const double* action, const double* params, double* memory, double* obs,
                        double* terms, std::int64_t single);

// What happened to a row in its last step, as bits. The lowest mjNWARNING bits are MuJoCo's warnings, in its order.
enum Fault : std::int32_t {
  kActionNotFinite = 1 << (mjNWARNING + 0),  // the action held NaN or infinity; stepped all the same
  kStateNotFinite = 1 << (mjNWARNING + 1),   // the state held NaN or infinity before or after the step
  kError = 1 << (mjNWARNING + 2),            // MuJoCo raised an error: the row is as it was before the step
  kNotStepped = 1 << (mjNWARNING + 3),       // the step was interrupted before this row's turn
};

struct Sizes {
  int rows, actions, params, memory, obs, terms;
};

class Engine {
 public:
  // Throws std::invalid_argument if a size or a scene does not fit.
  Engine(std::vector<std::shared_ptr<const Scene>> scenes, std::vector<Kernel> kernels, const Sizes& sizes, int threads);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // A step is begin() and then one of
  //   run()     with the calling thread's help,
  //   launch()  on the pool's threads alone, and later join() and wait(),
  // and end() after run or wait, whether they returned or threw. Only run and wait may be called without Python's lock,
  // and both give false if `interrupted` stopped them.
  //
  // begin: the rows with mask[row] != 0 (all, if mask is null) take actions (rows, actions); float means scaled in float32.
  // Throws std::logic_error while a step is under way and std::invalid_argument for a scene or kernel that does not exist.
  template <typename T>
  void begin(const T* actions, const bool* mask);
  bool run(Pool::Interrupted interrupted);
  void launch();
  // Throws std::logic_error if nothing was launched.
  void join();
  bool wait(Pool::Interrupted interrupted);
  void end() { phase_ = Phase::idle; }

  // Drops the rows whose turn has not come, waits for the others and ends the threads. Later steps throw std::logic_error.
  void close();

  bool pending() const { return phase_ != Phase::idle; }
  // Whether a thread is in run or wait.
  bool running() const { return phase_ == Phase::running; }
  int threads() const { return threads_; }
  // The text of MuJoCo's error, for a row with kError.
  const std::string& error(int row) const { return errors_[static_cast<std::size_t>(row)]; }

  const Sizes sizes;
  int state_size = 0, override_size = 0, read_size = 0;
  // One row after another, each of the width that `sizes` or the widest scene gives.
  std::vector<double> states, overrides, params, memory, obs, terms, now;
  std::vector<std::int32_t> scene_of_row, kernel_of_row;  // kernel -1: none, the row just gets `now`
  std::vector<std::int32_t> faults, warnings;             // warnings: counts of the last step, mjNWARNING a row

 private:
  struct Simulator;
  struct Slot {
    std::vector<std::unique_ptr<Simulator>> by_scene;
  };

  static void step_item(void* self, int slot, int item);
  void step_row(Slot& slot, int row);
  Simulator* simulator(Slot& slot, int scene, std::string* error);

  // Guarded by Python's lock. `running`: a thread is between begin or join and end.
  enum class Phase { idle, launched, running };

  std::vector<std::shared_ptr<const Scene>> scenes_;
  std::vector<Kernel> kernels_;
  int threads_;
  std::vector<Slot> slots_;
  std::vector<int> order_;  // rows of the current step
  std::vector<double> actions_;
  bool single_ = false;
  Phase phase_ = Phase::idle;
  std::vector<std::string> errors_;
  std::unique_ptr<Pool> pool_;  // last: its threads use everything above
};

}  // namespace taskworlds
