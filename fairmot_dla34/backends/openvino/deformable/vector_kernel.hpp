// fp32 kernel on vectors of VECTOR_BYTES (vector extensions of GCC and Clang). The including file defines VECTOR_BYTES
// and VECTOR_ROWS and is compiled for a matching instruction set. VECTOR_ROWS x 2 vectors of sums fit the registers.
#pragma once

#include "sampling.hpp"

namespace {

constexpr int LANES = VECTOR_BYTES / 4;
constexpr int VECTORS = 2;                // vectors of outputs computed at once
constexpr int PANEL = VECTORS * LANES;    // outputs whose weights are adjacent in memory

typedef float Floats __attribute__((vector_size(VECTOR_BYTES)));
typedef uint32_t Words __attribute__((vector_size(VECTOR_BYTES)));
typedef uint16_t Halves __attribute__((vector_size(VECTOR_BYTES / 2)));

inline Floats load(const float* from) {
    Floats values;
    memcpy(&values, from, sizeof values);
    return values;
}

inline Floats load(const Bf16* from) {
    Halves halves;
    memcpy(&halves, from, sizeof halves);
    return reinterpret_cast<Floats>(__builtin_convertvector(halves, Words) << 16);
}

inline void store(float* to, Floats values) { memcpy(to, &values, sizeof values); }

inline void store(Bf16* to, Floats values) {  // rounds as `narrow` does
    const Words bits = reinterpret_cast<Words>(values);
    const Halves halves = __builtin_convertvector((bits + 0x7fff + ((bits >> 16) & 1)) >> 16, Halves);
    memcpy(to, &halves, sizeof halves);
}

// Packed layout: panels of outputs, each (TAPS * channels, PANEL).
void pack(const float* weight, int channels, int outputs, void* packed) {
    float* to = static_cast<float*>(packed);
    for (int panel = 0; panel < outputs; panel += PANEL)
        for (int tap = 0; tap < fairmot::TAPS; ++tap)
            for (int channel = 0; channel < channels; ++channel)
                for (int output = panel; output < panel + PANEL; ++output)
                    *to++ = weight[(static_cast<size_t>(output) * channels + channel) * fairmot::TAPS + tap];
}

template <class Element>
void sample(const fairmot::Source& source, int first, int count, void* samples) {
    const Element* cells = static_cast<const Element*>(source.cells);
    const Element* offsets = static_cast<const Element*>(source.offsets_and_mask);
    float* to = static_cast<float*>(samples);
    for (int cell = first; cell < first + count; ++cell) {
        const Element* offset = offsets + static_cast<size_t>(cell) * fairmot::OFFSETS_AND_MASK;
        for (int tap = 0; tap < fairmot::TAPS; ++tap, to += source.channels) {
            const Corners c = corners(source, cell / source.width, cell % source.width, tap, offset);
            for (int k = 0; k < source.channels; k += LANES) {
                Floats sum = load(cells + c.at[0] + k) * c.weight[0];
                for (int i = 1; i < 4; ++i) sum += load(cells + c.at[i] + k) * c.weight[i];
                store(to + k, sum);
            }
        }
    }
}

// Multiplies ROWS cells by one panel.
template <int ROWS, class Element>
inline void tile(const float* samples, const float* panel, const float* bias, Element* result, int depth, int outputs) {
    Floats sums[ROWS][VECTORS];
    for (int row = 0; row < ROWS; ++row)
        for (int v = 0; v < VECTORS; ++v) sums[row][v] = load(bias + v * LANES);
    for (int k = 0; k < depth; ++k, panel += PANEL) {
        Floats weights[VECTORS];
        for (int v = 0; v < VECTORS; ++v) weights[v] = load(panel + v * LANES);
#pragma GCC unroll 16
        for (int row = 0; row < ROWS; ++row)
            for (int v = 0; v < VECTORS; ++v)
                sums[row][v] += samples[static_cast<size_t>(row) * depth + k] * weights[v];
    }
    const Floats zero = {};
    for (int row = 0; row < ROWS; ++row)
        for (int v = 0; v < VECTORS; ++v)
            store(result + static_cast<size_t>(row) * outputs + v * LANES,
                  sums[row][v] > zero ? sums[row][v] : zero);
}

template <class Element>
void product(const void* samples, const void* packed, const float* bias, void* result, int count, int depth,
             int outputs) {
    const float* from = static_cast<const float*>(samples);
    const float* panel = static_cast<const float*>(packed);
    Element* to = static_cast<Element*>(result);
    for (int first = 0; first < outputs; first += PANEL, panel += static_cast<size_t>(depth) * PANEL) {
        int row = 0;
        for (; row + VECTOR_ROWS <= count; row += VECTOR_ROWS)
            tile<VECTOR_ROWS>(from + static_cast<size_t>(row) * depth, panel, bias + first,
                              to + static_cast<size_t>(row) * outputs + first, depth, outputs);
        for (; row < count; ++row)
            tile<1>(from + static_cast<size_t>(row) * depth, panel, bias + first,
                    to + static_cast<size_t>(row) * outputs + first, depth, outputs);
    }
}

template <class Element>
constexpr fairmot::Kernel vector_kernel(const char* instructions) {
    return {instructions, sizeof(float), VECTOR_ROWS, pack, sample<Element>, product<Element>};
}

}  // namespace
