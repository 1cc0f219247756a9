#pragma once
// The choice of a kernel table.
#include <string>
#include <vector>

#include "pynn/kernel_table.h"

namespace pynn {

const KernelTable* find_table(const char* isa);  ///< nullptr: not built, or this CPU cannot run it
const KernelTable& best_table();                 ///< honours PYNN_ISA
std::vector<std::string> available_isas();       ///< levels of this build that this CPU runs, the best one last

}  // namespace pynn
