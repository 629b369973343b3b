// The library of kernels that were compiled when the package was built: a table of their names and of what the engine calls.
// The program that compiles them (src/taskworlds/worlds/build_kernels.py) writes kernels.inc, a line for each, and an object
// file for each, with a function that numba made. Only kernels that need nothing of Python at run time are there.

#include <array>
#include <cstdint>
#include <stdexcept>
#include <string>

#define TASKWORLDS_EXPORT extern "C" __attribute__((visibility("default")))

namespace {

// How numba reports an exception: numba/core/callconv.py, CPUCallConv. The first two are Python's pickle of its class, its
// arguments and where it came from.
struct Exception {
  const char* pickled;
  std::int32_t size;
  const void* more[2];
  std::int32_t dynamic;
};

// A function of numba's: returns a status, and if that is an error an exception. Kernels have no result.
using Compiled = std::int32_t(void** result, const Exception** exception, double* now, double* action, double* params,
                              double* memory, double* obs, double* terms, std::int64_t single);
constexpr std::int32_t kOk = 0, kNone = -2;

// The string in a pickle that begins at a place or after it, which is left behind it; "" if there is none.
std::string next_string(const std::string& pickled, std::size_t& at) {
  constexpr char kShortString = '\x8c';  // pickle's SHORT_BINUNICODE: a byte of length follows
  at = pickled.find(kShortString, at);
  if (at == std::string::npos || at + 1 >= pickled.size()) return "";
  const auto length = static_cast<std::size_t>(static_cast<unsigned char>(pickled[at + 1]));
  const std::string found = pickled.substr(at + 2, length);
  at += 2 + length;
  return found;
}

// Says what was raised, as Python would: "ZeroDivisionError: division by zero".
std::string described(const Exception* exception) {
  if (exception == nullptr || exception->pickled == nullptr || exception->size <= 0) return "an exception";
  const std::string pickled(exception->pickled, static_cast<std::size_t>(exception->size));
  std::size_t at = 0;
  if (next_string(pickled, at) != "builtins") return "an exception";
  const std::string name = next_string(pickled, at), message = next_string(pickled, at);
  return message.empty() ? name : name + ": " + message;
}

// What the engine calls. It takes an exception for a fault of the row.
template <Compiled* compiled>
void call(double* now, double* action, double* params, double* memory, double* obs, double* terms, std::int64_t single) {
  void* result = nullptr;
  const Exception* exception = nullptr;
  const std::int32_t status = compiled(&result, &exception, now, action, params, memory, obs, terms, single);
  if (status != kOk && status != kNone) throw std::runtime_error("the kernel raised " + described(exception));
}

}  // namespace

#define TASKWORLDS_KERNEL(name) extern "C" Compiled taskworlds_##name;
#include "kernels.inc"
#undef TASKWORLDS_KERNEL

struct Entry {
  const char* name;
  void (*call)(double*, double*, double*, double*, double*, double*, std::int64_t);
};

// The last line has no name.
#define TASKWORLDS_KERNEL(name) {#name, call<taskworlds_##name>},
TASKWORLDS_EXPORT const Entry taskworlds_kernels[] = {
#include "kernels.inc"
    {nullptr, nullptr}};
#undef TASKWORLDS_KERNEL

TASKWORLDS_EXPORT const char* const taskworlds_kernels_made_by = TASKWORLDS_MADE_BY;

// numba's runtime has this function, by which an array that a kernel made would be freed. A kernel that makes arrays is not
// in the library, and those that the engine gives it belong to the engine; so it is named, and never called.
extern "C" __attribute__((visibility("hidden"))) void NRT_MemInfo_call_dtor(void*) {}
