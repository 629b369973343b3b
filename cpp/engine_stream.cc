// The engine's rows that are stepped each on its own.

#include <algorithm>
#include <set>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "engine.h"

namespace taskworlds {

template <typename T>
void Engine::send(const T* actions, const std::vector<int>& rows, int spare) {
  if (phase_ != Phase::streaming || pool_->closed() || !pool_->ours()) check_idle();
  forget_if_forked();
  if (!stream_) stream_ = std::make_unique<RowStream>(sizes.rows);
  std::vector<int> sorted = rows;
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end())
    throw std::invalid_argument("rows must differ, but " + std::to_string(*twice) + " is there twice.");
  for (const int row : rows) {
    if (row < 0 || row >= sizes.rows) {
      throw std::invalid_argument("rows must be in [0, " + std::to_string(sizes.rows) + "), not " + std::to_string(row) +
                                  ".");
    }
    if (stream_->is_under_way(row)) {
      throw std::logic_error("Row " + std::to_string(row) + " is under way: receive it before it is sent again.");
    }
    check_places(row);
  }
  if (phase_ == Phase::idle) {
    task_ = Task::step;
    stream_->open();
    pool_->start(std::min(threads_, sizes.rows), serve, this, Sharing::one_queue);
    phase_ = Phase::streaming;
  }
  for (const int row : rows) {
    const auto i = static_cast<std::size_t>(row);
    std::copy(actions, actions + actions_.width, actions_.row(row));
    actions += actions_.width;
    single_of_row_[i] = std::is_same<T, float>::value;
    std::fill(warnings.row(row), warnings.row(row) + mjNWARNING, 0);
  }
  stream_->send(rows, spare);
}

template void Engine::send(const float*, const std::vector<int>&, int);
template void Engine::send(const double*, const std::vector<int>&, int);

std::vector<RowStream::Taken> Engine::receive(const std::vector<Engine*>& engines, int count,
                                              Pool::Interrupted interrupted) {
  if (std::set<Engine*>(engines.begin(), engines.end()).size() < engines.size()) {
    throw std::invalid_argument("engines must differ, but one of them is there twice.");
  }
  bool lost = false;
  int under_way = 0;
  std::vector<RowStream*> streams;
  std::vector<int> places;  // of the streams' engines
  for (std::size_t k = 0; k < engines.size(); ++k) {
    Engine& engine = *engines[k];
    engine.check_open();
    if (engine.stream_ && !engine.pool_->ours()) {
      lost |= engine.under_way() > 0;
      static_cast<void>(engine.stream_.release());
      engine.phase_ = Phase::idle;
    }
    if (engine.under_way() == 0) continue;
    under_way += engine.under_way();
    streams.push_back(engine.stream_.get());
    places.push_back(static_cast<int>(k));
  }
  if (lost) throw std::logic_error("The process forked while rows were under way: this copy of them is lost.");
  if (under_way == 0) throw std::logic_error("No row is under way: send() some first.");
  struct Receiving {
    explicit Receiving(const std::vector<Engine*>& all) : engines(all) {
      for (Engine* const engine : engines) engine->receiving_ = true;
    }
    ~Receiving() {
      for (Engine* const engine : engines) engine->receiving_ = false;
    }
    const std::vector<Engine*>& engines;
  };
  std::vector<RowStream::Taken> taken;
  {
    const Receiving receiving(engines);
    taken = RowStream::take(streams, std::min(count, under_way), interrupted);
  }
  for (RowStream* const stream : streams) {
    if (stream->dropped()) throw std::logic_error("The engine was closed while rows were under way.");
  }
  for (RowStream::Taken& each : taken) each.stream = places[static_cast<std::size_t>(each.stream)];
  return taken;
}

// Steps rows of the stream until there is nothing to do any more.
void Engine::serve(void* self, int slot, int) {
  auto* const engine = static_cast<Engine*>(self);
  RowStream& stream = *engine->stream_;
  for (int row = stream.next(); row != RowStream::kEnd; row = stream.next()) {
    if (row == kSpare) {
      engine->settler_->work(kSpareSteps);
      continue;
    }
    engine->try_row(slot, row);
    stream.done(row);
  }
}

// Waits until the rows under way are done, and the threads free.
void Engine::finish_stream() {
  stream_->finish();
  while (!pool_->wait([] { return false; })) {
  }
  phase_ = Phase::idle;
}

}  // namespace taskworlds
