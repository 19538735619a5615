// The loop of bilstm.py over the steps of both directions, compiled. Same formulas, same order of
// gates (i, f, g, o); torch multiplies the matrices, the rest of a step is one pass over memory.
//
// Shapes: N rows in time-major order, both directions in one tensor [2, N, ...], H units.

#include <torch/extension.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace {

template <typename T>
inline T sigmoid(T x) {
  return T(1) / (T(1) + std::exp(-x));
}

template <typename T>
inline T tanh_of(T x) {
  return T(2) / (T(1) + std::exp(T(-2) * x)) - T(1);
}

// One step of one sentence. gate [4H] becomes the gates; old is the cell before, or zeros.
// Short loops over unrelated memory: compilers vectorise these, calls of exp included.
template <typename T>
void advance(T* __restrict__ gate, T* __restrict__ cell, T* __restrict__ flat, T* __restrict__ out,
             const T* __restrict__ old, int64_t hidden) {
  const T *i = gate, *f = gate + hidden, *g = gate + 2 * hidden, *o = gate + 3 * hidden;
  for (int64_t n = 0; n < 2 * hidden; n++) gate[n] = sigmoid(gate[n]);
  for (int64_t n = 2 * hidden; n < 3 * hidden; n++) gate[n] = tanh_of(gate[n]);
  for (int64_t n = 3 * hidden; n < 4 * hidden; n++) gate[n] = sigmoid(gate[n]);
  for (int64_t n = 0; n < hidden; n++) cell[n] = i[n] * g[n] + f[n] * old[n];
  for (int64_t n = 0; n < hidden; n++) flat[n] = tanh_of(cell[n]);
  for (int64_t n = 0; n < hidden; n++) out[n] = o[n] * flat[n];
}

// Back through it. carry [H]: the gradient of the cell from the step after, then for the step before.
template <typename T>
void retreat(const T* __restrict__ gate, const T* __restrict__ flat, const T* __restrict__ old,
             const T* __restrict__ dh, T* __restrict__ d_gate, T* __restrict__ carry, int64_t hidden) {
  const T *i = gate, *f = gate + hidden, *g = gate + 2 * hidden, *o = gate + 3 * hidden;
  T *di = d_gate, *df = d_gate + hidden, *dg = d_gate + 2 * hidden, *d_o = d_gate + 3 * hidden;
  for (int64_t n = 0; n < hidden; n++) carry[n] += dh[n] * o[n] * (1 - flat[n] * flat[n]);
  for (int64_t n = 0; n < hidden; n++) di[n] = carry[n] * g[n] * i[n] * (1 - i[n]);
  for (int64_t n = 0; n < hidden; n++) df[n] = carry[n] * old[n] * f[n] * (1 - f[n]);
  for (int64_t n = 0; n < hidden; n++) dg[n] = carry[n] * i[n] * (1 - g[n] * g[n]);
  for (int64_t n = 0; n < hidden; n++) d_o[n] = dh[n] * flat[n] * o[n] * (1 - o[n]);
  for (int64_t n = 0; n < hidden; n++) carry[n] *= f[n];
}

// Products with the transpose laid out row by row are faster than with a view of it.
template <typename T>
at::Tensor transposed(const at::Tensor& weights) {
  const int64_t rows = weights.size(0), columns = weights.size(1), block = 16;
  at::Tensor result = at::empty({columns, rows}, weights.options());
  const T* from = weights.data_ptr<T>();
  T* to = result.data_ptr<T>();
  for (int64_t r = 0; r < rows; r += block)
    for (int64_t c = 0; c < columns; c++)
      for (int64_t n = r; n < std::min(r + block, rows); n++) to[c * rows + n] = from[n * columns + c];
  return result;
}

// gates: projected inputs, which become the gates; cells, squashed (tanh of cells), states: filled.
template <typename T>
void forward_of(at::Tensor gates, at::Tensor cells, at::Tensor squashed, at::Tensor states,
                const at::Tensor (&recurrent)[2], const std::vector<int64_t>& sizes) {
  const int64_t hidden = cells.size(2);
  const std::vector<T> nothing(hidden, 0);  // the cell before the first step
  for (int64_t direction = 0; direction < 2; direction++) {
    at::Tensor gate = gates[direction], state = states[direction];
    T* all = gate.data_ptr<T>();
    T* cell = cells[direction].data_ptr<T>();
    T* flat = squashed[direction].data_ptr<T>();
    T* out = state.data_ptr<T>();
    int64_t row = 0, before = 0;
    for (size_t t = 0; t < sizes.size(); t++) {
      const int64_t size = sizes[t];
      if (t) gate.narrow(0, row, size).addmm_(state.narrow(0, before, size), recurrent[direction]);
      for (int64_t b = 0; b < size; b++) {
        const int64_t at = (row + b) * hidden;
        const T* old = t ? cell + (before + b) * hidden : nothing.data();
        advance(all + 4 * at, cell + at, flat + at, out + at, old, hidden);
      }
      before = row;
      row += size;
    }
  }
}

template <typename T>
void backward_of(at::Tensor gates, at::Tensor cells, at::Tensor squashed, at::Tensor d_states,
                 at::Tensor d_gates, const at::Tensor (&recurrent)[2],
                 const std::vector<int64_t>& sizes) {
  const int64_t hidden = cells.size(2);
  const std::vector<T> nothing(hidden, 0);
  for (int64_t direction = 0; direction < 2; direction++) {
    std::vector<T> carry(sizes[0] * hidden, 0);
    at::Tensor d_gate = d_gates[direction], d_state = d_states[direction];
    const T* all = gates[direction].data_ptr<T>();
    const T* cell = cells[direction].data_ptr<T>();
    const T* flat = squashed[direction].data_ptr<T>();
    T* d_all = d_gate.data_ptr<T>();
    const T* d_out = d_state.data_ptr<T>();
    int64_t row = gates.size(1);
    for (int64_t t = (int64_t)sizes.size() - 1; t >= 0; t--) {
      const int64_t size = sizes[t];
      row -= size;
      const int64_t before = t ? row - sizes[t - 1] : 0;
      for (int64_t b = 0; b < size; b++) {
        const int64_t at = (row + b) * hidden;
        const T* old = t ? cell + (before + b) * hidden : nothing.data();
        retreat(all + 4 * at, flat + at, old, d_out + at, d_all + 4 * at, carry.data() + b * hidden,
                hidden);
      }
      if (t) {
        d_state.narrow(0, before, size)
            .addmm_(d_gate.narrow(0, row, size), recurrent[direction]);
      }
    }
  }
}

void forward(at::Tensor gates, at::Tensor cells, at::Tensor squashed, at::Tensor states,
             at::Tensor u_ahead, at::Tensor u_back, const std::vector<int64_t>& sizes) {
  AT_DISPATCH_FLOATING_TYPES(gates.scalar_type(), "two_directions_forward", [&] {
    const at::Tensor recurrent[2] = {transposed<scalar_t>(u_ahead), transposed<scalar_t>(u_back)};
    forward_of<scalar_t>(gates, cells, squashed, states, recurrent, sizes);
  });
}

// d_states: gradients of the states, to which those from later steps are added.
// Returns the gradients of the gates' inputs [2, N, 4H].
at::Tensor backward(at::Tensor gates, at::Tensor cells, at::Tensor squashed, at::Tensor d_states,
                    at::Tensor u_ahead, at::Tensor u_back, const std::vector<int64_t>& sizes) {
  at::Tensor d_gates = at::empty_like(gates);
  const at::Tensor recurrent[2] = {u_ahead, u_back};
  AT_DISPATCH_FLOATING_TYPES(gates.scalar_type(), "two_directions_backward", [&] {
    backward_of<scalar_t>(gates, cells, squashed, d_states, d_gates, recurrent, sizes);
  });
  return d_gates;
}

}  // namespace

PYBIND11_MODULE(TORCH_EXTENSION_NAME, module) {
  module.def("forward", &forward);
  module.def("backward", &backward);
}
