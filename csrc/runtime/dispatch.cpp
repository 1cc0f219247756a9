// Picks the kernel table: the best ISA level this CPU runs, or the one PYNN_ISA asks for.
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

#include "pynn/kernel_table.h"

namespace pynn {
namespace generic {
extern const KernelTable table;
}
namespace avx2 {
extern const KernelTable table;
}
namespace avx512 {
extern const KernelTable table;
}

namespace {

// The features of the levels x86-64-v3 and x86-64-v4 that the compiler may use, not only the ones we name.
bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
         __builtin_cpu_supports("bmi2");
}
bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

struct Level {
  const KernelTable* table;
  bool (*runs_here)();
};
const Level kBestFirst[] = {
    {&avx512::table, has_avx512}, {&avx2::table, has_avx2}, {&generic::table, [] { return true; }}};

}  // namespace

const KernelTable* find_table(const char* isa) {
  for (const auto& level : kBestFirst)
    if (!std::strcmp(level.table->isa, isa)) return level.runs_here() ? level.table : nullptr;
  return nullptr;
}

const KernelTable& best_table() {
  const char* wanted = std::getenv("PYNN_ISA");
  if (wanted && *wanted) {
    if (const auto* table = find_table(wanted)) return *table;
    throw std::runtime_error(std::string("PYNN_ISA=") + wanted +
                             ": no such level in this build, or this CPU cannot run it; levels are generic, avx2, "
                             "avx512 (unset the variable to take the best one)");
  }
  for (const auto& level : kBestFirst)
    if (level.runs_here()) return *level.table;
  return generic::table;
}

}  // namespace pynn
