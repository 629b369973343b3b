// The yardstick of the engine: the physics of its steps with nothing around it. Each thread owns its rows and steps them
// without waiting for others; each row has an mjData of its own. No state is moved, nothing is read, no kernel is called.

#pragma once

#include <mujoco/mujoco.h>

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "engine.h"
#include "matrix.h"
#include "scene.h"

namespace taskworlds {

class BareLoop {
 public:
  // Copies an engine's rows as they are; thread i owns the rows i, i + threads, ... Throws std::logic_error while a step of
  // the engine is under way, std::invalid_argument if a row's scene does not exist or there is no thread, and
  // std::runtime_error if MuJoCo raises an error.
  BareLoop(const Engine& engine, int threads);

  struct Seconds {
    double clock;
    double processor;  // of all threads of the process together
  };
  // Takes actions (steps, rows, actions). With `single` they are scaled in float32. Throws std::runtime_error if MuJoCo
  // raises an error.
  Seconds run(const std::vector<double>& actions, int steps, bool single);

  // The rows' states, laid out as the engine's.
  std::vector<double> states() const;

 private:
  struct Row {
    std::shared_ptr<const Scene> scene;
    OwnModel* own;         // the thread's; null if the scene has no overrides
    const mjModel* model;  // that one, or the scene's
    const double* state;   // at the start
    const double* overrides;
    std::unique_ptr<mjData, void (*)(mjData*)> data;
  };

  const int threads_, action_size_;
  Matrix<double> start_, overrides_;
  std::map<std::pair<int, const Scene*>, OwnModel> own_models_;  // by thread and scene
  std::vector<Row> rows_;
};

}  // namespace taskworlds
