#include "pool.h"

#ifdef _WIN32
#include <process.h>
#else
#include <unistd.h>
#endif

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
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

int this_process() {
#ifdef _WIN32
  return _getpid();
#else
  return getpid();
#endif
}

}  // namespace

struct Pool::Crew {
  // Where a member is. Only the controlling thread calls, or takes back what the member has not followed yet; only a member
  // that was called goes inside, and comes out.
  enum class Place { outside, called, inside };

  struct alignas(kApart) Member {
    std::atomic<Place> place{Place::outside};
    std::atomic<bool> stop{false};  // ends what it does in its spare time
    std::thread thread;
    std::mutex mutex;
    std::condition_variable wake;

    void call() {
      stop.store(true);
      place.store(Place::called);
      {
        const std::lock_guard<std::mutex> lock(mutex);
      }  // it is awake, or sleeps by now and hears this
      wake.notify_one();
    }

    // Returns when the member is outside. One that is inside has no item left to begin, or the job is over.
    void call_back() {
      Place called = Place::called;
      if (place.compare_exchange_strong(called, Place::outside)) {
        stop.store(false);
        return;
      }
      while (place.load() != Place::outside) std::this_thread::yield();
    }
  };

  // Items from `next` to `end` have not begun.
  struct alignas(kApart) Share {
    std::atomic<int> next{0};
    int end = 0;
  };

  Crew(int size, Spare* given)
      : members(static_cast<std::size_t>(size)),
        spare(given),
        stays_awake(static_cast<unsigned>(size) <= std::thread::hardware_concurrency()),
        shares(static_cast<std::size_t>(size)) {}

  std::mutex mutex;
  std::condition_variable idle;  // the last item is done
  std::vector<std::unique_ptr<Member>> members;
  Spare* const spare;
  const bool stays_awake;  // more threads than processors would only take them from each other
  std::atomic<bool> ending{false};
  std::atomic<bool> closed{false};

  // The job. It is written down when all members are outside.
  Work work = nullptr;
  void* context = nullptr;
  int share_count = 1;
  std::vector<Share> shares;
  alignas(kApart) std::atomic<int> left{0};  // items not done, or done by participants that are still at it

  // Works on the job until no item is left to begin. `tick` is called between items with how many were done here and not
  // told yet. It may cancel the job.
  template <typename Tick>
  void take_part(int slot, Tick&& tick) {
    int count = 0;
    for (int k = 0; k < share_count; ++k) {
      Share& share = shares[static_cast<std::size_t>((slot + k) % share_count)];
      while (share.next.load(std::memory_order_relaxed) < share.end) {
        const int item = share.next.fetch_add(1, std::memory_order_relaxed);
        if (item >= share.end) break;
        work(context, slot, item);
        ++count;
        tick(count);
      }
    }
    done(count);
  }

  void done(int count) {
    if (count == 0 || left.fetch_sub(count, std::memory_order_acq_rel) != count) return;
    const std::lock_guard<std::mutex> lock(mutex);
    idle.notify_all();
  }

  void write_down(int items, int shares_of_it) {
    share_count = shares_of_it;
    for (int k = 0; k < share_count; ++k) {
      Share& share = shares[static_cast<std::size_t>(k)];
      share.next.store(first_of(k, items), std::memory_order_relaxed);
      share.end = first_of(k + 1, items);
    }
    left.store(items, std::memory_order_relaxed);
  }

  int first_of(int share, int items) const {
    return static_cast<int>(static_cast<std::int64_t>(items) * share / share_count);
  }

  void drop_rest() {
    int dropped = 0;
    {
      const std::lock_guard<std::mutex> lock(mutex);  // no job may be written down meanwhile, see Pool::close
      for (int k = 0; k < share_count; ++k) {
        Share& share = shares[static_cast<std::size_t>(k)];
        dropped += std::max(0, share.end - share.next.exchange(share.end, std::memory_order_relaxed));
      }
    }
    done(dropped);
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

  bool has_spare() const { return spare != nullptr && spare->waiting(); }

  void serve(Member& self, int slot) {
    for (;;) {
      const auto awake = stays_awake ? kBetween : std::chrono::microseconds(0);
      auto end = Clock::now() + awake;  // the next step often comes at once: then there is nothing to be woken from
      while (self.place.load() != Place::called && !ending) {
        if (has_spare()) {
          spare->work(self.stop);
          end = Clock::now() + awake;
        } else if (Clock::now() < end) {
          std::this_thread::yield();
        } else {
          std::unique_lock<std::mutex> lock(self.mutex);
          self.wake.wait(lock, [&] { return self.place.load() == Place::called || ending.load() || has_spare(); });
        }
      }
      if (ending) return;
      Place called = Place::called;
      if (!self.place.compare_exchange_strong(called, Place::inside)) continue;  // called back
      self.stop = false;
      take_part(slot, [](int&) {});
      self.place.store(Place::outside);
    }
  }
};

Pool::Pool(int size, Spare* spare)
    : size_(size), spare_(spare), owner_(this_process()), crew_(std::make_unique<Crew>(size, spare)) {}

Pool::~Pool() {
  if (!ours()) {
    static_cast<void>(crew_.release());  // its threads and perhaps a held mutex belong to the parent: nothing here to end
    return;
  }
  cancel();
  crew_->ending = true;
  for (auto& member : crew_->members) {
    if (!member) continue;
    member->stop = true;
    {
      const std::lock_guard<std::mutex> lock(member->mutex);
    }
    member->wake.notify_one();
  }
  for (auto& member : crew_->members) {
    if (member) member->thread.join();
  }
}

bool Pool::ours() const { return owner_ == this_process(); }

Pool::Crew& Pool::crew() {
  if (!ours()) {
    static_cast<void>(crew_.release());
    crew_ = std::make_unique<Crew>(size_, spare_);
    owner_ = this_process();
  }
  return *crew_;
}

void Pool::begin(int items, Work work, void* context, Sharing sharing, int first_slot) {
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
  for (auto& member : crew.members) {
    if (member) member->call_back();
  }
  {
    const std::lock_guard<std::mutex> lock(crew.mutex);
    if (crew.closed) items = 0;
    crew.work = work;
    crew.context = context;
    crew.write_down(items, sharing == Sharing::shares ? std::max(1, end_slot) : 1);
  }
  for (int slot = first_slot; slot < end_slot; ++slot) crew.members[static_cast<std::size_t>(slot)]->call();
}

void Pool::start(int items, Work work, void* context, Sharing sharing) { begin(items, work, context, sharing, 0); }

bool Pool::wait(Interrupted interrupted) {
  while (!crew_->wait_slice()) {
    if (interrupted()) {
      cancel();
      return false;
    }
  }
  return true;
}

void Pool::start_shared(int items, Work work, void* context, Sharing sharing) { begin(items, work, context, sharing, 1); }

bool Pool::run(int items, Work work, void* context, Sharing sharing, Interrupted interrupted) {
  start_shared(items, work, context, sharing);
  return help(interrupted);
}

bool Pool::help(Interrupted interrupted) {
  Crew& crew = *crew_;
  bool stopped = false;
  auto asked = Clock::now();
  crew.take_part(0, [&](int& count) {
    const auto now = Clock::now();
    if (stopped || now - asked < kSlice) return;
    asked = now;
    crew.done(std::exchange(count, 0));  // who asks may never come back (stay_if_exiting), and `close` waits for these
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

void Pool::wake() {
  if (!ours()) return;
  for (auto& member : crew_->members) {
    if (!member) continue;
    {
      const std::lock_guard<std::mutex> lock(member->mutex);
    }
    member->wake.notify_one();
  }
}

void Pool::close() {
  if (!ours()) return;
  crew_->closed = true;
  cancel();
}

bool Pool::closed() const { return crew_->closed; }

}  // namespace taskworlds
