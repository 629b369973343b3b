#include "pool.h"

#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace taskworlds {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kSlice = std::chrono::milliseconds(50);
constexpr auto kAwake = std::chrono::microseconds(200);
constexpr auto kBetween = std::chrono::microseconds(100);  // that a thread stays awake after a job

}  // namespace

struct Pool::Crew {
  struct Member {
    std::thread thread;
    std::condition_variable wake;
    std::atomic<bool> called{false};  // asked to take part in the current job; set with the mutex held
  };

  explicit Crew(int size) : members(static_cast<std::size_t>(size)) {}

  std::mutex mutex;
  std::condition_variable idle;  // the last item is done, or a member has left the job
  std::vector<std::unique_ptr<Member>> members;
  bool ending = false;
  std::atomic<bool> closed{false};
  int inside = 0;  // members that may still look at the job

  Work work = nullptr;
  void* context = nullptr;
  int items = 0;
  std::atomic<int> next{0};
  std::atomic<int> left{0};  // items not done

  // Works on the job until no item is left to begin. `tick` is called between items and may cancel the job.
  template <typename Tick>
  void take_part(int slot, Tick&& tick) {
    for (;;) {
      const int item = next.fetch_add(1, std::memory_order_relaxed);
      if (item >= items) return;
      work(context, slot, item);
      done(1);
      tick();
    }
  }

  void done(int count) {
    if (left.fetch_sub(count, std::memory_order_acq_rel) != count) return;
    const std::lock_guard<std::mutex> lock(mutex);
    idle.notify_all();
  }

  void drop_rest() {
    int dropped;
    {
      const std::lock_guard<std::mutex> lock(mutex);  // no job may be written down meanwhile, see Pool::close
      dropped = items - next.exchange(items, std::memory_order_relaxed);
    }
    if (dropped > 0) done(dropped);
  }

  // Waits without sleeping for as long as a row may take. Waking from sleep costs as much as a tenth of a small step.
  bool wait_awake() {
    const auto end = Clock::now() + kAwake;
    while (left.load(std::memory_order_acquire) != 0) {
      if (Clock::now() > end) return false;
      std::this_thread::yield();
    }
    return true;
  }

  bool wait_slice() {
    std::unique_lock<std::mutex> lock(mutex);
    return idle.wait_for(lock, kSlice, [this] { return left.load(std::memory_order_acquire) == 0; });
  }

  void serve(Member& self, int slot) {
    std::unique_lock<std::mutex> lock(mutex);
    for (;;) {
      lock.unlock();  // the next step often comes at once: then there is nothing to be woken from
      const auto end = Clock::now() + kBetween;
      while (!self.called.load(std::memory_order_acquire) && Clock::now() < end) std::this_thread::yield();
      lock.lock();
      self.wake.wait(lock, [&] { return self.called || ending; });
      if (ending) return;
      self.called = false;
      ++inside;
      lock.unlock();
      take_part(slot, [] {});
      lock.lock();
      if (--inside == 0) idle.notify_all();
    }
  }
};

Pool::Pool(int size) : size_(size), owner_(getpid()), crew_(std::make_unique<Crew>(size)) {}

Pool::~Pool() {
  if (!ours()) {
    static_cast<void>(crew_.release());  // its threads and perhaps a held mutex belong to the parent: nothing here to end
    return;
  }
  cancel();
  {
    const std::lock_guard<std::mutex> lock(crew_->mutex);
    crew_->ending = true;
    for (auto& member : crew_->members) {
      if (member) member->wake.notify_one();
    }
  }
  for (auto& member : crew_->members) {
    if (member) member->thread.join();
  }
}

bool Pool::ours() const { return owner_ == getpid(); }

Pool::Crew& Pool::crew() {
  if (!ours()) {
    static_cast<void>(crew_.release());
    crew_ = std::make_unique<Crew>(size_);
    owner_ = getpid();
  }
  return *crew_;
}

void Pool::begin(int items, Work work, void* context, int first_slot) {
  Crew& crew = this->crew();
  const int end_slot = items < size_ ? items : size_;
  for (int slot = first_slot; slot < end_slot; ++slot) {
    auto& member = crew.members[static_cast<std::size_t>(slot)];
    if (member) continue;
    auto made = std::make_unique<Crew::Member>();
    try {
      made->thread = std::thread([&crew, &self = *made, slot] { crew.serve(self, slot); });
    } catch (const std::system_error& error) {
      throw std::runtime_error("num_threads asks for " + std::to_string(size_) +
                               " threads, and the system lets this process have no more than " + std::to_string(slot) +
                               " (" + error.what() + "): make the environment with fewer, or raise the limit (ulimit -u).");
    }
    member = std::move(made);
  }
  std::unique_lock<std::mutex> lock(crew.mutex);
  // A member that woke too late for the last job must have left before the next one is written down.
  crew.idle.wait(lock, [&] { return crew.inside == 0; });
  if (crew.closed) items = 0;
  crew.work = work;
  crew.context = context;
  crew.items = items;
  crew.next.store(0, std::memory_order_relaxed);
  crew.left.store(items, std::memory_order_relaxed);
  for (int slot = 0; slot < size_; ++slot) {
    auto& member = crew.members[static_cast<std::size_t>(slot)];
    if (!member) continue;
    member->called = slot >= first_slot && slot < end_slot;
    if (member->called) member->wake.notify_one();
  }
}

void Pool::start(int items, Work work, void* context) { begin(items, work, context, 0); }

bool Pool::wait(Interrupted interrupted) {
  while (!crew_->wait_slice()) {
    if (interrupted()) {
      cancel();
      return false;
    }
  }
  return true;
}

bool Pool::run(int items, Work work, void* context, Interrupted interrupted) {
  begin(items, work, context, 1);
  Crew& crew = *crew_;
  bool stopped = false;
  auto asked = Clock::now();
  crew.take_part(0, [&] {
    const auto now = Clock::now();
    if (stopped || now - asked < kSlice) return;
    asked = now;
    stopped = interrupted();
    if (stopped) crew.drop_rest();
  });
  if (stopped) {
    cancel();
    return false;
  }
  return crew.wait_awake() || wait(interrupted);
}

void Pool::cancel() {
  crew_->drop_rest();
  while (!crew_->wait_slice()) {
  }
}

void Pool::close() {
  if (!ours()) return;
  crew_->closed = true;
  cancel();
}

bool Pool::closed() const { return crew_->closed; }

}  // namespace taskworlds
