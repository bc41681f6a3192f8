// Kernels for AVX-512 (F, VL, BW, DQ): 32 registers.
#define VECTOR_BYTES 64
#define VECTOR_ROWS 12
#include "vector_kernel.hpp"

namespace fairmot {
const Kernel AVX512 = vector_kernel<float>("avx512");
const Kernel AVX512_BF16_IO = vector_kernel<Bf16>("avx512");
}  // namespace fairmot
