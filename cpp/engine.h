// Steps rows: every row's state lives in arrays here, every thread has simulations of its own that rows are loaded into.

#pragma once

#include <mujoco/mujoco.h>

#include <atomic>
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
  int least_state = 0, least_overrides = 0, least_reads = 0;  // room for scenes that come later
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
  // Instead of begin: the rows will not be stepped. `now` and the faults are written for their states as they are, and no
  // kernel is called. With `warm_start` the states take the warm start that this computes, and stay the same otherwise.
  void begin_forward(const bool* mask, bool warm_start);
  bool run(Pool::Interrupted interrupted);
  void launch();
  // Throws std::logic_error if nothing was launched.
  void join();
  bool wait(Pool::Interrupted interrupted);
  void end() { phase_ = Phase::idle; }

  // Puts a scene or kernel in another's place, or adds one if `index` is their number. Throws std::logic_error while a step
  // is under way, and std::invalid_argument if the index is no such place or the rows are too narrow for the scene.
  void set_scene(int index, std::shared_ptr<const Scene> scene);
  void set_kernel(int index, Kernel kernel);

  // Drops the rows whose turn has not come, waits for the others and ends the threads. Later steps throw std::logic_error.
  void close();

  bool pending() const { return phase_ != Phase::idle; }
  // Whether no row had a fault in the last step or forward.
  bool went_well() const;
  // Whether a thread is in run or wait.
  bool running() const { return phase_ == Phase::running; }
  int threads() const { return threads_; }
  // Throws std::invalid_argument if the row's scene does not exist.
  const std::shared_ptr<const Scene>& scene_of(int row) const;
  // The text of MuJoCo's error, for a row with kError.
  const std::string& error(int row) const { return errors_[static_cast<std::size_t>(row)]; }

  const Sizes sizes;
  int state_size = 0, override_size = 0, read_size = 0;
  // One row after another, each of the width that `sizes` or the widest scene gives.
  std::vector<double> states, overrides, params, memory, obs, terms, now;
  std::vector<std::int32_t> scene_of_row, kernel_of_row;  // kernel -1: none, the row just gets `now`
  std::vector<std::int32_t> faults, warnings;             // warnings: counts of the last step, mjNWARNING a row

 private:
  enum class Task { step, forward, forward_warm };
  struct FreeData {
    void operator()(mjData* data) const { mj_deleteData(data); }
  };
  // What one thread has for itself. Scenes whose models have the same structure share one mjData.
  struct Slot {
    std::vector<std::unique_ptr<OwnModel>> by_scene;  // null for a scene without overrides
    std::vector<std::unique_ptr<mjData, FreeData>> by_kind;
  };

  static void work_item(void* self, int slot, int item);
  void work_row(Slot& slot, int row);
  void check_idle();
  void start_task(Task task, const bool* mask);
  void check_fits(const Scene& scene) const;
  int find_kind(const Scene& scene, int but) const;
  void forget_if_forked();

  // Written with Python's lock held, read without it at exit. `running`: a thread is between begin or join and end.
  enum class Phase { idle, launched, running };

  std::vector<std::shared_ptr<const Scene>> scenes_;
  std::vector<int> kind_of_scene_;  // equal for scenes whose models have the same structure
  std::vector<Kernel> kernels_;
  int threads_;
  std::vector<Slot> slots_;
  Task task_ = Task::step;
  std::vector<int> order_;   // rows of the current task
  std::vector<float> cost_;  // seconds that each row took last: decides the order, and nothing else
  std::vector<double> actions_;
  bool single_ = false;
  std::atomic<Phase> phase_{Phase::idle};
  std::vector<std::string> errors_;
  std::unique_ptr<Pool> pool_;  // last: its threads use everything above
};

}  // namespace taskworlds
