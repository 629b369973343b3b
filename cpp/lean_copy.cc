#include "lean_copy.h"

#include <mujoco/mjxmacro.h>
#ifndef _WIN32
#include <sys/mman.h>
#include <unistd.h>
#endif

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace taskworlds {
namespace {

constexpr std::size_t kSmall = 64 * 1024;  // bytes; of arrays that are no mesh

// Calls visit(copy's array, model's array, bytes) for each array that has numbers; the first is a reference to the pointer.
template <typename Visit>
void each_array(mjModel& copy, const mjModel& model, Visit visit) {
  MJMODEL_POINTERS_PREAMBLE((&model))
#define X(type, name, rows, columns)                                                                                       \
  if (model.rows > 0) {                                                                                                    \
    visit(copy.name, model.name, sizeof(type) * static_cast<std::size_t>(model.rows) * static_cast<std::size_t>(columns)); \
  }
  MJMODEL_POINTERS
#undef X
}

// Gives the whole pages of a piece of memory back: their content may be lost. On Windows they are kept.
void give_pages_back(void* memory, std::size_t size) {
#ifdef _WIN32
  static_cast<void>(memory), static_cast<void>(size);
#else
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto first = (reinterpret_cast<std::uintptr_t>(memory) + page - 1) / page * page;
  const auto end = (reinterpret_cast<std::uintptr_t>(memory) + size) / page * page;
  if (first < end) static_cast<void>(madvise(reinterpret_cast<void*>(first), end - first, MADV_DONTNEED));
#endif
}

}  // namespace

LeanCopy::LeanCopy(mjModel& copy, std::shared_ptr<const Model> model) : copy_(copy), model_(std::move(model)), own_(copy) {
#define X(name) \
  if (copy_.name != model_->get().name) throw std::invalid_argument("The copy is of another model: " #name " differs.");
  MJMODEL_INTS
#undef X
  make_lean();
}

LeanCopy::~LeanCopy() { make_whole(); }

void LeanCopy::make_lean() {
  each_array(copy_, model_->get(), [](auto*& mine, auto* shared, std::size_t size) {
    if (size < kSmall) return;
    give_pages_back(mine, size);
    mine = shared;
  });
  is_whole_ = false;
}

void LeanCopy::make_whole() {
  if (is_whole_) return;
  // Not the whole struct is put back: its options may have been changed.
  each_array(own_, model_->get(), [](auto* mine, auto* shared, std::size_t size) {
    if (size >= kSmall) std::memcpy(mine, shared, size);
  });
#define X(type, name, rows, columns) copy_.name = own_.name;
  MJMODEL_POINTERS
#undef X
  is_whole_ = true;
}

bool LeanCopy::is_only_moved() const {
  bool same = std::memcmp(&copy_.opt, &model_->get().opt, sizeof copy_.opt) == 0;
  each_array(copy_, model_->get(), [&](const void* mine, const void* shared, std::size_t size) {
    if (size >= kSmall || mine == copy_.body_pos || mine == copy_.site_pos) return;
    same = same && std::memcmp(mine, shared, size) == 0;
  });
  return same;
}

void LeanCopy::put_back() {
  const mjModel& model = model_->get();
  copy_.opt = model.opt;
  copy_.vis = model.vis;
  copy_.stat = model.stat;
  each_array(copy_, model, [](void* mine, const void* shared, std::size_t size) {
    if (size < kSmall) std::memcpy(mine, shared, size);
  });
  if (is_whole_) make_lean();
}

}  // namespace taskworlds
