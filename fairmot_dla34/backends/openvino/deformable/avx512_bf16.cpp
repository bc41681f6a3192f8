// bf16 kernel on the dot product of pairs (AVX-512 BF16): samples and weights in bf16, sums in fp32.
#include <immintrin.h>

#include "sampling.hpp"

namespace {

constexpr int ROWS = 12, VECTORS = 2;   // sums take 24 of the 32 registers
constexpr int PANEL = VECTORS * 16;     // outputs whose weights are adjacent in memory
constexpr int PAIR = 2;                 // samples that one instruction multiplies and accumulates

typedef uint32_t Words __attribute__((vector_size(64)));

// Packed layout: panels of outputs, each (TAPS * channels / 2, PANEL, 2). The depth is in the order that `sample`
// writes: the even channels of each group of 32, then the odd ones.
void pack(const float* weight, int channels, int outputs, void* packed) {
    Bf16* to = static_cast<Bf16*>(packed);
    const int depth = fairmot::TAPS * channels;
    for (int panel = 0; panel < outputs; panel += PANEL)
        for (int k = 0; k < depth; k += PAIR)
            for (int output = panel; output < panel + PANEL; ++output)
                for (int place = k; place < k + PAIR; ++place) {
                    const int tap = place / channels, stored = place % channels, lane = stored % 32;
                    const int channel = stored - lane + (lane < 16 ? 2 * lane : 2 * (lane - 16) + 1);
                    *to++ = narrow(weight[(static_cast<size_t>(output) * channels + channel) * fairmot::TAPS + tap]);
                }
}

void sample(const fairmot::Source& source, int first, int count, void* samples) {
    const Bf16* cells = static_cast<const Bf16*>(source.cells);
    const Bf16* offsets = static_cast<const Bf16*>(source.offsets_and_mask);
    Bf16* to = static_cast<Bf16*>(samples);
    for (int cell = first; cell < first + count; ++cell) {
        const Bf16* offset = offsets + static_cast<size_t>(cell) * fairmot::OFFSETS_AND_MASK;
        for (int tap = 0; tap < fairmot::TAPS; ++tap, to += source.channels) {
            const Corners c = corners(source, cell / source.width, cell % source.width, tap, offset);
            for (int k = 0; k < source.channels; k += 32) {
                __m512 even = {}, odd = {};
                for (int i = 0; i < 4; ++i) {
                    Words pairs;  // two channels each, the even one in the lower half
                    memcpy(&pairs, cells + c.at[i] + k, sizeof pairs);
                    even += reinterpret_cast<__m512>(pairs << 16) * c.weight[i];
                    odd += reinterpret_cast<__m512>(pairs & 0xffff0000) * c.weight[i];
                }
                const __m512bh both = _mm512_cvtne2ps_pbh(odd, even);
                memcpy(to + k, &both, sizeof both);
            }
        }
    }
}

// Multiplies COUNT cells by one panel.
template <int COUNT>
inline void tile(const Bf16* samples, const Bf16* panel, const float* bias, Bf16* result, int depth, int outputs) {
    __m512 sums[COUNT][VECTORS];
    for (int row = 0; row < COUNT; ++row)
        for (int v = 0; v < VECTORS; ++v) sums[row][v] = _mm512_loadu_ps(bias + 16 * v);
    for (int k = 0; k < depth; k += PAIR, panel += PAIR * PANEL) {
        __m512bh weights[VECTORS];
        for (int v = 0; v < VECTORS; ++v)
            weights[v] = reinterpret_cast<__m512bh>(_mm512_loadu_si512(panel + 16 * PAIR * v));
#pragma GCC unroll 16
        for (int row = 0; row < COUNT; ++row) {
            int32_t pair;
            memcpy(&pair, samples + static_cast<size_t>(row) * depth + k, sizeof pair);
            const __m512bh pairs = reinterpret_cast<__m512bh>(_mm512_set1_epi32(pair));
            for (int v = 0; v < VECTORS; ++v) sums[row][v] = _mm512_dpbf16_ps(sums[row][v], pairs, weights[v]);
        }
    }
    const __m512 zero = {};
    for (int row = 0; row < COUNT; ++row)
        for (int v = 0; v < VECTORS; ++v) {
            const __m256bh halves = _mm512_cvtneps_pbh(sums[row][v] > zero ? sums[row][v] : zero);
            memcpy(result + static_cast<size_t>(row) * outputs + 16 * v, &halves, sizeof halves);
        }
}

void product(const void* samples, const void* packed, const float* bias, void* result, int count, int depth,
             int outputs) {
    const Bf16* from = static_cast<const Bf16*>(samples);
    const Bf16* panel = static_cast<const Bf16*>(packed);
    Bf16* to = static_cast<Bf16*>(result);
    for (int first = 0; first < outputs; first += PANEL, panel += static_cast<size_t>(depth) * PANEL) {
        int row = 0;
        for (; row + ROWS <= count; row += ROWS)
            tile<ROWS>(from + static_cast<size_t>(row) * depth, panel, bias + first,
                       to + static_cast<size_t>(row) * outputs + first, depth, outputs);
        for (; row < count; ++row)
            tile<1>(from + static_cast<size_t>(row) * depth, panel, bias + first,
                    to + static_cast<size_t>(row) * outputs + first, depth, outputs);
    }
}

}  // namespace

namespace fairmot {
const Kernel AVX512_BF16 = {"avx512_bf16", sizeof(Bf16), ROWS, pack, sample, product};
}  // namespace fairmot
