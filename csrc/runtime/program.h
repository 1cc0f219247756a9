#pragma once
// A compiled graph: a flat list of kernel calls on offsets into one arena, on the arrays of variables and constants,
// and on the slots that the caller fills at each run.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "pynn/background.h"
#include "pynn/kernel_table.h"
#include "runtime/arena.h"

namespace pynn {

/// Where an operand lives.
enum class Place { kArena, kSlot, kFixed };

struct OperandRef {
  Place place;
  int64_t offset = 0;       ///< kArena: bytes from the base
  int slot = 0;             ///< kSlot: which array of the run
  void* address = nullptr;  ///< kFixed: an array that outlives the program
  int64_t size = 0;         ///< elements
  int64_t itemsize = 4;
};

struct Slot {
  int64_t size;
  int64_t itemsize;
  bool written = false;  ///< some instruction writes into it; found out by the Program
};

struct Instruction {
  std::string label;
  const Kernel* kernel = nullptr;                   ///< null: `callback` computes it
  std::function<void(const KernelArgs&)> callback;  ///< an op without a native kernel, on the calling thread
  std::vector<unsigned char> params;
  std::vector<OperandRef> in, out;
};

class Program {
 public:
  /// Checks every offset and size against the arena's planned bytes and the slots; throws std::invalid_argument.
  /// That a kernel's attributes agree with its operands' sizes is up to the op that made them.
  Program(std::vector<Instruction> instructions, std::vector<Slot> slots, std::shared_ptr<Arena> arena,
          int64_t arena_bytes);

  /// Runs all instructions.  `slots` holds one address per slot, sizes already checked by the caller, who also holds
  /// the RunLock.
  /// `seconds`, if given, receives the time of each instruction.
  void run(void* const* slots, int threads, const BackgroundTask* background, double* seconds = nullptr);

  const std::vector<Slot>& slots() const { return slots_; }
  const std::vector<Instruction>& instructions() const { return instructions_; }
  const std::vector<KernelPlan>& plans() const { return plans_; }
  int64_t value_bytes() const { return value_bytes_; }
  int64_t scratch_bytes(int threads) const { return shared_bytes_ + threads * thread_bytes_; }
  Arena& arena() const { return *arena_; }

 private:
  /// One phase of one instruction, and how it is cut.
  struct Step {
    int instruction;
    int phase;
    int64_t chunks;     ///< 1: the driver does it alone
    bool worth_waking;  ///< long enough for helpers that have fallen asleep
  };

  void check(const Instruction& instruction, const OperandRef& ref) const;
  void plan_steps(int threads);
  void resolve(void* const* slots, char* base);
  void do_chunk(const Step& step, int64_t chunk, int worker) const;
  void fence_off(const Instruction& instruction, const KernelPlan& plan, int workers) const;

  std::vector<Instruction> instructions_;
  std::vector<Slot> slots_;
  std::shared_ptr<Arena> arena_;
  int64_t value_bytes_;
  std::vector<KernelPlan> plans_;
  int64_t shared_bytes_ = 0;
  int64_t thread_bytes_ = 0;
  std::vector<std::vector<Operand>> in_, out_;
  std::vector<Step> steps_;
  int steps_for_threads_ = 0;
  char* shared_ = nullptr;
  char* scratch_ = nullptr;
};

}  // namespace pynn
