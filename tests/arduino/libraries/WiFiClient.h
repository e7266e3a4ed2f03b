// A network that is always there, and a client that is a socket.
#pragma once
#include <Arduino.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum wl_status_t { WL_IDLE_STATUS = 0, WL_CONNECTED = 3, WL_DISCONNECTED = 6 };

class WiFiClass {
 public:
  void begin(const char*, const char*) { begun = millis(); }
  wl_status_t status() { return millis() - begun > 100 ? WL_CONNECTED : WL_DISCONNECTED; }
  int8_t RSSI() { return -60; }

 private:
  unsigned long begun = 0;
};
inline WiFiClass WiFi;

class Stream {
 public:
  virtual int available() = 0;
  virtual int read() = 0;
  void setTimeout(unsigned long ms) { timeout = ms; }
  // What there is within the timeout, which counts from one byte to the next.
  size_t readBytes(uint8_t* buffer, size_t count) {
    size_t done = 0;
    for (unsigned long heard = millis(); done < count && millis() - heard < timeout;) {
      int one = read();
      if (one < 0) {
        if (!open()) break;
        delay(1);
        continue;
      }
      buffer[done++] = one;
      heard = millis();
    }
    return done;
  }

 protected:
  virtual bool open() = 0;
  unsigned long timeout = 1000;
};

class Client : public Stream {
 public:
  virtual int connect(const char* host, uint16_t port) = 0;
  virtual size_t write(const uint8_t* bytes, size_t count) = 0;
  virtual uint8_t connected() = 0;
  virtual void stop() = 0;
};

class WiFiClient : public Client {
 public:
  ~WiFiClient() {
    stop();
    there = false;
  }
  int connect(const char* host, uint16_t port) override {
    stop();
    char service[8];
    snprintf(service, sizeof service, "%u", port);
    addrinfo wanted = {}, *found = nullptr;
    wanted.ai_socktype = SOCK_STREAM;
    if (getaddrinfo(host, service, &wanted, &found) != 0) return 0;
    handle = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(handle, found->ai_addr, found->ai_addrlen) != 0) stop();
    freeaddrinfo(found);
    int at_once = 1;
    setsockopt(handle, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
    return handle >= 0;
  }
  size_t write(const uint8_t* bytes, size_t count) override {
    ssize_t sent = send(handle, bytes, count, MSG_NOSIGNAL);
    return sent < 0 ? 0 : sent;
  }
  int available() override {
    int count = 0;
    return handle >= 0 && ioctl(handle, FIONREAD, &count) == 0 ? count : 0;
  }
  int read() override {
    uint8_t one;
    return available() && recv(handle, &one, 1, 0) == 1 ? one : -1;
  }
  uint8_t connected() override { return available() > 0 || open(); }
  void stop() override {
    if (!there) {
      fprintf(stderr, "a WiFiClient is used that is gone\n");
      abort();
    }
    if (handle >= 0) close(handle);
    handle = -1;
  }

 protected:
  bool open() override {
    char one;
    ssize_t count = handle < 0 ? 0 : recv(handle, &one, 1, MSG_PEEK | MSG_DONTWAIT);
    return count > 0 || (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK));
  }

 private:
  int handle = -1;
  volatile bool there = true;  // a dead one is found out
};
