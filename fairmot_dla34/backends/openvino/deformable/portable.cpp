// Kernels for any x86-64 processor: SSE2, 16 registers.
#define VECTOR_BYTES 16
#define VECTOR_ROWS 4
#include "vector_kernel.hpp"

namespace fairmot {
const Kernel PORTABLE = vector_kernel<float>("portable");
const Kernel PORTABLE_BF16 = vector_kernel<Bf16>("portable");
}  // namespace fairmot
