// Rows that are worked on as they are sent, for whoever takes those that are done first.

#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "pool.h"

namespace taskworlds {

// A row is under way from when it is sent until it is taken. `open`, `send`, `take`, `finish` and `is_under_way` belong to
// one controlling thread; `next` and `done` are called by threads that work. What was written before a row was sent is seen
// by the thread that works on it, and what that one wrote by the thread that takes the row.
//
// Rows of several streams can be taken together. Of the mutexes of several streams only `take` holds more than one.
class RowStream {
 public:
  static constexpr int kSpare = -1, kEnd = -2;

  explicit RowStream(int rows) : under_way_(static_cast<std::size_t>(rows)) {}

  // Lets `next` wait for rows again, after `finish`.
  void open();
  // The rows must not be under way. After them come so many turns of spare work, for which `next` returns kSpare.
  void send(const std::vector<int>& rows, int spare);
  // A row, and the place of its stream among those that were given.
  struct Taken {
    int stream, row;
  };

  // Waits until `count` rows are done, of at least as many that are under way in all of the streams together, and takes
  // those that were done first. Takes none if `interrupted` says so before that, or one of the streams was dropped. The
  // streams differ.
  static std::vector<Taken> take(const std::vector<RowStream*>& streams, int count, Pool::Interrupted interrupted);
  // Lets `next` return kEnd once no row is left to begin, until the next `open`.
  void finish();
  // Drops the rows that have not begun, ends `next` for good and `take` at once. May be called by any thread.
  void drop();

  bool is_under_way(int row) const { return under_way_[static_cast<std::size_t>(row)]; }
  int count() const { return count_; }
  bool dropped() const;

  // Waits for a row and returns it, or kSpare; kEnd if there is nothing to do any more.
  int next();
  void done(int row);

 private:
  struct Done {
    int row;
    std::uint64_t place;  // in the order in which the rows of all streams are done
  };
  class Waiter;

  // Tells it of rows that are done, those that are by now included; nullptr: nobody.
  void watch(std::shared_ptr<Waiter> waiter);

  static std::atomic<std::uint64_t> places;

  mutable std::mutex mutex_;
  std::condition_variable sent_;
  std::deque<int> waiting_;
  std::deque<Done> ready_;
  std::shared_ptr<Waiter> waiter_;  // who is to be told of rows that are done
  bool finishing_ = false, dropped_ = false;
  std::vector<bool> under_way_;
  int count_ = 0;
};

}  // namespace taskworlds
