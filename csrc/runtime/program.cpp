#include "runtime/program.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <stdexcept>

#include "runtime/pool.h"
#include "runtime/thread_limit.h"

#if defined(__SANITIZE_ADDRESS__)
#define PYNN_FENCES 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PYNN_FENCES 1
#endif
#endif
#if defined(PYNN_FENCES)
#include <sanitizer/asan_interface.h>
#endif

namespace pynn {

namespace {

constexpr int64_t kLine = 64;
/// Work below this is not worth handing over to a second core's cold cache.
constexpr double kNanosecondsPerWorker = 2500;
/// Chunks shorter than this cost more to hand out than they even out.
constexpr double kNanosecondsPerChunk = 10000;
constexpr double kChunksPerThread = 4;
/// Waking a thread takes some microseconds of ours, and some tens until it runs.
constexpr double kNanosecondsWorthWaking = 30000;

constexpr int kMostThreads = 1024;
/// No block of memory is larger; sums of a few such numbers are still far from overflowing.
constexpr int64_t kMostBytes = int64_t{1} << 56;

int64_t round_up(int64_t n) { return (n + kLine - 1) / kLine * kLine; }

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// A background task cut into chunks for the pool.
struct BackgroundChunks {
  const BackgroundTask* task;
  int64_t chunks;
  static void run(void* context, int64_t chunk, int /*worker*/) {
    const auto& b = *static_cast<BackgroundChunks*>(context);
    b.task->run(b.task->context, b.task->tasks * chunk / b.chunks, b.task->tasks * (chunk + 1) / b.chunks);
  }
};

}  // namespace

Program::Program(std::vector<Instruction> instructions, std::vector<Slot> slots, std::shared_ptr<Arena> arena,
                 int64_t arena_bytes)
    : instructions_(std::move(instructions)),
      slots_(std::move(slots)),
      arena_(std::move(arena)),
      value_bytes_(arena_bytes) {
  if (!arena_) throw std::invalid_argument("a program needs an arena");
  if (arena_bytes < 0 || arena_bytes > kMostBytes)
    throw std::invalid_argument("a program cannot have " + std::to_string(arena_bytes) + " bytes of values");
  value_bytes_ = round_up(arena_bytes);
  for (const auto& slot : slots_)
    if (slot.size < 0 || slot.itemsize < 1 || slot.itemsize > kLine || slot.size > kMostBytes / slot.itemsize)
      throw std::invalid_argument("a slot cannot have " + std::to_string(slot.size) + " elements");
  for (const auto& instruction : instructions_) {
    std::vector<Operand> in, out;
    for (const auto& ref : instruction.in) {
      check(instruction, ref);
      in.push_back({ref.address, ref.size});
    }
    for (const auto& ref : instruction.out) {
      check(instruction, ref);
      out.push_back({ref.address, ref.size});
      if (ref.place == Place::kSlot) slots_[ref.slot].written = true;
    }
    KernelPlan plan;
    if (instruction.kernel) {
      const KernelArgs args{in.data(),
                            out.data(),
                            static_cast<int>(in.size()),
                            static_cast<int>(out.size()),
                            instruction.params.data(),
                            0,
                            0,
                            0,
                            nullptr,
                            nullptr};
      instruction.kernel->plan(args, plan);
      if (plan.phases < 1 || plan.phases > kMaxPhases)
        throw std::invalid_argument(instruction.label + ": a kernel plans 1.." + std::to_string(kMaxPhases) +
                                    " phases");
      if (plan.shared_bytes < 0 || plan.thread_bytes < 0 || plan.shared_bytes > kMostBytes ||
          plan.thread_bytes > kMostBytes / kMostThreads)
        throw std::invalid_argument(instruction.label + ": the kernel wants more scratch than there can be");
    }
    shared_bytes_ = std::max(shared_bytes_, round_up(plan.shared_bytes));
    thread_bytes_ = std::max(thread_bytes_, round_up(plan.thread_bytes) + kLine);
    plans_.push_back(plan);
    in_.push_back(std::move(in));
    out_.push_back(std::move(out));
  }
}

void Program::check(const Instruction& instruction, const OperandRef& ref) const {
  if (ref.size < 0) throw std::invalid_argument(instruction.label + ": an operand has a negative size");
  if (ref.itemsize < 1 || ref.itemsize > kLine || ref.size > kMostBytes / ref.itemsize)
    throw std::invalid_argument(instruction.label + ": an operand has an impossible size");
  const int64_t bytes = ref.size * ref.itemsize;
  if (ref.place == Place::kArena && (ref.offset < 0 || ref.offset % kLine || ref.offset > value_bytes_ - bytes))
    throw std::invalid_argument(instruction.label + ": an operand lies outside the planned arena");
  if (ref.place == Place::kSlot) {
    if (ref.slot < 0 || ref.slot >= static_cast<int>(slots_.size()))
      throw std::invalid_argument(instruction.label + ": an operand names a slot that does not exist");
    if (bytes > slots_[ref.slot].size * slots_[ref.slot].itemsize)
      throw std::invalid_argument(instruction.label + ": an operand is larger than its slot");
  }
  if (ref.place == Place::kFixed && !ref.address && bytes)
    throw std::invalid_argument(instruction.label + ": an operand has no address");
}

void Program::plan_steps(int threads) {
  if (threads == steps_for_threads_) return;
  steps_.clear();
  for (std::size_t i = 0; i < instructions_.size(); ++i)
    for (int phase = 0; phase < plans_[i].phases; ++phase) {
      const double nanoseconds = plans_[i].nanoseconds[phase];
      const double wanted = std::min<double>(threads, 1 + nanoseconds / kNanosecondsPerWorker);
      // More chunks than threads, where they are long enough: a thread that is held up then leaves less behind.
      const double finer =
          plans_[i].coarse ? 1 : std::min(kChunksPerThread, nanoseconds / wanted / kNanosecondsPerChunk);
      const double chunks = threads == 1 || wanted < 2 ? 1 : std::floor(wanted) * std::max(1.0, std::floor(finer));
      const int64_t most = std::min(plans_[i].tasks[phase], ChunkQueue::kMaxChunks);
      steps_.push_back({static_cast<int>(i), phase, std::max<int64_t>(1, std::min<int64_t>(most, chunks)),
                        nanoseconds > kNanosecondsWorthWaking});
    }
  steps_for_threads_ = threads;
}

void Program::resolve(void* const* slots, char* base) {
  const auto address = [&](const OperandRef& ref) -> void* {
    if (ref.place == Place::kArena) return base + ref.offset;
    if (ref.place == Place::kSlot) return slots[ref.slot];
    return ref.address;
  };
  for (std::size_t i = 0; i < instructions_.size(); ++i) {
    for (std::size_t j = 0; j < in_[i].size(); ++j) in_[i][j].data = address(instructions_[i].in[j]);
    for (std::size_t j = 0; j < out_[i].size(); ++j) out_[i][j].data = address(instructions_[i].out[j]);
  }
}

#if defined(PYNN_FENCES)

/// With AddressSanitizer: an instruction may touch its operands and its scratch, nothing else of the arena.
void Program::fence_off(const Instruction& instruction, const KernelPlan& plan, int workers) const {
  char* const base = arena_->base();
  ASAN_POISON_MEMORY_REGION(base, arena_->size());
  const auto open = [](char* start, int64_t bytes) { ASAN_UNPOISON_MEMORY_REGION(start, bytes); };
  for (const auto* refs : {&instruction.in, &instruction.out})
    for (const auto& ref : *refs)
      if (ref.place == Place::kArena) open(base + ref.offset, ref.size * ref.itemsize);
  open(shared_, plan.shared_bytes);
  for (int worker = 0; worker < workers; ++worker) open(scratch_ + worker * thread_bytes_, plan.thread_bytes);
}

#else

void Program::fence_off(const Instruction&, const KernelPlan&, int) const {}

#endif

void Program::do_chunk(const Step& step, int64_t chunk, int worker) const {
  const auto& instruction = instructions_[step.instruction];
  const int64_t tasks = plans_[step.instruction].tasks[step.phase];
  const int64_t begin = tasks * chunk / step.chunks, end = tasks * (chunk + 1) / step.chunks;
  const auto& in = in_[step.instruction];
  const auto& out = out_[step.instruction];
  const KernelArgs args{in.data(),
                        out.data(),
                        static_cast<int>(in.size()),
                        static_cast<int>(out.size()),
                        instruction.params.data(),
                        step.phase,
                        begin,
                        end,
                        shared_,
                        scratch_ + worker * thread_bytes_};
  if (!instruction.kernel)
    instruction.callback(args);
  else if (begin < end)
    instruction.kernel->run(args);
}

void Program::run(void* const* slots, int threads, const BackgroundTask* background, double* seconds) {
  threads = within_openmp_limit(std::clamp(threads, 1, kMostThreads));
  Pool* const pool = threads > 1 ? &Pool::instance() : nullptr;
  if (pool) pool->use(threads - 1);
  // Scratch for every helper that exists: one of them may still join that an earlier run with more threads made.
  const int workers = pool ? 1 + pool->helpers() : 1;
  arena_->reserve(value_bytes_ + scratch_bytes(workers) + kLine);
  plan_steps(threads);
  char* const base = arena_->base();
  resolve(slots, base);
  shared_ = base + value_bytes_;
  scratch_ = shared_ + shared_bytes_;

  struct Chunks {
    const Program* program;
    const Step* step;
  };
  const auto run_chunk = [](void* context, int64_t chunk, int worker) {
    const auto& c = *static_cast<Chunks*>(context);
    c.program->do_chunk(*c.step, chunk, worker);
  };
  BackgroundChunks background_chunks{background, 0};
  if (background) {
    background_chunks.chunks = std::min<int64_t>(background->tasks, ChunkQueue::kMaxChunks);
    if (pool)
      pool->start_background({&BackgroundChunks::run, &background_chunks}, background_chunks.chunks);
    else
      background->run(background->context, 0, background->tasks);
  }
  // Whatever a step throws, helpers must be done with the background work before its context goes away.
  struct Finish {
    Pool* pool;
    ~Finish() {
      if (pool) pool->finish_background();
    }
  } finish{background ? pool : nullptr};

  double mark = seconds ? seconds_now() : 0;
  for (const auto& step : steps_) {
    fence_off(instructions_[step.instruction], plans_[step.instruction], workers);
    if (step.chunks == 1) {
      do_chunk(step, 0, 0);
    } else {
      Chunks chunks{this, &step};
      pool->run({run_chunk, &chunks}, step.chunks, step.worth_waking);
    }
    if (seconds) {
      const double now = seconds_now();
      seconds[step.instruction] += now - mark;
      mark = now;
    }
  }
}

}  // namespace pynn
