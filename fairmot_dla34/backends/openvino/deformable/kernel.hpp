// What the operator's arithmetic looks like from outside; one implementation for each set of instructions.
//
// A deformable convolution of 3x3 is done as a product of matrices, block by block of output cells: `sample` writes
// the nine samples of every cell side by side, and `product` multiplies these rows with the weights. A block is small
// enough that its samples stay in a core's own cache.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace fairmot {

constexpr int TAPS = 9;                     // 3x3
constexpr int OFFSETS_AND_MASK = 3 * TAPS;  // (y, x) of every tap, then the logits of the mask
constexpr int CHANNEL_MULTIPLE = 32;        // of inputs and outputs: what the widest kernel takes at once

struct Bf16 {
    uint16_t bits;  // the upper half of a float
};

// What is sampled, channels last.
struct Source {
    const void* cells;             // (height, width, channels)
    const void* offsets_and_mask;  // (height, width, OFFSETS_AND_MASK)
    int height, width, channels;
};

struct Kernel {
    const char* instructions;
    size_t element_bytes;  // of a sample and of a packed weight
    int rows;              // cells that `product` takes at once; it takes other numbers too, slower

    // Order the weights (outputs, channels, 3, 3) as `product` reads them.
    void (*pack)(const float* weight, int channels, int outputs, void* packed);

    // Write the samples of `count` cells from `first` on: (count, TAPS * channels).
    void (*sample)(const Source& source, int first, int count, void* samples);

    // max(0, samples (count, depth) x weight (depth, outputs) + bias): (count, outputs).
    void (*product)(const void* samples, const void* packed, const float* bias, void* result, int count, int depth,
                    int outputs);
};

// Those that end in BF16 read and write bf16; the others fp32. All but AVX512_BF16 compute in fp32.
extern const Kernel PORTABLE, PORTABLE_BF16, AVX2, AVX2_BF16, AVX512, AVX512_BF16_IO, AVX512_BF16;

}  // namespace fairmot
