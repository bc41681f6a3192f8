// Interface of the kernels that do the operator's arithmetic, one kernel for each instruction set.
//
// A 3x3 deformable convolution is computed as a matrix product, one block of output cells at a time: `sample` writes
// the nine samples of every cell side by side, and `product` multiplies these rows by the weights. The samples of a
// block fit into a core's private cache.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace fairmot {

constexpr int TAPS = 9;                     // 3x3
constexpr int OFFSETS_AND_MASK = 3 * TAPS;  // (y, x) of every tap, then the mask logits
constexpr int CHANNEL_MULTIPLE = 32;        // input and output channels that the widest kernel processes at once

struct Bf16 {
    uint16_t bits;  // upper half of a float32
};

// Input of the sampling step, channels last.
struct Source {
    const void* cells;             // (height, width, channels)
    const void* offsets_and_mask;  // (height, width, OFFSETS_AND_MASK)
    int height, width, channels;
};

struct Kernel {
    const char* instructions;
    size_t element_bytes;  // size of a sample and of a packed weight
    int rows;              // cells that `product` computes at once; other counts work too, but slower

    // Reorder weights (outputs, channels, 3, 3) into the layout that `product` reads.
    void (*pack)(const float* weight, int channels, int outputs, void* packed);

    // Write the samples of `count` cells, starting at cell `first`: (count, TAPS * channels).
    void (*sample)(const Source& source, int first, int count, void* samples);

    // Compute max(0, samples x weight + bias): (count, depth) x (depth, outputs) -> (count, outputs).
    void (*product)(const void* samples, const void* packed, const float* bias, void* result, int count, int depth,
                    int outputs);
};

// Kernels with BF16 in their name read and write bf16, the others fp32. All except AVX512_BF16 compute in fp32.
extern const Kernel PORTABLE, PORTABLE_BF16, AVX2, AVX2_BF16, AVX512, AVX512_BF16_IO, AVX512_BF16;

}  // namespace fairmot
