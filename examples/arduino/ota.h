// Updates over the air for device.ino: fetched by HTTP, checked, installed; the sketch includes this behind `say`.
// Libraries: Crypto (Rhys Weatherley) for SHA-256 and Ed25519; HTTPClient and Update come with the board.
//
// The image goes straight into the half of the flash that does not run, and its SHA-256 is taken on the way. The new half is
// started only where that is the one that was announced and, where PUBLIC_KEY is set, the signature is the key's.

#pragma once
#include <Ed25519.h>
#include <SHA256.h>
#if defined(ESP8266)
#include <ESP8266HTTPClient.h>
#include <Updater.h>
#else
#include <HTTPClient.h>
#include <Update.h>
#endif

const char* VERSION = "1.0.0";  // of this very program: the platform takes it as proof
// #define SIGNED
const uint8_t PUBLIC_KEY[32] = {0};  // the product's, where SIGNED is defined

void progress(const char* version, const char* state, int percent, const char* error) {
  JsonDocument body;
  body["version"] = version;
  body["state"] = state;
  if (percent >= 0) body["progress"] = percent;
  if (error) body["error"] = error;
  say("ota", body);
}

// Waits, and stays in touch with the broker meanwhile.
void stayFor(unsigned long ms) {
  for (unsigned long begin = millis(); millis() - begin < ms; delay(50)) mqtt.loop();
}

void refuse(const char* version, const char* error) {
#if defined(ESP32)
  Update.abort();
#else
  Update.end();  // of an image that is not whole: gives up
#endif
  progress(version, "failed", -1, error);
}

enum Fetched { WHOLE, CUT_SHORT, EXPIRED };
const int TRIES = 10;  // of a server that serves many others at this moment
bool busy = false;

// The image into the flash, its digest into `digest`.
Fetched fetch(const char* url, size_t size, const char* version, uint8_t digest[32]) {
  HTTPClient http;
  WiFiClient link;
  int answer = 0;
  for (int n = 0; n < TRIES; n++) {
    if (n) stayFor(5000);
    if (!http.begin(link, url)) return CUT_SHORT;
    answer = http.GET();
    if (answer > 0 && answer != HTTP_CODE_SERVICE_UNAVAILABLE && answer != HTTP_CODE_TOO_MANY_REQUESTS) break;
    http.end();
  }
  if (answer == HTTP_CODE_FORBIDDEN) return EXPIRED;
  if (answer != HTTP_CODE_OK || http.getSize() != (int)size || !Update.begin(size)) return CUT_SHORT;
  SHA256 sha;
  uint8_t buffer[1024];
  size_t done = 0;
  int told = 0;
  while (done < size && http.connected()) {
    size_t count = http.getStream().readBytes(buffer, min(sizeof(buffer), size - done));
    if (count == 0 || Update.write(buffer, count) != count) break;
    sha.update(buffer, count);
    done += count;
    if ((int)(100 * done / size) >= told + 10) {
      told = 100 * done / size;
      progress(version, "downloading", told, nullptr);
      mqtt.loop();
    }
  }
  http.end();
  sha.finalize(digest, 32);
  return done == size ? WHOLE : CUT_SHORT;
}

bool fromHex(const char* text, uint8_t* bytes, size_t count) {
  if (!text || strlen(text) != 2 * count) return false;
  for (size_t n = 0; n < count; n++) {
    char pair[3] = {text[2 * n], text[2 * n + 1], 0};
    bytes[n] = strtoul(pair, nullptr, 16);
  }
  return true;
}

bool fromBase64(const char* text, uint8_t* bytes, size_t count) {
  const char* digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  uint32_t bits = 0;
  int kept = 0;
  size_t done = 0;
  for (; text && *text && *text != '='; text++) {
    const char* found = strchr(digits, *text);
    if (!found) return false;
    bits = (bits << 6) | (found - digits);
    kept += 6;
    if (kept >= 8) {
      kept -= 8;
      if (done == count) return false;
      bytes[done++] = bits >> kept;
    }
  }
  return done == count;
}

// Ends in a restart, or in a word about what was wrong.
void install(JsonDocument& offer, const char* version) {
  uint8_t digest[32], wanted[32];
  Fetched fetched = fetch(offer["url"] | "", offer["size"] | 0, version, digest);
  if (fetched == EXPIRED) {  // no fault of the image: `{}` asks for a new address
    mqtt.publish(up("ota").c_str(), "{}");
    return;
  }
  if (fetched != WHOLE) return refuse(version, "the image could not be fetched");
  progress(version, "verifying", 100, nullptr);
  if (!fromHex(offer["sha256"] | "", wanted, 32) || memcmp(digest, wanted, 32) != 0) return refuse(version, "the SHA-256 differs");
#ifdef SIGNED
  uint8_t signature[64];
  if (!fromBase64(offer["signature"] | "", signature, 64) || !Ed25519::verify(signature, PUBLIC_KEY, digest, 32))
    return refuse(version, "the signature is wrong");
#endif
  progress(version, "installing", 100, nullptr);
  if (!Update.end()) return refuse(version, "the image could not be written");
  ESP.restart();  // after the start VERSION is the new one, and `announce` says so
}

// What devices/{key}/down/ota holds. An offer may come again while we are at it, as `mqtt.loop` is called on the way.
void update(JsonDocument& offer) {
  if (busy) return;
  String version = offer["version"].as<String>();
  if (version == VERSION) {
    progress(VERSION, "succeeded", 100, nullptr);
    return;
  }
  busy = true;
  install(offer, version.c_str());
  busy = false;
}

// After each connection: the platform learns what came of an update, and offers one that is open again.
void announce() {
  JsonDocument body;
  body["version"] = VERSION;
  say("ota", body);
}
