// Rows of numbers in one piece of memory.

#pragma once

#include <cstddef>
#include <vector>

namespace taskworlds {

template <typename T>
struct Matrix {
  Matrix() = default;
  Matrix(int rows, int columns) : data(static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns)), width(columns) {}

  std::size_t start(int row) const { return static_cast<std::size_t>(row) * static_cast<std::size_t>(width); }
  T* row(int index) { return data.data() + start(index); }
  const T* row(int index) const { return data.data() + start(index); }

  std::vector<T> data;  // one row after another
  int width = 0;
};

}  // namespace taskworlds
