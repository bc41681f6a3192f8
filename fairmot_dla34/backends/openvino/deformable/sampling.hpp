// Sampling points of a deformable convolution: equation 1 of DCNv2 (arXiv 1811.11168), with the bilinear interpolation
// of DCN (arXiv 1703.06211, equations 3 and 4). Values beyond the border are 0.
#pragma once

#include <math.h>
#include <string.h>

#include "kernel.hpp"

// Everything in this file and in the kernels has internal linkage: the linker must not merge functions that were
// compiled for different instruction sets.
namespace {

using fairmot::Bf16;

inline float widen(float value) { return value; }

inline float widen(Bf16 value) {
    const uint32_t bits = static_cast<uint32_t>(value.bits) << 16;
    float result;
    memcpy(&result, &bits, sizeof result);
    return result;
}

// Rounds to nearest, ties to even.
inline Bf16 narrow(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return {static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16)};
}

// The four cells around a sampling point: index of their first element, and interpolation weight times mask.
struct Corners {
    size_t at[4];
    float weight[4];
};

inline Corners nothing() { return {{0, 0, 0, 0}, {0, 0, 0, 0}}; }

// The corners of tap `tap` at the output cell (row, column); `offset` points to the cell's OFFSETS_AND_MASK values.
template <class Element>
inline Corners corners(const fairmot::Source& source, int row, int column, int tap, const Element* offset) {
    const int height = source.height, width = source.width;
    const float y = static_cast<float>(row - 1 + tap / 3) + widen(offset[2 * tap]);
    const float x = static_cast<float>(column - 1 + tap % 3) + widen(offset[2 * tap + 1]);
    const bool inside = y > -1.f && y < static_cast<float>(height) && x > -1.f && x < static_cast<float>(width);
    if (!inside) return nothing();  // also if an offset is NaN
    const float mask = 1.f / (1.f + expf(-widen(offset[2 * fairmot::TAPS + tap])));
    const float top = floorf(y), left = floorf(x);
    const float down = y - top, right = x - left;
    const int y0 = static_cast<int>(top), x0 = static_cast<int>(left), y1 = y0 + 1, x1 = x0 + 1;
    // A corner outside the image reads a cell inside it, with weight 0.
    const float wy0 = y0 >= 0 ? (1.f - down) * mask : 0.f, wy1 = y1 < height ? down * mask : 0.f;
    const float wx0 = x0 >= 0 ? 1.f - right : 0.f, wx1 = x1 < width ? right : 0.f;
    const size_t row0 = static_cast<size_t>(y0 < 0 ? 0 : y0) * width;
    const size_t row1 = static_cast<size_t>(y1 < height ? y1 : height - 1) * width;
    const size_t column0 = x0 < 0 ? 0 : x0, column1 = x1 < width ? x1 : width - 1;
    const size_t channels = source.channels;
    return {{(row0 + column0) * channels, (row0 + column1) * channels, (row1 + column0) * channels,
             (row1 + column1) * channels},
            {wy0 * wx0, wy0 * wx1, wy1 * wx0, wy1 * wx1}};
}

}  // namespace
