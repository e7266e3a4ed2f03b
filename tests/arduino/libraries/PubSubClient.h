// The counterpart of PubSubClient 2.8 (Nick O'Leary) with its limits: one buffer for all that comes and goes, so that a message
// which was received is overwritten by what is published; what does not fit is not sent and, where it comes, dropped without
// an acknowledgement; QoS 0 for what is published. A message is acknowledged when the callback has returned.
#pragma once
#include <WiFiClient.h>

#define MQTT_CONNECTION_TIMEOUT -4
#define MQTT_CONNECTION_LOST -3
#define MQTT_CONNECT_FAILED -2
#define MQTT_DISCONNECTED -1
#define MQTT_CONNECTED 0
#define MQTT_KEEPALIVE 15       // s
#define MQTT_SOCKET_TIMEOUT 15  // s
#define MQTT_MAX_HEADER_SIZE 5

class PubSubClient {
 public:
  PubSubClient(Client& client) : client(client) { setBufferSize(256); }
  PubSubClient& setServer(const char* domain, uint16_t number) {
    host = domain;
    port = number;
    return *this;
  }
  PubSubClient& setCallback(void (*function)(char*, uint8_t*, unsigned int)) {
    callback = function;
    return *this;
  }
  boolean setBufferSize(uint16_t bytes) {
    buffer = (uint8_t*)realloc(buffer, bytes);
    room = bytes;
    return true;
  }

  boolean connect(const char* id, const char* user, const char* pass) { return connect(id, user, pass, nullptr, 0, false, nullptr, true); }
  boolean connect(const char* id, const char* user, const char* pass, const char* willTopic, uint8_t willQos, boolean willRetain,
                  const char* willMessage, boolean cleanSession) {
    if (connected()) return true;
    if (!client.connect(host, port)) {
      reason = MQTT_CONNECT_FAILED;
      return false;
    }
    length = MQTT_MAX_HEADER_SIZE;
    text("MQTT");
    put(4);
    put(0xC0 | (willTopic ? 0x04 | willQos << 3 | willRetain << 5 : 0) | cleanSession << 1);
    put(0);
    put(MQTT_KEEPALIVE);
    text(id);
    if (willTopic) {
      text(willTopic);
      text(willMessage);
    }
    text(user);
    text(pass);
    send(0x10);
    heardAt = saidAt = millis();
    pinged = false;
    reason = receive() == 4 ? buffer[3] : MQTT_CONNECTION_TIMEOUT;
    if (reason != MQTT_CONNECTED) client.stop();
    return reason == MQTT_CONNECTED;
  }
  boolean connected() {
    if (client.connected()) return reason == MQTT_CONNECTED;
    if (reason == MQTT_CONNECTED) {
      reason = MQTT_CONNECTION_LOST;
      client.stop();
    }
    return false;
  }
  int state() { return reason; }

  boolean publish(const char* topic, const char* payload) { return publish(topic, (const uint8_t*)payload, strlen(payload)); }
  boolean publish(const char* topic, const uint8_t* payload, unsigned int count) {
    if (!connected() || room < MQTT_MAX_HEADER_SIZE + 2 + strlen(topic) + count) return false;
    length = MQTT_MAX_HEADER_SIZE;
    text(topic);
    for (unsigned int n = 0; n < count; n++) put(payload[n]);
    return send(0x30);
  }
  boolean subscribe(const char* topic, uint8_t qos) {
    if (!connected() || qos > 1 || room < 9 + strlen(topic)) return false;
    length = MQTT_MAX_HEADER_SIZE;
    number = number == 65535 ? 1 : number + 1;
    put(number >> 8);
    put(number);
    text(topic);
    put(qos);
    return send(0x82);
  }

  boolean loop() {
    if (!connected()) return false;
    unsigned long now = millis();
    if (now - heardAt > MQTT_KEEPALIVE * 1000UL || now - saidAt > MQTT_KEEPALIVE * 1000UL) {
      if (pinged) {
        reason = MQTT_CONNECTION_TIMEOUT;
        client.stop();
        return false;
      }
      length = MQTT_MAX_HEADER_SIZE;
      send(0xC0);
      heardAt = saidAt = now;
      pinged = true;
    }
    if (!client.available()) return true;
    unsigned int count = receive();
    if (count > 0) heardAt = now;
    if (count > 0 && (buffer[0] & 0xF0) == 0x30 && callback) hand(count);
    if (count > 0 && (buffer[0] & 0xF0) == 0xD0) pinged = false;
    return true;
  }

 private:
  void put(uint8_t one) { buffer[length++] = one; }
  void text(const char* from) {
    put(strlen(from) >> 8);
    put(strlen(from));
    while (*from) put(*from++);
  }
  // What `put` has collected behind the room for the header.
  boolean send(uint8_t type) {
    uint8_t header[MQTT_MAX_HEADER_SIZE] = {type};
    unsigned int used = 1;
    for (unsigned int left = length - MQTT_MAX_HEADER_SIZE; used == 1 || left; left >>= 7) header[used++] = (left & 127) | (left > 127 ? 128 : 0);
    memcpy(buffer + MQTT_MAX_HEADER_SIZE - used, header, used);
    saidAt = millis();
    size_t whole = length + used - MQTT_MAX_HEADER_SIZE;
    return client.write(buffer + MQTT_MAX_HEADER_SIZE - used, whole) == whole;
  }
  int next() {
    for (unsigned long begin = millis(); !client.available(); delay(1))
      if (millis() - begin > MQTT_SOCKET_TIMEOUT * 1000UL || !client.connected()) return -1;
    return client.read();
  }
  // A whole packet into the buffer; its length, 0 where it does not fit or does not come.
  unsigned int receive() {
    unsigned int left = 0, count = 0;
    int one = next();
    if (one < 0) return 0;
    buffer[count++] = one;
    for (unsigned int shift = 0;; shift += 7) {
      if ((one = next()) < 0) return 0;
      buffer[count++] = one;
      left |= (one & 127) << shift;
      if (one < 128) break;
    }
    head = count;
    for (; left > 0; left--, count++) {
      if ((one = next()) < 0) return 0;
      if (count < room) buffer[count] = one;
    }
    return count > room ? 0 : count;
  }
  void hand(unsigned int count) {
    unsigned int topic = buffer[head] << 8 | buffer[head + 1];
    memmove(buffer + head + 1, buffer + head + 2, topic);  // a byte to the front, to make room for the end of the text
    buffer[head + 1 + topic] = 0;
    uint8_t* payload = buffer + head + 2 + topic;
    bool acknowledged = (buffer[0] & 0x06) == 0x02;
    uint8_t answer[4] = {0x40, 2, payload[0], payload[1]};
    if (acknowledged) payload += 2;
    callback((char*)buffer + head + 1, payload, buffer + count - payload);
    buffer[0] = 0;  // ours again
    if (acknowledged) client.write(answer, sizeof answer);
  }

  Client& client;
  const char* host = nullptr;
  uint16_t port = 0, number = 0, room = 0;
  void (*callback)(char*, uint8_t*, unsigned int) = nullptr;
  uint8_t* buffer = nullptr;
  unsigned int length = 0, head = 0;
  unsigned long heardAt = 0, saidAt = 0;
  bool pinged = false;
  int reason = MQTT_DISCONNECTED;
};
