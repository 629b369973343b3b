// Rows of numbers in one piece of memory.

#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>
#include <vector>

namespace taskworlds {

// Memory of zeros, for a vector that leaves its new elements as they come. The system provides the pages of a large one when
// they are first touched, in the memory that is next to the processor that does so.
template <typename T>
struct Zeros {
  using value_type = T;

  Zeros() = default;
  template <typename U>
  Zeros(const Zeros<U>&) {}  // NOLINT: allocators are converted

  T* allocate(std::size_t size) {
    void* const memory = std::calloc(size, sizeof(T));
    if (memory == nullptr) throw std::bad_alloc();
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t) { std::free(memory); }
  template <typename U>
  void construct(U*) {}
  template <typename U, typename Value>
  void construct(U* place, const Value& value) {
    *place = value;
  }

  template <typename U>
  bool operator==(const Zeros<U>&) const {
    return true;
  }
  template <typename U>
  bool operator!=(const Zeros<U>&) const {
    return false;
  }
};

template <typename T>
struct Matrix {
  Matrix() = default;
  Matrix(int rows, int columns) : data(static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns)), width(columns) {}

  std::size_t start(int row) const { return static_cast<std::size_t>(row) * static_cast<std::size_t>(width); }
  T* row(int index) { return data.data() + start(index); }
  const T* row(int index) const { return data.data() + start(index); }

  std::vector<T, Zeros<T>> data;  // one row after another
  int width = 0;
};

}  // namespace taskworlds
