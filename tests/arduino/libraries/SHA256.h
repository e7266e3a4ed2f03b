// SHA-256 (FIPS 180-4), as the library Crypto (Rhys Weatherley) offers it.
#pragma once
#include <Arduino.h>

class SHA256 {
 public:
  SHA256() { reset(); }
  void reset() {
    length = 0;
    for (int n = 0; n < 8; n++) state[n] = fraction(sqrt(prime(n)));
  }
  void update(const void* data, size_t count) {
    const uint8_t* bytes = (const uint8_t*)data;
    for (size_t n = 0; n < count; n++) {
      block[length++ % 64] = bytes[n];
      if (length % 64 == 0) mix();
    }
  }
  void finalize(void* hash, size_t count) {
    uint64_t bits = length * 8;
    uint8_t one = 0x80, zero = 0;
    update(&one, 1);
    while (length % 64 != 56) update(&zero, 1);
    for (int n = 7; n >= 0; n--) {
      uint8_t part = bits >> (8 * n);
      update(&part, 1);
    }
    for (size_t n = 0; n < count && n < 32; n++) ((uint8_t*)hash)[n] = state[n / 4] >> (24 - 8 * (n % 4));
  }

 private:
  // The constants of the standard are the first 32 bits of the fractions of square and cube roots of primes.
  static int prime(int which) {
    for (int number = 2;; number++) {
      int divisor = 2;
      while (number % divisor) divisor++;
      if (divisor == number && which-- == 0) return number;
    }
  }
  static uint32_t fraction(double number) { return (uint32_t)((number - floor(number)) * 4294967296.0); }
  static uint32_t turn(uint32_t word, int by) { return word >> by | word << (32 - by); }
  void mix() {
    static uint32_t constants[64];
    if (!constants[0])
      for (int n = 0; n < 64; n++) constants[n] = fraction(cbrt(prime(n)));
    uint32_t w[64], v[8];
    for (int n = 0; n < 16; n++) w[n] = block[4 * n] << 24 | block[4 * n + 1] << 16 | block[4 * n + 2] << 8 | block[4 * n + 3];
    for (int n = 16; n < 64; n++) {
      uint32_t early = turn(w[n - 15], 7) ^ turn(w[n - 15], 18) ^ w[n - 15] >> 3;
      uint32_t late = turn(w[n - 2], 17) ^ turn(w[n - 2], 19) ^ w[n - 2] >> 10;
      w[n] = w[n - 16] + early + w[n - 7] + late;
    }
    memcpy(v, state, sizeof v);
    for (int n = 0; n < 64; n++) {
      uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]), majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
      uint32_t first = v[7] + (turn(v[4], 6) ^ turn(v[4], 11) ^ turn(v[4], 25)) + choice + constants[n] + w[n];
      uint32_t second = (turn(v[0], 2) ^ turn(v[0], 13) ^ turn(v[0], 22)) + majority;
      memmove(v + 1, v, 7 * sizeof v[0]);
      v[4] += first;
      v[0] = first + second;
    }
    for (int n = 0; n < 8; n++) state[n] += v[n];
  }

  uint64_t length;
  uint8_t block[64];
  uint32_t state[8];
};
