// Ed25519 as the library Crypto (Rhys Weatherley) offers it; Python's cryptography does the arithmetic.
#pragma once
#include <Arduino.h>

class Ed25519 {
 public:
  static bool verify(const uint8_t signature[64], const uint8_t publicKey[32], const void* message, size_t count) {
    String command = String(getenv("BOARD_PYTHON")) + " -c 'import sys; from cryptography.hazmat.primitives.asymmetric import ed25519 as e; "
                     "k, s, m = map(bytes.fromhex, sys.argv[1:]); e.Ed25519PublicKey.from_public_bytes(k).verify(s, m)' ";
    command += hex(publicKey, 32) + hex(signature, 64) + hex((const uint8_t*)message, count) + "2>/dev/null";
    return system(command.c_str()) == 0;
  }

 private:
  static String hex(const uint8_t* bytes, size_t count) {
    String text;
    for (size_t n = 0; n < count; n++) {
      text += "0123456789abcdef"[bytes[n] >> 4];
      text += "0123456789abcdef"[bytes[n] & 15];
    }
    return text + " ";
  }
};
