// Runs MuJoCo code so that an error inside it comes back as a value instead of ending the process.

#pragma once

#include <string>

namespace taskworlds {

// Calls body(context). Returns true if it came back, and false if MuJoCo raised an error in it; then *message says which.
// MuJoCo's warnings are silent meanwhile: they are counted in mjData.
//
// An error leaves `body` by longjmp. So `body` must hold nothing with a destructor while it calls MuJoCo, and an mjData
// that it was using must be thrown away. Other threads, and this thread outside the call, keep their own handlers.
bool guarded(void (*body)(void*), void* context, std::string* message);

}  // namespace taskworlds
