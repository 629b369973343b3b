// Steps rows: every row's state lives in arrays here, every thread has simulations of its own that rows are loaded into.

#pragma once

#include <mujoco/mujoco.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "matrix.h"
#include "pool.h"
#include "row_stream.h"
#include "scene.h"
#include "settle.h"

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

// Several steps of each row, one after the other, and where to write what came of them. A row stops after a step with a
// fault, and where its episode ends. The memory is the caller's, until the step is finished.
struct Chunk {
  const void* actions;       // (rows, steps, actions)
  bool single;               // whether they are floats, or else doubles
  int steps;                 // for each row, at least 1
  const std::int32_t* left;  // (rows): a row stops after so many steps
  const bool* ends;          // (rows): a row stops after a step that succeeds
  int success_term;          // the term that is 1 when a step succeeds; -1: none
  int end_term;              // the term that is not 0 when a step ends the episode; -1: none
  double* terms;             // (rows, steps, terms), after each step
  double* obs;               // (rows, steps, obs), likewise, or null
  std::int32_t* faults;      // (rows, steps)
  std::int32_t* taken;       // (rows): the steps that each row took; 0 for rows that did not step
};

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
    // Has the pool's threads take the step on their own. Engine::join gives the step back. If it is `shared`, one thread of
    // the pool is left out, and `finish` takes its part.
    void launch(bool shared = false) &&;

   private:
    friend class Engine;
    Step(Engine* engine, bool launched) : engine_(engine), launched_(launched) {}

    Engine* engine_;  // null if the step was handed on
    bool launched_;   // and not finished
  };

  // Begins a step of the rows with mask[row] != 0 (all, if mask is null). They take actions (rows, actions); float means
  // scaled in float32. Throws std::logic_error while a step is under way and std::invalid_argument for a scene or kernel
  // that does not exist.
  // `spare` is how many short turns of work on settlings come after the rows.
  template <typename T>
  Step begin(const T* actions, const bool* mask, int spare = 0);
  // Begins a chunk, on the same terms. The faults and warnings are those of each row's last step.
  Step begin_chunk(const Chunk& chunk, const bool* mask, int spare = 0);
  // As `begin`, but the rows are not stepped. `now` and the faults are written for their states as they are, and no kernel
  // is called. With `warm_start` the states take the warm start that this computes, and stay the same otherwise.
  Step begin_forward(const bool* mask, bool warm_start);
  // Begins to do settlings to their ends, on the same terms. No row is looked at.
  Step begin_settling(std::vector<std::shared_ptr<Settling>> settlings);
  // Gives back the step that was launched. Throws std::logic_error if none was.
  Step join();

  // Has the threads work on a settling of `model` in their spare time, also while a step is under way. With one thread there
  // is none. Throws std::logic_error if the engine is closed.
  void settle_ahead(std::shared_ptr<Settling> settling, std::shared_ptr<const Model> model);
  // Keeps a model for settlings as long as the engine is there.
  void keep_for_settling(std::shared_ptr<const Model> model);
  // Forgets what settle_ahead was given. It may still be settled later.
  void drop_settling(const Settling* settling);
  // Has the pool's threads step rows, each on its own: row rows[k] takes the action k of (rows.size(), actions). A row is
  // under way until `receive` returns it. Leave the array lines of rows under way alone; those of others may be written to.
  // Throws std::invalid_argument if a row does not exist, is there twice, or has no scene or kernel, and std::logic_error if
  // one is under way or `begin`'s step is. Then nothing has changed.
  // `spare` is as for `begin`.
  template <typename T>
  void send(const T* actions, const std::vector<int>& rows, int spare = 0);
  // Waits for `count` rows of these engines, or all if fewer are under way, and returns those that were done first, each
  // with the place of its engine. Returns none if `interrupted` said so; they are under way still. Throws std::logic_error
  // if no row is under way, or one of the engines is closed, or is meanwhile, and std::invalid_argument if one is there
  // twice. It may be called without Python's lock.
  static std::vector<RowStream::Taken> receive(const std::vector<Engine*>& engines, int count,
                                               Pool::Interrupted interrupted);
  // How many rows are under way.
  int under_way() const { return stream_ ? stream_->count() : 0; }

  // Whatever needs an engine without a step, as `set_scene` and `begin`, waits for rows under way to be done; they are to be
  // received still.

  // Puts a scene or kernel in another's place, or adds one if `index` is their number. Throws std::logic_error while a step
  // is under way, and std::invalid_argument if the index is no such place or the rows are too narrow for the scene.
  void set_scene(int index, std::shared_ptr<const Scene> scene);
  void set_kernel(int index, Kernel kernel);

  // Drops the rows whose turn has not come, waits for the others and ends the threads. Later steps throw std::logic_error.
  void close();

  bool pending() const { return phase_ == Phase::launched || phase_ == Phase::running || under_way() > 0; }
  // Whether no row had a fault in the last step or forward.
  bool went_well() const;
  // Whether a thread has a step to finish, or waits for rows.
  bool running() const { return phase_ == Phase::running || receiving_; }
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
  // A turn of work on a settling, among the rows, and its physics steps: about as many as a row's.
  static constexpr int kSpare = RowStream::kSpare, kSpareSteps = 8;

  enum class Task { step, forward, forward_warm, settle };
  struct FreeData {
    void operator()(mjData* data) const { mj_deleteData(data); }
  };
  // A row's own simulation, where the last step's serves the next one.
  struct Resident {
    std::shared_ptr<const Scene> scene;  // that it was made for; null if there is none
    std::unique_ptr<mjData, FreeData> data;
    bool is_current = false;  // it is as the step or forward left it that made the row's `left_` states and overrides
  };
  // What one thread has for itself. Scenes whose models have the same structure share one mjData.
  struct Slot {
    std::vector<std::unique_ptr<OwnModel>> by_scene;  // null for a scene without overrides
    std::vector<std::unique_ptr<mjData, FreeData>> by_kind;
    std::vector<double> memory;  // a row's, as it was before its kernel was called
  };

  static void touch_row(void* self, int slot, int row);
  static void work_item(void* self, int slot, int item);
  static void serve(void* self, int slot, int item);
  void try_row(int slot, int row);
  void take_chunk(int slot, int row);
  void check_places(int row) const;
  void finish_stream();
  void work_row(Slot& slot, int row);
  void call_kernel(Slot& slot, int row);
  std::unique_ptr<mjData, FreeData>& simulation_of(Slot& slot, int row, const std::shared_ptr<const Scene>& scene);
  bool is_as_it_was_left(int row) const;
  void give_up(Slot& slot, int row, const char* why) noexcept;
  bool has_shares(std::size_t rows) const;
  void check_open() const;
  void check_idle();
  Step start_task(Task task, const bool* mask);
  void check_fits(const Scene& scene) const;
  int find_kind(const Scene& scene, int but) const;
  void forget_if_forked();

  // Written with Python's lock held, read without it at exit. `running`: there is a Step. `streaming`: the threads serve the
  // stream.
  enum class Phase { idle, launched, running, streaming };

  std::vector<std::shared_ptr<const Scene>> scenes_;
  std::vector<int> kind_of_scene_;  // equal for scenes whose models have the same structure
  std::vector<Kernel> kernels_;
  int threads_;
  std::vector<Slot> slots_;
  std::vector<Resident> residents_;              // by row; empty if there are too many rows
  Matrix<double> left_states_, left_overrides_;  // by row, of its own simulation
  Task task_ = Task::step;
  std::optional<Chunk> chunk_;  // of the current task, if it has one
  std::vector<int> order_;      // rows of the current task, and kSpare
  Sharing sharing_ = Sharing::one_queue;
  bool shared_ = false;      // the thread that joins the launched step has a part in it
  std::vector<float> cost_;  // seconds that each row took last: decides the order, and nothing else
  Matrix<double> actions_;
  std::vector<std::uint8_t> single_of_row_;  // whether the row's action came as float32
  std::atomic<Phase> phase_{Phase::idle};
  std::atomic<bool> receiving_{false};
  std::unique_ptr<RowStream> stream_;  // from the first `send` on
  std::vector<std::string> errors_;
  std::vector<std::shared_ptr<Settling>> settlings_;  // of the current task
  std::unique_ptr<Settler> settler_;
  std::unique_ptr<Pool> pool_;  // last: its threads use everything above
};

}  // namespace taskworlds
