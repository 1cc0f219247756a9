# pynn_compile_options(<target> <flags...>): flags as GCC and Clang spell them; clang-cl takes them behind "/clang:".
# pynn_add_kernel_variants(<target> <sources...>): compile <sources> once per ISA level, in namespace pynn::<isa>.

# The levels of this processor, best first.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  set(PYNN_ISA_LEVELS avx512 avx2 generic)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64|ARM64)$")
  set(PYNN_ISA_LEVELS neon)
else()
  set(PYNN_ISA_LEVELS generic)
endif()
set(PYNN_ISA_FLAGS_neon -march=armv8-a)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  set(PYNN_ISA_FLAGS_generic -march=x86-64-v2)
endif()
set(PYNN_ISA_FLAGS_avx2 -march=x86-64-v3)
# GCC 12 has no znver4/5: the level plus a tuning that does not shy away from 512-bit registers.
set(PYNN_ISA_FLAGS_avx512 -march=x86-64-v4 -mtune=icelake-server -mprefer-vector-width=512)

# Warnings; messages and debug information name files from the source folder on, not where this machine has it.
set(PYNN_COMMON_FLAGS -Wall -Wextra -Wshadow $<$<BOOL:${PYNN_WERROR}>:-Werror>
                      -ffile-prefix-map=${CMAKE_SOURCE_DIR}=pynn)

function(pynn_compile_options target)
  set(flags ${ARGN})
  if(CMAKE_CXX_COMPILER_FRONTEND_VARIANT STREQUAL "MSVC")
    list(TRANSFORM flags REPLACE "(-[^>]*)" "/clang:\\1")
  endif()
  target_compile_options(${target} PRIVATE ${flags})
endfunction()

# What the runtime includes to know which kernel tables this build has.
set(PYNN_ISA_HEADERS ${CMAKE_BINARY_DIR}/isa)
list(TRANSFORM PYNN_ISA_LEVELS REPLACE "(.+)" "PYNN_LEVEL(\\1)\n" OUTPUT_VARIABLE lines)
string(CONCAT lines ${lines})
file(GENERATE OUTPUT ${PYNN_ISA_HEADERS}/pynn/isa_levels.def CONTENT "${lines}")

function(pynn_add_kernel_variants target)
  target_include_directories(${target} PRIVATE ${PYNN_ISA_HEADERS})
  foreach(isa IN LISTS PYNN_ISA_LEVELS)
    set(variant ${target}_kernels_${isa})
    add_library(${variant} OBJECT ${ARGN})
    target_compile_definitions(${variant} PRIVATE PYNN_ISA=${isa} PYNN_ISA_LEVEL_${isa}=1)
    # Never -ffast-math: at link it switches denormals off for the whole process.
    pynn_compile_options(${variant} ${PYNN_ISA_FLAGS_${isa}} -O3 -fno-math-errno -fno-trapping-math -ffp-contract=fast
                         -Wno-psabi ${PYNN_COMMON_FLAGS})
    target_include_directories(${variant} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/include ${CMAKE_CURRENT_SOURCE_DIR})
    # Link-time optimisation could move AVX-512 code into baseline callers.
    set_property(TARGET ${variant} PROPERTY INTERPROCEDURAL_OPTIMIZATION OFF)
    target_link_libraries(${target} PRIVATE ${variant})
  endforeach()
endfunction()
