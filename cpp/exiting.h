// For modules whose functions compute without Python's lock: what a thread does that comes back when the interpreter is
// about to end. A daemon thread that asks for the lock after that would be killed by Python in the middle of C++, which ends
// the process in an error; so it stops here for the rest of the process's life.

#pragma once

#include <atomic>
#include <chrono>
#include <thread>

namespace taskworlds {

// Each module has its own, and sets it when the interpreter is about to end (atexit).
inline std::atomic<bool> exiting{false};

inline void stay_if_exiting() {
  while (exiting.load()) std::this_thread::sleep_for(std::chrono::hours(1));
}

}  // namespace taskworlds
