// A copy of a model that may be changed, put back, and that takes little memory of its own.

#pragma once

#include <mujoco/mujoco.h>

#include <memory>

#include "model.h"

namespace taskworlds {

// Makes an mjModel that is a copy of a model lean: its large arrays, which are meshes and nearly all of its size, become the
// model's own, and the memory that they had is given back to the system. The copy is somebody else's, and must outlive this.
class LeanCopy {
 public:
  // Throws std::invalid_argument if the copy has other sizes than the model.
  LeanCopy(mjModel& copy, std::shared_ptr<const Model> model);
  // Makes the copy whole again.
  ~LeanCopy();
  LeanCopy(const LeanCopy&) = delete;
  LeanCopy& operator=(const LeanCopy&) = delete;

  // Gives the copy its large arrays back, so that it may be changed in any way.
  void make_whole();
  // Whether the copy still equals the model in its options and in all small arrays but body_pos and site_pos.
  bool is_only_moved() const;
  // Makes a copy that was changed, in small arrays or after make_whole, equal to the model and lean again.
  void put_back();

 private:
  void make_lean();

  mjModel& copy_;
  const std::shared_ptr<const Model> model_;
  mjModel own_;  // the struct as it was: where the copy's arrays are
  bool is_whole_ = true;
};

}  // namespace taskworlds
