# pynn_add_kernel_variants(<target> <sources...>): compile <sources> once per ISA level, in namespace pynn::<isa>.
set(PYNN_ISA_LEVELS generic avx2 avx512)
set(PYNN_ISA_FLAGS_generic -march=x86-64-v2)
set(PYNN_ISA_FLAGS_avx2 -march=x86-64-v3)
# GCC 12 has no znver4/5: the level plus a tuning that does not shy away from 512-bit registers.
set(PYNN_ISA_FLAGS_avx512 -march=x86-64-v4 -mtune=icelake-server -mprefer-vector-width=512)

function(pynn_add_kernel_variants target)
  foreach(isa IN LISTS PYNN_ISA_LEVELS)
    set(variant ${target}_kernels_${isa})
    add_library(${variant} OBJECT ${ARGN})
    target_compile_definitions(${variant} PRIVATE PYNN_ISA=${isa} PYNN_ISA_LEVEL_${isa}=1)
    # Never -ffast-math: at link it switches denormals off for the whole process.
    target_compile_options(${variant} PRIVATE ${PYNN_ISA_FLAGS_${isa}} -O3 -fno-math-errno -fno-trapping-math
                                              -ffp-contract=fast -Wall -Wextra -Wshadow -Wno-psabi
                                              $<$<BOOL:${PYNN_WERROR}>:-Werror>)
    target_include_directories(${variant} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/include ${CMAKE_CURRENT_SOURCE_DIR})
    # Link-time optimisation could move AVX-512 code into baseline callers.
    set_property(TARGET ${variant} PROPERTY INTERPROCEDURAL_OPTIMIZATION OFF)
    target_link_libraries(${target} PRIVATE ${variant})
  endforeach()
endfunction()
