// The counterpart of an ESP's core on this machine: what the sketches use of it, with the same signatures. It needs no C++
// library, because the compiler would take minutes to build one on a new machine.
#pragma once
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "WString.h"

typedef uint8_t byte;
typedef bool boolean;
#define HIGH 0x1
#define LOW 0x0
#define OUTPUT 0x03
#define constrain(amt, low, high) ((amt) < (low) ? (low) : ((amt) > (high) ? (high) : (amt)))
#if defined(ESP8266)
#define LED_BUILTIN 2
#endif

// Both cores have the ones of the C++ library, which take two values of one type only.
template <class T>
const T& min(const T& a, const T& b) {
  return b < a ? b : a;
}
template <class T>
const T& max(const T& a, const T& b) {
  return a < b ? b : a;
}

inline void pinMode(uint8_t, uint8_t) {}
inline void digitalWrite(uint8_t pin, uint8_t value) { printf("pin %d is %s\n", pin, value ? "high" : "low"); }  // for the test to count

inline unsigned long millis() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint32_t)(now.tv_sec * 1000 + now.tv_nsec / 1000000);  // 32 bits, as there
}

inline void delay(uint32_t ms) { usleep(ms * 1000); }

class EspClass {
 public:
  void restart() {
    printf("restart\n");
    execl("/proc/self/exe", "board", (char*)nullptr);
    abort();
  }
};
inline EspClass ESP;

class HardwareSerial {
 public:
  void begin(unsigned long) {}
  size_t print(const char* text) { return fputs(text, stdout); }
  size_t println(const char* text) { return puts(text); }
  __attribute__((format(printf, 2, 3))) size_t printf(const char* format, ...) {
    va_list rest;
    va_start(rest, format);
    int count = vprintf(format, rest);
    va_end(rest);
    return count;
  }
};
inline HardwareSerial Serial;
