#pragma once
// Whether this CPU and this system run a level: every feature of it, since the compiler may use them all.
// Asked of the CPU itself: __builtin_cpu_supports needs a library that clang-cl does not link.
#include <cstdint>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace pynn::cpu {

#if defined(__x86_64__)
struct Registers {
  uint32_t a = 0, b = 0, c = 0, d = 0;
};
inline Registers cpuid(uint32_t leaf) {
  Registers r;
  __get_cpuid_count(leaf, 0, &r.a, &r.b, &r.c, &r.d);  // leaves them 0 where there is no such leaf
  return r;
}
inline bool has_all(uint32_t bits, uint32_t wanted) { return (bits & wanted) == wanted; }

/// Whether the system saves these registers when it switches threads (bits of XCR0).
inline bool system_saves(uint32_t wanted) {
  constexpr uint32_t kOsxsave = 1u << 27;
  if (!has_all(cpuid(1).c, kOsxsave)) return false;
  uint32_t low, high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return has_all(low, wanted);
}

/// x86-64-v2 (SSE4.2, SSSE3, POPCNT): every CPU that is asked for; older ones cannot be told before they crash.
inline bool runs_generic() { return true; }

/// x86-64-v3: FMA, MOVBE, AVX, F16C; BMI1, AVX2, BMI2; LZCNT.
inline bool runs_avx2() {
  return system_saves(0x6) && has_all(cpuid(1).c, 1u << 12 | 1u << 22 | 1u << 28 | 1u << 29) &&
         has_all(cpuid(7).b, 1u << 3 | 1u << 5 | 1u << 8) && has_all(cpuid(0x80000001).c, 1u << 5);
}

/// x86-64-v4: AVX-512 F, DQ, CD, BW, VL.
inline bool runs_avx512() {
  return runs_avx2() && system_saves(0xE6) && has_all(cpuid(7).b, 1u << 16 | 1u << 17 | 1u << 28 | 1u << 30 | 1u << 31);
}
#elif defined(__aarch64__)
inline bool runs_neon() { return true; }  // part of every ARMv8-A
#else
inline bool runs_generic() { return true; }  // compiled for what the compiler aims at by itself
#endif

}  // namespace pynn::cpu
