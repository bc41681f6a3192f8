// Kernels for AVX2 with FMA: 16 registers.
#define VECTOR_BYTES 32
#define VECTOR_ROWS 6
#include "vector_kernel.hpp"

namespace fairmot {
const Kernel AVX2 = vector_kernel<float>("avx2");
const Kernel AVX2_BF16 = vector_kernel<Bf16>("avx2");
}  // namespace fairmot
