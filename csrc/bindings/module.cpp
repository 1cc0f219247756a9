// pynn._core: build and run Programs from Python.  No binding code per op: attributes arrive as NumPy records whose
// dtype comes from params.h, operands as plain tuples.
//
// What arrives here is checked as if it came from a stranger: arrays' dtypes, sizes, layout and permission to write,
// and that they live as long as something may touch them.  Only that a kernel's attributes agree with the sizes of its
// operands is believed; the ops derive both from the same shapes.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "pynn/params.h"
#include "runtime/dispatch.h"
#include "runtime/program.h"
#include "runtime/run_lock.h"

namespace py = pybind11;

namespace {

#if defined(__clang__)
#define PYNN_COMPILER __VERSION__
#else
#define PYNN_COMPILER "GCC " __VERSION__
#endif
/// Found again in the compiled file by packaging/sbom.py.
constexpr const char* kBuiltWith = "pynn is built with pybind11 " PYBIND11_TOSTRING(PYBIND11_VERSION_MAJOR)  //
    "." PYBIND11_TOSTRING(PYBIND11_VERSION_MINOR) "." PYBIND11_TOSTRING(PYBIND11_VERSION_MICRO) ", " PYNN_COMPILER;

struct KernelEntry {
  const pynn::Kernel* kernel;
  py::dtype params;
};

std::map<std::string, KernelEntry> kernels_of(const pynn::KernelTable& table) {
  std::map<std::string, KernelEntry> entries;
#define PYNN_KERNEL(name, Params) entries.insert({#name, KernelEntry{&table.name, py::dtype::of<pynn::Params>()}});
#include "pynn/kernels.def"
#undef PYNN_KERNEL
  return entries;
}

const pynn::KernelTable& table_for(const std::string& isa) {
  if (isa.empty()) return pynn::best_table();
  if (const auto* table = pynn::find_table(isa.c_str())) return *table;
  throw py::value_error("ISA '" + isa + "' is not in this build, or this CPU cannot run it");
}

/// Numbers: a kernel that wrote into an array of Python objects would leave wild pointers there.
void check_dtype(const std::string& what, const py::dtype& dtype) {
  if (std::string("biufc").find(dtype.kind()) == std::string::npos)
    throw py::type_error(what + ": expected a dtype of numbers, received " + py::str(dtype).cast<std::string>());
}

bool is_aligned(const py::array& array) { return array.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_; }

/// ("arena", offset, size, itemsize), ("slot", index, size, itemsize) or ("fixed", array, size, itemsize).
pynn::OperandRef operand_from(const py::tuple& t, bool written, std::vector<py::array>& keep) {
  pynn::OperandRef ref;
  const auto place = t[0].cast<std::string>();
  ref.size = t[2].cast<int64_t>();
  ref.itemsize = t[3].cast<int64_t>();
  if (place == "arena") {
    ref.place = pynn::Place::kArena;
    ref.offset = t[1].cast<int64_t>();
  } else if (place == "slot") {
    ref.place = pynn::Place::kSlot;
    ref.slot = t[1].cast<int>();
  } else if (place == "fixed") {
    if (!py::isinstance<py::array>(t[1])) throw py::type_error("a fixed operand must be a NumPy array");
    const auto array = t[1].cast<py::array>();
    check_dtype("a fixed operand", array.dtype());
    if (!(array.flags() & py::array::c_style)) throw py::value_error("a fixed operand must be C-contiguous");
    if (!is_aligned(array)) throw py::value_error("a fixed operand must be aligned");
    if (array.size() < ref.size || array.itemsize() != ref.itemsize)
      throw py::value_error("a fixed operand is smaller than declared");
    if (written && !array.writeable()) throw py::value_error("a fixed operand that is written must not be read-only");
    ref.place = pynn::Place::kFixed;
    ref.address = const_cast<void*>(array.data());
    keep.push_back(array);
  } else {
    throw py::value_error("unknown operand place '" + place + "'");
  }
  return ref;
}

/// Whether Python holds the RunLock, not a program; read and written under it.
bool g_locked_by_python = false;

void lock_runs() {
  py::gil_scoped_release nogil;
  pynn::RunLock::acquire();
  g_locked_by_python = true;
}

void unlock_runs() {
  if (!pynn::RunLock::held_here() || !g_locked_by_python)
    throw std::logic_error("unlock_runs: this thread does not hold what lock_runs takes");
  g_locked_by_python = false;
  pynn::RunLock::release();
}

/// What an op's Python function sees of an operand.
struct ViewSpec {
  py::dtype dtype;
  std::vector<py::ssize_t> shape;
};

/// Owns what the C++ Program only points at, and checks the arrays of each run.
class PyProgram {
 public:
  PyProgram(const std::string& isa, const py::list& instructions,
            const std::vector<std::pair<int64_t, py::dtype>>& slots, std::shared_ptr<pynn::Arena> arena,
            int64_t arena_bytes) {
    const auto kernels = kernels_of(table_for(isa));
    std::vector<pynn::Instruction> list;
    for (const auto& item : instructions) {
      const auto t = item.cast<py::tuple>();
      pynn::Instruction instruction;
      instruction.label = t[0].cast<std::string>();
      if (py::isinstance<py::str>(t[1])) {
        const auto name = t[1].cast<std::string>();
        const auto entry = kernels.find(name);
        if (entry == kernels.end()) throw py::key_error("no kernel named '" + name + "'");
        if (!py::isinstance<py::array>(t[2])) throw py::type_error(name + ": params must be a NumPy record");
        const auto record = t[2].cast<py::array>();
        if (!record.dtype().equal(entry->second.params))
          throw py::type_error(name + ": params have dtype " + py::str(record.dtype()).cast<std::string>() +
                               ", expected " + py::str(entry->second.params).cast<std::string>());
        if (record.size() != 1)
          throw py::value_error(name + ": params must be one record, received " + std::to_string(record.size()));
        const auto* bytes = static_cast<const unsigned char*>(record.data());
        instruction.params.assign(bytes, bytes + record.nbytes());
        instruction.kernel = entry->second.kernel;
      }
      for (const auto& operand : t[3].cast<py::list>())
        instruction.in.push_back(operand_from(operand.cast<py::tuple>(), false, *keep_));
      for (const auto& operand : t[4].cast<py::list>())
        instruction.out.push_back(operand_from(operand.cast<py::tuple>(), true, *keep_));
      if (!instruction.kernel)
        instruction.callback = callback_from(t[1].cast<py::function>(), t[2].cast<py::list>(), instruction);
      list.push_back(std::move(instruction));
    }
    std::vector<pynn::Slot> cpp_slots;
    for (const auto& [size, dtype] : slots) {
      check_dtype("a slot", dtype);
      cpp_slots.push_back({size, dtype.itemsize()});
      slot_dtypes_.push_back(dtype);
    }
    program_ = std::make_unique<pynn::Program>(std::move(list), std::move(cpp_slots), std::move(arena), arena_bytes);
  }

  /// arrays: one per slot, C-contiguous, of the slot's dtype and size; those that are results must be writeable.
  void run(const py::list& arrays, int threads, const py::object& background) {
    run_checked(arrays, threads, background, nullptr);
  }

  /// The same, returning (label, seconds) per instruction.
  py::list profile(const py::list& arrays, int threads, const py::object& background) {
    std::vector<double> seconds(program_->instructions().size());
    run_checked(arrays, threads, background, seconds.data());
    py::list rows;
    for (std::size_t i = 0; i < seconds.size(); ++i)
      rows.append(py::make_tuple(program_->instructions()[i].label, seconds[i]));
    return rows;
  }

  int64_t value_bytes() const { return program_->value_bytes(); }
  int64_t scratch_bytes(int threads) const { return program_->scratch_bytes(threads); }

  py::list plans() const {
    py::list result;
    for (std::size_t i = 0; i < program_->plans().size(); ++i) {
      const auto& plan = program_->plans()[i];
      double nanoseconds = 0;
      int64_t tasks = 0;
      for (int phase = 0; phase < plan.phases; ++phase) {
        nanoseconds += plan.nanoseconds[phase];
        tasks = std::max(tasks, plan.tasks[phase]);
      }
      result.append(py::make_tuple(program_->instructions()[i].label, tasks, nanoseconds));
    }
    return result;
  }

 private:
  void run_checked(const py::list& given, int threads, const py::object& background, double* seconds) {
    const auto& slots = program_->slots();
    if (given.size() != slots.size())
      throw py::value_error("expected " + std::to_string(slots.size()) + " arrays, received " +
                            std::to_string(given.size()));
    // Held here: the list is the caller's, and another thread may empty it while the program runs.
    py::tuple arrays(slots.size());
    std::vector<void*> addresses(slots.size());
    for (std::size_t i = 0; i < slots.size(); ++i) {
      auto array = checked_array(i, given[i]);
      addresses[i] = const_cast<void*>(array.data());
      arrays[i] = std::move(array);
    }
    const pynn::BackgroundTask* task = nullptr;
    if (!background.is_none()) {
      task = static_cast<const pynn::BackgroundTask*>(PyCapsule_GetPointer(background.ptr(), pynn::kBackgroundCapsule));
      if (!task) throw py::error_already_set();
    }
    bool interrupted = false;
    {
      py::gil_scoped_release nogil;
      pynn::RunLock lock;
      running_ = &arrays;
      interrupted_ = 0;
      program_->run(addresses.data(), threads, task, seconds);
      interrupted = interrupted_;
    }
    if (interrupted) {
      PyErr_SetNone(PyExc_KeyboardInterrupt);
      throw py::error_already_set();
    }
  }

  py::array checked_array(std::size_t i, const py::handle& given) const {
    const auto& slot = program_->slots()[i];
    const auto name = [i] { return "array " + std::to_string(i); };
    if (!py::isinstance<py::array>(given)) throw py::type_error(name() + ": expected a NumPy array");
    auto array = py::reinterpret_borrow<py::array>(given);
    // A wrong dtype or layout is an error here, never a silent copy: a copy of an output would be lost.
    if (!array.dtype().equal(slot_dtypes_[i]))
      throw py::type_error(name() + ": dtype " + py::str(array.dtype()).cast<std::string>() + ", expected " +
                           py::str(slot_dtypes_[i]).cast<std::string>());
    if (!(array.flags() & py::array::c_style)) throw py::value_error(name() + ": not C-contiguous");
    if (array.size() != slot.size)
      throw py::value_error(name() + ": " + std::to_string(array.size()) + " elements, expected " +
                            std::to_string(slot.size));
    if (slot.written && !array.writeable()) throw py::value_error(name() + ": read-only");
    if (is_aligned(array)) return array;
    // Numbers out of the middle of a buffer, say: compilers may count on alignment.  Rare, so it is done here.
    if (slot.written) throw py::value_error(name() + ": not aligned");
    return array.attr("copy")().cast<py::array>();
  }

  /// Runs a Python function on the operands as NumPy views; `specs` are (shape, dtype) of inputs, then of outputs.
  std::function<void(const pynn::KernelArgs&)> callback_from(const py::function& function, const py::list& specs,
                                                             const pynn::Instruction& instruction) {
    struct Callback {
      py::function function;
      std::vector<ViewSpec> specs;
    };
    // Released under the GIL even if the last reference goes away elsewhere.
    std::shared_ptr<Callback> held(new Callback{function, {}}, [](Callback* p) {
      py::gil_scoped_acquire gil;
      delete p;
    });
    std::vector<const pynn::OperandRef*> operands;
    for (const auto* refs : {&instruction.in, &instruction.out})
      for (const auto& ref : *refs) operands.push_back(&ref);
    if (specs.size() != operands.size())
      throw py::value_error(instruction.label + ": a shape and a dtype for each operand expected");
    for (std::size_t i = 0; i < operands.size(); ++i) {
      const auto spec = specs[i].cast<py::tuple>();
      ViewSpec view{py::dtype::from_args(spec[1]), spec[0].cast<std::vector<py::ssize_t>>()};
      check_dtype(instruction.label, view.dtype);
      py::ssize_t size = 1;
      for (const auto n : view.shape)
        if (n < 0 || __builtin_mul_overflow(size, n, &size))
          throw py::value_error(instruction.label + ": an operand has an impossible shape");
      if (size != operands[i]->size || view.dtype.itemsize() != operands[i]->itemsize)
        throw py::value_error(instruction.label + ": an operand's shape and dtype are not those of its place");
      held->specs.push_back(std::move(view));
    }
    return [this, held](const pynn::KernelArgs& args) {
      py::gil_scoped_acquire gil;
      const auto owner = owner_of_operands();
      const auto view = [&](int i, const pynn::Operand& operand, bool written) {
        const auto& spec = held->specs[i];
        py::array array(spec.dtype, spec.shape, operand.data, owner);
        if (!written) py::detail::array_proxy(array.ptr())->flags &= ~py::detail::npy_api::NPY_ARRAY_WRITEABLE_;
        return array;
      };
      py::list ins, outs;
      for (int i = 0; i < args.n_in; ++i) ins.append(view(i, args.in[i], false));
      for (int i = 0; i < args.n_out; ++i) outs.append(view(args.n_in + i, args.out[i], true));
      call(held->function, ins, outs);
    };
  }

  /// An interrupt (Ctrl-C) in the middle of a step would leave half of the weights changed: the function is called
  /// again, and the interrupt raised after the run.  Whoever insists, a third time, is obeyed at once.
  void call(const py::function& function, const py::list& ins, const py::list& outs) {
    for (;;) {
      try {
        function(ins, outs);
        return;
      } catch (py::error_already_set& error) {
        if (!error.matches(PyExc_KeyboardInterrupt) || ++interrupted_ > 2) throw;
      }
    }
  }

  /// The base of views that a function gets: if it keeps one, what is behind it stays.
  py::capsule owner_of_operands() const {
    struct Owner {
      py::tuple arrays;
      std::shared_ptr<std::vector<py::array>> fixed;
      pynn::Arena::Block block;
    };
    return py::capsule(new Owner{*running_, keep_, program_->arena().block()},
                       [](void* p) { delete static_cast<Owner*>(p); });
  }

  std::shared_ptr<std::vector<py::array>> keep_ = std::make_shared<std::vector<py::array>>();
  std::vector<py::dtype> slot_dtypes_;
  std::unique_ptr<pynn::Program> program_;
  // Of the run that holds the RunLock:
  const py::tuple* running_ = nullptr;
  int interrupted_ = 0;
};

}  // namespace

// Without the GIL as well: a Program's arrays are looked up before it runs, and programs run one at a time.
PYBIND11_MODULE(_core, m, py::mod_gil_not_used()) {
#define PYNN_REGISTER(Params, ...) PYBIND11_NUMPY_DTYPE(pynn::Params, __VA_ARGS__);
  PYNN_ALL_PARAMS(PYNN_REGISTER)
#undef PYNN_REGISTER
  m.doc() = "Native runtime of pynn: kernel tables per ISA, arenas, programs.";
  m.def("isa", [] { return std::string(pynn::best_table().isa); }, "The ISA level in use; honours PYNN_ISA.");
  m.def("available_isas", &pynn::available_isas, "ISA levels in this build that this CPU can run.");
  m.def(
      "params_dtypes",
      [] {
        py::dict dtypes;
        for (const auto& [name, entry] : kernels_of(pynn::best_table())) dtypes[py::str(name)] = entry.params;
        return dtypes;
      },
      "Kernel name -> record dtype of its attributes.");
  m.def(
      "elementwise_codes",
      [] {
        return std::vector<std::string>{
#define PYNN_ELEMENTWISE(name, operands, expression) #name,
#include "pynn/elementwise.def"
#undef PYNN_ELEMENTWISE
        };
      },
      "Names of the element-wise tile functions; a name's place is its code.");
  m.def("lock_runs", &lock_runs, "Wait until no program runs, and let none begin; for who forks the process.");
  m.def("unlock_runs", &unlock_runs, "The end of lock_runs, in the same thread.");
  m.def("runs_here", &pynn::RunLock::held_here, "Whether this very thread is running a program.");
  m.attr("BUILT_WITH") = kBuiltWith;
  m.attr("MAX_CHAIN_STEPS") = pynn::kMaxChainSteps;
  m.attr("MAX_CHAIN_INPUTS") = pynn::kMaxChainInputs;
  m.attr("MAX_CHAIN_OUTPUTS") = pynn::kMaxChainOutputs;
  py::class_<pynn::Arena, std::shared_ptr<pynn::Arena>>(m, "Arena", "Memory that programs share for their values.")
      .def(py::init<>())
      .def_property_readonly("nbytes", &pynn::Arena::size);
  py::class_<PyProgram>(m, "Program", "A compiled graph.")
      .def(py::init<const std::string&, const py::list&, const std::vector<std::pair<int64_t, py::dtype>>&,
                    std::shared_ptr<pynn::Arena>, int64_t>(),
           py::arg("isa"), py::arg("instructions"), py::arg("slots"), py::arg("arena"), py::arg("arena_bytes"))
      .def("run", &PyProgram::run, py::arg("arrays"), py::arg("threads"), py::arg("background") = py::none())
      .def("profile", &PyProgram::profile, py::arg("arrays"), py::arg("threads"), py::arg("background") = py::none())
      .def_property_readonly("value_bytes", &PyProgram::value_bytes)
      .def("scratch_bytes", &PyProgram::scratch_bytes, py::arg("threads"))
      .def_property_readonly("plans", &PyProgram::plans);
}
