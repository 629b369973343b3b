// The yardstick of physics_steps.py: the same physics with nothing around it. Each thread owns its rows, a model and one
// mjData per row; a step is the control, frame_skip times mj_step, and mj_forward.

#include <mujoco/mujoco.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>
#include <vector>

namespace {

double clip(double x, double low, double high) { return std::min(std::max(x, low), high); }

void step(const mjModel* model, mjData* data, const double* action, const double* low, const double* high) {
  const double quat[4] = {1, 0, 1, 0};
  for (int i = 0; i < 3; ++i) data->mocap_pos[i] = clip(data->mocap_pos[i] + 0.01 * clip(action[i], -1, 1), low[i], high[i]);
  std::memcpy(data->mocap_quat, quat, sizeof quat);
  data->ctrl[0] = action[3];
  data->ctrl[1] = -action[3];
  for (int k = 0; k < 5; ++k) mj_step(model, data);
  mj_forward(model, data);
}

}  // namespace

// Steps `rows` copies of `state` with actions (steps, rows, 4); gives the seconds it took, without setting up, and writes
// the rows' last states.
extern "C" double bare_loop(const char* model_file, const double* state, const double* body_pos, const double* site_pos,
                            const double* low, const double* high, const double* actions, int steps, int rows, int threads,
                            double* last_states) {
  std::vector<mjModel*> models;
  std::vector<mjData*> datas;
  int size = 0;
  for (int thread = 0; thread < threads; ++thread) {
    mjModel* const model = mj_loadModel(model_file, nullptr);
    std::memcpy(model->body_pos, body_pos, sizeof(double) * 3 * static_cast<std::size_t>(model->nbody));
    std::memcpy(model->site_pos, site_pos, sizeof(double) * 3 * static_cast<std::size_t>(model->nsite));
    models.push_back(model);
    size = mj_stateSize(model, mjSTATE_INTEGRATION);
  }
  for (int row = 0; row < rows; ++row) {
    datas.push_back(mj_makeData(models[static_cast<std::size_t>(row % threads)]));
    mj_setState(models[0], datas.back(), state, mjSTATE_INTEGRATION);
  }
  const auto work = [&](int thread) {
    for (int t = 0; t < steps; ++t) {
      for (int row = thread; row < rows; row += threads) {
        step(models[static_cast<std::size_t>(thread)], datas[static_cast<std::size_t>(row)],
             actions + 4 * (static_cast<std::size_t>(t) * rows + row), low, high);
      }
    }
  };
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::thread> crew;
  for (int thread = 1; thread < threads; ++thread) crew.emplace_back(work, thread);
  work(0);
  for (auto& member : crew) member.join();
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  for (int row = 0; row < rows; ++row) {
    mj_getState(models[0], datas[static_cast<std::size_t>(row)], last_states + static_cast<std::size_t>(row) * size,
                mjSTATE_INTEGRATION);
    mj_deleteData(datas[static_cast<std::size_t>(row)]);
  }
  for (mjModel* model : models) mj_deleteModel(model);
  return taken.count();
}
