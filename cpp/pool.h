// A persistent set of threads that share out the items of one job after another.

#pragma once

#include <atomic>
#include <memory>

#include <sys/types.h>

namespace taskworlds {

// Items are handed out one by one, so a slow item holds up nobody. Each participant of a job has a slot number in
// [0, size): at most one thread uses a slot at a time, and what was written in a slot is seen by its next user.
//
// Threads start on first use. A fork leaves them behind in the parent; the child starts its own on its first use.
// All member functions but `close` and `closed` belong to one controlling thread at a time.
class Pool {
 public:
  using Work = void (*)(void* context, int slot, int item);
  // Asked about twenty times a second while the controlling thread works or waits; true means: stop the job.
  using Interrupted = bool (*)();

  explicit Pool(int size);
  // Drops the rest of the job, if there is one, and ends the threads.
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  int size() const { return size_; }

  // Starts a job on the pool's threads and returns.
  void start(int items, Work work, void* context);
  // Waits until the job's last item is done. If `interrupted` says so the items not yet begun are dropped, those begun are
  // waited for, and the result is false.
  bool wait(Interrupted interrupted);
  // start and wait in one, with the calling thread as one of the workers.
  bool run(int items, Work work, void* context, Interrupted interrupted);
  // Drops the items not yet begun and waits for the others. Later jobs have no items. May be called while another thread is
  // in any of the functions above.
  void close();
  bool closed() const;

  // Whether this is the process that started the threads. In a forked child it is false until the next start or run, and
  // a job that was under way there is lost.
  bool ours() const;

 private:
  struct Crew;
  Crew& crew();
  void cancel();
  void begin(int items, Work work, void* context, int first_slot);

  int size_;
  pid_t owner_;
  std::unique_ptr<Crew> crew_;
};

}  // namespace taskworlds
