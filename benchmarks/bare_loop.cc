// The yardstick of physics_steps.py: the same physics with nothing around it. Each thread owns its rows, a model and one
// mjData per row; a step is the control and what the stepping says (cpp/scene.h).

#include <mujoco/mujoco.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <ctime>
#include <thread>
#include <vector>

namespace {

double clip(double x, double low, double high) { return std::min(std::max(x, low), high); }

// Meta-World's control: three actions move the mocap body, the fourth closes the fingers.
void control_hand(mjData* data, const double* action, const double* low, const double* high) {
  const double quat[4] = {1, 0, 1, 0};
  for (int i = 0; i < 3; ++i) data->mocap_pos[i] = clip(data->mocap_pos[i] + 0.01 * clip(action[i], -1, 1), low[i], high[i]);
  std::memcpy(data->mocap_quat, quat, sizeof quat);
  data->ctrl[0] = action[3];
  data->ctrl[1] = -action[3];
}

void step(const mjModel* model, mjData* data, int frame_skip, char stepping) {
  int left = frame_skip;
  if (stepping == 'p' && model->opt.integrator != mjINT_RK4) {
    mj_step2(model, data);
    --left;
  }
  for (; left > 0; --left) mj_step(model, data);
  if (stepping == 'f') mj_forward(model, data);
  if (stepping == 'p') mj_step1(model, data);
}

}  // namespace

// Steps `rows` copies of `state` with actions (steps, rows, width); `stepping` is 'f', 's' or 'p': forward, step, split.
// Actions are controls if `low` is null. With `processor` the seconds are of processor time, of all threads together. Gives
// the seconds it took, without setting up, and writes the rows' last states.
extern "C" double bare_loop(const char* model_file, const double* state, const double* body_pos, const double* site_pos,
                            const double* low, const double* high, const double* actions, int width, int frame_skip,
                            char stepping, int steps, int rows, int threads, int processor, double* last_states) {
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
    if (stepping == 'p') mj_step1(models[0], datas.back());
  }
  const auto work = [&](int thread) {
    for (int t = 0; t < steps; ++t) {
      for (int row = thread; row < rows; row += threads) {
        const double* const action = actions + static_cast<std::size_t>(width) * (static_cast<std::size_t>(t) * rows + row);
        mjData* const data = datas[static_cast<std::size_t>(row)];
        if (low == nullptr) {
          std::copy(action, action + width, data->ctrl);
        } else {
          control_hand(data, action, low, high);
        }
        step(models[static_cast<std::size_t>(thread)], data, frame_skip, stepping);
      }
    }
  };
  const std::clock_t processor_begin = std::clock();
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::thread> crew;
  for (int thread = 1; thread < threads; ++thread) crew.emplace_back(work, thread);
  work(0);
  for (auto& member : crew) member.join();
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  const double processor_taken = static_cast<double>(std::clock() - processor_begin) / CLOCKS_PER_SEC;
  for (int row = 0; row < rows; ++row) {
    mj_getState(models[0], datas[static_cast<std::size_t>(row)], last_states + static_cast<std::size_t>(row) * size,
                mjSTATE_INTEGRATION);
    mj_deleteData(datas[static_cast<std::size_t>(row)]);
  }
  for (mjModel* model : models) mj_deleteModel(model);
  return processor != 0 ? processor_taken : taken.count();
}
