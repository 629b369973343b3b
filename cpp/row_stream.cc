#include "row_stream.h"

#include <algorithm>
#include <chrono>

namespace taskworlds {
namespace {

constexpr auto kSlice = std::chrono::milliseconds(50);

}  // namespace

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

std::vector<int> RowStream::take(int count, Pool::Interrupted interrupted) {
  std::unique_lock<std::mutex> lock(mutex_);
  wanted_ = static_cast<std::size_t>(count);
  const auto enough = [this] { return ready_.size() >= wanted_ || dropped_; };
  while (!enough_.wait_for(lock, kSlice, enough)) {
    lock.unlock();
    if (interrupted()) return {};
    lock.lock();
  }
  if (dropped_) return {};
  std::vector<int> rows(ready_.begin(), ready_.begin() + count);
  ready_.erase(ready_.begin(), ready_.begin() + count);
  for (const int row : rows) under_way_[static_cast<std::size_t>(row)] = false;
  count_ -= count;
  return rows;
}

void RowStream::finish() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    finishing_ = true;
  }
  sent_.notify_all();
}

void RowStream::drop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    dropped_ = true;
    waiting_.clear();
  }
  sent_.notify_all();
  enough_.notify_all();
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
  bool last;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ready_.push_back(row);
    last = ready_.size() == wanted_;
  }
  if (last) enough_.notify_one();
}

}  // namespace taskworlds
