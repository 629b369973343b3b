// Steps rows: every row's state lives in arrays here, every thread has simulations of its own that rows are loaded into.

#pragma once

#include <mujoco/mujoco.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "matrix.h"
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
  kError = 1 << (mjNWARNING + 2),            // MuJoCo raised an error, or a C++ exception: the row is as it was before
  kNotStepped = 1 << (mjNWARNING + 3),       // the step was interrupted before this row's turn
};

struct Sizes {
  int rows, actions, params, memory, obs, terms;
  int least_state = 0, least_overrides = 0, least_reads = 0;  // room for scenes that come later
};

// The name of the capsule in which an engine's module hands it to another module. It is of the headers that both were built
// with, so that none takes another layout for its own.
constexpr const char* kEngineCapsule = "taskworlds::Engine of headers " TASKWORLDS_HEADERS;

class Engine {
 public:
  // Throws std::invalid_argument if a size or a scene does not fit.
  Engine(std::vector<std::shared_ptr<const Scene>> scenes, std::vector<Kernel> kernels, const Sizes& sizes, int threads);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // A step under way; the engine is free for the next one when it goes away. If it was launched and not finished, the rows
  // whose turn has not come are dropped and the others are waited for.
  class Step {
   public:
    Step(Step&& other) noexcept;
    Step& operator=(Step&&) = delete;
    ~Step();

    // Takes the step, or waits for the rest of it if it was launched. False if `interrupted` stopped it: then the rows whose
    // turn had not come have the fault kNotStepped. This may be called without Python's lock; all else needs it.
    bool finish(Pool::Interrupted interrupted);
    // Has the pool's threads take the step on their own. Engine::join gives the step back.
    void launch() &&;

   private:
    friend class Engine;
    Step(Engine* engine, bool launched) : engine_(engine), launched_(launched) {}

    Engine* engine_;  // null if the step was handed on
    bool launched_;   // and not finished
  };

  // Begins a step of the rows with mask[row] != 0 (all, if mask is null). They take actions (rows, actions); float means
  // scaled in float32. Throws std::logic_error while a step is under way and std::invalid_argument for a scene or kernel
  // that does not exist.
  template <typename T>
  Step begin(const T* actions, const bool* mask);
  // The same, but the rows are not stepped. `now` and the faults are written for their states as they are, and no kernel is
  // called. With `warm_start` the states take the warm start that this computes, and stay the same otherwise.
  Step begin_forward(const bool* mask, bool warm_start);
  // Gives back the step that was launched. Throws std::logic_error if none was.
  Step join();

  // Puts a scene or kernel in another's place, or adds one if `index` is their number. Throws std::logic_error while a step
  // is under way, and std::invalid_argument if the index is no such place or the rows are too narrow for the scene.
  void set_scene(int index, std::shared_ptr<const Scene> scene);
  void set_kernel(int index, Kernel kernel);

  // Drops the rows whose turn has not come, waits for the others and ends the threads. Later steps throw std::logic_error.
  void close();

  bool pending() const { return phase_ != Phase::idle; }
  // Whether no row had a fault in the last step or forward.
  bool went_well() const;
  // Whether a thread has a step to finish.
  bool running() const { return phase_ == Phase::running; }
  int threads() const { return threads_; }
  // Throws std::invalid_argument if the row's scene does not exist.
  const std::shared_ptr<const Scene>& scene_of(int row) const;
  // The text of the error, for a row with kError.
  const std::string& error(int row) const { return errors_[static_cast<std::size_t>(row)]; }

  const Sizes sizes;
  // A line for each row, as wide as `sizes` or the widest scene needs.
  Matrix<double> states, overrides, params, memory, obs, terms, now;
  std::vector<std::int32_t> scene_of_row, kernel_of_row;  // kernel -1: none, the row just gets `now`
  std::vector<std::int32_t> faults;
  Matrix<std::int32_t> warnings;  // counts of the last step, one for each of MuJoCo's warnings

 private:
  enum class Task { step, forward, forward_warm };
  struct FreeData {
    void operator()(mjData* data) const { mj_deleteData(data); }
  };
  // What one thread has for itself. Scenes whose models have the same structure share one mjData.
  struct Slot {
    std::vector<std::unique_ptr<OwnModel>> by_scene;  // null for a scene without overrides
    std::vector<std::unique_ptr<mjData, FreeData>> by_kind;
    std::vector<double> memory;  // a row's, as it was before its kernel was called
  };

  static void work_item(void* self, int slot, int item);
  void work_row(Slot& slot, int row);
  void call_kernel(Slot& slot, int row);
  void give_up(Slot& slot, int row, const char* why) noexcept;
  void check_idle();
  Step start_task(Task task, const bool* mask);
  void check_fits(const Scene& scene) const;
  int find_kind(const Scene& scene, int but) const;
  void forget_if_forked();

  // Written with Python's lock held, read without it at exit. `running`: there is a Step.
  enum class Phase { idle, launched, running };

  std::vector<std::shared_ptr<const Scene>> scenes_;
  std::vector<int> kind_of_scene_;  // equal for scenes whose models have the same structure
  std::vector<Kernel> kernels_;
  int threads_;
  std::vector<Slot> slots_;
  Task task_ = Task::step;
  std::vector<int> order_;   // rows of the current task
  std::vector<float> cost_;  // seconds that each row took last: decides the order, and nothing else
  Matrix<double> actions_;
  bool single_ = false;
  std::atomic<Phase> phase_{Phase::idle};
  std::vector<std::string> errors_;
  std::unique_ptr<Pool> pool_;  // last: its threads use everything above
};

}  // namespace taskworlds
