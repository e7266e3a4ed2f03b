// `Update` of both cores; the ESP32's has `abort` besides. The half of the flash that does not run is the file `fresh` in
// $BOARD_FLASH; `staged` is what the next start begins with.
#pragma once
#include <Arduino.h>

#define IMAGE_MAGIC 0xE9

class UpdaterClass {
 public:
  bool begin(size_t bytes) {
    if (size > 0 || bytes == 0) return false;  // one that is running has to end first
    image = fopen(path("fresh").c_str(), "wb");
    size = bytes;
    done = 0;
    return image;
  }
  size_t write(uint8_t* data, size_t count) {
    if (!isRunning() || done + count > size) return 0;
    if (done == 0) first = data[0];
    done += count;
    return fwrite(data, 1, count, image);
  }
  // Whatever is whole now is what the next start begins with, whoever calls and why; what is not is given up.
  bool end(bool evenIfRemaining = false) {
    if (!isRunning()) return false;
    bool good = done > 0 && first == IMAGE_MAGIC && (isFinished() || evenIfRemaining);
    if (image) fclose(image);
    image = nullptr;
    size = done = 0;
    return good && rename(path("fresh").c_str(), path("staged").c_str()) == 0;
  }
  bool isRunning() { return size > 0; }
  bool isFinished() { return done == size; }
  static String path(const char* name) { return String(getenv("BOARD_FLASH")) + "/" + name; }

 private:
  FILE* image = nullptr;
  size_t size = 0, done = 0;
  uint8_t first = 0;
};
inline UpdaterClass Update;
