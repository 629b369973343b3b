// A compiled MuJoCo model, immutable and shared by every scene, engine and thread that uses it.

#pragma once

#include <mujoco/mujoco.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace taskworlds {

class Model {
 public:
  // Reads what mj_saveModel wrote. Throws std::invalid_argument if it is not a model of this MuJoCo.
  Model(const void* bytes, std::size_t size);
  // The same from a file.
  explicit Model(const std::string& path);
  // Copies a model. Throws std::invalid_argument if MuJoCo cannot.
  explicit Model(const mjModel& other);
  // Compiles what was read from a model file. Every weld to a mocap body gets `weld` as its eq_data, unless it is null. The
  // threads of a process may compile at once, each its own. Throws std::invalid_argument with MuJoCo's words if it cannot be
  // compiled.
  static Model compile(mjSpec* spec, const mjtNum* weld);

  const mjModel& get() const { return *model_; }
  // What mj_saveModel writes, and how much that is.
  std::vector<char> to_bytes() const;
  std::size_t num_bytes() const { return static_cast<std::size_t>(mj_sizeModel(model_.get())); }

  // Lets MuJoCo read the model as it reads a file, in the calling thread, and returns the name to call it by.
  const char* lend() const;
  // Ends what `lend` began.
  static void take_back();

  // How many objects of a kind there are, and their names by id; an object without a name has "". Kinds are body, geom,
  // site, joint, actuator, sensor and tendon; std::invalid_argument is thrown for others.
  int count(mjtObj kind) const;
  std::vector<std::string> names(mjtObj kind) const;

 private:
  explicit Model(mjModel* made);  // takes it over

  std::unique_ptr<mjModel, void (*)(mjModel*)> model_;
};

// Whether the models differ at most in real numbers (masses, lengths, gains), so that one mjData serves both.
bool same_structure(const mjModel& a, const mjModel& b);

}  // namespace taskworlds
