// A persistent set of threads that share out the items of one job after another.

#pragma once

#include <atomic>
#include <cstddef>
#include <memory>

namespace taskworlds {

// What threads write often lies so far apart that no two share a cache line, nor the next one, which processors fetch along.
constexpr std::size_t kApart = 128;

enum class Sharing { one_queue, shares };

// Items are handed out one by one, so a slow item holds up nobody: all from one counter, in their order
// (`Sharing::one_queue`), or each participant its own share first, and then what is left of the others' (`Sharing::shares`).
// A share is always the same slot's, counting does not move a cache line between processors, and the order does not matter.
//
// Each participant of a job has a slot number in [0, size): at most one thread uses a slot at a time, and what was written
// in a slot is seen by its next user.
//
// Threads start on first use. A fork leaves them behind in the parent; the child starts its own on its first use.
// All member functions but `close` and `closed` belong to one controlling thread at a time.
class Pool {
 public:
  using Work = void (*)(void* context, int slot, int item);
  // Asked about twenty times a second while the controlling thread works or waits; true means: stop the job.
  using Interrupted = bool (*)();

  // What threads do that have no item. It must not throw.
  class Spare {
   public:
    virtual ~Spare() = default;
    // Whether there is something to do. Whoever makes it so calls `Pool::wake`.
    virtual bool waiting() const = 0;
    // Does some of it, and comes back soon after `stop` was set.
    virtual void work(const std::atomic<bool>& stop) = 0;
  };

  explicit Pool(int size, Spare* spare = nullptr);
  // Drops the rest of the job, if there is one, and ends the threads.
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  int size() const { return size_; }

  // Starts a job on the pool's threads and returns.
  void start(int items, Work work, void* context, Sharing sharing);
  // Waits until the job's last item is done. If `interrupted` says so the items not yet begun are dropped, those begun are
  // waited for, and the result is false.
  bool wait(Interrupted interrupted);
  // Starts a job in which the calling thread will take part: it calls `help` later, or `wait` with what interrupts at once.
  void start_shared(int items, Work work, void* context, Sharing sharing);
  // Takes part in the job until it is done. The result is as that of `wait`.
  bool help(Interrupted interrupted);
  // start_shared and help in one.
  bool run(int items, Work work, void* context, Sharing sharing, Interrupted interrupted);
  // Drops the items not yet begun and waits for the others. Later jobs have no items. May be called while another thread is
  // in any of the functions above.
  void close();
  bool closed() const;

  // Has threads that sleep look for something to do in their spare time. No thread is started for it.
  void wake();

  // Whether this is the process that started the threads. In a forked child it is false until the next start or run, and
  // a job that was under way there is lost.
  bool ours() const;

 private:
  struct Crew;
  Crew& crew();
  void cancel();
  void begin(int items, Work work, void* context, Sharing sharing, int first_slot);

  int size_;
  Spare* spare_;
  int owner_;  // the process
  std::unique_ptr<Crew> crew_;
};

}  // namespace taskworlds
