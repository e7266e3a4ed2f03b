// A board that is a process: the loader in its flash, then the sketch. SKETCH is the file, as the Arduino IDE takes it: behind
// Arduino.h, with nothing else around.
#include <Arduino.h>
#include SKETCH
#include <Flash.h>
#include <sys/stat.h>

void* operator new(size_t count) { return malloc(count); }
void operator delete(void* gone) noexcept { free(gone); }
void operator delete(void* gone, size_t) noexcept { free(gone); }
extern "C" void __cxa_pure_virtual() { abort(); }

// The image behind its first byte is a program. A staged one takes the place of the one before.
void unpack(const String& staged, const String& program) {
  FILE* from = fopen(staged.c_str(), "rb");
  if (!from) return;
  String fresh = program + ".new";
  FILE* to = fopen(fresh.c_str(), "wb");
  fseek(from, 1, SEEK_SET);
  for (int one = fgetc(from); one != EOF; one = fgetc(from)) fputc(one, to);
  fclose(from);
  fclose(to);
  chmod(fresh.c_str(), 0700);
  rename(fresh.c_str(), program.c_str());
  unlink(staged.c_str());
}

void boot() {
  String program = UpdaterClass::path("program");
  unpack(UpdaterClass::path("staged"), program);
  char running[4096] = "";
  if (readlink("/proc/self/exe", running, sizeof running - 1) > 0 && program != running) execl(program.c_str(), "board", (char*)nullptr);
}

int main() {
  setvbuf(stdout, nullptr, _IOLBF, 0);
  boot();
  setup();
  for (;; usleep(500)) loop();
}
