// OpenVINO operator: 3x3 deformable convolution (DCNv2, arXiv 1811.11168), stride 1, one group of offsets, fused with
// the sigmoid of the mask, the bias and a ReLU. OpenVINO's own operation always computes in fp32.
//
// The interface is described in "Custom OpenVINO Operations" of OpenVINO's documentation. The CPU plugin calls
// `evaluate` inside the task arena of the request; the oneTBB loop distributes the work over that arena's threads.
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <openvino/core/extension.hpp>
#include <openvino/core/op_extension.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/op.hpp>
#include <string>
#include <vector>

#include "kernel.hpp"

#ifndef FAIRMOT_SOURCES
#define FAIRMOT_SOURCES ""
#endif

namespace fairmot {

namespace {

// Names the sources that the library was built from; the package runs it with exactly these.
__attribute__((used)) const char SOURCES[] = "fairmot_deformable sources " FAIRMOT_SOURCES;

constexpr size_t CACHED_BYTES = 384 << 10;  // samples per block: fit a core's private cache beside a panel of weights
constexpr int BLOCKS_PER_THREAD = 4;        // minimum, so that all threads finish together
constexpr size_t LINE = 64;                 // cache line in bytes

bool runs(const Kernel& kernel) {
    const std::string name = kernel.instructions;
    if (name == "portable") return true;
    if (name == "avx2") return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
    return avx512 && (name == "avx512" || __builtin_cpu_supports("avx512bf16"));
}

// Returns the kernel of that name, for "" the fastest that this processor supports; nullptr if there is none.
const Kernel* find_kernel(const std::string& instructions, bool bf16) {
    static const std::array<const Kernel*, 4> BF16 = {&AVX512_BF16, &AVX512_BF16_IO, &AVX2_BF16, &PORTABLE_BF16};
    static const std::array<const Kernel*, 3> FP32 = {&AVX512, &AVX2, &PORTABLE};
    const auto fits = [&](const Kernel* kernel) {
        return (instructions.empty() || instructions == kernel->instructions) && runs(*kernel);
    };
    const Kernel* const* begin = bf16 ? BF16.data() : FP32.data();
    const Kernel* const* end = begin + (bf16 ? BF16.size() : FP32.size());
    const Kernel* const* found = std::find_if(begin, end, fits);
    return found == end ? nullptr : *found;
}

// Memory aligned to a cache line.
class Buffer {
public:
    void* at_least(size_t bytes) {
        if (m_bytes.size() < bytes + LINE) m_bytes.resize(bytes + LINE);
        return at();
    }
    void* at() {
        const uintptr_t start = reinterpret_cast<uintptr_t>(m_bytes.data());
        return reinterpret_cast<void*>((start + LINE - 1) & ~(LINE - 1));
    }

private:
    std::vector<char> m_bytes;
};

}  // namespace

class DeformableConvolutionRelu : public ov::op::Op {
public:
    OPENVINO_OP("DeformableConvolutionRelu", "fairmot_dla34");

    DeformableConvolutionRelu() = default;
    DeformableConvolutionRelu(const ov::OutputVector& inputs, const std::string& instructions)
        : Op(inputs), m_instructions(instructions) {
        constructor_validate_and_infer_types();
    }

    // Inputs: x (1, H, W, C) and offsets_and_mask (1, H, W, 27) in fp32 or bf16, weight (O, C, 3, 3) and bias (O) in
    // fp32. Output: (1, H, W, O), of the type of x.
    void validate_and_infer_types() override {
        NODE_VALIDATION_CHECK(this, get_input_size() == 4, "expected x, offsets_and_mask, weight, bias");
        for (size_t i = 0; i < 4; ++i)
            NODE_VALIDATION_CHECK(this, get_input_partial_shape(i).is_static(), "input ", i, " has no fixed shape");
        const ov::Shape x = get_input_shape(0), offsets = get_input_shape(1), weight = get_input_shape(2);
        NODE_VALIDATION_CHECK(this, x.size() == 4 && x[0] == 1, "x is ", x, ", expected (1, H, W, C)");
        NODE_VALIDATION_CHECK(this, offsets == ov::Shape({1, x[1], x[2], OFFSETS_AND_MASK}),
                              "offsets and mask are ", offsets, ", expected (1, H, W, 27)");
        NODE_VALIDATION_CHECK(this, weight.size() == 4 && weight == ov::Shape({weight[0], x[3], 3, 3}),
                              "weight is ", weight, ", expected (O, C, 3, 3)");
        NODE_VALIDATION_CHECK(this, x[3] % CHANNEL_MULTIPLE == 0 && weight[0] % CHANNEL_MULTIPLE == 0,
                              "channels are ", x[3], " and ", weight[0], ", expected multiples of 32");
        NODE_VALIDATION_CHECK(this, get_input_shape(3) == ov::Shape({weight[0]}), "expected a bias for each output");
        const ov::element::Type type = get_input_element_type(0);
        NODE_VALIDATION_CHECK(this, type == ov::element::f32 || type == ov::element::bf16, "x is of type ", type);
        NODE_VALIDATION_CHECK(this, get_input_element_type(1) == type, "offsets are of another type than x");
        for (size_t i = 2; i < 4; ++i)
            NODE_VALIDATION_CHECK(this, get_input_element_type(i) == ov::element::f32, "input ", i, " is not fp32");
        NODE_VALIDATION_CHECK(this, find_kernel(m_instructions, type == ov::element::bf16),
                              "this processor has no instructions '", m_instructions, "'");
        set_output_type(0, type, ov::Shape({1, x[1], x[2], weight[0]}));
    }

    std::shared_ptr<ov::Node> clone_with_new_inputs(const ov::OutputVector& inputs) const override {
        return std::make_shared<DeformableConvolutionRelu>(inputs, m_instructions);
    }

    bool visit_attributes(ov::AttributeVisitor& visitor) override {
        visitor.on_attribute("instructions", m_instructions);  // "": the fastest supported
        return true;
    }

    bool has_evaluate() const override { return true; }

    bool evaluate(ov::TensorVector& outputs, const ov::TensorVector& inputs) const override {
        const ov::Shape shape = inputs[0].get_shape();
        const int height = static_cast<int>(shape[1]), width = static_cast<int>(shape[2]);
        const int channels = static_cast<int>(shape[3]), cells = height * width, depth = TAPS * channels;
        const int filters = static_cast<int>(inputs[2].get_shape()[0]);
        const ov::element::Type type = inputs[0].get_element_type();
        const Kernel& kernel = *find_kernel(m_instructions, type == ov::element::bf16);
        outputs[0].set_shape({1, shape[1], shape[2], inputs[2].get_shape()[0]});

        const std::shared_ptr<Buffer> weight = packed(kernel, inputs[2], channels, filters);
        const float* bias = inputs[3].data<const float>();
        const Source source = {inputs[0].data(), inputs[1].data(), height, width, channels};
        char* result = static_cast<char*>(outputs[0].data());
        const size_t cell_bytes = filters * type.size(), row_bytes = depth * kernel.element_bytes;
        const int block = cells_of_a_block(kernel, cells, row_bytes);
        tbb::parallel_for(0, (cells + block - 1) / block, [&](int i) {
            static thread_local Buffer kept;
            void* samples = kept.at_least(block * row_bytes);
            const int first = i * block, count = std::min(block, cells - first);
            kernel.sample(source, first, count, samples);
            kernel.product(samples, weight->at(), bias, result + first * cell_bytes, count, depth, filters);
        });
        return true;
    }

private:
    static int cells_of_a_block(const Kernel& kernel, int cells, size_t row_bytes) {
        const int cached = static_cast<int>(CACHED_BYTES / row_bytes) / kernel.rows;
        const int shares = BLOCKS_PER_THREAD * tbb::this_task_arena::max_concurrency() * kernel.rows;
        return kernel.rows * std::max(1, std::min(cached, (cells + shares - 1) / shares));
    }

    // Returns the weights in the kernel's layout. Constant weights, as in any network, are packed once and kept.
    std::shared_ptr<Buffer> packed(const Kernel& kernel, const ov::Tensor& weight, int channels, int filters) const {
        const std::lock_guard<std::mutex> lock(m_mutex);
        if (m_packed) return m_packed;
        const auto result = std::make_shared<Buffer>();
        kernel.pack(weight.data<const float>(), channels, filters,
                    result->at_least(weight.get_size() * kernel.element_bytes));
        if (ov::is_type<ov::op::v0::Constant>(get_input_node_shared_ptr(2))) m_packed = result;
        return result;
    }

    std::string m_instructions;
    mutable std::shared_ptr<Buffer> m_packed;
    mutable std::mutex m_mutex;
};

}  // namespace fairmot

OPENVINO_CREATE_EXTENSIONS(std::vector<ov::Extension::Ptr>(
    {std::make_shared<ov::OpExtension<fairmot::DeformableConvolutionRelu>>()}));
