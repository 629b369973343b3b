#include "row_stream.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace taskworlds {
namespace {

constexpr auto kSlice = std::chrono::milliseconds(50);

}  // namespace

std::atomic<std::uint64_t> RowStream::places{0};

// Waits for rows of some streams, which tell it of those that are done. They hold no mutex then, so whoever is woken need
// not wait for one. So it may also be told when nobody waits any more: the streams keep it until then.
class RowStream::Waiter {
 public:
  explicit Waiter(int count) : missing_(count) {}

  void there_are(int more) {
    bool enough;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      enough = missing_ > 0 && missing_ <= more;
      missing_ -= more;
    }
    if (enough) enough_.notify_one();
  }

  void drop() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      dropped_ = true;
    }
    enough_.notify_one();
  }

  // Whether there are enough; false if it was interrupted, or a stream dropped.
  bool wait(Pool::Interrupted interrupted) {
    std::unique_lock<std::mutex> lock(mutex_);
    while (!enough_.wait_for(lock, kSlice, [this] { return missing_ <= 0 || dropped_; })) {
      lock.unlock();
      if (interrupted()) return false;
      lock.lock();
    }
    return !dropped_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable enough_;
  int missing_;
  bool dropped_ = false;
};

void RowStream::open() {
  const std::lock_guard<std::mutex> lock(mutex_);
  finishing_ = false;
}

void RowStream::send(const std::vector<int>& rows, int spare) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    waiting_.insert(waiting_.end(), rows.begin(), rows.end());
    waiting_.insert(waiting_.end(), static_cast<std::size_t>(std::max(spare, 0)), static_cast<int>(kSpare));
  }
  for (const int row : rows) under_way_[static_cast<std::size_t>(row)] = true;
  count_ += static_cast<int>(rows.size());
  rows.size() + static_cast<std::size_t>(std::max(spare, 0)) == 1 ? sent_.notify_one() : sent_.notify_all();
}

std::vector<RowStream::Taken> RowStream::take(const std::vector<RowStream*>& streams, int count,
                                              Pool::Interrupted interrupted) {
  const auto waiter = std::make_shared<Waiter>(count);
  for (RowStream* const stream : streams) stream->watch(waiter);
  const bool enough = waiter->wait(interrupted);
  for (RowStream* const stream : streams) stream->watch(nullptr);
  if (!enough) return {};
  if (interrupted()) return {};  // also what came after the last slice: once rows are taken, nothing may stop their way
  std::vector<std::unique_lock<std::mutex>> locks;
  for (RowStream* const stream : streams) {
    locks.emplace_back(stream->mutex_);
    if (stream->dropped_) return {};
  }
  std::vector<Taken> taken;
  taken.reserve(static_cast<std::size_t>(count));
  while (static_cast<int>(taken.size()) < count) {
    int first = -1;
    for (int k = 0; k < static_cast<int>(streams.size()); ++k) {
      const std::deque<Done>& its = streams[static_cast<std::size_t>(k)]->ready_;
      if (its.empty()) continue;
      if (first < 0 || its.front().place < streams[static_cast<std::size_t>(first)]->ready_.front().place) first = k;
    }
    RowStream& stream = *streams[static_cast<std::size_t>(first)];
    const int row = stream.ready_.front().row;
    stream.ready_.pop_front();
    stream.under_way_[static_cast<std::size_t>(row)] = false;
    --stream.count_;
    taken.push_back({first, row});
  }
  return taken;
}

void RowStream::watch(std::shared_ptr<Waiter> waiter) {
  const std::lock_guard<std::mutex> lock(mutex_);
  waiter_ = std::move(waiter);
  if (waiter_ == nullptr) return;
  waiter_->there_are(static_cast<int>(ready_.size()));
  if (dropped_) waiter_->drop();
}

void RowStream::finish() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    finishing_ = true;
  }
  sent_.notify_all();
}

void RowStream::drop() {
  std::shared_ptr<Waiter> waiter;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    dropped_ = true;
    waiting_.clear();
    waiter = waiter_;
  }
  if (waiter != nullptr) waiter->drop();
  sent_.notify_all();
}

bool RowStream::dropped() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return dropped_;
}

int RowStream::next() {
  std::unique_lock<std::mutex> lock(mutex_);
  sent_.wait(lock, [this] { return !waiting_.empty() || finishing_ || dropped_; });
  if (waiting_.empty()) return kEnd;
  const int row = waiting_.front();
  waiting_.pop_front();
  return row;
}

void RowStream::done(int row) {
  std::shared_ptr<Waiter> waiter;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ready_.push_back({row, places.fetch_add(1, std::memory_order_relaxed)});
    waiter = waiter_;
  }
  if (waiter != nullptr) waiter->there_are(1);
}

}  // namespace taskworlds
