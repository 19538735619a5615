// The loop of bilstm.py and the updates of lazy_adadelta.py, compiled. Same formulas, same order of
// gates (i, f, g, o); what a step computes is used while it is in the processor's cache.
//
// Shapes: N rows in time-major order, U different words, D numbers a vector, H units, V words of a
// table. `d_` names a gradient.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <numeric>
#include <vector>

namespace {

#if defined(__AVX512F__)
constexpr int BYTES = 64;
#elif defined(__AVX__)
constexpr int BYTES = 32;
#else
constexpr int BYTES = 16;
#endif

constexpr int ROWS = 8;  // of a product that are accumulated in registers at once
constexpr int SHORT = 16;  // bytes of a short register
constexpr int64_t KEPT = 64;  // rows of some steps whose product is formed at once

// A matrix [inner, columns] in panels as wide as a register, one after another: the right side of
// products. The last columns are a panel as wide as a short register if they fit in one, else one
// padded with zeros.
template <typename T>
struct Panels {
  static constexpr int64_t WIDTH = BYTES / sizeof(T), NARROW = SHORT / sizeof(T);
  int64_t inner, columns;
  std::unique_ptr<T[]> data;

  // The element (row, column) is from[row * down + column * right].
  Panels(const T* from, int64_t inner, int64_t columns, int64_t down, int64_t right)
      : inner(inner), columns(columns), data(new T[(columns + WIDTH - 1) / WIDTH * WIDTH * inner]) {
    T* to = data.get();
    for (int64_t first = 0; first < columns; first += WIDTH, from += WIDTH * right) {
      const int64_t used = std::min(WIDTH, columns - first), wide = width(used);
      if (right == 1 && used == WIDTH)
        for (int64_t row = 0; row < inner; row++)
          std::memcpy(to + row * WIDTH, from + row * down, BYTES);
      else
        for (int64_t n = 0; n < wide; n++)
          for (int64_t row = 0; row < inner; row++)
            to[row * wide + n] = n < used ? from[row * down + n * right] : 0;
      to += wide * inner;
    }
  }

  // result [rows, columns] += left [rows, inner] x this; left's element (row, k) is
  // left[row * down + k * right].
  void add_product(const T* left, int64_t rows, int64_t down, int64_t right, T* result) const {
    for (int64_t first = 0; first < columns; first += WIDTH)
      for (int64_t row = 0; row < rows; row += ROWS)
        block<ROWS>(std::min<int64_t>(ROWS, rows - row), left + row * down, down, right, first,
                    result + row * columns + first);
  }

 private:
  static int64_t width(int64_t used) { return used <= NARROW ? NARROW : WIDTH; }

  // One panel and at most M rows: the tile with as many rows as there are.
  template <int M>
  void block(int64_t rows, const T* left, int64_t down, int64_t right, int64_t first,
             T* result) const {
    if constexpr (M > 1)
      if (rows < M) return block<M - 1>(rows, left, down, right, first, result);
    const int64_t used = columns - first;
    if (used >= WIDTH)
      tile<M, BYTES>(left, down, right, first, result, WIDTH);
    else if (used > NARROW)
      tile<M, BYTES>(left, down, right, first, result, used);
    else
      tile<M, SHORT>(left, down, right, first, result, used);
  }

  template <int M, int SIZE>
  void tile(const T* left, int64_t down, int64_t right, int64_t first, T* result,
            int64_t used) const {
    typedef T Vector __attribute__((vector_size(SIZE)));
    Vector sum[M] = {}, panel;
    for (int m = 0; m < M; m++) std::memcpy(&sum[m], result + m * columns, used * sizeof(T));
    const T* from = data.get() + first * inner;
    for (int64_t k = 0; k < inner; k++, left += right, from += SIZE / sizeof(T)) {
      std::memcpy(&panel, from, SIZE);
      for (int m = 0; m < M; m++) sum[m] += left[m * down] * panel;
    }
    for (int m = 0; m < M; m++) std::memcpy(result + m * columns, &sum[m], used * sizeof(T));
  }
};

// exp of -80 to 80, beyond which it is of no account here: 2^n exp(r), n = x / ln 2 rounded, and the
// series of exp(r) to r^6 / 6!. Unlike std::exp it is vectorised without the compiler's library.
inline float bounded_exp(float x) {
  x = std::max(std::min(x, 80.f), -80.f);  // in this order NaN stays NaN, in the next it is -80
  const float bounded = std::max(-80.f, std::min(80.f, x));
  const float n = std::nearbyint(bounded * 1.44269504f), r = x - n * 0.69314718f;
  float sum = 1 / 720.f;
  for (float next : {1 / 120.f, 1 / 24.f, 1 / 6.f, 1 / 2.f, 1.f, 1.f}) sum = sum * r + next;
  const int32_t bits = (static_cast<int32_t>(n) + 127) << 23;
  float power;
  std::memcpy(&power, &bits, sizeof power);
  return power * sum;
}

// exp of at most 80: of more it may become infinite.
inline double bounded_exp(double x) { return std::exp(std::min(x, 80.0)); }

template <typename T>
inline T sigmoid(T x) {
  return T(1) / (T(1) + bounded_exp(-x));
}

template <typename T>
inline T tanh_of(T x) {
  return T(2) / (T(1) + bounded_exp(T(-2) * x)) - T(1);
}

// One step of one sentence. gate [4H] becomes the gates; old is the cell before, or zeros.
// Short loops over unrelated memory: compilers vectorise these, calls of exp included.
template <typename T>
void forward_step(T* __restrict__ gate, T* __restrict__ cell, T* __restrict__ tanh_cell, T* __restrict__ out,
             const T* __restrict__ old, int64_t hidden) {
  const T *i = gate, *f = gate + hidden, *g = gate + 2 * hidden, *o = gate + 3 * hidden;
  for (int64_t n = 0; n < 2 * hidden; n++) gate[n] = sigmoid(gate[n]);
  for (int64_t n = 2 * hidden; n < 3 * hidden; n++) gate[n] = tanh_of(gate[n]);
  for (int64_t n = 3 * hidden; n < 4 * hidden; n++) gate[n] = sigmoid(gate[n]);
  for (int64_t n = 0; n < hidden; n++) cell[n] = i[n] * g[n] + f[n] * old[n];
  for (int64_t n = 0; n < hidden; n++) tanh_cell[n] = tanh_of(cell[n]);
  for (int64_t n = 0; n < hidden; n++) out[n] = o[n] * tanh_cell[n];
}

// Back through it. carry [H]: the gradient of the cell from the step after, then for the one before.
template <typename T>
void backward_step(const T* __restrict__ gate, const T* __restrict__ tanh_cell, const T* __restrict__ old,
             const T* __restrict__ d_h, T* __restrict__ d_gate, T* __restrict__ carry,
             int64_t hidden) {
  const T *i = gate, *f = gate + hidden, *g = gate + 2 * hidden, *o = gate + 3 * hidden;
  T *d_i = d_gate, *d_f = d_i + hidden, *d_g = d_f + hidden, *d_o = d_g + hidden;
  for (int64_t n = 0; n < hidden; n++) {
    const T d_c = carry[n] + d_h[n] * o[n] * (1 - tanh_cell[n] * tanh_cell[n]);
    d_i[n] = d_c * g[n] * i[n] * (1 - i[n]);
    d_f[n] = d_c * old[n] * f[n] * (1 - f[n]);
    d_g[n] = d_c * i[n] * (1 - g[n] * g[n]);
    d_o[n] = d_h[n] * tanh_cell[n] * o[n] * (1 - o[n]);
    carry[n] = d_c * f[n];
  }
}

template <typename T>
void add(T* __restrict__ sums, const T* __restrict__ terms, int64_t count) {
  for (int64_t n = 0; n < count; n++) sums[n] += terms[n];
}

// What a direction works on; `const` is what it reads.
template <typename T>
struct Direction {
  const T *vectors;      // [U, D] of the words
  const int64_t *words;  // [N]
  const T *inputs;       // [4H, D] weights
  const T *recurrent;    // [4H, H]
  const T *bias;         // [4H]
  const int64_t *sizes;  // [steps] sentences that reach each step
  int64_t count, dim, hidden, steps;  // U, D, H
};

// gates [N, 4H], and cells, tanh_cells (tanh of cells) and states [N, H] are filled.
template <typename T>
void forward(const Direction<T>& d, T* gates, T* cells, T* tanh_cells, T* states) {
  const int64_t hidden = d.hidden, wide = 4 * hidden;
  const std::unique_ptr<T[]> projected(new T[d.count * wide]);  // a word's, however often it occurs
  for (int64_t word = 0; word < d.count; word++)
    std::copy_n(d.bias, wide, projected.get() + word * wide);
  Panels<T>(d.inputs, d.dim, wide, 1, d.dim)
      .add_product(d.vectors, d.count, d.dim, 1, projected.get());
  const Panels<T> recurrent(d.recurrent, hidden, wide, 1, hidden);
  const std::vector<T> nothing(hidden, 0);  // the cell before the first step
  int64_t row = 0, before = 0;
  for (int64_t t = 0; t < d.steps; before = row, row += d.sizes[t], t++) {
    const int64_t at = row * hidden;
    for (int64_t b = 0; b < d.sizes[t]; b++)
      std::copy_n(projected.get() + d.words[row + b] * wide, wide, gates + (row + b) * wide);
    if (t) recurrent.add_product(states + before * hidden, d.sizes[t], hidden, 1, gates + 4 * at);
    for (int64_t b = 0; b < d.sizes[t]; b++) {
      const int64_t to = at + b * hidden;
      const T* old = t ? cells + (before + b) * hidden : nothing.data();
      forward_step(gates + 4 * to, cells + to, tanh_cells + to, states + to, old, hidden);
    }
  }
}

// d_states [N, H]: gradients of the states, to which those from later steps are added.
// d_vectors, d_inputs, d_recurrent and d_bias: gradients, added to what is there; d_vectors may be
// null.
template <typename T>
void backward(const Direction<T>& d, const T* gates, const T* cells, const T* tanh_cells,
              const T* states, T* d_states, T* d_vectors, T* d_inputs, T* d_recurrent, T* d_bias) {
  const int64_t hidden = d.hidden, wide = 4 * hidden, most = KEPT + d.sizes[0];
  const Panels<T> recurrent(d.recurrent, wide, hidden, hidden, 1);
  const std::vector<T> nothing(hidden, 0);
  std::vector<T> carry(d.sizes[0] * hidden), d_words(d.count * wide);
  // The gradients of some steps' gates, and the states before them.
  const std::unique_ptr<T[]> d_gates(new T[most * wide]), olds(new T[most * hidden]);
  int64_t row = std::accumulate(d.sizes, d.sizes + d.steps, int64_t(0)), kept = 0;
  for (int64_t t = d.steps - 1; t >= 0; t--) {
    const int64_t size = d.sizes[t];
    row -= size;
    const int64_t before = t ? row - d.sizes[t - 1] : 0;
    T* d_step = d_gates.get() + kept * wide;
    for (int64_t b = 0; b < size; b++) {
      const int64_t at = (row + b) * hidden;
      const T* old = t ? cells + (before + b) * hidden : nothing.data();
      T* d_gate = d_step + b * wide;
      backward_step(gates + 4 * at, tanh_cells + at, old, d_states + at, d_gate, carry.data() + b * hidden,
              hidden);
      add(d_words.data() + d.words[row + b] * wide, d_gate, wide);
    }
    if (t) {
      recurrent.add_product(d_step, size, wide, 1, d_states + before * hidden);
      std::copy_n(states + before * hidden, size * hidden, olds.get() + kept * hidden);
      kept += size;
    }
    if (kept >= KEPT || !t) {
      Panels<T>(olds.get(), kept, hidden, hidden, 1)
          .add_product(d_gates.get(), wide, 1, wide, d_recurrent);
      kept = 0;
    }
  }
  for (int64_t word = 0; word < d.count; word++) add(d_bias, d_words.data() + word * wide, wide);
  if (d_vectors)
    Panels<T>(d.inputs, wide, d.dim, d.dim, 1)
        .add_product(d_words.data(), d.count, wide, 1, d_vectors);
  Panels<T>(d.vectors, d.count, d.dim, d.dim, 1)
      .add_product(d_words.data(), wide, 1, wide, d_inputs);
}

// One update of `count` numbers; both accumulators are multiplied by `decay` first.
template <typename T>
void adadelta(T* __restrict__ parameter, const T* __restrict__ gradient, T* __restrict__ square,
              T* __restrict__ delta, int64_t count, T decay, T lr, T rho, T eps) {
  for (int64_t n = 0; n < count; n++) {
    const T g = gradient[n];
    const T s = rho * decay * square[n] + (1 - rho) * g * g;
    const T old = decay * delta[n];
    const T update = std::sqrt((old + eps) / (s + eps)) * g;
    square[n] = s;
    delta[n] = rho * old + (1 - rho) * update * update;
    parameter[n] -= lr * update;
  }
}

}  // namespace

// What the package calls: by type of the numbers, with pointers to contiguous memory.
#define EXPORT(T)                                                                                 \
  extern "C" void forward_##T(const Direction<T>* d, T* gates, T* cells, T* tanh_cells, T* states) { \
    forward(*d, gates, cells, tanh_cells, states);                                                   \
  }                                                                                               \
  extern "C" void backward_##T(const Direction<T>* d, const T* gates, const T* cells,             \
                               const T* tanh_cells, const T* states, T* d_states, T* d_vectors,     \
                               T* d_inputs, T* d_recurrent, T* d_bias) {                          \
    backward(*d, gates, cells, tanh_cells, states, d_states, d_vectors, d_inputs, d_recurrent,      \
             d_bias);                                                                             \
  }                                                                                               \
  extern "C" void adadelta_##T(T* parameter, const T* gradient, T* square, T* delta,              \
                               int64_t count, double lr, double rho, double eps) {                \
    adadelta<T>(parameter, gradient, square, delta, count, 1, lr, rho, eps);                      \
  }                                                                                               \
  /* Rows [count] of a table [V, width]; touched [V]: the step in which each was updated last. */ \
  extern "C" void adadelta_rows_##T(T* table, const int64_t* rows, const T* gradient, T* square,  \
                                    T* delta, T* touched, int64_t count, int64_t width,           \
                                    int64_t step, double lr, double rho, double eps) {            \
    for (int64_t n = 0; n < count; n++) {                                                         \
      const int64_t at = rows[n] * width;                                                         \
      const double decay = std::pow(rho, step - 1 - touched[rows[n]]);                            \
      adadelta<T>(table + at, gradient + n * width, square + at, delta + at, width, decay, lr,    \
                  rho, eps);                                                                      \
      touched[rows[n]] = step;                                                                    \
    }                                                                                             \
  }

EXPORT(float)
EXPORT(double)
