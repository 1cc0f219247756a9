// Picks the kernel table: the best ISA level this CPU runs, or the one PYNN_ISA asks for.
#include "runtime/dispatch.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "runtime/cpu.h"

namespace pynn {

// One constant for each level of this build; PynnIsa.cmake writes the list, best first.
#define PYNN_LEVEL(isa)           \
  namespace isa {                 \
  extern const KernelTable table; \
  }
#include "pynn/isa_levels.def"
#undef PYNN_LEVEL

namespace {

struct Level {
  const KernelTable* table;
  bool (*runs_here)();
};
const Level kBestFirst[] = {
#define PYNN_LEVEL(isa) {&isa::table, &cpu::runs_##isa},
#include "pynn/isa_levels.def"
#undef PYNN_LEVEL
};

}  // namespace

const KernelTable* find_table(const char* isa) {
  for (const auto& level : kBestFirst)
    if (!std::strcmp(level.table->isa, isa)) return level.runs_here() ? level.table : nullptr;
  return nullptr;
}

std::vector<std::string> available_isas() {
  std::vector<std::string> names;
  for (const auto& level : kBestFirst)
    if (level.runs_here()) names.emplace_back(level.table->isa);
  std::reverse(names.begin(), names.end());
  return names;
}

const KernelTable& best_table() {
  const char* wanted = std::getenv("PYNN_ISA");
  if (wanted && *wanted) {
    if (const auto* table = find_table(wanted)) return *table;
    std::string names;
    for (const auto& level : kBestFirst) names += std::string(names.empty() ? "" : ", ") + level.table->isa;
    throw std::runtime_error(std::string("PYNN_ISA=") + wanted +
                             ": no such level in this build, or this CPU cannot run it; levels are " + names +
                             " (unset the variable to take the best one)");
  }
  for (const auto& level : kBestFirst)
    if (level.runs_here()) return *level.table;
  throw std::runtime_error("this build has no kernels for this CPU");
}

}  // namespace pynn
