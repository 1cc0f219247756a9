// This ISA's kernels as one constant table; the runtime picks a table, never a kernel.
#include "kernels/kernel.h"

#define PYNN_STRING_(x) #x
#define PYNN_STRING(x) PYNN_STRING_(x)

namespace pynn {
namespace PYNN_ISA {
extern const KernelTable table;
const KernelTable table = {
    PYNN_STRING(PYNN_ISA),
#define PYNN_KERNEL(name, Params) {&name##_plan, &name},
#include "pynn/kernels.def"
#undef PYNN_KERNEL
};
}  // namespace PYNN_ISA
}  // namespace pynn
