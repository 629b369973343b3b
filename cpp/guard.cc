#include "guard.h"

#include <csetjmp>
#include <cstdio>

// MuJoCo's per-thread handlers, which its own Python bindings use. They take precedence over the global mju_user_error
// and mju_user_warning, so a handler that the user or another library installed there stays in force elsewhere.
extern "C" {
using MujocoHandler = void (*)(const char*);
MujocoHandler _mjPRIVATE__get_tls_error_fn(void);
void _mjPRIVATE__set_tls_error_fn(MujocoHandler handler);
MujocoHandler _mjPRIVATE__get_tls_warning_fn(void);
void _mjPRIVATE__set_tls_warning_fn(MujocoHandler handler);
}

namespace taskworlds {
namespace {

struct Escape {
  std::jmp_buf jump;
  char message[1024];
};

thread_local Escape* escape = nullptr;

void on_error(const char* message) {
  std::snprintf(escape->message, sizeof escape->message, "%s", message);
  std::longjmp(escape->jump, 1);
}

void on_warning(const char*) {}

// Nothing here changes between setjmp and longjmp, so no local needs to be volatile.
bool call(void (*body)(void*), void* context, Escape* here) {
  if (setjmp(here->jump) != 0) return false;
  body(context);
  return true;
}

// The thread's handlers, put back at the end, also if an exception ends the call.
class Handlers {
 public:
  explicit Handlers(Escape* here)
      : outer_(escape), outer_error_(_mjPRIVATE__get_tls_error_fn()), outer_warning_(_mjPRIVATE__get_tls_warning_fn()) {
    escape = here;
    _mjPRIVATE__set_tls_error_fn(on_error);
    _mjPRIVATE__set_tls_warning_fn(on_warning);
  }
  ~Handlers() {
    _mjPRIVATE__set_tls_warning_fn(outer_warning_);
    _mjPRIVATE__set_tls_error_fn(outer_error_);
    escape = outer_;
  }
  Handlers(const Handlers&) = delete;
  Handlers& operator=(const Handlers&) = delete;

 private:
  Escape* const outer_;
  const MujocoHandler outer_error_, outer_warning_;
};

}  // namespace

bool guarded(void (*body)(void*), void* context, std::string* message) {
  Escape here;
  bool returned;
  {
    const Handlers handlers(&here);
    returned = call(body, context, &here);
  }
  if (!returned) *message = here.message;
  return returned;
}

}  // namespace taskworlds
